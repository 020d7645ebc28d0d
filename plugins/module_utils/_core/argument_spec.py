# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Option specs with their constraints, as one value that merges."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Options = Mapping[str, Mapping[str, t.Any]]
Names = tuple[str, ...]


@dataclass(frozen=True)
class ArgumentSpec:
    """Options and the constraints between them, as AnsibleModule takes them.

    :param options: argument_spec of AnsibleModule.
    """

    options: Options = field(default_factory=dict)
    mutually_exclusive: tuple[Names, ...] = ()
    required_together: tuple[Names, ...] = ()
    required_one_of: tuple[Names, ...] = ()
    required_if: tuple[Sequence[t.Any], ...] = ()
    required_by: Mapping[str, Names] = field(default_factory=dict)
    supports_check_mode: bool = True

    def merge(self, other: ArgumentSpec) -> ArgumentSpec:
        """Both specs together.

        :raises ValueError: when an option stands in both.
        """
        if twice := sorted(set(self.options) & set(other.options)):
            raise ValueError(f"options stand in both specs: {', '.join(twice)}")
        return ArgumentSpec(
            options={**self.options, **other.options},
            mutually_exclusive=self.mutually_exclusive + other.mutually_exclusive,
            required_together=self.required_together + other.required_together,
            required_one_of=self.required_one_of + other.required_one_of,
            required_if=self.required_if + other.required_if,
            required_by={**self.required_by, **other.required_by},
            supports_check_mode=self.supports_check_mode and other.supports_check_mode,
        )

    def constraints(self) -> dict[str, t.Any]:
        """The constraints as keyword arguments of AnsibleModule and of ArgumentSpecValidator."""
        return {
            "mutually_exclusive": [list(names) for names in self.mutually_exclusive],
            "required_together": [list(names) for names in self.required_together],
            "required_one_of": [list(names) for names in self.required_one_of],
            "required_if": [list(rule) for rule in self.required_if],
            "required_by": {name: list(names) for name, names in self.required_by.items()},
        }

    def to_module_arguments(self) -> dict[str, t.Any]:
        """Keyword arguments of AnsibleModule."""
        return {
            "argument_spec": dict(self.options),
            "supports_check_mode": self.supports_check_mode,
            **self.constraints(),
        }


__all__ = ("ArgumentSpec",)
