# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans: what a use case would do, as a value. C(changed), the diff and check mode all come from it."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

NO_CHANGE = "none"


@dataclass(frozen=True)
class Difference:
    """One value that a step changes.

    :param path: where, in the user's own option names, e.g. C(scaling.max).
    """

    path: str
    before: t.Any
    after: t.Any


@dataclass(frozen=True)
class Step:
    """One thing to do to one object.

    :param action: a verb of the field: create, update, roll, replace, delete, recreate..., or C(none).
    :param target: the object in words, e.g. C(node pool a100-mig).
    :param before: the object's state now, in the user's terms, without secrets; None when it does not exist.
    :param after: the same after the step; None when the step deletes it.
    :param reason: why, when the difference alone does not say it.
    :param payload: what apply needs; takes no part in comparison, diff or result.
    """

    action: str
    target: str
    before: Mapping[str, t.Any] | None = None
    after: Mapping[str, t.Any] | None = None
    reason: str = ""
    payload: t.Any = field(default=None, compare=False, repr=False)

    @property
    def changes(self) -> bool:
        """Whether the step does anything."""
        return self.action != NO_CHANGE

    def differences(self) -> tuple[Difference, ...]:
        """The leaves that differ between before and after, sorted by path."""
        return differences(self.before or {}, self.after or {})

    def summary(self) -> str:
        """One line: C(update node pool a100-mig (scaling.max))."""
        line = f"{self.action} {self.target}"
        if self.before is not None and self.after is not None and (paths := [d.path for d in self.differences()]):
            line += f" ({', '.join(paths)})"
        return f"{line}: {self.reason}" if self.reason else line


@dataclass(frozen=True)
class Plan:
    """Steps in the order in which they would run; independent steps may run at once.

    :param awaits: something that an earlier run began is still in progress and is to be awaited, changed or not.
    """

    steps: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()
    awaits: bool = False

    @property
    def pending(self) -> tuple[Step, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if step.changes)

    @property
    def changed(self) -> bool:
        """Whether anything would change."""
        return bool(self.pending)

    def diff(self) -> list[dict[str, t.Any]]:
        """Ansible's diff: one before/after pair per step that changes something."""
        return [
            {
                "before_header": step.target,
                "after_header": f"{step.target} ({step.action})",
                "before": dict(step.before) if step.before is not None else {},
                "after": dict(step.after) if step.after is not None else {},
            }
            for step in self.pending
        ]

    def summaries(self) -> list[str]:
        """One line per step that changes something."""
        return [step.summary() for step in self.pending]


def differences(before: t.Any, after: t.Any, path: str = "") -> tuple[Difference, ...]:
    """The leaves that differ between two trees of mappings; lists and scalars are leaves."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        found: list[Difference] = []
        for key in sorted({*before, *after}, key=str):
            inner = f"{path}.{key}" if path else str(key)
            found.extend(differences(before.get(key), after.get(key), inner))
        return tuple(found)
    if _plain(before) == _plain(after):
        return ()
    return (Difference(path, before, after),)


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return list(value)
    return value


__all__ = ("NO_CHANGE", "Difference", "Plan", "Step", "differences")
