# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the simulator knows of the cluster: small records of nodes and pods, kept current by watches.

Pods are reduced to what the data plane needs, so that thousands of them cost little memory.
"""

from __future__ import annotations

import threading
import typing as t
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .model import DRAINING, ORIGIN, FleetNode, parse_origin

Object = dict[str, t.Any]
ACCELERATORS = ("nvidia.com/", "aws.amazon.com/neuron")
RUNNING = "Running"
FINISHED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Pod:
    """A pod that has a node.

    :param accelerators: resource -> count of all its containers, accelerators only.
    :param owner: name of the DaemonSet that it belongs to, or empty.
    :param images: the containers' images.
    """

    uid: str
    namespace: str
    name: str
    node: str
    phase: str
    deleting: bool
    accelerators: tuple[tuple[str, int], ...]
    owner: str
    images: tuple[str, ...]

    @property
    def running(self) -> bool:
        """Whether its processes run."""
        return self.phase == RUNNING and not self.deleting


def pod_record(pod: Object) -> Pod:
    """The record of an API object."""
    metadata, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    owners = [owner["name"] for owner in metadata.get("ownerReferences") or [] if owner.get("kind") == "DaemonSet"]
    return Pod(
        uid=metadata["uid"],
        namespace=metadata["namespace"],
        name=metadata["name"],
        node=spec.get("nodeName", ""),
        phase=status.get("phase", ""),
        deleting="deletionTimestamp" in metadata,
        accelerators=_accelerators(spec.get("containers") or []),
        owner=owners[0] if owners else "",
        images=tuple(container.get("image", "") for container in spec.get("containers") or []),
    )


def _accelerators(containers: list[Object]) -> tuple[tuple[str, int], ...]:
    total: dict[str, int] = defaultdict(int)
    for container in containers:
        limits: Mapping[str, str] = (container.get("resources") or {}).get("limits") or {}
        for name, count in limits.items():
            if name.startswith(ACCELERATORS):
                total[name] += int(count)
    return tuple(sorted(total.items()))


def slim_node(node: Object) -> Object:
    """The node without what the simulator never looks at."""
    metadata = {key: value for key, value in node["metadata"].items() if key != "managedFields"}
    status = {key: value for key, value in (node.get("status") or {}).items() if key not in ("images", "nodeInfo")}
    return {"metadata": metadata, "spec": node.get("spec") or {}, "status": status}


def is_ready(node: Object) -> bool:
    """Whether the kubelet reports Ready."""
    conditions = node["status"].get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def fleet_node(node: Object) -> FleetNode | None:
    """The planner's view of a node; None when the simulator did not make it."""
    annotations = node["metadata"].get("annotations") or {}
    if ORIGIN not in annotations:
        return None
    return FleetNode(
        name=node["metadata"]["name"],
        origin=parse_origin(annotations[ORIGIN]),
        zone=(node["metadata"].get("labels") or {}).get("topology.kubernetes.io/zone", ""),
        ready=is_ready(node),
        draining=DRAINING in annotations,
    )


class Store:
    """The records, with the names of the nodes that something happened to; safe between threads.

    :param wake: called after each change.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._wake = wake
        self._nodes: dict[str, Object] = {}
        self._pods: dict[str, Pod] = {}
        self._by_node: dict[str, dict[str, Pod]] = defaultdict(dict)
        self._touched: set[str] = set()
        self._fleet: dict[str, FleetNode] = {}
        self._fleet_moved = False

    def put_node(self, node: Object) -> None:
        """A node was added or changed; an older version than the known one is ignored."""
        slim, name = slim_node(node), node["metadata"]["name"]
        with self._lock:
            known = self._nodes.get(name)
            if known and _version(known) >= _version(slim) and known["metadata"]["uid"] == slim["metadata"]["uid"]:
                return
            self._nodes[name] = slim
            self._touched.add(name)
            self._keep_fleet(name, fleet_node(slim))
        self._wake()

    def drop_node(self, node: Object) -> None:
        """A node is gone."""
        name = node["metadata"]["name"]
        with self._lock:
            self._nodes.pop(name, None)
            self._touched.add(name)
            self._keep_fleet(name, None)
        self._wake()

    def replace_nodes(self, nodes: list[Object]) -> None:
        """A new list of all nodes."""
        names = {node["metadata"]["name"] for node in nodes}
        for node in nodes:
            self.put_node(node)
        with self._lock:
            gone = [node for name, node in self._nodes.items() if name not in names]
        for node in gone:
            self.drop_node(node)

    def put_pod(self, pod: Object) -> None:
        """A pod was added or changed."""
        record = pod_record(pod)
        with self._lock:
            if self._pods.get(record.uid) == record:
                return
            self._pods[record.uid] = record
            self._by_node[record.node][record.uid] = record
            self._touched.add(record.node)
        self._wake()

    def drop_pod(self, pod: Object) -> None:
        """A pod is gone."""
        with self._lock:
            record = self._pods.pop(pod["metadata"]["uid"], None)
            if record is None:
                return
            self._by_node[record.node].pop(record.uid, None)
            self._touched.add(record.node)
        self._wake()

    def replace_pods(self, pods: list[Object]) -> None:
        """A new list of all pods."""
        uids = {pod["metadata"]["uid"] for pod in pods}
        for pod in pods:
            self.put_pod(pod)
        with self._lock:
            gone = [uid for uid in self._pods if uid not in uids]
        for uid in gone:
            self.drop_pod({"metadata": {"uid": uid}})

    def touched(self) -> set[str]:
        """The nodes that something happened to since the last call."""
        with self._lock:
            touched, self._touched = self._touched, set()
            return touched

    def _keep_fleet(self, name: str, record: FleetNode | None) -> None:
        if record == self._fleet.get(name):
            return
        self._fleet_moved = True
        if record is None:
            del self._fleet[name]
        else:
            self._fleet[name] = record

    def fleet(self) -> list[FleetNode]:
        """The nodes of node groups."""
        with self._lock:
            return list(self._fleet.values())

    def fleet_moved(self, touched: set[str]) -> bool:
        """Whether node groups have to be looked at: since the last call a node of theirs came, went, became Ready,
        was marked, or one of those that are emptied was touched.
        """
        with self._lock:
            moved, self._fleet_moved = self._fleet_moved, False
            return moved or any(self._fleet[name].draining for name in touched if name in self._fleet)

    def names(self) -> set[str]:
        """The names of all nodes."""
        with self._lock:
            return set(self._nodes)

    def node(self, name: str) -> Object | None:
        """One node."""
        with self._lock:
            return self._nodes.get(name)

    def nodes(self) -> list[Object]:
        """All nodes."""
        with self._lock:
            return list(self._nodes.values())

    def pods_of(self, node: str) -> list[Pod]:
        """The pods of a node."""
        with self._lock:
            return list(self._by_node.get(node, {}).values())


def _version(node: Object) -> int:
    return int(node["metadata"].get("resourceVersion") or 0)


__all__ = ("FINISHED", "RUNNING", "Object", "Pod", "Store", "fleet_node", "is_ready", "pod_record", "slim_node")
