# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a use case gets from the task and what it gives back; the same behind both doors."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .clock import Clock, SystemClock
from .plan import Plan


@dataclass(frozen=True)
class Context:
    """What the task says besides its options.

    :param check_mode: plan only. Use cases do not branch on it: M(converge) does.
    :param diff_mode: the user asked for the diff; the result carries it in both modes.
    :param clock: the time that waiting code sees.
    """

    check_mode: bool = False
    diff_mode: bool = False
    clock: Clock = field(default_factory=SystemClock)


@dataclass(frozen=True)
class Outcome:
    """The result of a use case.

    :param facts: the keys that the module returns, plain data.
    """

    changed: bool = False
    facts: Mapping[str, t.Any] = field(default_factory=dict)
    diff: tuple[Mapping[str, t.Any], ...] = ()
    warnings: tuple[str, ...] = ()

    def to_result(self, context: Context) -> dict[str, t.Any]:
        """The task's result (C(diff) only when asked for)."""
        result: dict[str, t.Any] = {"changed": self.changed, **self.facts}
        if context.diff_mode:
            result["diff"] = [dict(entry) for entry in self.diff]
        return result


@dataclass(frozen=True)
class UseCase:
    """A use case and its option spec: what both doors run.

    :param run: takes the validated options and the context; raises PlatformError.
    """

    spec: t.Any
    run: Callable[[Mapping[str, t.Any], Context], Outcome]


def converge(
    plan: Plan,
    context: Context,
    *,
    apply: Callable[[Plan], Mapping[str, t.Any]],
    predict: Callable[[Plan], Mapping[str, t.Any]],
) -> Outcome:
    """Apply a plan, or in check mode say what it would give.

    C(apply) runs only outside check mode and only when the plan changes or awaits something; C(predict) returns
    the same keys for the state that the plan leads to.
    """
    idle = not (plan.changed or plan.awaits)
    facts = predict(plan) if context.check_mode or idle else apply(plan)
    return Outcome(
        changed=plan.changed,
        facts={"steps": plan.summaries(), **facts},
        diff=tuple(plan.diff()),
        warnings=plan.warnings,
    )


__all__ = ("Context", "Outcome", "UseCase", "converge")
