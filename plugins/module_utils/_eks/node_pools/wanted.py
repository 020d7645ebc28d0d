# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state that a pool should have, from the wish and from what is there."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ..._aws.tags import OWNER_TAG, tag_changes
from ..._core.errors import PlatformError
from ..._core.plan import differences
from ..._gpu.pool_sizes import pool_sizes
from .autoscaling import digest_of, wanted_tags
from .fields import overlaid
from .launch_template import template_state
from .read import PoolReading
from .spec import PoolSpec
from .state import (
    AUTOSCALING_TAG,
    POOL_TAG,
    TEMPLATE_TAG,
    State,
    autoscaling_group,
    records_of,
    state_of,
    template_name,
    template_record,
)


@dataclass(frozen=True)
class Policy:
    """What the user says about all pools."""

    cluster: str
    purge_tags: bool = True
    recreate_failed: bool = False


def created_state(pool: PoolReading, policy: Policy, name: str) -> State:
    """The state of a pool that is to be made, as the node group C(name)."""
    spec = pool.spec
    tags = wanted_tags(spec, pool.node_group)
    base = _inherited(pool, policy) if pool.node_group else _begun(pool)
    return {
        **base,
        "node_group": name,
        "release_version": spec.release_version,
        "ami_type": pool.ami_type or base["ami_type"],
        "launch_template": _wanted_template(pool, policy, {}, name),
        **({"autoscaling_tags": tags} if tags else {}),
    }


def _begun(pool: PoolReading) -> State:
    """A pool that never was: what the user leaves out is EKS' or our default."""
    spec = pool.spec
    return {
        "version": spec.version,
        "ami_type": pool.ami_type,
        "capacity_type": spec.capacity_type.lower(),
        "instance_types": list(spec.instance_types),
        "subnets": list(spec.subnets),
        "node_role": spec.node_role,
        "scaling": pool_sizes(asdict(spec.scaling))._asdict(),
        "labels": dict(spec.labels or {}),
        "taints": dict(spec.taints or {}),
        "update": dict(spec.update or {}),
        "node_repair": dict(spec.node_repair or {}),
        "warm_pool": dict(spec.warm_pool or {}),
        "tags": dict(spec.tags or {}),
    }


def _inherited(pool: PoolReading, policy: Policy) -> State:
    """A pool that is made anew: what the user leaves out comes from the old one."""
    _before, after = both_states(pool, policy)
    return {key: value for key, value in after.items() if key not in ("records", "autoscaling_tags")}


def both_states(pool: PoolReading, policy: Policy) -> tuple[State, State]:
    """(before, after) of a pool that is there.

    :raises PlatformError: when the wanted sizes contradict the live ones.
    """
    spec, group = pool.spec, pool.node_group or {}
    before = state_of(group)
    after: State = {**before}
    simple = {
        "version": spec.version,
        "release_version": spec.release_version,
        "ami_type": pool.ami_type or spec.ami_type,
        "capacity_type": spec.capacity_type.lower(),
        "node_role": spec.node_role,
        "subnets": list(spec.subnets) or None,
        "labels": spec.labels,
        "taints": spec.taints,
    }
    after.update({key: value for key, value in simple.items() if value is not None})
    if spec.template is None or spec.instance_types:
        after["instance_types"] = list(spec.instance_types)
    after["scaling"] = _scaling(spec, before["scaling"])
    for option in ("update", "node_repair", "warm_pool"):
        after[option] = overlaid(before[option], getattr(spec, option))
    tags = tag_changes(before["tags"], spec.tags, purge=policy.purge_tags)
    after["tags"] = {key: value for key, value in before["tags"].items() if key not in tags.delete}
    after["tags"] |= {**tags.create, **{key: new for key, (_old, new) in tags.update.items()}}
    _templates(pool, policy, before, after)
    _autoscaling(pool, before, after)
    _records(pool, policy, before, after)
    return before, after


def _scaling(spec: PoolSpec, live: Mapping[str, int]) -> dict[str, int]:
    """The sizes; the autoscaler's desired size stays unless it is outside, or the user owns it."""
    low = spec.scaling.min if spec.scaling.min is not None else live["min"]
    high = spec.scaling.max if spec.scaling.max is not None else live["max"]
    if low > high:
        raise PlatformError(f"{spec.words}: scaling.min {low} is above scaling.max {high}; give both")
    wanted = spec.scaling.desired if spec.manage_desired and spec.scaling.desired is not None else live["desired"]
    return {"min": low, "max": high, "desired": min(max(wanted, low), high)}


def _templates(pool: PoolReading, policy: Policy, before: State, after: State) -> None:
    live = (pool.node_group or {}).get("launchTemplate") or {}
    if pool.spec.template is not None:
        reference = pool.spec.template
        before["launch_template"] = {"version": live.get("version")}
        after["launch_template"] = {"version": reference.version}
        if (reference.id and reference.id != live.get("id")) or (reference.name and reference.name != live.get("name")):
            before["launch_template"]["name"] = live.get("name") or live.get("id")
            after["launch_template"]["name"] = reference.name or reference.id
        return
    if pool.template is not None:
        before["launch_template"].update(template_state(pool.template.get("LaunchTemplateData") or {}))
    after["launch_template"] = _wanted_template(pool, policy, before["launch_template"], pool.group_name)


def _wanted_template(pool: PoolReading, policy: Policy, live: Mapping[str, t.Any], group_name: str) -> State:
    if pool.spec.template is not None:
        reference = pool.spec.template
        return {"name": reference.name or reference.id, "version": reference.version}
    name = template_name(policy.cluster, group_name)
    if pool.wanted_data is None:
        return {**live, "name": name}
    return {"name": name, **template_state(pool.wanted_data)}


def _autoscaling(pool: PoolReading, before: State, after: State) -> None:
    wanted = wanted_tags(pool.spec, pool.node_group)
    if wanted is not None and pool.autoscaling_tags is not None:
        before["autoscaling_tags"], after["autoscaling_tags"] = pool.autoscaling_tags, wanted


def _records(pool: PoolReading, policy: Policy, before: State, after: State) -> None:
    """Our notes on the node group, where they are not what they should be."""
    group = pool.node_group or {}
    wanted = {OWNER_TAG: policy.cluster, POOL_TAG: pool.spec.name}
    rolls = differences(before["launch_template"], after["launch_template"])
    if pool.spec.launch is not None and not rolls:
        version = (group.get("launchTemplate") or {}).get("version")
        wanted[TEMPLATE_TAG] = template_record(version, pool.spec.launch.digest)
    tags = wanted_tags(pool.spec, group)
    if tags is not None and autoscaling_group(group):
        wanted[AUTOSCALING_TAG] = digest_of(tags)
    live = records_of(group)
    wrong = [key for key, value in wanted.items() if live.get(key) != value]
    if wrong:
        before["records"] = {key: live[key] for key in wrong if key in live}
        after["records"] = {key: wanted[key] for key in wrong}


__all__ = ("Policy", "both_states", "created_state")
