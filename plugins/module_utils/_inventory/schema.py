# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hold a value against an option of an argument spec, and say everything that is wrong with it.

Types convert as they do for Ansible's options (C("5") is an int); a text is no place for a list or a dictionary.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible.module_utils.common.validation import (
    check_type_bool,
    check_type_bytes,
    check_type_dict,
    check_type_float,
    check_type_int,
    check_type_list,
)

from .._core.text import listed, nearest
from .problems import Problem, not_among, problem

Option = Mapping[str, t.Any]
KINDS: Mapping[str, tuple[str, Callable[[t.Any], t.Any]]] = {
    "bool": ("true or false", check_type_bool),
    "bytes": ("a size such as 10G", check_type_bytes),
    "dict": ("a dictionary", check_type_dict),
    "float": ("a number", check_type_float),
    "int": ("a whole number", check_type_int),
    "list": ("a list", check_type_list),
}
TEXTS = ("str", "path", "json")


def value_problems(value: t.Any, option: Option, where: str) -> list[Problem]:
    """What is wrong with a value; nothing that is None is.

    :param option: C(type), C(elements), C(choices), C(options), and the constraints between options.
    """
    if value is None:
        return []
    kind = str(option.get("type", "str"))
    converted, wrong = _convert(value, kind, where)
    if wrong:
        return [wrong]
    choices = option.get("choices")
    if choices and kind != "list" and converted not in choices and value not in choices:
        return [not_among(where, value, choices)]
    if kind == "list":
        return _list_problems(converted, option, where)
    if kind == "dict" and option.get("options"):
        return group_problems(converted, option, where)
    return []


def _convert(value: t.Any, kind: str, where: str) -> tuple[t.Any, Problem | None]:
    if kind in TEXTS:
        if isinstance(value, (Mapping, list, tuple)):
            shown = "a dictionary" if isinstance(value, Mapping) else "a list"
            return value, problem(where, f"{where} is {shown}; wanted is a text")
        return str(value), None
    if kind not in KINDS:
        return value, None
    words, convert = KINDS[kind]
    if kind in ("dict", "list") and isinstance(value, str) and not value.strip().startswith(("{", "[")):
        return value, problem(where, f"{where} is {value!r}; wanted is {words}")
    if kind in ("int", "float") and isinstance(value, bool):
        return value, problem(where, f"{where} is {value!r}; wanted is {words}")
    try:
        return convert(value), None
    except (TypeError, ValueError):
        return value, problem(where, f"{where} is {value!r}; wanted is {words}")


def _list_problems(values: Sequence[t.Any], option: Option, where: str) -> list[Problem]:
    element = {**option, "type": option.get("elements", "raw")}
    return [one for index, value in enumerate(values) for one in value_problems(value, element, f"{where}[{index}]")]


def group_problems(values: Mapping[str, t.Any], option: Option, where: str) -> list[Problem]:
    """What is wrong with a dictionary whose options are known: unknown keys, missing ones, values, combinations."""
    options: Mapping[str, Option] = option["options"]
    found = [
        one
        for key, value in values.items()
        for one in (
            value_problems(value, options[key], f"{where}.{key}")
            if key in options
            else [_unknown_key(str(key), options, where)]
        )
    ]
    for name, entry in options.items():
        if entry.get("required") and values.get(name) is None:
            found.append(problem(where, f"{where} has no {name}, which is needed{_example(entry)}"))
    return found + _combinations(values, option, where)


def _unknown_key(key: str, options: Mapping[str, Option], where: str) -> Problem:
    close = nearest(key, options)
    hint = f"did you mean {close!r}?" if close else f"known are {listed(sorted(options))}"
    return problem(f"{where}.{key}", f"{where} has the unknown key {key!r}; {hint}")


def _example(option: Option) -> str:
    choices = option.get("choices")
    return f": {listed(choices, conjunction='or')}" if choices else ""


def _combinations(values: Mapping[str, t.Any], option: Option, where: str) -> list[Problem]:
    given = {name for name, value in values.items() if value is not None}
    found = [
        problem(where, f"{where} has {listed(both)}, which exclude each other; keep one")
        for names in option.get("mutually_exclusive") or ()
        if len(both := [name for name in names if name in given]) > 1
    ]
    return found + [
        problem(where, f"{where} needs {listed(names, conjunction='or')}")
        for names in option.get("required_one_of") or ()
        if not given & set(names)
    ]


__all__ = ("group_problems", "value_problems")
