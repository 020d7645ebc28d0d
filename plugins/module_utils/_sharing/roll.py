# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to do next with one node of a MIG roll: a pure function of what is seen of it.

A node says itself how far it is (cordon, annotation, label, state, allocatable), so a roll that was killed at any step
goes on from there. Sources: facts/gpu-sharing.md §2.1 (mig-manager's steps and stuck states), §2.2.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .._gpu.policy_nodes import MIG_CONFIG
from .._k8s.eviction import PodState, to_evict
from .._k8s.nodes import NodeState

MIG_STATE = "nvidia.com/mig.config.state"
SUCCESS, FAILED = "success", "failed"
PAUSED = "paused-for-mig-change"
NVIDIA = "nvidia.com/"
USERS = (NVIDIA, "resource.k8s.io/claim")
OPERATION_NAME = "mig-profiles"
MIG_MANAGER, PLUGIN = "nvidia-mig-manager", "nvidia-device-plugin-daemonset"


@dataclass(frozen=True)
class Target:
    """What a node is to become.

    :param allocatable: extended resources of C(nvidia.com/) afterwards.
    :param labels: set together with the layout; None takes one away.
    :param fresh: the layout is new in the ConfigMap, so a mig-manager that runs may not see it yet.
    """

    pool: str
    layout: str
    allocatable: Mapping[str, int]
    labels: Mapping[str, str | None] = field(default_factory=dict)
    fresh: bool = False

    def reached(self, node: NodeState) -> bool:
        """Whether the node is right, cordoned or not."""
        return (
            node.ready
            and node.labels.get(MIG_CONFIG) == self.layout
            and node.labels.get(MIG_STATE) == SUCCESS
            and gpu_resources(node) == dict(self.allocatable)
        )


@dataclass(frozen=True)
class RollSettings:
    """How careful a roll is. Times are in seconds.

    :param on_blocked: what happens when a budget refuses: V(wait) until C(drain_timeout), V(skip) or V(fail).
    :param evict_unmanaged: also evict pods that nobody makes again.
    :param settle: pause between cordon and the last look for pods. The scheduler sees the cordon late, and binds what
        it had placed before: half a second was too short for one roll of a hundred nodes on a busy control plane.
    """

    max_unavailable: int = 1
    max_failures: int = 0
    node_timeout: float = 900.0
    verify_timeout: float = 300.0
    drain_timeout: float = 900.0
    on_blocked: str = "wait"
    evict_unmanaged: bool = False
    grace: int | None = None
    retries: int = 2
    settle: float = 2.0
    ask_again: float = 2.0


@dataclass
class Progress:
    """What this run remembers of a node; a new run begins with an empty one and does no harm.

    :param touched: this run wrote to the node, or a run before it and this one gave it back.
    """

    started: float | None = None
    taken: float | None = None
    drained_from: float | None = None
    asked: float | None = None
    phase: str = ""
    phase_from: float = 0.0
    confirmed: bool = False
    recoveries: int = 0
    refused: str = ""
    by_budget: bool = False
    touched: bool = False
    evicted: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Action:
    """The next thing to do.

    :param kind: V(take), V(evict), V(confirm), V(relabel), V(recover), V(give_back), V(put_back), V(done), V(fail),
        V(wait).
    :param outcome: of V(put_back): the node's result.
    """

    kind: str
    pods: tuple[PodState, ...] = ()
    until: float = float("inf")
    outcome: str = ""
    message: str = ""


def gpu_resources(node: NodeState) -> dict[str, int]:
    """The node's extended resources of NVIDIA."""
    return {name: count for name, count in node.allocatable.items() if name.startswith(NVIDIA)}


def held(node: NodeState) -> bool:
    """Whether a roll holds the node."""
    return node.operation.startswith(OPERATION_NAME)


def decide(
    node: NodeState,
    pods: Sequence[PodState],
    target: Target,
    *,
    progress: Progress,
    settings: RollSettings,
    now: float,
) -> Action:
    """The next action for a node.

    :param pods: all pods of the node.
    """
    if target.reached(node):
        return Action("give_back") if held(node) else Action("done")
    if not held(node):
        return _not_held(node, progress, settings, now)
    users = to_evict(pods, prefixes=USERS)
    labelled = node.labels.get(MIG_CONFIG) == target.layout
    if labelled and not _is_over(node, progress, settings, now):
        return Action("wait", until=_deadline(node, progress, settings))
    if labelled and progress.recoveries >= settings.retries:
        return Action("fail", message=_failure(node, target, progress, now))
    if users:
        return _drain(users, progress, settings, now)
    if not progress.confirmed:
        ready_at = (now if progress.taken is None else progress.taken) + settings.settle
        return Action("confirm") if now >= ready_at else Action("wait", until=ready_at)
    return Action("recover" if labelled else "relabel")


def _not_held(node: NodeState, progress: Progress, settings: RollSettings, now: float) -> Action:
    if node.ready:
        return Action("take")
    since = progress.started if progress.started is not None else now
    if now - since >= settings.node_timeout:
        return Action("fail", message=f"is not ready since {now - since:.0f} s; nothing was changed on it")
    return Action("wait", until=since + settings.node_timeout)


def phase_of(node: NodeState) -> str:
    """Where mig-manager says that it stands; V(waiting) before it says anything."""
    return node.labels.get(MIG_STATE, "waiting")


def _deadline(node: NodeState, progress: Progress, settings: RollSettings) -> float:
    patience = settings.verify_timeout if phase_of(node) == SUCCESS else settings.node_timeout
    return progress.phase_from + patience


def _is_over(node: NodeState, progress: Progress, settings: RollSettings, now: float) -> bool:
    """Whether waiting has no point any more: failed, stuck, or a success that does not show."""
    return phase_of(node) == FAILED or now >= _deadline(node, progress, settings)


def _failure(node: NodeState, target: Target, progress: Progress, now: float) -> str:
    phase, waited = phase_of(node), now - progress.phase_from
    if phase == SUCCESS:
        found, wanted = gpu_resources(node) or "nothing", dict(target.allocatable)
        return (
            f"says success for {target.layout}, but offers {found} instead of {wanted} after {waited:.0f} s; look at "
            "the device plugin's pod"
        )
    text = f"mig-manager {'failed' if phase == FAILED else f'is {phase} since {waited:.0f} s'} for {target.layout}"
    return f"{text} after {progress.recoveries} recoveries; the node stays cordoned; look at the log of its mig-manager"


def _drain(users: Sequence[PodState], progress: Progress, settings: RollSettings, now: float) -> Action:
    staying = [pod for pod in users if not pod.deleting]
    if not settings.evict_unmanaged and (orphans := [pod.key for pod in staying if not pod.owner]):
        message = f"pod {orphans[0]} uses its GPUs and nobody would make it again; delete it, or allow evict_unmanaged"
        return Action("put_back", outcome="failed", message=message)
    since = progress.drained_from if progress.drained_from is not None else now
    names = ", ".join(pod.key for pod in users[:3])
    if progress.by_budget and settings.on_blocked != "wait":
        outcome = "skipped" if settings.on_blocked == "skip" else "failed"
        return Action("put_back", outcome=outcome, message=f"a disruption budget keeps {names}: {progress.refused}")
    if now - since >= settings.drain_timeout:
        why = f": {progress.refused}" if progress.refused else ""
        message = f"{len(users)} GPU pods are still on it after {now - since:.0f} s ({names}){why}"
        return Action("put_back", outcome="failed", message=message)
    again = now if progress.asked is None else progress.asked + settings.ask_again
    if staying and now >= again:
        return Action("evict", pods=tuple(staying))
    return Action("wait", until=min(since + settings.drain_timeout, again if staying else float("inf")))


def relabel_patch(node: NodeState, target: Target) -> dict[str, t.Any]:
    """The new layout and the removal of the old state, in one patch.

    Without the removal the state would still say success for the old layout. When the label does not change, nothing
    would write the state again, so it stays.
    """
    labels: dict[str, str | None] = {**target.labels, MIG_CONFIG: target.layout}
    if node.labels.get(MIG_CONFIG) != target.layout and MIG_STATE in node.labels:
        labels[MIG_STATE] = None
    return {"metadata": {"labels": labels}}


def recover_patch(node: NodeState, target: Target) -> dict[str, t.Any]:
    """What frees a wedged node: its clients may run again, and the old state is gone.

    mig-manager leaves the deploy labels paused when it gives up (gpu-operator#2833, mig-parted#485); it tries again
    when its pod is replaced.
    """
    labels: dict[str, str | None] = {name: "true" for name, value in node.labels.items() if value == PAUSED}
    labels |= target.labels
    if MIG_STATE in node.labels:
        labels[MIG_STATE] = None
    return {"metadata": {"labels": labels}}


def node_slots(value: str, nodes: int) -> int:
    """C(max_unavailable) as a number of nodes: a number, or a percentage rounded down, at least 1.

    :raises ValueError: it is neither.
    """
    text = value.strip()
    number = int(text.removesuffix("%"))
    if number < 1 or (text.endswith("%") and number > 100):
        raise ValueError(text)
    return max(1, nodes * number // 100) if text.endswith("%") else number


__all__ = (
    "FAILED",
    "MIG_MANAGER",
    "MIG_STATE",
    "NVIDIA",
    "OPERATION_NAME",
    "PAUSED",
    "PLUGIN",
    "SUCCESS",
    "USERS",
    "Action",
    "Progress",
    "RollSettings",
    "Target",
    "decide",
    "gpu_resources",
    "held",
    "node_slots",
    "phase_of",
    "recover_patch",
    "relabel_patch",
)
