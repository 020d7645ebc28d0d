# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many nodes a pool of the inventory begins with: the one place that says what is left out."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping


class PoolSizes(t.NamedTuple):
    """Numbers of nodes; the names are those of C(scaling)."""

    min: int
    max: int
    desired: int


def pool_sizes(scaling: Mapping[str, t.Any] | None) -> PoolSizes:
    """The sizes that a pool is made with: left out, C(min) is 1, C(desired) follows it, and C(max) that, from 1 on."""
    given = scaling or {}
    least = _number(given, "min", 1)
    desired = _number(given, "desired", least)
    return PoolSizes(least, _number(given, "max", max(1, desired)), desired)


def _number(given: Mapping[str, t.Any], name: str, default: int) -> int:
    value = given.get(name)
    return default if value is None else int(value)


__all__ = ("PoolSizes", "pool_sizes")
