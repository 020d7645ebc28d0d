# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan GPUs for demands: the cheapest nodes, the fewest changes, with a proved bound.

Goals, one after the other: the price of what is bought; live GPUs that are cut anew; running instances that have to
move; GPUs in use, where layouts that every driver can create are preferred among equals.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .._core.errors import PlatformError
from .._core.text import listed
from .demands import Demand, LiveNode, Offer, mig_board, slots, why_unplanned
from .instances import InstanceType
from .nearest import unknown_profile
from .planner_model import Model, build
from .planner_nodes import PlannedNode, planned_nodes
from .program import TOLERANCE, Solved, Stop, Terms

GPU_GAP = 0.99  # goals that count whole things: a difference below one is none
USED_GAP = 1e-3  # of the GPUs in use on nodes that are paid for anyway
CENT_OF_CENT = 1e-4  # USD per hour; prices have no finer steps that anybody would pay for


@dataclass(frozen=True)
class Planned:
    """A plan.

    :param price: USD per hour of the nodes to buy.
    :param bound: no plan can be cheaper.
    :param proved: the price meets the bound: the plan is the cheapest.
    :param repartitioned: live GPUs whose layout changes; C(repartitioned_bound) is the least possible at this price.
    :param moved: running instances that have to move.
    """

    nodes: tuple[PlannedNode, ...]
    price: float
    bound: float
    proved: bool
    repartitioned: int
    repartitioned_bound: int
    moved: int
    ended: int

    @property
    def bought(self) -> Counter[str]:
        """Instance type -> nodes to buy."""
        return Counter(node.one.name for node in self.nodes if node.name is None)


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
    model = build(demands, offers, nodes)
    prices = {model.nodes[offer.one.name]: offer.price for offer in offers}
    cheap, whole = Stop(gap=_step(offers), seconds=time_limit), Stop(gap=GPU_GAP, seconds=time_limit)
    bought = model.program.solve(prices, cheap, integral=set(prices)) if prices else None
    if prices and bought is None:
        raise PlatformError(_why_infeasible(demands, offers, nodes))
    last = changed = None
    if bought is not None and not nodes:
        bought, last = _cut(model, prices, bought, cheap)
    if last is None:
        last, changed = _arrange(model, prices, bought, whole)
    if last is None and bought is not None:
        model = build(demands, offers, nodes)
        model.program.row(prices, lower=bought.bound - TOLERANCE)
        bought = model.program.solve(prices, cheap)
        last, changed = _arrange(model, prices, bought, whole)
    if last is None:
        raise PlatformError(_why_infeasible(demands, offers, nodes))
    fixed = {index: value for index, value in enumerate(last.values) if model.program.integral[index]}
    corner = model.program.vertex(model.staying(), fixed=fixed)
    return _planned(model, corner, demands=demands, offers=offers, live=nodes, bought=bought, changed=changed)


def _cut(model: Model, prices: Terms, bought: Solved, cheap: Stop) -> tuple[Solved, Solved | None]:
    """Whole GPUs for a purchase of new nodes only: (the purchase, the last solution or None).

    C(bought) holds numbers of nodes for which parts of GPUs would do. That whole ones do as well is what nearly always
    comes out; where it does not at once, whole slots are bought, and then GPUs are cut for these. Both purchases are
    bounds: whoever cuts whole GPUs pays no less.
    """
    few = Stop(gap=GPU_GAP, relative_gap=USED_GAP, seconds=cheap.seconds)
    fixed = {variable: bought.values[variable] for variable in prices}
    last = model.program.near_the_corner(model.used(), few, fixed=fixed)
    if last is not None:
        return bought, last
    model.program.row(prices, lower=bought.bound - TOLERANCE)
    slots_too = model.program.solve(prices, cheap, integral={*prices, *model.shares})
    if slots_too is None:
        return bought, None
    fixed = {variable: round(slots_too.values[variable]) for variable in (*prices, *model.shares)}
    return slots_too, model.program.solve(model.used(), few, fixed=fixed)


def _arrange(model: Model, prices: Terms, bought: Solved | None, whole: Stop) -> tuple[Solved | None, Solved | None]:
    """Whole GPUs at the price of a purchase: (the last solution, that of the fewest changes), or None if too small."""
    if bought is not None:
        model.program.row(prices, upper=bought.objective + TOLERANCE)
    last = changed = _then(model, model.repartitioned(), whole)
    if last is not None:
        last = _then(model, model.staying(), whole) or last
    if last is not None and model.used():
        few = Stop(gap=whole.gap, relative_gap=USED_GAP, seconds=whole.seconds)
        last = _then(model, model.used(), few) or last
    return last, changed


def _planned(
    model: Model,
    corner: Solved,
    *,
    demands: Sequence[Demand],
    offers: Sequence[Offer],
    live: Sequence[LiveNode],
    bought: Solved | None,
    changed: Solved | None,
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
    return Planned(
        nodes=found,
        price=round(price, 6),
        bound=round(price if price - bound < _step(offers) else bound, 6),
        proved=price - bound < _step(offers),
        repartitioned=sum(gpu.repartitioned for gpu in old),
        repartitioned_bound=0 if changed is None else math.ceil(changed.bound - TOLERANCE),
        moved=go_on - stay.total(),
        ended=running.total() - go_on,
    )


def _then(model: Model, goal: Terms, stop: Stop) -> Solved | None:
    """Meet one more goal and hold it for those that follow."""
    solved = model.program.solve(goal, stop)
    if solved is not None and goal:
        model.program.row(goal, upper=solved.objective + TOLERANCE)
    return solved


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


__all__ = ("Planned", "plan")
