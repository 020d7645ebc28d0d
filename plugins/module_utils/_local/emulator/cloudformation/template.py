# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A template with its parameters: conditions, the resources that it makes, and their order."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from . import intrinsics
from .errors import invalid

Record = dict[str, t.Any]


@dataclass(frozen=True)
class Template:
    """A template that was read.

    :param body: the document.
    :param parameters: the values, each a string as CloudFormation keeps it.
    """

    body: Mapping[str, t.Any]
    parameters: Mapping[str, str]

    @property
    def resources(self) -> Mapping[str, Record]:
        """All resources, by logical id."""
        return t.cast(Mapping[str, Record], self.body.get("Resources") or {})

    @property
    def outputs(self) -> Mapping[str, Record]:
        """All outputs."""
        return t.cast(Mapping[str, Record], self.body.get("Outputs") or {})

    def value(self, name: str, ssm: Callable[[str], str]) -> t.Any:
        """A parameter's value by its type: a list for a list type, the parameter's own for an SSM type."""
        kind = str(self.body["Parameters"][name].get("Type", "String"))
        text = self.parameters[name]
        if kind.startswith("AWS::SSM::Parameter::Value"):
            text = ssm(text)
        if kind == "CommaDelimitedList" or "List<" in kind:
            return [one.strip() for one in text.split(",")] if text else []
        if kind == "Number":
            return int(text) if text.lstrip("-").isdigit() else float(text)
        return text

    def order(self) -> list[str]:
        """The logical ids, each after what it needs.

        :raises CloudFormationError: when they need each other.
        """
        graph = {name: self.needs(name) for name in self.resources}
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            names = ", ".join(sorted(set(error.args[1])))
            raise invalid(f"Circular dependency between resources: [{names}]") from None

    def needs(self, name: str) -> set[str]:
        """The resources that one needs first."""
        resource = self.resources[name]
        explicit = resource.get("DependsOn") or []
        found = set(intrinsics.references(resource.get("Properties")))
        found |= {explicit} if isinstance(explicit, str) else set(explicit)
        return found & set(self.resources) - {name}


def read(body: Mapping[str, t.Any], given: Mapping[str, str]) -> Template:
    """Check a template and fill its parameters.

    :param given: parameters by name.
    :raises CloudFormationError: ValidationError, as CloudFormation says it.
    """
    if not isinstance(body, Mapping) or not body.get("Resources"):
        raise invalid("Template format error: At least one Resources member must be defined.")
    _check_resources(body)
    return Template(body, _parameters(body.get("Parameters") or {}, given))


def _check_resources(body: Mapping[str, t.Any]) -> None:
    resources = body["Resources"]
    known = {*resources, *(body.get("Parameters") or {}), *(f"AWS::{name}" for name in intrinsics.PSEUDO)}
    for name, resource in resources.items():
        if not isinstance(resource, Mapping) or not resource.get("Type"):
            raise invalid(
                f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
            )
    own = {name for resource in resources.values() for name in _own_names(resource)}
    unknown = sorted({name for name in intrinsics.references(resources) if name not in known | own})
    if unknown:
        raise invalid(
            f"Template format error: Unresolved resource dependencies [{', '.join(unknown)}] in the Resources block "
            "of the template"
        )


def _own_names(value: t.Any) -> set[str]:
    """The names that the long form of Fn::Sub brings itself."""
    if isinstance(value, list):
        return {name for one in value for name in _own_names(one)}
    if not isinstance(value, Mapping):
        return set()
    found = {name for one in value.values() for name in _own_names(one)}
    sub = value.get("Fn::Sub")
    return found | set(sub[1]) if isinstance(sub, list) and len(sub) == 2 else found


def _parameters(declared: Mapping[str, Record], given: Mapping[str, str]) -> dict[str, str]:
    if unknown := sorted(set(given) - set(declared)):
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    values = {}
    missing = []
    for name, declaration in declared.items():
        if name in given:
            values[name] = given[name]
        elif "Default" in declaration:
            default = declaration["Default"]
            values[name] = str(default).lower() if isinstance(default, bool) else str(default)
        else:
            missing.append(name)
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    for name, value in values.items():
        _check_parameter(name, declared[name], value)
    return values


def _check_parameter(name: str, declaration: Record, value: str) -> None:
    reason = declaration.get("ConstraintDescription")
    allowed = [intrinsics.text_of(one) for one in declaration.get("AllowedValues") or ()]
    if allowed and value not in allowed:
        raise invalid(f"Parameter {name} {reason}" if reason else f"Parameter '{name}' must be one of AllowedValues")
    pattern = declaration.get("AllowedPattern")
    if pattern and not re.fullmatch(str(pattern), value):
        raise invalid(f"Parameter {name} failed to satisfy constraint: {reason or f'must match pattern {pattern}'}")
    if declaration.get("Type") == "Number":
        _check_number(name, declaration, value)
    if len(value) < int(declaration.get("MinLength", 0)):
        raise invalid(f"Parameter '{name}' must contain at least {declaration['MinLength']} characters")
    if len(value) > int(declaration.get("MaxLength", len(value))):
        raise invalid(f"Parameter '{name}' must contain at most {declaration['MaxLength']} characters")


def _check_number(name: str, declaration: Record, value: str) -> None:
    try:
        number = float(value)
    except ValueError:
        raise invalid(f"Parameter '{name}' must be a number.") from None
    if number < float(declaration.get("MinValue", number)) or number > float(declaration.get("MaxValue", number)):
        raise invalid(f"Parameter '{name}' must be a number between MinValue and MaxValue")


__all__ = ("Template", "read")
