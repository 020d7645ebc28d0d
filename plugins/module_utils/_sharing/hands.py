# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a roll does to a node: each action of C(roll.decide) as requests. Called from many threads, one for a node."""

from __future__ import annotations

import threading
import typing as t
from collections.abc import Callable, Mapping, Sequence

from .._core.clock import Clock
from .._k8s.client import KubeClient
from .._k8s.eviction import Eviction, PodState, delete_pod, evict, list_pods, to_evict
from .._k8s.nodes import NodeState, cordon_patch, patch_node, uncordon_patch
from .roll import (
    MIG_MANAGER,
    OPERATION_NAME,
    PLUGIN,
    SUCCESS,
    USERS,
    Action,
    Progress,
    RollSettings,
    Target,
    phase_of,
    recover_patch,
    relabel_patch,
)


class Hands:
    """The acting part of a roll.

    :param progress: written here as things are done.
    :param pods_on: node -> the pods on it that a roll cares about.
    :param seen: takes each node's document as the API server answered it.
    """

    def __init__(
        self,
        client: KubeClient,
        *,
        clock: Clock,
        settings: RollSettings,
        targets: Mapping[str, Target],
        progress: Mapping[str, Progress],
        pods_on: Callable[[str], Sequence[PodState]],
        seen: Callable[[dict[str, t.Any]], None],
    ) -> None:
        self._client, self._clock, self._settings = client, clock, settings
        self._targets, self._progress = targets, progress
        self._pods_on, self._seen = pods_on, seen
        self._gates: dict[str, threading.Lock] = {}

    def act(self, name: str, node: NodeState, action: Action) -> None:
        """Do one thing to a node; another call may be at work on another node."""
        match action.kind:
            case "take":
                self._take(name, node)
            case "evict":
                self._evict(name, action.pods)
            case "confirm":
                self._confirm(name)
            case "relabel":
                self._relabel(name, node)
            case "recover":
                self._recover(name, node)
            case "give_back":
                self._give_back(name, node)
            case "put_back":
                self._write(name, uncordon_patch(node))

    def _take(self, name: str, node: NodeState) -> None:
        self._write(name, cordon_patch(OPERATION_NAME, node))
        self._progress[name].taken = self._clock.now()

    def _evict(self, name: str, pods: Sequence[PodState]) -> None:
        progress = self._progress[name]
        if progress.drained_from is None:
            progress.drained_from = self._clock.now()
        answers = [self._ask(pod) for pod in pods]
        progress.evicted += [one.pod.key for one in answers if not one.refused]
        refusals = [one for one in answers if one.refused]
        progress.refused = refusals[0].refused if refusals else ""
        progress.by_budget = any(one.by_budget for one in refusals)
        progress.asked = self._clock.now()

    def _ask(self, pod: PodState) -> Eviction:
        """Ask for one eviction, one after the other in a namespace.

        Each writes the status of the pod's budget. Many at once conflict there, and the API server tries each again
        until its own time is over: a hundred nodes whose pods share a budget then wait for minutes.
        """
        gate = self._gates.setdefault(pod.key.partition("/")[0], threading.Lock())
        with gate:
            return evict(self._client, pod, grace=self._settings.grace)

    def _confirm(self, name: str) -> None:
        """Look once more, past all caches, before the GPUs are touched."""
        users = to_evict(list_pods(self._client, name, clock=self._clock), prefixes=USERS)
        self._progress[name].confirmed = not users

    def _relabel(self, name: str, node: NodeState) -> None:
        target = self._targets[name]
        if target.fresh:
            self._replace(name, MIG_MANAGER)
        self._progress[name].touched = True
        self._progress[name].phase = ""
        self._write(name, relabel_patch(node, target))

    def _recover(self, name: str, node: NodeState) -> None:
        progress, target = self._progress[name], self._targets[name]
        progress.recoveries += 1
        self._progress[name].touched = True
        if phase_of(node) == SUCCESS:  # the layout is there, but does not show: the plugin did not notice
            progress.phase_from = self._clock.now()
            self._replace(name, PLUGIN)
            return
        self._write(name, recover_patch(node, target))
        progress.phase, progress.phase_from = "", self._clock.now()
        self._replace(name, MIG_MANAGER)

    def _give_back(self, name: str, node: NodeState) -> None:
        self._progress[name].touched = True
        self._write(name, uncordon_patch(node))

    def _replace(self, name: str, daemon: str) -> None:
        for pod in self._pods_on(name):
            if pod.daemon == daemon and not pod.deleting:
                delete_pod(self._client, pod, clock=self._clock)

    def _write(self, name: str, patch: Mapping[str, t.Any]) -> None:
        self._seen(patch_node(self._client, name, patch, clock=self._clock))


__all__ = ("Hands",)
