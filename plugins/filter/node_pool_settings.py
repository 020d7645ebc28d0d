# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import sharing_policies
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy_boot import boot_settings_for
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy_nodes import pool_settings

POLICY_KEYS = ("gpu_sharing", "purpose")
Pool = dict[str, t.Any]


def node_pool_settings(
    pools: Sequence[Mapping[str, t.Any]],
    *,
    mig_strategy: str = "mixed",
    cpu_subnets: Sequence[str] = (),
    gpu_subnets: Sequence[str] = (),
    disk_kms_key: str | None = None,
) -> list[Pool]:
    """The inventory's node pools as eks_node_pools takes them: what the sharing policy derives is merged in."""
    try:
        policies = sharing_policies(pools, mig_strategy=mig_strategy)
        boots = [boot_settings_for(pool, policy) for pool, policy in zip(pools, policies, strict=True)]
    except PlatformError as error:
        raise AnsibleFilterError(error.message) from error
    found: list[Pool] = []
    for pool, policy, boot in zip(pools, policies, boots, strict=True):
        derived = pool_settings(policy)
        subnets = gpu_subnets if policy.has_gpu or policy.has_neuron else cpu_subnets
        own = {**{key: value for key, value in pool.items() if key not in POLICY_KEYS}, **boot}
        own["labels"] = {**derived["labels"], **(pool.get("labels") or {})}
        own["taints"] = [*derived["taints"], *(pool.get("taints") or [])]
        if derived["scale_from_zero_resources"]:
            own.setdefault("scale_from_zero_resources", derived["scale_from_zero_resources"])
        if subnets:
            own.setdefault("subnets", list(subnets))
        if disk_kms_key and "launch_template" not in pool:
            own["disk"] = {"kms_key_id": disk_kms_key, **(pool.get("disk") or {})}
        found.append(own)
    return found


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., t.Any]]:
        """By name."""
        return {"node_pool_settings": node_pool_settings}
