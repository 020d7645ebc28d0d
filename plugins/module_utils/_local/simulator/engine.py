# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine: one pass over what changed, the writes that follow, and when to wake again."""

from __future__ import annotations

import threading
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..._core.clock import Clock
from ..._core.concurrency import ConcurrentError, map_concurrently
from ..._core.errors import PlatformError
from .catalogue import Catalogue
from .controls import Controls
from .disruptions import Disruptions
from .fleet_engine import Fleet, Job
from .gpu_node import Aim, Memory, Scene, extended, first_memory, look
from .hardware import Board
from .kube import Kube
from .mig_manager import NEVER
from .model import HARDWARE, NOT_READY, ORIGIN, NodeGroup, parse_origin
from .operator_policy import Object, Settings
from .store import Pod, Store, is_ready

INSTANCE_TYPE = "node.kubernetes.io/instance-type"
BUILT_IN = "BOTTLEROCKET"
RETRY = 1.0
WRITERS = 8  # writers; more threads only queue at the interpreter


@dataclass
class World:
    """What the engine goes by; replaced as a whole by the watchers and the control endpoint.

    :param settings: None while there is no ClusterPolicy.
    """

    groups: Mapping[str, NodeGroup] | None = None
    settings: Settings | None = None
    controls: Controls = field(default_factory=Controls)


class Engine:
    """Keeps nodes as EKS, the kubelet and NVIDIA's programs would.

    :param complain: gets a sentence when a write fails; it is tried again.
    """

    def __init__(
        self,
        *,
        store: Store,
        kube: Kube,
        catalogue: Catalogue,
        clock: Clock,
        disruptions: Disruptions,
        complain: Callable[[str], None],
    ) -> None:
        self.world = World()
        self.crashed: dict[str, str] = {}
        self._store, self._kube, self._catalogue = store, kube, catalogue
        self._clock, self._disruptions, self._complain = clock, disruptions, complain
        self._fleet = Fleet(store=store, kube=kube, disruptions=disruptions)
        self._memories: dict[tuple[str, str], Memory] = {}
        self._due: dict[str, float] = {}
        self._fleet_due = self._retry_due = NEVER
        self._all = threading.Event()
        self._all.set()

    def look_at_everything(self) -> None:
        """Settings or switches changed: the next pass looks at every node."""
        self._all.set()

    def step(self) -> float:
        """One pass; returns the seconds until the next one is due, if nothing happens before."""
        now = self._clock.now()
        touched = self._store.touched()
        everything = self._all.is_set() or self._retry_due <= now
        self._all.clear()
        if everything:
            self._retry_due = NEVER
        names = self._store.names() if everything else touched
        names |= {name for name, due in self._due.items() if due <= now}
        jobs: list[Job] = []
        for name in names:
            jobs += self._node_jobs(name, now)
        moved = self._store.fleet_moved(touched)
        if self.world.groups is not None and (moved or everything or self._fleet_due <= now):
            more, self._fleet_due = self._fleet.jobs(self.world.groups, controls=self.world.controls, now=now)
            jobs += more
        self._run(jobs)
        soonest = min([self._fleet_due, self._retry_due, *self._due.values()], default=NEVER)
        return max(0.0, soonest - self._clock.now())

    def _run(self, jobs: list[Job]) -> None:
        try:
            map_concurrently(lambda job: job(), jobs, workers=WRITERS, errors="all")
        except ConcurrentError as error:
            self._complain(f"{len(error.failures)} write(s) failed, to be tried again: {error.failures[0][1]}")
            self._retry_due = self._clock.now() + RETRY

    def _node_jobs(self, name: str, now: float) -> list[Job]:
        node = self._store.node(name)
        self._due.pop(name, None)
        if node is None:
            self._forget(name)
            return []
        labels = node["metadata"].get("labels") or {}
        annotations = node["metadata"].get("annotations") or {}
        machine = self._catalogue.machine(labels.get(INSTANCE_TYPE, ""))
        if machine is None:
            return []
        key = (name, node["metadata"]["uid"])
        memory = self._memories.get(key) or first_memory(machine, packed=annotations.get(HARDWARE))
        origin = parse_origin(annotations[ORIGIN]) if ORIGIN in annotations else None
        scene = Scene(
            name=name,
            labels=labels,
            resources=extended(node["status"].get("capacity") or {}),
            pods=self._store.pods_of(name),
            machine=machine,
            board=self._board(machine.board),
            efa=origin.efa if origin else machine.efa,
            built_in=bool(origin and origin.ami.startswith(BUILT_IN)),
        )
        aim = look(scene, memory, settings=self.world.settings, controls=self.world.controls, now=now)
        self._memories[key] = aim.memory
        self._remember(name, aim)
        return self._writes(node, aim, before=memory)

    def _board(self, name: str) -> Board | None:
        return self._catalogue.board(name) if name else None

    def _remember(self, name: str, aim: Aim) -> None:
        if aim.due != NEVER:
            self._due[name] = aim.due
        if aim.memory.plugin.error:
            self.crashed[name] = aim.memory.plugin.error
        else:
            self.crashed.pop(name, None)

    def _forget(self, name: str) -> None:
        self.crashed.pop(name, None)
        for key in [key for key in self._memories if key[0] == name]:
            del self._memories[key]

    def _writes(self, node: Object, aim: Aim, *, before: Memory) -> list[Job]:
        name, uid = node["metadata"]["name"], node["metadata"]["uid"]
        metadata, status = metadata_patch(node, aim), status_patch(node, aim)
        refusals = [self._refuse(pod, count) for pod, count in aim.refused]
        hurt = self._disruptions.add(aim.disrupted, node=name, reason="the MIG layout changed under it")
        if not metadata and not status:
            return refusals

        def job() -> None:
            try:
                for body, write in ((status, self._kube.patch_node_status), (metadata, self._kube.patch_node)):
                    if body and (after := write(name, body)) is not None:
                        self._store.put_node(after)
            except PlatformError:
                self._memories[name, uid] = before  # what was not said did not happen: the next look does it again
                self._disruptions.take_back(hurt)
                raise

        return [job, *refusals]

    def _refuse(self, pod: Pod, count: int) -> Job:
        message = f"Allocate failed: maximum request size for shared resources is 1; found {count}, which is unexpected"

        def job() -> None:
            self._kube.fail_pod(pod.namespace, pod.name, reason="UnexpectedAdmissionError", message=message)

        return job


