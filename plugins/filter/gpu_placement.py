# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import sharing_policies
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy_objects import named_policy, placement


def gpu_placement(
    pools: Sequence[Mapping[str, t.Any]],
    pool: str,
    *,
    count: int = 1,
    profile: str | None = None,
    mig_strategy: str = "mixed",
) -> dict[str, t.Any]:
    """What a pod says that wants shares of a pool: resources, tolerations and node selector."""
    try:
        policy = named_policy(sharing_policies(pools, mig_strategy=mig_strategy), pool)
        return placement(policy, count=count, profile=profile)
    except PlatformError as error:
        raise AnsibleFilterError(error.message) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., t.Any]]:
        """By name."""
        return {"gpu_placement": gpu_placement}
