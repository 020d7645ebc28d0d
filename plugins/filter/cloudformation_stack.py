# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.aiplatform.eks.plugins.module_utils._aws.stacks import merged_template, wanted_stack
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError


def cloudformation_stack(
    template: str | Sequence[str],
    parameters: Mapping[str, t.Any],
    *,
    tags: Mapping[str, str] | None = None,
    live: Mapping[str, t.Any] | None = None,
) -> dict[str, t.Any]:
    """A stack as it is wanted, and whether CloudFormation needs to be asked about it."""
    try:
        text = template if isinstance(template, str) else merged_template(str(part) for part in template)
        return wanted_stack(str(text), parameters, tags=tags or {}, live=live)
    except PlatformError as error:
        raise AnsibleFilterError(error.message) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., t.Any]]:
        """By name."""
        return {"cloudformation_stack": cloudformation_stack}
