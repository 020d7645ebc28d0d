# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What starting or stopping a local cloud would do, from what is there: pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from .._core.plan import Plan, Step
from .._core.reconcile import KeyedChanges, keyed_changes
from .binaries_table import TOOLS
from .control_plane import AWS, CONTROL_PLANE, SIMULATOR
from .processes import Process
from .run_folder import CloudState

Mode = t.Literal["fresh", "repair", "stop", "nothing"]
VERSIONS: Mapping[str, str] = {tool.project: tool.version for tool in TOOLS}
FORGOTTEN = "left by an earlier start that its state file does not know"


@dataclass(frozen=True)
class Wish:
    """What the user asks for.

    :param stages: digests of the stages to play, by name.
    """

    components: tuple[str, ...]
    region: str
    stages: Mapping[str, str]


@dataclass(frozen=True)
class Finding:
    """What is there.

    :param sick: components of the state file that do not run or do not answer, with the reason.
    :param forgotten: processes of this run folder that the state file does not name.
    :param leftovers: whether the run folder holds a cloud's data.
    :param have_binaries: whether the programs are on this machine.
    """

    state: CloudState = field(default_factory=CloudState)
    alive: dict[str, Process] = field(default_factory=dict)
    sick: Mapping[str, str] = field(default_factory=dict)
    forgotten: tuple[Process, ...] = ()
    leftovers: bool = False
    have_binaries: bool = True


@dataclass(frozen=True)
class Decision:
    """A plan, and how it is carried out.

    :param start: components to start, in order.
    :param end: processes to end before anything is started, in order.
    :param stages: how the stages of a cloud that runs change.
    """

    mode: Mode
    plan: Plan
    start: tuple[str, ...] = ()
    end: tuple[Process, ...] = ()
    stages: KeyedChanges[str, str] = field(default_factory=lambda: keyed_changes({}, {}))


def components(*, aws: bool, simulator: bool) -> tuple[str, ...]:
    """The components of a cloud, in the order in which they are started."""
    return (*CONTROL_PLANE, *((AWS,) if aws else ()), *((SIMULATOR,) if simulator else ()))


def decide_start(wish: Wish, finding: Finding) -> Decision:
    """What makes the cloud run as wished."""
    if why := _why_anew(wish, finding):
        return _fresh(wish, finding, why)
    return _repair(wish, finding)


def _why_anew(wish: Wish, finding: Finding) -> str:
    """The reason for which nothing that is there can be kept; empty when it can."""
    state = finding.state
    if not finding.alive:
        return "it does not run"
    if dict(state.versions) != dict(VERSIONS):
        return "it runs with other versions"
    if state.region != wish.region:
        return f"it runs in region {state.region}"
    if not state.stages:
        return "its start was not ended"
    return ""


def _fresh(wish: Wish, finding: Finding, why: str) -> Decision:
    steps = [_ending(name, why) for name in reversed(finding.alive)]
    steps += [_ending(f"process {process.pid}", FORGOTTEN) for process in finding.forgotten]
    if not finding.have_binaries:
        programs = {tool.name: tool.version for tool in TOOLS}
        steps.append(Step("create", "Kubernetes programs", None, programs, "downloaded, or built once in minutes"))
    steps += [_starting("create", name) for name in wish.components]
    return Decision(
        "fresh", Plan(tuple(steps)), wish.components, (*reversed(finding.alive.values()), *finding.forgotten)
    )


def _repair(wish: Wish, finding: Finding) -> Decision:
    extra = [name for name in reversed(finding.alive) if name not in wish.components]
    start, end, steps = [], [finding.alive[name] for name in extra], [_ending(name, "not wanted") for name in extra]
    end += finding.forgotten
    steps += [_ending(f"process {process.pid}", FORGOTTEN) for process in finding.forgotten]
    for name in wish.components:
        if name not in finding.sick:
            continue
        known = name in finding.state.processes
        start.append(name)
        steps.append(_starting("recreate" if known else "create", name, finding.sick[name] if known else ""))
        if name in finding.alive:
            end.append(finding.alive[name])
    changes = keyed_changes(finding.state.stages, wish.stages)
    steps += _stage_steps(changes)
    mode: Mode = "repair" if steps else "nothing"
    return Decision(mode, Plan(tuple(steps)), tuple(start), tuple(end), changes)


def _stage_steps(changes: KeyedChanges[str, str]) -> list[Step]:
    steps = [Step("create", f"kwok stage {name}", None, {"digest": after}) for name, after in changes.create.items()]
    steps += [
        Step("update", f"kwok stage {name}", {"digest": before}, {"digest": after})
        for name, (before, after) in changes.update.items()
    ]
    steps += [Step("delete", f"kwok stage {name}", {"digest": gone}, None) for name, gone in changes.delete.items()]
    return steps


def decide_stop(finding: Finding) -> Decision:
    """What leaves no process and no data."""
    end = (*reversed(finding.alive.values()), *finding.forgotten)
    steps = [_ending(name) for name in reversed(finding.alive)]
    steps += [_ending(f"process {process.pid}", FORGOTTEN) for process in finding.forgotten]
    if finding.leftovers:
        steps.append(Step("delete", "the local cloud's data", {"data": "present"}, None))
    return Decision("stop" if steps else "nothing", Plan(tuple(steps)), end=end)


def _ending(name: str, reason: str = "") -> Step:
    return Step("delete", name, {"state": "running"}, None, reason)


def _starting(action: str, name: str, reason: str = "") -> Step:
    version = next((tool.version for tool in TOOLS if tool.name == name), "")
    after = {"state": "running", **({"version": version} if version else {})}
    return Step(action, name, {**after, "state": "failed"} if action == "recreate" else None, after, reason)


__all__ = ("VERSIONS", "Decision", "Finding", "Wish", "components", "decide_start", "decide_stop")
