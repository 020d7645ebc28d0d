# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory of one cluster as the rules see it: what it says, else what a role says by default."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from .roles import Role


@dataclass(frozen=True)
class Inventory:
    """Variables of a host.

    :param variables: worked out, by name; only those with a prefix of ours.
    :param broken: variables whose value has a problem already: no rule looks at them again.
    """

    variables: Mapping[str, t.Any]
    roles: Mapping[str, Role]
    broken: frozenset[str] = field(default_factory=frozenset)

    def get(self, name: str, default: t.Any = None) -> t.Any:
        """A variable's value; the default of its role when the inventory is silent and that default is no template."""
        if name in self.broken:
            return default
        value = self.variables.get(name)
        if value is None:
            value = next((role.defaults[name] for role in self.roles.values() if name in role.defaults), None)
            value = None if _is_template(value) else value
        return default if value is None else value

    @property
    def pools(self) -> list[Mapping[str, t.Any]]:
        """The node pools that are dictionaries with a name."""
        found = self.get("aiplatform_node_pools", [])
        return (
            [pool for pool in found if isinstance(pool, dict) and pool.get("name")] if isinstance(found, list) else []
        )


def _is_template(value: t.Any) -> bool:
    if isinstance(value, Mapping):
        return any(_is_template(one) for one in value.values())
    if isinstance(value, list):
        return any(_is_template(one) for one in value)
    return isinstance(value, str) and "{{" in value


__all__ = ("Inventory",)
