# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Data with Helm expressions in its strings, as the text of a chart's template."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Mapping

from .._core.errors import PlatformError

OPEN = "{{"
# An expression ends at the first }} outside Go's two kinds of string literals.
EXPRESSION = re.compile(r'\{\{-?\s*((?:"(?:\\.|[^"\\])*"|`[^`]*`|[^"`}]|\}(?!\}))*?)\s*-?\}\}')
STATEMENTS = ("if", "else", "end", "range", "with", "define", "template", "block", "break", "continue", "/*")


def templated(value: t.Any, *, where: str) -> str:
    """JSON (which is YAML) in which each string with expressions is itself one expression.

    A string that is a single expression takes the type of its result: C("{{ .Values.replicas }}") gives a number.
    Nothing that a value holds can break out of its string.

    :param where: the value's place in error messages.
    :raises PlatformError: an expression does not end, or is a statement (if, range...).
    """
    if isinstance(value, Mapping):
        entries = (
            f"{_string(str(key), where=where)}: {templated(inner, where=f'{where}.{key}')}"
            for key, inner in sorted(value.items(), key=lambda entry: str(entry[0]))
        )
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(templated(item, where=f"{where}[{i}]") for i, item in enumerate(value)) + "]"
    return _string(value, where=where) if isinstance(value, str) else json.dumps(value)


def _string(text: str, *, where: str) -> str:
    if OPEN not in text:
        return json.dumps(text)
    parts = EXPRESSION.split(text)  # text, expression, text, expression, ..., text
    if any(OPEN in plain for plain in parts[::2]):
        raise PlatformError(f"{where}: {text!r} opens {OPEN} and does not close it")
    for expression in parts[1::2]:
        if not expression or expression.startswith("/*") or expression.split()[0] in STATEMENTS:
            raise PlatformError(
                f"{where}: {text!r} holds {expression!r}, which is no expression; an expression gives a value, as "
                "{{ .Values.replicas }} does; statements (if, range, with) are not possible"
            )
    if len(parts) == 3 and not parts[0].strip() and not parts[2].strip():
        return f"{OPEN} toJson ({parts[1]}) }}}}"
    # Go's print puts blanks between operands unless one is a string: there is always one between two expressions.
    words = [f"({part})" if number % 2 else json.dumps(part) for number, part in enumerate(parts)]
    return f"{OPEN} toJson (print {' '.join(words)}) }}}}"


__all__ = ("templated",)
