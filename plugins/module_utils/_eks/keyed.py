# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets of small objects in a cluster (add-ons, access entries, pod identities): one way to plan and apply them."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .._aws.session import AwsSession, Record
from .._core.clock import Clock
from .._core.plan import NO_CHANGE, Plan, Step
from .._core.reconcile import keyed_changes
from .jobs import Job, Wait, run_jobs
from .waiting import Waiting

State = dict[str, t.Any]
ABSENT = ("ResourceNotFoundException",)


@dataclass(frozen=True)
class Writer:
    """The writes of one kind of object; each gets the object's key and the step, and gives what it waits for.

    :param read: the object as it is when its step is done; None when it is gone.
    """

    create: Callable[[str, Step], Iterable[Wait]]
    update: Callable[[str, Step], Iterable[Wait]]
    delete: Callable[[str, Step], Iterable[Wait]]
    read: Callable[[str], Record | None]


def plan_set(
    live: Mapping[str, State],
    wanted: Mapping[str, State],
    *,
    words: Callable[[str], str],
    removed: Iterable[str] = (),
    recreated: Mapping[str, str] | None = None,
    repeated: Mapping[str, str] | None = None,
    warnings: Iterable[str] = (),
) -> Plan:
    """The plan for a set.

    :param removed: live keys that are to go.
    :param recreated: live keys that must be deleted and made anew, with the reason.
    :param repeated: live keys whose last update must be sent again, with the reason.
    """
    anew, again, gone = recreated or {}, repeated or {}, set(removed)
    changes = keyed_changes(live, wanted, prune=lambda key, _value: key in gone)
    steps = [Step("create", words(key), None, state, payload=key) for key, state in changes.create.items()]
    for key in wanted:
        if key in anew:
            steps.append(Step("recreate", words(key), live[key], wanted[key], anew[key], payload=key))
        elif key in changes.update or (key in again and key in live):
            steps.append(Step("update", words(key), live[key], wanted[key], again.get(key, ""), payload=key))
        elif key in changes.same:
            steps.append(Step(NO_CHANGE, words(key), live[key], wanted[key], payload=key))
    steps += [Step("delete", words(key), state, None, payload=key) for key, state in changes.delete.items()]
    return Plan(tuple(steps), tuple(warnings))


def apply_set(
    plan: Plan,
    writer: Writer,
    *,
    clock: Clock,
    waiting: Waiting,
    after: Mapping[str, frozenset[str]] | None = None,
    settle: Mapping[str, Job[Record | None]] | None = None,
) -> dict[str, Record | None]:
    """Carry the plan out, and return each object that was worked on, by its key.

    :param after: keys that must be done before a key begins.
    :param settle: further jobs, by key, that only wait for what an earlier run began.
    """
    steps = {str(step.payload): step for step in plan.pending}
    names = {key: step.target for key, step in steps.items()}
    jobs: dict[str, Job[Record | None]] = {names[key]: _job(key, step, writer) for key, step in steps.items()}
    idle = {key: job for key, job in (settle or {}).items() if key not in steps}
    names |= {key: f"{key} (begun earlier)" for key in idle}
    jobs |= {names[key]: job for key, job in idle.items()}
    needs = {
        names[key]: frozenset(names[need] for need in wanted if need in names)
        for key, wanted in (after or {}).items()
        if key in names
    }
    results = run_jobs(jobs, clock=clock, pace=waiting.pace, workers=waiting.workers, after=needs)
    return {key: results[name] for key, name in names.items()}


def _job(key: str, step: Step, writer: Writer) -> Job[Record | None]:
    if step.action in ("delete", "recreate"):
        yield from writer.delete(key, step)
    if step.action in ("create", "recreate"):
        yield from writer.create(key, step)
    if step.action == "update":
        yield from writer.update(key, step)
    return writer.read(key) if step.action != "delete" else None


def overlaid(live: State | None, given: Mapping[str, t.Any]) -> State:
    """The wanted state: what was given, over what is there."""
    return {**(live or {}), **{key: value for key, value in given.items() if value is not None}}


@dataclass(frozen=True)
class Tagger:
    """Writes the tags of any object of EKS."""

    aws: AwsSession

    def write(self, arn: str, before: Mapping[str, str], after: Mapping[str, str], *, words: str) -> None:
        """Lead from the one set of tags to the other."""
        changes = keyed_changes(before, after)
        put = {**changes.create, **{key: new for key, (_old, new) in changes.update.items()}}
        if put:
            self.aws.do("eks", "TagResource", {"resourceArn": arn, "tags": put}, doing=f"tag {words}")
        if changes.delete:
            gone = {"resourceArn": arn, "tagKeys": sorted(changes.delete)}
            self.aws.do("eks", "UntagResource", gone, doing=f"take tags off {words}")


__all__ = ("ABSENT", "State", "Tagger", "Writer", "apply_set", "overlaid", "plan_set")
