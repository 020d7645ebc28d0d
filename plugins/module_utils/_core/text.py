# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pieces of sentences."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like C(name), or None when none is close."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def listed(names: Iterable[object], *, conjunction: str = "and") -> str:
    """C(a, b and c)."""
    words = [str(name) for name in names]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """C(unknown board 'a10': known are ...; did you mean 'a100-40gb'?)."""
    names = sorted(known)
    sentence = f"unknown {kind} {name!r}; known are {listed(names)}"
    close = nearest(name, names)
    return f"{sentence}; did you mean {close!r}?" if close else sentence


__all__ = ("listed", "nearest", "unknown_name")
