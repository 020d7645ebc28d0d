# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rolls MIG layouts over many nodes at once: sees by two watches, decides by C(roll.decide), acts in threads."""

from __future__ import annotations

import queue
import typing as t
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from .._core.clock import Clock, Heartbeat
from .._core.errors import PlatformError
from .._core.text import listed
from .._k8s.client import KubeClient
from .._k8s.eviction import PodState, pod_state, to_evict
from .._k8s.mirror import Mirror
from .._k8s.nodes import NodeState, node_state
from .hands import Hands
from .roll import (
    MIG_MANAGER,
    PLUGIN,
    USERS,
    Action,
    Progress,
    RollSettings,
    Target,
    decide,
    held,
    phase_of,
)

WORKERS, EVICTORS = 32, 8  # evictions wait for each other; nothing else shall wait for them
LONGEST_LOOK = 1.0
MOST_NAMED = 5
ENDS = frozenset({"changed", "unchanged", "skipped", "failed"})


@dataclass
class NodeResult:
    """How it went for a node.

    :param result: V(changed), V(unchanged), V(skipped), V(failed) or V(waiting) (its turn never came).
    """

    pool: str
    result: str = "waiting"
    message: str = ""
    evicted: list[str] = field(default_factory=list)
    recoveries: int = 0
    seconds: float = 0.0


