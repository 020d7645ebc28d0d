# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the reading to the plan: one step per pool, with everything that its writes do in the difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..._aws.session import Record
from ..._core.errors import PlatformError
from ..._core.plan import NO_CHANGE, Difference, Plan, Step, differences
from ..._core.text import listed
from ..health import issues_in_words
from .change import Change, change_for
from .read import FAILED, FIXED, PoolReading, Reading
from .spec import PoolSpec
from .state import State, state_of, template_name
from .successor import successor_name
from .wanted import Policy, both_states, created_state

MOVING = ("CREATING", "UPDATING", "DELETING")


def plan_pools(reading: Reading, policy: Policy) -> Plan:
    """The plan.

    :raises PlatformError: with every problem of every pool, before anything is written.
    """
    steps, problems, warnings = [], [], []
    if reading.cluster_absent:
        warnings.append(f"cluster {policy.cluster} does not exist; its node pools can be made once it is active")
    for pool in reading.pools:
        warnings.extend(pool.warnings)
        try:
            steps.append(_step(pool, policy, warnings.append))
        except PlatformError as error:
            problems.append(error.message)
    if problems:
        raise PlatformError("; ".join(problems), problems=problems)
    steps.extend(_removal(str(group["nodegroupName"]), group) for group in reading.others)
    moving = any((pool.node_group or {}).get("status") in MOVING for pool in reading.pools)
    return Plan(tuple(steps), tuple(dict.fromkeys(warnings)), awaits=moving)


def plan_removal(reading: Reading, policy: Policy) -> Plan:
    """The plan that takes the pools away, with launch templates that an interrupted run left."""
    steps = []
    for pool in reading.pools:
        if pool.node_group is not None:
            steps.append(_removal(pool.spec.name, pool.node_group))
        elif (name := template_name(policy.cluster, pool.spec.name)) in reading.templates:
            change = Change(spec=None, group_name=pool.spec.name)
            steps.append(Step("delete", f"launch template {name}", {"name": name}, None, payload=change))
    return Plan(tuple(steps))


def _removal(name: str, group: Record) -> Step:
    change = Change(spec=None, group_name=str(group["nodegroupName"]), live=group, delete=str(group["nodegroupName"]))
    return Step("delete", f"node pool {name}", state_of(group), None, payload=change)


def _step(pool: PoolReading, policy: Policy, warn: Callable[[str], None]) -> Step:
    spec, group = pool.spec, pool.node_group
    if group is None:
        return _creation(pool, policy)
    status = str(group.get("status"))
    if status == "DELETING":
        return _creation(pool, policy, reason="the old one is still being deleted", delete=pool.group_name)
    if status in FAILED:
        return _failed(pool, policy)
    before, after = both_states(pool, policy)
    found = differences(before, after)
    if immutable := [one for one in found if _is_immutable(one)]:
        if spec.on_immutable != "ignore":
            return _replacement(pool, policy, before, immutable)
        warn(f"{spec.words}: left as it is, because EKS cannot change it in place: {_in_words(immutable)}")
        after = _without(after, before, immutable)
        found = differences(before, after)
    _refuse_downgrade(spec, before, after)
    _refuse_degraded(spec, group, found)
    if not found:
        return Step(NO_CHANGE, spec.words, before, after)
    change = change_for(pool, before, after, found, policy)
    return Step("roll" if change.roll is not None else "update", spec.words, before, after, payload=change)


def _creation(pool: PoolReading, policy: Policy, *, reason: str = "", delete: str | None = None) -> Step:
    change = _creating(pool, policy, name=pool.group_name, delete=delete)
    return Step("create", pool.spec.words, None, change.after, reason, change)


def _creating(pool: PoolReading, policy: Policy, *, name: str, delete: str | None, delete_last: bool = False) -> Change:
    missing = [option for option in ("node_role", "subnets") if not getattr(pool.spec, option)]
    if missing:
        raise PlatformError(f"{pool.spec.words}: {listed(missing)} is missing, and the pool is to be made")
    return Change(
        spec=pool.spec,
        group_name=name,
        live=pool.node_group,
        create=True,
        delete=delete,
        delete_last=delete_last,
        data=pool.wanted_data,
        after=created_state(pool, policy, name),
    )


def _failed(pool: PoolReading, policy: Policy) -> Step:
    group = pool.node_group or {}
    issues = "; ".join(issues_in_words((group.get("health") or {}).get("issues") or [])) or "EKS gives no reason"
    if not policy.recreate_failed:
        raise PlatformError(
            f"{pool.spec.words} is {group.get('status')}: {issues}; set recreate_failed to make it anew"
        )
    change = _creating(pool, policy, name=pool.group_name, delete=pool.group_name)
    return Step("recreate", pool.spec.words, state_of(group), change.after, f"it is {group.get('status')}", change)


def _replacement(pool: PoolReading, policy: Policy, before: State, immutable: Sequence[Difference]) -> Step:
    spec = pool.spec
    if spec.on_immutable == "fail":
        raise PlatformError(
            f"{spec.words}: EKS cannot change in place {_in_words(immutable)}; set on_immutable to replace_first, "
            "replace_in_place or ignore, or give the pool another name"
        )
    in_place = spec.on_immutable == "replace_in_place"
    change = _creating(pool, policy, name=pool.group_name, delete=pool.group_name, delete_last=not in_place)
    if not in_place:
        name = successor_name(spec, pool.group_name, change.after)
        change = _creating(pool, policy, name=name, delete=pool.group_name, delete_last=True)
    reason = f"EKS cannot change in place {', '.join(one.path for one in immutable)}"
    return Step("replace", spec.words, before, change.after, reason, change)


def _is_immutable(one: Difference) -> bool:
    return one.path.split(".")[0] in FIXED or one.path == "launch_template.name"


def _in_words(found: Sequence[Difference]) -> str:
    return listed(f"{one.path} ({one.before} -> {one.after})" for one in found)


def _without(after: State, before: State, immutable: Sequence[Difference]) -> State:
    kept = {one.path.split(".")[0] for one in immutable}
    return {**after, **{key: before[key] for key in kept}}


def _refuse_downgrade(spec: PoolSpec, before: State, after: State) -> None:
    for option in ("version", "release_version"):
        if before[option] and after[option] and _numbers(after[option]) < _numbers(before[option]):
            raise PlatformError(
                f"{spec.words}: {option} is {before[option]} and cannot go down to {after[option]}; "
                "make another pool with the older one"
            )


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.replace("-", ".").split(".") if part.isdigit()]


def _refuse_degraded(spec: PoolSpec, group: Record, found: Sequence[Difference]) -> None:
    if group.get("status") == "DEGRADED" and not found:
        issues = "; ".join(issues_in_words((group.get("health") or {}).get("issues") or [])) or "EKS gives no reason"
        raise PlatformError(f"{spec.words} is DEGRADED: {issues}")


__all__ = ("plan_pools", "plan_removal")
