# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Integer programmes, solved by HiGHS: variables, rows and goals that are met one after the other.

A thin cover of highspy (https://ergo-code.github.io/HiGHS): the planner builds rows, this file builds HiGHS's arrays.
"""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from .._core.errors import MissingLibraryError, PlatformError

highspy: t.Any
try:
    import highspy
except ImportError:
    highspy = None

INFINITY = float("inf")
TOLERANCE = 1e-6
Terms = Mapping[int, float]
# Branch and bound alone. With a handful of whole numbers it ends at once, and each search for good solutions on the way
# costs more than the whole of it (measured: 25 instead of 90 ms for six instance types).
PLAIN: Mapping[str, t.Any] = {
    "mip_heuristic_effort": 0.0,
    "mip_allow_restart": False,
    "mip_detect_symmetry": False,
    "mip_heuristic_run_feasibility_jump": False,
    "mip_heuristic_run_root_reduced_cost": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_rens": False,
}


class OutOfTimeError(PlatformError):
    """The time was over before any solution was found."""


@dataclass(frozen=True)
class Stop:
    """When a search ends.

    :param gap: solutions that differ by no more than this are equally good; C(relative_gap): or by this part.
    :param seconds: what was found until then is returned, with its honest bound.
    """

    gap: float = TOLERANCE
    relative_gap: float = 0.0
    seconds: float = INFINITY


@dataclass(frozen=True)
class Solved:
    """A solution.

    :param values: of all variables; integral ones are whole numbers.
    :param objective: of the goal that was solved for.
    :param bound: no solution can be better than this (proved by branch and bound).
    :param proved: objective and bound meet.
    """

    values: tuple[float, ...]
    objective: float
    bound: float
    proved: bool


@dataclass
class Program:
    """A programme under construction: minimise a goal over rows C(lower <= sum <= upper), all variables >= 0."""

    integral: list[bool] = field(default_factory=list)
    uppers: list[float] = field(default_factory=list)
    rows: list[tuple[dict[int, float], float, float]] = field(default_factory=list)

    def variable(self, *, integral: bool = False, upper: float = INFINITY) -> int:
        """A new variable; its number."""
        self.integral.append(integral)
        self.uppers.append(upper)
        return len(self.integral) - 1

    def row(self, terms: Terms, *, lower: float = -INFINITY, upper: float = INFINITY) -> None:
        """A new constraint."""
        self.rows.append((dict(terms), lower, upper))

    def solve(
        self,
        goal: Terms,
        stop: Stop,
        *,
        integral: Collection[int] | None = None,
        fixed: Mapping[int, float] | None = None,
    ) -> Solved | None:
        """The best solution, or None when there is none at all.

        :param integral: only these few variables are held to whole numbers; all that should be, without it.
        :param fixed: variables whose values are given.
        :raises PlatformError: the time was over before any solution was found.
        """
        if integral is not None:
            few = [column in integral for column in range(len(self.integral))]
            return self._run(goal, stop, few, fixed=fixed, settings=PLAIN)
        near = self._near(goal, stop, fixed=fixed)
        if near is not None and near.proved:
            return near
        try:
            found = self._run(goal, stop, self.integral, fixed=fixed)
        except OutOfTimeError:
            if near is None:
                raise
            return near
        if found and near and near.objective < found.objective:
            return Solved(near.values, near.objective, max(near.bound, found.bound), proved=False)
        return found

    def near_the_corner(self, goal: Terms, stop: Stop, *, fixed: Mapping[int, float] | None = None) -> Solved | None:
        """Whole numbers for the few variables that the relaxation uses, when that is as good as the stop allows.

        A corner of the relaxation uses no more variables than there are rows; a search among these alone takes a tenth
        of the time, and the relaxation's objective is the proof (measured: benchmarks/bench_gpu.py).
        """
        near = self._near(goal, stop, fixed=fixed)
        return near if near is not None and near.proved else None

    def _near(self, goal: Terms, stop: Stop, *, fixed: Mapping[int, float] | None) -> Solved | None:
        """The best that is found near the corner, proved or not; None when nothing is found there."""
        corner = self._run(goal, Stop(), [False] * len(self.integral), fixed=fixed)
        if corner is None:
            return None
        unused = {n: 0.0 for n, whole in enumerate(self.integral) if whole and corner.values[n] < TOLERANCE}
        try:
            found = self._run(goal, stop, self.integral, fixed={**unused, **(fixed or {})})
        except OutOfTimeError:
            return None
        if found is None:
            return None
        near = found.objective - corner.objective <= max(stop.gap, stop.relative_gap * abs(found.objective))
        return Solved(found.values, found.objective, corner.objective, proved=near)

    def vertex(self, goal: Terms, *, fixed: Mapping[int, float]) -> Solved:
        """A corner of the linear programme that remains when all integral variables are fixed.

        What remains in the planner is a network flow, whose corners are integral.
        """
        solved = self._run(goal, Stop(), [False] * len(self.integral), fixed=fixed)
        if solved is None:
            raise PlatformError("the planner lost its own solution: please report this with the task's arguments")
        return solved

    def _run(
        self,
        goal: Terms,
        stop: Stop,
        integral: Sequence[bool],
        *,
        fixed: Mapping[int, float] | None = None,
        settings: Mapping[str, t.Any] | None = None,
    ) -> Solved | None:
        solver = _solver(stop, settings or {})
        solver.passModel(self._model(goal, integral, fixed or {}))
        solver.run()
        status, info = solver.getModelStatus(), solver.getInfo()
        if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return None
        if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            raise OutOfTimeError(
                f"the planner found no plan within {stop.seconds:g} s; raise time_limit, or ask for fewer kinds of "
                "demands"
            )
        objective = info.objective_function_value
        bound, found = info.mip_dual_bound if any(integral) else objective, solver.getSolution().col_value
        values = (round(value) if whole else value for value, whole in zip(found, integral, strict=True))
        return Solved(tuple(map(float, values)), objective, bound, status == highspy.HighsModelStatus.kOptimal)

    def _model(self, goal: Terms, integral: Sequence[bool], fixed: Mapping[int, float]) -> t.Any:
        model = highspy.HighsLp()
        count = len(self.integral)
        model.num_col_, model.num_row_ = count, len(self.rows)
        model.col_cost_ = [float(goal.get(column, 0.0)) for column in range(count)]
        model.col_lower_ = [fixed.get(column, 0.0) for column in range(count)]
        model.col_upper_ = [fixed.get(column, upper) for column, upper in enumerate(self.uppers)]
        model.row_lower_ = [lower for _terms, lower, _upper in self.rows]
        model.row_upper_ = [upper for _terms, _lower, upper in self.rows]
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        starts, columns, values = _flat([terms for terms, _lower, _upper in self.rows])
        model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = starts, columns, values
        if any(integral):
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            model.integrality_ = [kinds[whole] for whole in integral]
        return model


def _flat(rows: Sequence[Mapping[int, float]]) -> tuple[list[int], list[int], list[float]]:
    starts, columns, values = [0], list[int](), list[float]()
    for terms in rows:
        columns.extend(terms)
        values.extend(terms.values())
        starts.append(len(columns))
    return starts, columns, values


def _solver(stop: Stop, settings: Mapping[str, t.Any]) -> t.Any:
    if highspy is None:
        raise MissingLibraryError("the planner needs the Python library highspy on the controller: pip install highspy")
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("mip_abs_gap", stop.gap)
    solver.setOptionValue("mip_rel_gap", stop.relative_gap)
    solver.setOptionValue("time_limit", stop.seconds)
    for name, value in settings.items():
        solver.setOptionValue(name, value)
    return solver


__all__ = ("INFINITY", "TOLERANCE", "OutOfTimeError", "Program", "Solved", "Stop", "Terms")
