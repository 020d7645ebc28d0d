# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labels that something else changes on live nodes, one node after the other.

EKS puts a changed label on every live node of a group at once. For most labels that is wanted. For one that makes an
agent act on the node - C(nvidia.com/mig.config) makes mig-manager cut the GPUs anew under running pods - the roll that
empties each node first must come before it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from ..._aws.session import Record
from .spec import PoolSpec


@dataclass(frozen=True)
class Held:
    """A label that stays as it is for now; None where it is not set."""

    pool: str
    label: str
    live: str | None
    wanted: str | None

    def to_dict(self) -> dict[str, str | None]:
        """As the module returns it."""
        return {"pool": self.pool, "label": self.label, "live": self.live, "wanted": self.wanted}


def held_back(spec: PoolSpec, group: Record | None, keys: Collection[str]) -> tuple[PoolSpec, tuple[Held, ...]]:
    """The spec with the live values of these labels, and what it would have changed.

    A pool without nodes is not held: its next nodes begin with what is wanted.
    """
    if group is None or spec.labels is None or not _has_nodes(group):
        return spec, ()
    live: Mapping[str, str] = group.get("labels") or {}
    held = tuple(
        Held(spec.name, key, live.get(key), spec.labels.get(key))
        for key in sorted(keys)
        if live.get(key) != spec.labels.get(key)
    )
    if not held:
        return spec, ()
    gone = {one.label for one in held}
    kept = {one.label: one.live for one in held if one.live is not None}
    labels = {key: value for key, value in spec.labels.items() if key not in gone}
    return replace(spec, labels={**labels, **kept}), held


def _has_nodes(group: Record) -> bool:
    return int((group.get("scalingConfig") or {}).get("desiredSize") or 0) > 0


__all__ = ("Held", "held_back")