class Roller:
    """One roll.

    :param targets: node name -> what it is to become.
    """

    def __init__(
        self, client: KubeClient, *, clock: Clock, targets: Mapping[str, Target], settings: RollSettings
    ) -> None:
        self._client, self._clock, self._settings = client, clock, settings
        self._targets = dict(targets)
        self._news: queue.SimpleQueue[tuple[str, str, t.Any]] = queue.SimpleQueue()
        self._nodes: Mirror[NodeState] = Mirror(
            client, "/api/v1/nodes", clock=clock, reduce=node_state,
            changed=lambda key: self._news.put(("node", key, None)),
        )  # fmt: skip
        self._pods: Mirror[PodState] = Mirror(
            client, "/api/v1/pods", clock=clock, reduce=_gpu_pod,
            changed=lambda key: self._news.put(("pod", key, None)), query={"fieldSelector": "spec.nodeName!="},
        )  # fmt: skip
        self._by_node: dict[str, dict[str, PodState]] = defaultdict(dict)
        self._home: dict[str, str] = {}
        self._busy: set[str] = set()
        self._taking: set[str] = set()
        self._waiting: set[str] = set()
        self._due: dict[str, float] = {}
        self._evictors: ThreadPoolExecutor
        self._progress = {name: Progress() for name in targets}
        self._hands = Hands(
            client, clock=clock, settings=settings, targets=self._targets, progress=self._progress,
            pods_on=lambda name: list(self._by_node[name].values()), seen=self._nodes.put,
        )  # fmt: skip
        self.results = {name: NodeResult(target.pool) for name, target in targets.items()}

    def run(self) -> dict[str, NodeResult]:
        """Roll until every node has an end, or no further node may begin."""
        try:
            self._nodes.start()
            self._pods.start()
            with ThreadPoolExecutor(max_workers=WORKERS) as pool, ThreadPoolExecutor(max_workers=EVICTORS) as evictors:
                self._evictors = evictors
                self._loop(pool)
        finally:
            self._nodes.stop()
            self._pods.stop()
        return self.results

    @property
    def _open(self) -> list[str]:
        return [name for name in self._targets if self.results[name].result not in ENDS]

    def _loop(self, pool: ThreadPoolExecutor) -> None:
        looks, heart = set(self._targets), Heartbeat(self._clock)
        while True:
            self._nodes.check()
            self._pods.check()
            now = self._clock.now()
            for name in looks | {name for name, due in self._due.items() if due <= now}:
                self._look(name, now, pool)
            self._take_some(pool)
            if not self._open or (not self._busy and self._stuck()):
                return
            heart.beat(self._how_far)
            looks = self._news_of(now)

    def _how_far(self) -> str:
        """How many nodes are done, and what the first of the others do."""
        left = self._open
        taken = [name for name in left if self._progress[name].taken is not None]
        done = len(self._targets) - len(left)
        return f"{done} of {len(self._targets)} nodes are done; under way: {listed(taken[:MOST_NAMED]) or 'none'}"

    def _stuck(self) -> bool:
        """Whether every node without an end only waits for a turn that cannot come."""
        return set(self._open) <= self._waiting

    def _news_of(self, now: float) -> set[str]:
        soonest = min(self._due.values(), default=now + LONGEST_LOOK)
        try:
            found = [self._news.get(timeout=max(0.0, min(LONGEST_LOOK, soonest - now)))]
        except queue.Empty:
            return set()
        while not self._news.empty():
            found.append(self._news.get())
        return {name for name in map(self._hear, found) if name in self._targets}

    def _hear(self, news: tuple[str, str, t.Any]) -> str:
        kind, key, what = news
        if kind == "pod":
            return self._moved(key)
        if kind == "acted":
            self._busy.discard(key)
            self._taking.discard(key)
            if isinstance(what, PlatformError):
                self._end(key, "failed", what.message)
            elif what is not None:
                raise what
        return key

    def _moved(self, key: str) -> str:
        pod = self._pods.get(key)
        old = self._home.pop(key, "")
        if old:
            self._by_node[old].pop(key, None)
        if pod is not None:
            self._home[key] = pod.node
            self._by_node[pod.node][key] = pod
        return pod.node if pod is not None else old

    def _look(self, name: str, now: float, pool: ThreadPoolExecutor) -> None:
        """Decide about one node and act, or let it wait for its turn."""
        if name in self._busy or self.results[name].result in ENDS:
            return
        self._due.pop(name, None)
        self._waiting.discard(name)
        node, progress = self._nodes.get(name), self._progress[name]
        if node is None:
            self._end(name, "failed", "is gone")
            return
        self._observe(node, progress, now)
        pods, target = list(self._by_node[name].values()), self._targets[name]
        action = decide(node, pods, target, progress=progress, settings=self._settings, now=now)
        if action.kind == "take":
            self._waiting.add(name)
        elif action.kind == "wait":
            self._due[name] = action.until
        elif action.kind == "done":
            self._end(name, "changed" if progress.touched else "unchanged")
        elif action.kind == "fail":
            self._end(name, "failed", action.message)
        else:
            self._start(name, node, action, pool)

    def _observe(self, node: NodeState, progress: Progress, now: float) -> None:
        if progress.started is None:
            progress.started = now
        if held(node) and progress.taken is None:
            progress.taken = now
        if (phase := phase_of(node)) != progress.phase:
            progress.phase, progress.phase_from = phase, now

    def _take_some(self, pool: ThreadPoolExecutor) -> None:
        """Begin with as many nodes as may be out at once, those with the fewest pods first.

        Nodes that are out anyway need no place.
        """
        failures = sum(one.result == "failed" for one in self.results.values())
        if not self._waiting or failures > self._settings.max_failures:
            return
        places = self._settings.max_unavailable - self._out()
        for name in sorted(self._waiting, key=lambda one: (len(self._by_node[one]), one)):
            node = self._nodes.get(name)
            if node is None or (node.available and places <= 0):
                continue
            places -= node.available
            self._taking.add(name)
            self._waiting.discard(name)
            self._start(name, node, Action("take"), pool)

    def _out(self) -> int:
        nodes = (self._nodes.get(name) for name in self._targets if name not in self._taking)
        return len(self._taking) + sum(node is not None and not node.available for node in nodes)

    def _start(self, name: str, node: NodeState, action: Action, pool: ThreadPoolExecutor) -> None:
        self._busy.add(name)

        def work() -> None:
            problem: BaseException | None = None
            try:
                self._hands.act(name, node, action)
                if action.kind == "put_back":
                    self._end(name, action.outcome, action.message)
            except BaseException as error:  # noqa: BLE001 (handed to the loop, which raises it)
                problem = error
            self._news.put(("acted", name, problem))

        (self._evictors if action.kind == "evict" else pool).submit(work)

    def _end(self, name: str, result: str, message: str = "") -> None:
        progress, found = self._progress[name], self.results[name]
        found.result, found.message = result, message
        found.evicted, found.recoveries = list(progress.evicted), progress.recoveries
        if progress.started is not None and result != "unchanged":
            found.seconds = round(self._clock.now() - progress.started, 1)


def _gpu_pod(live: dict[str, t.Any]) -> PodState | None:
    """Pods that a roll cares about: users of GPUs, and the operator's own two."""
    pod = pod_state(live)
    if pod is None or pod.daemon in (MIG_MANAGER, PLUGIN) or to_evict([pod], prefixes=USERS):
        return pod
    return None


__all__ = ("NodeResult", "Roller")