def metadata_patch(node: Object, aim: Aim) -> dict[str, t.Any]:
    """The merge patch of labels and annotations; empty when nothing differs."""
    annotations: dict[str, str | None] = dict(aim.annotations)
    marked = NOT_READY in (node["metadata"].get("annotations") or {})
    if aim.away != marked:
        annotations[NOT_READY] = "true" if aim.away else None
    found = {"labels": dict(aim.labels), "annotations": annotations}
    changed = {key: value for key, value in found.items() if value}
    return {"metadata": changed} if changed else {}


def status_patch(node: Object, aim: Aim) -> dict[str, t.Any]:
    """The merge patch of the status; empty when nothing differs."""
    status: dict[str, t.Any] = {}
    if aim.resources:
        status["capacity"] = status["allocatable"] = dict(aim.resources)
    if aim.away and is_ready(node):
        status["conditions"] = [_away(one) for one in node["status"].get("conditions") or []]
    return {"status": status} if status else {}


def _away(condition: Mapping[str, t.Any]) -> dict[str, t.Any]:
    if condition["type"] != "Ready":
        return dict(condition)
    moment = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    reason = {"reason": "KubeletNotReady", "message": "simulated", "lastTransitionTime": moment}
    return {**condition, "status": "False", **reason}


__all__ = ("Engine", "World", "metadata_patch", "status_patch")
