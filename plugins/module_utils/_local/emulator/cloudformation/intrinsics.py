# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The functions of templates: Ref, Fn::GetAtt, Fn::Sub and the rest, worked out against what is known."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
import typing as t
from collections.abc import Callable, Iterator, Mapping
from datetime import date

from .errors import invalid

Value = t.Any
PLACEHOLDER = re.compile(r"\$\{([^!}][^}]*)\}")
NO_VALUE = object()
PSEUDO = ("AccountId", "NotificationARNs", "NoValue", "Partition", "Region", "StackId", "StackName", "URLSuffix")


class Known(t.Protocol):
    """What a template's functions may ask for."""

    def ref(self, name: str) -> Value:
        """The value of a parameter, pseudo parameter or resource."""

    def attribute(self, name: str, attribute: str) -> Value:
        """An attribute of a resource."""

    def condition(self, name: str) -> bool:
        """Whether a condition holds."""

    def mapping(self, name: str) -> Mapping[str, t.Any]:
        """A table of the template."""

    def imported(self, name: str) -> str:
        """An output that another stack exports."""

    def zones(self) -> list[str]:
        """The zones of the region."""


def evaluate(value: Value, known: Known) -> Value:
    """Work a value out; members that are AWS::NoValue are left out.

    :raises CloudFormationError: when a function asks for what is not there.
    """
    if isinstance(value, list):
        found = [evaluate(one, known) for one in value]
        return [one for one in found if one is not NO_VALUE]
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        name, argument = next(iter(value.items()))
        if name == "Ref":
            return known.ref(str(argument))
        if name == "Condition" and isinstance(argument, str):
            return known.condition(argument)
        if name in FUNCTIONS:
            return FUNCTIONS[name](argument, known)
        if name.startswith("Fn::") and name != "Fn::Transform":
            raise invalid(f"Template error: the emulator does not know the function {name}")
    found_members = {str(key): evaluate(one, known) for key, one in value.items()}
    return {key: one for key, one in found_members.items() if one is not NO_VALUE}


def _get_att(argument: Value, known: Known) -> Value:
    name, attribute = argument.split(".", 1) if isinstance(argument, str) else (argument[0], argument[1])
    return known.attribute(str(name), str(evaluate(attribute, known)))


def _sub(argument: Value, known: Known) -> str:
    text, own = (argument, {}) if isinstance(argument, str) else (argument[0], evaluate(argument[1], known))

    def value(match: re.Match[str]) -> str:
        name = match.group(1).strip()
        if name in own:
            return text_of(own[name])
        if "." in name and not name.startswith("AWS::"):
            return text_of(_get_att(name, known))
        return text_of(known.ref(name))

    return PLACEHOLDER.sub(value, text).replace("${!", "${")


def text_of(value: Value) -> str:
    """A value as text."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _join(argument: Value, known: Known) -> str:
    return str(argument[0]).join(text_of(one) for one in evaluate(argument[1], known))


def _split(argument: Value, known: Known) -> list[str]:
    return str(evaluate(argument[1], known)).split(argument[0])


def _select(argument: Value, known: Known) -> Value:
    index, rows = int(evaluate(argument[0], known)), evaluate(argument[1], known)
    if not 0 <= index < len(rows):
        raise invalid("Template error: Fn::Select cannot select nonexistent value at index " + str(index))
    return rows[index]


def _if(argument: Value, known: Known) -> Value:
    return evaluate(argument[1] if known.condition(argument[0]) else argument[2], known)


def _equals(argument: Value, known: Known) -> bool:
    left, right = evaluate(argument, known)
    return bool(text_of(left) == text_of(right))


def _find(argument: Value, known: Known) -> Value:
    name, *path = evaluate(argument[:3], known)
    found: Value = known.mapping(name)
    for key in path:
        if not isinstance(found, Mapping) or str(key) not in found:
            raise invalid(f"Template error: Unable to get mapping for {name}::{'::'.join(map(str, path))}")
        found = found[str(key)]
    return found


def _cidr(argument: Value, known: Known) -> list[str]:
    block, count, bits = (*evaluate(argument, known), None)[:3]
    network = ipaddress.ip_network(str(block), strict=False)
    size = int(bits) if bits is not None else (8 if network.version == 4 else 64)
    subnets = network.subnets(new_prefix=network.max_prefixlen - size)
    found = [str(subnet) for _other, subnet in zip(range(int(count)), subnets, strict=False)]
    if len(found) < int(count):
        raise invalid(f"Template error: Fn::Cidr: {block} does not hold {count} blocks of {size} bits")
    return found


def _base64(argument: Value, known: Known) -> str:
    return base64.b64encode(str(evaluate(argument, known)).encode()).decode()


FUNCTIONS: Mapping[str, Callable[[Value, Known], Value]] = {
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::If": _if,
    "Fn::Equals": _equals,
    "Fn::Not": lambda argument, known: not evaluate(argument, known)[0],
    "Fn::And": lambda argument, known: all(evaluate(argument, known)),
    "Fn::Or": lambda argument, known: any(evaluate(argument, known)),
    "Fn::FindInMap": _find,
    "Fn::ImportValue": lambda argument, known: known.imported(str(evaluate(argument, known))),
    "Fn::GetAZs": lambda _argument, known: known.zones(),
    "Fn::Cidr": _cidr,
    "Fn::Base64": _base64,
    "Fn::Length": lambda argument, known: len(evaluate(argument, known)),
    "Fn::ToJsonString": lambda argument, known: json.dumps(evaluate(argument, known)),
}


def references(value: Value) -> Iterator[str]:
    """The names that a value refers to, by Ref, Fn::GetAtt or Fn::Sub."""
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    if not isinstance(value, Mapping):
        return
    for key, one in value.items():
        if key == "Ref":
            yield str(one)
        elif key == "Fn::GetAtt":
            yield str(one).split(".", maxsplit=1)[0] if isinstance(one, str) else str(one[0])
        else:
            if key == "Fn::Sub":
                text = one if isinstance(one, str) else one[0]
                yield from (name.strip().split(".")[0] for name in PLACEHOLDER.findall(text))
            yield from references(one)


__all__ = ("NO_VALUE", "PSEUDO", "Known", "evaluate", "references", "text_of")
