# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of variables that nothing reads: each is most likely a slip of the pen."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterable, Mapping

from .._core.text import nearest
from .problems import Problem, problem
from .roles import Role
from .variables import PREFIX, VARIABLES

WAY_OUT = "rename it, or list it in aiplatform_private_variables if it is your own"


def prefixes(roles: Iterable[str]) -> list[str]:
    """The beginnings of names that belong to the collection."""
    return [PREFIX, *(f"{name}_" for name in sorted(roles))]


def unknown_names(given: Iterable[str], roles: Mapping[str, Role], *, private: Collection[str] = ()) -> list[Problem]:
    """A problem for each variable with a prefix of ours that nobody reads.

    :param private: names or patterns (C(cluster_note_*)) that the user keeps for himself.
    """
    of_roles = (name for role in roles.values() for name in (*role.options, *role.defaults, *role.facts))
    known = {*VARIABLES, *of_roles}
    ours = tuple(prefixes(roles))
    found = []
    for name in given:
        if name in known or not name.startswith(ours):
            continue
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in private):
            continue
        close = nearest(name, known)
        hint = f"did you mean {close!r}? Otherwise {WAY_OUT}" if close else WAY_OUT
        found.append(problem(name, f"{name} is no variable of this collection; {hint}"))
    return found


__all__ = ("prefixes", "unknown_names")
