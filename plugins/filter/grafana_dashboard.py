# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._monitoring.dashboards import dashboard


def grafana_dashboard(data: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Grafana's JSON of a dashboard in compact data."""
    try:
        return dashboard(data)
    except PlatformError as error:
        raise AnsibleFilterError(error.message) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., t.Any]]:
        """By name."""
        return {"grafana_dashboard": grafana_dashboard}
