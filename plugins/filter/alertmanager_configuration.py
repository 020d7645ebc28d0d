# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._monitoring.alertmanager import configuration


def alertmanager_configuration(
    receivers: Sequence[Mapping[str, t.Any]], *, routes: Sequence[Mapping[str, t.Any]] = ()
) -> dict[str, t.Any]:
    """Alertmanager's configuration and the names of the Secrets that it reads."""
    try:
        return configuration(receivers, routes)
    except PlatformError as error:
        raise AnsibleFilterError(error.message) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., t.Any]]:
        """By name."""
        return {"alertmanager_configuration": alertmanager_configuration}
