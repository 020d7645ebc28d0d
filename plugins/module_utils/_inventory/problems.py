# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with an inventory, as values: the variable, what was found, and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .._core.text import listed, nearest


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong.

    :param variable: where, as a user would write it: C(aiplatform_node_pools[1].scaling.min).
    :param message: the sentence, which begins with the variable.
    """

    variable: str
    message: str


def problem(variable: str, sentence: str) -> Problem:
    """A problem whose sentence says where it is.

    :param sentence: goes on after the variable, or says it already.
    """
    return Problem(variable, sentence if sentence.startswith(variable) else f"{variable}: {sentence}")


def not_among(variable: str, value: object, choices: Iterable[object]) -> Problem:
    """A value that is none of the possible ones, with the nearest of them."""
    names = [str(choice) for choice in choices]
    close = nearest(str(value), names)
    hint = f"; did you mean {close!r}?" if close else ""
    return Problem(variable, f"{variable} is {value!r}; possible are {listed(names, conjunction='or')}{hint}")


__all__ = ("Problem", "not_among", "problem")
