# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Node groups and their nodes: the engine's half that plays EKS and the instances' life."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace

from .controls import Controls
from .disruptions import Disruptions
from .fleet import plan_fleet
from .kube import Kube
from .mig_manager import NEVER
from .model import DRAINING, ORIGIN, FleetNode, NodeGroup, Origin
from .nodes import node_name, node_object
from .store import FINISHED, Object, Pod, Store

Job = Callable[[], None]
EVICTION_PAUSE = 1.0
ROLL = "roll"


class Fleet:
    """Keeps the nodes of all groups as the groups say.

    :param store: the cluster as watched; the answers of writes are put there at once.
    """

    def __init__(self, *, store: Store, kube: Kube, disruptions: Disruptions) -> None:
        self._store, self._kube, self._disruptions = store, kube, disruptions
        self._serials: dict[str, int] = defaultdict(int)
        self._deadlines: dict[str, float] = {}

    def jobs(self, groups: Mapping[str, NodeGroup], *, controls: Controls, now: float) -> tuple[list[Job], float]:
        """The writes that are due now, and when to ask again."""
        by_group: dict[str, list[FleetNode]] = defaultdict(list)
        for record in self._store.fleet():
            by_group[record.origin.group].append(record)
        jobs: list[Job] = []
        due = NEVER
        taken = self._store.names()
        for key, nodes in by_group.items():
            self._serials[key] = max(self._serials[key], 1 + max(node.origin.serial for node in nodes))
            if key not in groups:
                jobs += [self._terminate(node.name, "its node group is gone") for node in nodes]
        for key, group in groups.items():
            nodes = by_group.get(key, [])
            jobs += self._group_jobs(group, nodes, taken)
            for node in nodes:
                if node.draining:
                    more, later = self._drain_jobs(group, node, controls=controls, now=now)
                    jobs += more
                    due = min(due, later)
        return jobs, due

    def _group_jobs(self, group: NodeGroup, nodes: list[FleetNode], taken: set[str]) -> list[Job]:
        plan = plan_fleet(group, nodes, next_serial=self._serials[group.key])
        jobs: list[Job] = []
        for serial, subnet in plan.create:
            name = node_name(group, serial, subnet, taken)
            taken.add(name)
            self._serials[group.key] = serial + 1
            jobs.append(self._create(node_object(group, serial=serial, subnet=subnet, name=name)))
        reason = ROLL if group.wanted and len(nodes) > len(plan.drain) else "scale-down"
        if group.wanted and not any(node.origin.revision != group.revision for node in nodes):
            reason = "scale-down"
        jobs += [self._begin_drain(name, reason) for name in plan.drain]
        jobs += [self._update(group, node) for node in nodes if not node.draining and outdated(group, node.origin)]
        return jobs

    def _create(self, node: Object) -> Job:
        def job() -> None:
            if (made := self._kube.create_node(node)) is not None:
                self._store.put_node(made)

        return job

    def _begin_drain(self, name: str, reason: str) -> Job:
        body = {"metadata": {"annotations": {DRAINING: reason}}, "spec": {"unschedulable": True}}
        return self._patch(name, body)

    def _update(self, group: NodeGroup, node: FleetNode) -> Job:
        live = self._store.node(node.name)
        return self._patch(node.name, group_patch(group, node.origin, live)) if live else (lambda: None)

    def _patch(self, name: str, body: Mapping[str, t.Any]) -> Job:
        def job() -> None:
            if (after := self._kube.patch_node(name, body)) is not None:
                self._store.put_node(after)

        return job

    def _drain_jobs(
        self, group: NodeGroup, node: FleetNode, *, controls: Controls, now: float
    ) -> tuple[list[Job], float]:
        pods = self._store.pods_of(node.name)
        guests = [pod for pod in pods if not pod.owner and pod.phase not in FINISHED]
        live = self._store.node(node.name)
        if live is None:
            return [], NEVER
        forced = live["metadata"]["annotations"][DRAINING] != ROLL or group.wanted == 0
        deadline = self._deadlines.setdefault(node.name, now + controls.delays.drain)
        if not guests:
            return [self._terminate(node.name, "")], NEVER
        if forced and now >= deadline:
            return [self._terminate(node.name, f"not empty after {controls.delays.drain:g} s")], NEVER
        return [self._evict(pod) for pod in guests if not pod.deleting], now + EVICTION_PAUSE

    def _evict(self, pod: Pod) -> Job:
        def job() -> None:
            self._kube.evict(pod.namespace, pod.name)

        return job

    def _terminate(self, name: str, reason: str) -> Job:
        def job() -> None:
            pods = self._store.pods_of(name)
            hurt = [pod for pod in pods if pod.running and pod.accelerators and not pod.owner]
            self._disruptions.add(hurt, node=name, reason=f"the node was terminated: {reason}")
            self._kube.delete_node(name)
            for pod in pods:
                self._kube.delete_pod(pod.namespace, pod.name)
            self._deadlines.pop(name, None)
            self._store.drop_node({"metadata": {"name": name}})

        return job


def outdated(group: NodeGroup, origin: Origin) -> bool:
    """Whether the group's labels or taints are no longer those that the node got from it."""
    taints = tuple((taint.key, taint.value, taint.effect) for taint in group.taints)
    return dict(origin.labels) != dict(group.labels) or origin.taints != taints


def group_patch(group: NodeGroup, origin: Origin, live: Object) -> dict[str, t.Any]:
    """The merge patch that brings the group's labels and taints to a live node, and takes away former ones."""
    taints = tuple((taint.key, taint.value, taint.effect) for taint in group.taints)
    former = {(key, effect) for key, _value, effect in origin.taints} | {(key, effect) for key, _v, effect in taints}
    others = [one for one in live["spec"].get("taints") or [] if (one["key"], one["effect"]) not in former]
    labels: dict[str, str | None] = {name: None for name, _value in origin.labels if name not in group.labels}
    renewed = replace(origin, labels=tuple(sorted(group.labels.items())), taints=taints)
    return {
        "metadata": {
            "resourceVersion": live["metadata"]["resourceVersion"],
            "labels": {**labels, **group.labels},
            "annotations": {ORIGIN: renewed.text()},
        },
        "spec": {"taints": [*others, *(taint.document() for taint in group.taints)]},
    }


__all__ = ("Fleet", "Job", "group_patch", "outdated")
