# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import sharing_policies
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy_cluster import operator_values


def gpu_operator_values(pools: Sequence[Mapping[str, t.Any]], *, mig_strategy: str = "mixed") -> dict[str, t.Any]:
    """Values of the GPU operator's chart that follow from the pools."""
    try:
        policies = sharing_policies(pools, mig_strategy=mig_strategy)
        gpus = [pool for pool, policy in zip(pools, policies, strict=True) if policy.has_gpu]
        taints = [taint for pool in gpus for key in ("taints", "startup_taints") for taint in pool.get(key) or ()]
        return operator_values(policies, taints)
    except PlatformError as error:
        raise AnsibleFilterError(error.message) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., t.Any]]:
        """By name."""
        return {"gpu_operator_values": gpu_operator_values}
