"""An API server in memory with GPU nodes: what a roll costs by itself, without the server's own time.

It answers what a roll asks: lists and watches of nodes and pods, merge patches of nodes, evictions. Each node does what
mig-manager does: some seconds after a new layout it says success and offers the new resources.
"""

from __future__ import annotations

import copy
import heapq
import itertools
import queue
import threading
import time
import typing as t
from collections.abc import Iterator, Mapping

from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import Answer

CONFIG, STATE = "nvidia.com/mig.config", "nvidia.com/mig.config.state"
Object = dict[str, t.Any]


class MemoryCluster:
    """Nodes with one GPU pod each.

    :param layouts: layout -> extended resources that a node offers with it.
    :param work: seconds that a node needs for a new layout.
    """

    silent_since: float | None = None

    def __init__(self, nodes: int, *, layouts: Mapping[str, Mapping[str, str]], start: str, work: float) -> None:
        self.requests = 0
        self._layouts, self._work = layouts, work
        self._lock, self._versions = threading.RLock(), itertools.count(1)
        self._watches: list[tuple[str, queue.SimpleQueue[Object | None]]] = []
        self._due: list[tuple[float, str]] = []
        self._stopped = threading.Event()
        self.objects: dict[str, dict[str, Object]] = {"nodes": {}, "pods": {}}
        for number in range(nodes):
            name = f"node-{number:04}"
            self._put("nodes", name, _node(name, start, layouts[start]))
            self._put("pods", f"n/pod-{number:04}", _pod(f"pod-{number:04}", name))
        threading.Thread(target=self._work_off, daemon=True).start()

    def stop(self) -> None:
        """End all watches."""
        self._stopped.set()
        with self._lock:
            for _kind, events in self._watches:
                events.put(None)

    def request(self, method: str, path: str, *, body: t.Any = None, query: t.Any = None, **_more: t.Any) -> Answer:
        """One request, counted."""
        with self._lock:
            self.requests += 1
            parts = path.strip("/").split("/")
            if method == "PATCH":
                return self._patched(parts[-1], body)
            if method == "POST" and parts[-1] == "eviction":
                self._drop(f"{parts[3]}/{parts[5]}")
                return Answer(201, {}, {})
            return Answer(200, self._listed(parts[-1], (query or {}).get("fieldSelector", "")), {})

    def stream(self, path: str, *, query: Mapping[str, t.Any], timeout: float) -> Iterator[Object]:  # noqa: ARG002 (the client's signature)
        """A watch: what came after the version, then what comes."""
        kind, events = path.rpartition("/")[2], queue.SimpleQueue[Object | None]()
        with self._lock:
            self.requests += 1
            for live in self.objects[kind].values():
                if int(live["metadata"]["resourceVersion"]) > int(query["resourceVersion"]):
                    events.put({"type": "MODIFIED", "object": copy.deepcopy(live)})
            self._watches.append((kind, events))
        while (event := events.get()) is not None:
            yield event

    def _listed(self, kind: str, selector: str) -> Object:
        node = selector.removeprefix("spec.nodeName=") if selector.startswith("spec.nodeName=") else ""
        items = [one for one in self.objects[kind].values() if not node or one["spec"].get("nodeName") == node]
        return {"metadata": {"resourceVersion": str(next(self._versions))}, "items": copy.deepcopy(items)}

    def _patched(self, name: str, body: Object) -> Answer:
        live = self.objects["nodes"][name]
        before = live["metadata"]["labels"].get(CONFIG)
        _merge(live, body)
        if live["metadata"]["labels"].get(CONFIG) != before:
            heapq.heappush(self._due, (time.monotonic() + self._work, name))
        self._put("nodes", name, live)
        return Answer(200, copy.deepcopy(live), {})

    def _put(self, kind: str, key: str, live: Object) -> None:
        live["metadata"]["resourceVersion"] = str(next(self._versions))
        self.objects[kind][key] = live
        self._tell(kind, "MODIFIED", live)

    def _drop(self, key: str) -> None:
        if live := self.objects["pods"].pop(key, None):
            live["metadata"]["resourceVersion"] = str(next(self._versions))
            self._tell("pods", "DELETED", live)

    def _tell(self, kind: str, event: str, live: Object) -> None:
        for watched, events in self._watches:
            if watched == kind:
                events.put({"type": event, "object": copy.deepcopy(live)})

    def _work_off(self) -> None:
        """mig-manager and the device plugin of every node."""
        while not self._stopped.wait(0.01):
            with self._lock:
                while self._due and self._due[0][0] <= time.monotonic():
                    live = self.objects["nodes"][heapq.heappop(self._due)[1]]
                    live["metadata"]["labels"][STATE] = "success"
                    live["status"]["allocatable"] = dict(self._layouts[live["metadata"]["labels"][CONFIG]])
                    self._put("nodes", live["metadata"]["name"], live)


def _node(name: str, layout: str, resources: Mapping[str, str]) -> Object:
    return {
        "metadata": {"name": name, "labels": {CONFIG: layout, STATE: "success"}, "annotations": {}},
        "spec": {},
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": dict(resources)},
    }


def _pod(name: str, node: str) -> Object:
    limits = {"limits": {"nvidia.com/mig-1g.10gb": "1"}}
    owner = {"kind": "ReplicaSet", "name": "r", "controller": True}
    return {
        "metadata": {"name": name, "namespace": "n", "uid": name, "ownerReferences": [owner]},
        "spec": {"nodeName": node, "containers": [{"name": "c", "resources": limits}]},
        "status": {"phase": "Running"},
    }


def _merge(target: Object, patch: Object) -> None:
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            _merge(target.setdefault(key, {}), value)
        else:
            target[key] = value
