# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be written for one pool: the parameters of each call, from the difference of two states."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..._aws.session import Record
from ..._aws.tags import tag_changes
from ..._core.plan import Difference
from ..._core.reconcile import keyed_changes
from .fields import to_api
from .read import PoolReading
from .spec import PoolSpec
from .state import State, api_taints
from .wanted import Policy

ROLLING = frozenset({"version", "release_version", "launch_template"})


@dataclass(frozen=True)
class Change:
    """What apply needs for one pool.

    :param delete: the node group to delete first (recreate, replace_in_place) or last (replace_first).
    :param create: whether a node group is to be made, named C(group_name).
    :param roll: parameters of UpdateNodegroupVersion besides the launch template; None without a roll.
    :param new_version: whether the launch template needs a version with C(data).
    :param config: parameters of UpdateNodegroupConfig.
    :param autoscaling: (tags to write, keys to delete) of the autoscaling group.
    """

    spec: PoolSpec | None
    group_name: str
    live: Record | None = None
    create: bool = False
    delete: str | None = None
    delete_last: bool = False
    data: Record | None = None
    after: Mapping[str, t.Any] = field(default_factory=dict)
    roll: Record | None = None
    new_version: bool = False
    config: Record = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    untag: tuple[str, ...] = ()
    autoscaling: tuple[Mapping[str, str], tuple[str, ...]] | None = None


def change_for(pool: PoolReading, before: State, after: State, found: Sequence[Difference], policy: Policy) -> Change:
    """The writes behind the differences C(found)."""
    spec = pool.spec
    paths = {one.path.split(".")[0] for one in found}
    records = dict(after.get("records") or {})
    tags = tag_changes(before["tags"], after["tags"], purge=policy.purge_tags)
    autoscaling = None
    if "autoscaling_tags" in paths:
        moves = keyed_changes(before["autoscaling_tags"], after["autoscaling_tags"])
        written = {**moves.create, **{key: new for key, (_old, new) in moves.update.items()}}
        autoscaling = (written, tuple(moves.delete))
    rolls = bool(paths & ROLLING)
    return Change(
        spec=spec,
        group_name=pool.group_name,
        live=pool.node_group,
        data=pool.wanted_data,
        after=after,
        roll=_roll(spec, paths) if rolls else None,
        new_version="launch_template" in paths and spec.template is None,
        config=_config(before, after, paths),
        tags={**tags.create, **{key: new for key, (_old, new) in tags.update.items()}, **records},
        untag=tuple(tags.delete),
        autoscaling=autoscaling,
    )


def _roll(spec: PoolSpec, paths: set[str]) -> Record:
    roll: Record = {"force": spec.force_update}
    if "version" in paths:
        roll["version"] = spec.version
    if spec.release_version:
        roll["releaseVersion"] = spec.release_version
    return roll


def _config(before: State, after: State, paths: set[str]) -> Record:
    config: Record = {}
    if "scaling" in paths:
        old, new = before["scaling"], after["scaling"]
        sizes = {"minSize": new["min"], "maxSize": new["max"]}
        config["scalingConfig"] = sizes | ({"desiredSize": new["desired"]} if new["desired"] != old["desired"] else {})
    if "labels" in paths:
        labels = keyed_changes(before["labels"], after["labels"])
        put = {**labels.create, **{key: new for key, (_old, new) in labels.update.items()}}
        config["labels"] = _delta("Labels", put, sorted(labels.delete))
    if "taints" in paths:
        taints = keyed_changes(before["taints"], after["taints"])
        put = {**taints.create, **{key: new for key, (_old, new) in taints.update.items()}}
        config["taints"] = _delta("Taints", api_taints(put), api_taints(taints.delete))
    for option, name in (
        ("update", "updateConfig"),
        ("node_repair", "nodeRepairConfig"),
        ("warm_pool", "warmPoolConfig"),
    ):
        if option in paths:
            config[name] = to_api(after[option])
    return config


def _delta(kind: str, put: t.Any, remove: t.Any) -> Record:
    return {**({f"addOrUpdate{kind}": put} if put else {}), **({f"remove{kind}": remove} if remove else {})}


__all__ = ("Change", "change_for")
