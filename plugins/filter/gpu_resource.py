# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import sharing_policies
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy_objects import named_policy, resource_name


def gpu_resource(
    pools: Sequence[Mapping[str, t.Any]], pool: str, *, profile: str | None = None, mig_strategy: str = "mixed"
) -> str:
    """The extended resource that pods of a pool ask for."""
    try:
        return resource_name(named_policy(sharing_policies(pools, mig_strategy=mig_strategy), pool), profile)
    except PlatformError as error:
        raise AnsibleFilterError(error.message) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., t.Any]]:
        """By name."""
        return {"gpu_resource": gpu_resource}
