# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTML and SVG by construction: text is escaped unless it is markup already."""

from __future__ import annotations

import typing as t
from html import escape

VOID = frozenset({"meta", "link", "br", "rect"})
Attribute: t.TypeAlias = "str | int | float | None"


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def el(tag: str, /, *children: str, **attributes: Attribute) -> Markup:
    """One element; C(class_) is the attribute C(class), and C(_) in a name is C(-). None leaves an attribute out."""
    named = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items() if value is not None}
    written = "".join(f' {name}="{escape(str(value))}"' for name, value in named.items())
    if tag in VOID:
        return Markup(f"<{tag}{written}>" if tag != "rect" else f"<{tag}{written}/>")
    return Markup(f"<{tag}{written}>{join(*children)}</{tag}>")


def join(*parts: str) -> Markup:
    """The parts one after the other, text escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


__all__ = ("Markup", "el", "join")
