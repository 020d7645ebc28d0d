# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.aiplatform.eks.plugins.module_utils._gpu import pool_sizes as rule


def pool_sizes(pools: Sequence[Mapping[str, t.Any]]) -> dict[str, dict[str, int]]:
    """The numbers of nodes that each pool begins with, by its name."""
    return {str(pool["name"]): rule.pool_sizes(pool.get("scaling"))._asdict() for pool in pools}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., t.Any]]:
        """By name."""
        return {"pool_sizes": pool_sizes}
