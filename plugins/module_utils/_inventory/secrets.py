# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that the argument specs call secret never enter a task's arguments, which Ansible shows with C(-vvv)."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .roles import Role

MASK = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"  # as Ansible says it
Options = Mapping[str, Mapping[str, t.Any]]


def masked(variables: Mapping[str, t.Any], roles: Mapping[str, Role]) -> dict[str, t.Any]:
    """The variables with their secrets masked. Empty ones stay, so that it can be seen that they are missing."""
    return _masked(variables, {name: option for role in roles.values() for name, option in role.options.items()})


def _masked(values: Mapping[str, t.Any], options: Options) -> dict[str, t.Any]:
    return {name: _value(value, options.get(name) or {}) for name, value in values.items()}


def _value(value: t.Any, option: Mapping[str, t.Any]) -> t.Any:
    if option.get("no_log") and value:
        return MASK
    inner = option.get("options") or {}
    if inner and isinstance(value, Mapping):
        return _masked(value, inner)
    if inner and isinstance(value, list):
        return [_masked(one, inner) if isinstance(one, Mapping) else one for one in value]
    return value


__all__ = ("MASK", "masked")
