# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The name of the node group that takes over a pool."""

from __future__ import annotations

import hashlib
import json
import typing as t
from collections.abc import Mapping

from ..._core.errors import PlatformError
from .spec import PoolSpec

LONGEST = 63


def successor_name(spec: PoolSpec, predecessor: str, after: Mapping[str, t.Any]) -> str:
    """C(<pool>-r<four digits>), the same for the same wish, so that an interrupted run finds its own work.

    :raises PlatformError: when the name is too long for a node group.
    """
    fixed = {key: after[key] for key in ("ami_type", "capacity_type", "instance_types", "node_role", "subnets")}
    text = json.dumps([predecessor, fixed], sort_keys=True, default=str)
    name = f"{spec.name}-r{hashlib.sha256(text.encode()).hexdigest()[:4]}"
    if len(name) > LONGEST:
        raise PlatformError(
            f"{spec.words}: replace_first needs room for a suffix, and the name is {len(spec.name)} characters long "
            f"(at most {LONGEST - 6}); use replace_in_place or a shorter name"
        )
    return name


__all__ = ("successor_name",)
