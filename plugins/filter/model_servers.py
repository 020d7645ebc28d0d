# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu import model_servers as pure


def model_servers(
    models: Sequence[Mapping[str, t.Any]], pools: Sequence[Mapping[str, t.Any]], **settings: t.Any
) -> list[dict[str, t.Any]]:
    """The models of the inventory as servers: sized, placed and completed."""
    try:
        return pure.model_servers(models, pools, pure.Settings(**settings))
    except PlatformError as error:
        raise AnsibleFilterError(error.message) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., t.Any]]:
        """By name."""
        return {"model_servers": model_servers}
