# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hold an inventory against everything that can be known without asking anybody: all problems at once."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping
from pathlib import Path

from .._core.argument_spec import ArgumentSpec
from .._core.errors import PlatformError
from .._core.outcome import Context, Outcome, UseCase
from .names import unknown_names
from .pools import pool_problems
from .problems import Problem, problem
from .roles import Role, read_roles
from .rules import RULES
from .schema import value_problems
from .variables import VARIABLES
from .view import Inventory

SPEC = ArgumentSpec(
    options={
        "variables": {"type": "dict", "required": True},
        "unreadable": {"type": "dict", "default": {}},
        "roles_path": {"type": "path", "required": True},
        "name": {"type": "str"},
        "whole_plan": {"type": "bool", "default": True},
    }
)


def inventory_problems(
    variables: Mapping[str, t.Any],
    roles: Mapping[str, Role],
    *,
    unreadable: Mapping[str, str] | None = None,
    whole_plan: bool = True,
) -> list[Problem]:
    """Everything that is wrong, sorted by variable.

    :param variables: of the host, worked out; those without a prefix of ours are not looked at.
    :param unreadable: why a variable could not be worked out, by name.
    :param whole_plan: also hold what belongs together against each other: pools, quotas, models, budget.
    """
    bad = unreadable or {}
    found = {problem(name, f"{name} cannot be worked out: {reason}") for name, reason in bad.items()}
    private = variables.get("aiplatform_private_variables") or []
    found.update(unknown_names([*variables, *bad], roles, private=private if isinstance(private, list) else []))
    options = {**{name: option for role in roles.values() for name, option in role.options.items()}, **VARIABLES}
    for name, option in options.items():
        found.update(value_problems(variables.get(name), option, name))
    for name, option in VARIABLES.items():
        if option.get("required") and variables.get(name) is None and name not in bad:
            found.add(problem(name, f"{name} is missing, and everything needs it; set it in the inventory"))
    if not whole_plan:
        return sorted(found)
    broken = frozenset(re.split(r"[.\[]", one.variable)[0] for one in found)
    inventory = Inventory(variables, roles, broken)
    for rule in (pool_problems, *RULES):
        found.update(rule(inventory))
        broken |= {re.split(r"[.\[]", one.variable)[0] for one in found}
        inventory = Inventory(variables, roles, broken)
    return sorted(found)


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:  # noqa: ARG001 (the doors' signature)
    """Check it.

    :raises PlatformError: with all problems, when there is one.
    """
    roles = read_roles(Path(options["roles_path"]))
    found = inventory_problems(
        options["variables"], roles, unreadable=options["unreadable"], whole_plan=options["whole_plan"]
    )
    if found:
        whose = f"the inventory of {options['name']}" if options.get("name") else "the inventory"
        count = f"{len(found)} problems" if len(found) > 1 else "a problem"
        lines = "\n".join(f"- {one.message}" for one in found)
        raise PlatformError(f"{whose} has {count}; nothing was changed\n{lines}", wrong=[one.variable for one in found])
    return Outcome(facts={"wrong": [], "checked": len(options["variables"])})


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "inventory_problems")
