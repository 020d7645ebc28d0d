# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu import quotas


def resource_quota(
    quota: Mapping[str, t.Any],
    pools: Sequence[Mapping[str, t.Any]],
    *,
    mig_strategy: str = "mixed",
    where: str = "quota",
) -> dict[str, str]:
    """What a ResourceQuota says that holds a namespace to its share of the pools."""
    try:
        return quotas.resource_quota(quota, pools, mig_strategy=mig_strategy, where=where)
    except PlatformError as error:
        raise AnsibleFilterError(error.message) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., t.Any]]:
        """By name."""
        return {"resource_quota": resource_quota}
