# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan GPUs for demands: the cheapest nodes, the fewest changes, with a proved bound.

Goals, one after the other: the price of what is bought; live GPUs that are cut anew; running instances that have to
move; GPUs in use, where layouts that every driver can create are preferred among equals.
"""

from __future__ import annotations

import math
import typing as t
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from .._core.errors import PlatformError
from .._core.text import listed
from .demands import Demand, LiveNode, Offer, mig_board, slots, why_unplanned
from .instances import InstanceType
from .nearest import unknown_profile
from .planner_model import Model, build
from .planner_nodes import PlannedNode, planned_nodes
from .program import TOLERANCE, OutOfTimeError, Solved, Stop, Terms

_P = t.ParamSpec("_P")

GPU_GAP = 0.99  # goals that count whole things: a difference below one is none
USED_GAP = 1e-3  # of the GPUs in use on nodes that are paid for anyway
FEW = 50  # nodes that are counted one by one for the sake of a lower price
CENT_OF_CENT = 1e-4  # USD per hour; prices have no finer steps that anybody would pay for
PRICE, REPARTITIONED, MOVED, GPUS = "price", "repartitioned", "moved", "gpus"  # the goals, in their order


@dataclass(frozen=True)
class Planned:
    """A plan.

    :param price: USD per hour of the nodes to buy.
    :param bound: no plan can be cheaper.
    :param proved: the price meets the bound: the plan is the cheapest.
    :param repartitioned: live GPUs whose layout changes; C(repartitioned_bound) is the least possible at this price.
    :param moved: running instances that have to move.
    :param unproved: goals for which the time was over before a better plan was ruled out: PRICE, REPARTITIONED, MOVED,
        GPUS.
    """

    nodes: tuple[PlannedNode, ...]
    price: float
    bound: float
    proved: bool
    repartitioned: int
    repartitioned_bound: int
    moved: int
    ended: int
    unproved: tuple[str, ...] = ()

    @property
    def bought(self) -> Counter[str]:
        """Instance type -> nodes to buy."""
        return Counter(node.one.name for node in self.nodes if node.name is None)


@dataclass(frozen=True)
class _Done:
    """A plan while its goals are met one after the other.

    :param last: the best solution so far. :param repartitioned_bound, unproved: as in Planned.
    """

    last: Solved
    repartitioned_bound: int = 0
    unproved: tuple[str, ...] = ()

    def then(self, goal: str, better: Solved | None) -> _Done:
        """After one more goal; None leaves what there is."""
        unproved = self.unproved if better is not None and better.proved else (*self.unproved, goal)
        return _Done(better or self.last, self.repartitioned_bound, unproved)


def plan(
    demands: Sequence[Demand],
    *,
    offers: Sequence[Offer] = (),
    nodes: Sequence[LiveNode] = (),
    time_limit: float = 10.0,
) -> Planned:
    """The best plan.

    :param offers: what may be bought. :param nodes: what there is.
    :param time_limit: seconds for each goal; when it runs out the plan says how far it may be from the best.
    :raises PlatformError: a demand cannot be met, with the reason.
    """
    _require_servable(demands, offers, nodes)
    limits = {offer.one.name: offer.most for offer in offers if offer.most is not None}
    singly: dict[str, int] = {}
    found, added = _best(demands, offers, nodes, time_limit=time_limit, singly=singly)
    least = found.bound
    while added:
        over = any(count > limits.get(name, count) for name, count in added.items())
        singly |= {name: min(count, limits.get(name, count)) for name, count in added.items()}
        if not over and sum(singly.values()) > FEW:
            break
        try:
            found, added = _best(demands, offers, nodes, time_limit=time_limit, singly=singly)
        except OutOfTimeError:
            if over:
                raise
            break
    return found if singly == {name: limits.get(name) for name in singly} else _bounded(found, least, _step(offers))


def _bounded(planned: Planned, least: float, step: float) -> Planned:
    """The plan with a bound that holds for more nodes of a type than were counted one by one."""
    bound = min(planned.bound, least)
    proved = planned.price - bound < step
    secondary = tuple(goal for goal in planned.unproved if goal != PRICE)
    unproved = secondary if proved else (PRICE, *secondary)
    return replace(planned, bound=planned.price if proved else bound, proved=proved, unproved=unproved)


def _best(
    demands: Sequence[Demand],
    offers: Sequence[Offer],
    nodes: Sequence[LiveNode],
    *,
    time_limit: float,
    singly: Mapping[str, int],
) -> tuple[Planned, dict[str, int]]:
    """The best plan, and instance type -> nodes to buy where these are more than the programme counted with.

    They can be more where equals stay apart on nodes; with the type in C(singly), which says how many of it there may
    be, they are not.
    """
    model = build(demands, offers, nodes, singly=singly)
    prices = model.prices
    cheap, whole = Stop(gap=_step(offers), seconds=time_limit), Stop(gap=GPU_GAP, seconds=time_limit)
    bought = model.program.solve(prices, cheap, integral=set(prices)) if prices else None
    if prices and bought is None:
        raise PlatformError(_why_infeasible(demands, offers, nodes))
    done = None
    if bought is not None and not nodes:
        bought, done = _cut(model, prices, bought, cheap)
    if done is None:
        done = _arrange(model, prices, bought, whole)
    if done is None and bought is not None:
        model = build(demands, offers, nodes, singly=singly)
        model.program.row(prices, lower=bought.bound - TOLERANCE)
        bought = model.program.solve(prices, cheap)
        done = _arrange(model, prices, bought, whole)
    if done is None:
        raise PlatformError(_why_infeasible(demands, offers, nodes))
    fixed = {index: value for index, value in enumerate(done.last.values) if model.program.integral[index]}
    corner = model.program.vertex(model.staying(), fixed=fixed)
    found = _planned(model, corner, demands=demands, offers=offers, live=nodes, bought=bought, done=done)
    counted = {name: round(corner.values[variable]) for name, variable in model.nodes.items()}
    return found, {name: n for name, n in found.bought.items() if n > counted.get(name, n)}


def _cut(model: Model, prices: Terms, bought: Solved, cheap: Stop) -> tuple[Solved, _Done | None]:
    """Whole GPUs for a purchase of new nodes only: (the purchase, how it is cut or None).

    C(bought) holds numbers of nodes for which parts of GPUs would do. That whole ones do as well is what nearly always
    comes out; where it does not at once, whole slots are bought, and then GPUs are cut for these. Both purchases are
    bounds: whoever cuts whole GPUs pays no less.
    """
    few = Stop(gap=GPU_GAP, relative_gap=USED_GAP, seconds=cheap.seconds)
    fixed = {variable: bought.values[variable] for variable in prices}
    last = model.program.near_the_corner(model.used(), few, fixed=fixed)
    if last is not None:
        return bought, _Done(last)
    model.program.row(prices, lower=bought.bound - TOLERANCE)
    slots_too = _in_time(model.program.solve, prices, cheap, integral={*prices, *model.shares})
    if slots_too is None:
        return bought, None
    fixed = {variable: round(slots_too.values[variable]) for variable in (*prices, *model.shares)}
    last = _in_time(model.program.solve, model.used(), few, fixed=fixed)
    return slots_too, None if last is None else _Done(last).then(GPUS, last)


def _arrange(model: Model, prices: Terms, bought: Solved | None, whole: Stop) -> _Done | None:
    """Whole GPUs at the price of a purchase; None if that is too small.

    Once there is a plan, a goal that runs out of time leaves it as it is.

    :raises OutOfTimeError: the time was over before there was any.
    """
    if bought is not None:
        model.program.row(prices, upper=bought.objective + TOLERANCE)
    changed = _then(model, model.repartitioned(), whole)
    if changed is None:
        return None
    done = _Done(changed, math.ceil(changed.bound - TOLERANCE)).then(REPARTITIONED, changed)
    few = Stop(gap=whole.gap, relative_gap=USED_GAP, seconds=whole.seconds)
    for name, goal, stop in ((MOVED, model.staying(), whole), (GPUS, model.used(), few)):
        done = done.then(name, _in_time(_then, model, goal, stop)) if goal else done
    return done


def _planned(
    model: Model,
    corner: Solved,
    *,
    demands: Sequence[Demand],
    offers: Sequence[Offer],
    live: Sequence[LiveNode],
    bought: Solved | None,
    done: _Done,
) -> Planned:
    found = tuple(planned_nodes(model, corner.values, demands, live))
    prices = {offer.one.name: offer.price for offer in offers}
    price = sum(prices[node.one.name] for node in found if node.name is None)
    old = [gpu for node in found if node.name is not None for gpu in node.gpus]
    stay = sum((gpu.staying for gpu in old), Counter[tuple[str, str]]())
    running = Counter[str]()
    for node in live:
        for gpu in node.gpus:
            for (demand, _slot), count in gpu.used:
                running[demand] += count
    go_on = sum(min(running[demand.name], demand.count) for demand in demands)
    bound = min(bought.bound, price) if bought else 0.0
    proved = price - bound < _step(offers)
    return Planned(
        nodes=found,
        price=round(price, 6),
        bound=round(price if proved else bound, 6),
        proved=proved,
        repartitioned=sum(gpu.repartitioned for gpu in old),
        repartitioned_bound=done.repartitioned_bound,
        moved=go_on - stay.total(),
        ended=running.total() - go_on,
        unproved=done.unproved if proved else (PRICE, *done.unproved),
    )


def _then(model: Model, goal: Terms, stop: Stop) -> Solved | None:
    """Meet one more goal and hold it for those that follow."""
    solved = model.program.solve(goal, stop)
    if solved is not None and goal:
        model.program.row(goal, upper=solved.objective + TOLERANCE)
    return solved


def _in_time(solve: Callable[_P, Solved | None], *args: _P.args, **kwargs: _P.kwargs) -> Solved | None:
    """What it finds, or None when the time is over before anything is found."""
    try:
        return solve(*args, **kwargs)
    except OutOfTimeError:
        return None


def _step(offers: Sequence[Offer]) -> float:
    """The least difference between two prices: with one type on offer that of a node."""
    return max(CENT_OF_CENT, offers[0].price * 0.99) if len(offers) == 1 else CENT_OF_CENT


def _require_servable(demands: Sequence[Demand], offers: Sequence[Offer], nodes: Sequence[LiveNode]) -> None:
    """Every demand has a kind of slot, and every user of a live GPU a demand."""
    types = {one.name: one for one in (*(offer.one for offer in offers), *(node.one for node in nodes))}
    for demand in demands:
        if not any(demand.accepts(slot, one.board) for one in types.values() for slot in slots(one.name).values()):
            raise PlatformError(_why_unservable(demand, list(types.values())))
    known = {demand.name for demand in demands}
    for node in nodes:
        users = {demand for gpu in node.gpus for (demand, _slot), _count in gpu.used}
        if unknown := sorted(users - known):
            raise PlatformError(
                f"node {node.name} is used by {listed(unknown)}, which no demand names; name it in demands (count 0 "
                "lets it end)"
            )


def _why_unservable(demand: Demand, types: Sequence[InstanceType]) -> str:
    names = listed((one.name for one in types), conjunction="or")
    if demand.boards and not any(one.board in demand.boards for one in types):
        return f"demand {demand.name}: {listed(demand.boards, conjunction='or')} is the board of none of {names}"
    if demand.profile is None:
        share = f"{demand.memory_gb:g} GB and {demand.compute_slices} compute slices"
        return f"demand {demand.name}: no GPU or MIG instance of {names} has {share}; offer larger GPUs"
    reasons: dict[str | None, str] = {}
    for one in types:
        target = mig_board(one)
        reason = why_unplanned(one) if target is None else unknown_profile(target, demand.profile, on=one.name)
        reasons.setdefault(one.board or one.accelerator, reason)
    return f"demand {demand.name}: {'; '.join(reasons.values())}"


def _why_infeasible(demands: Sequence[Demand], offers: Sequence[Offer], nodes: Sequence[LiveNode]) -> str:
    gpus = sum(len(node.gpus) for node in nodes)
    limits = [f"{offer.most} x {offer.one.name}" for offer in offers if offer.most is not None]
    room = f"{gpus} live GPUs" + (f" and at most {listed(limits)}" if limits else "")
    asked = listed(f"{demand.count} x {demand.name}" for demand in demands)
    return f"{asked} do not fit on {room}; ask for less, or let more nodes be bought (instance_types)"


__all__ = ("GPUS", "MOVED", "PRICE", "REPARTITIONED", "Planned", "plan")
