"""Judges of a plan: one that checks every promise, and brute force for small cases. Shares no code with the planner."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.boards import board
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.demands import (
    WHOLE,
    Demand,
    LiveGpu,
    LiveNode,
    Offer,
    slots,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.geometry import is_feasible, maximal_layouts
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.instances import InstanceType
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.planner import Planned

Vector = tuple[int, ...]
Layout = Mapping[str, int]


def check(
    planned: Planned, demands: Sequence[Demand], offers: Sequence[Offer] = (), live: Sequence[LiveNode] = ()
) -> None:
    """Every promise of a plan."""
    by_name = {demand.name: demand for demand in demands}
    prices = {offer.one.name: offer.price for offer in offers}
    given, total = Counter[str](), 0.0
    assert [node.name for node in planned.nodes if node.name is not None] == [node.name for node in live]
    for node in planned.nodes:
        assert len(node.gpus) == node.one.accelerator_count
        on_node = Counter[str]()
        for gpu in node.gpus:
            offered = {WHOLE: 1} if gpu.layout is None else dict(gpu.layout)
            assert gpu.layout is None or is_feasible(board(node.one.board or ""), dict(gpu.layout))
            taken, here = Counter[str](), Counter[str]()
            for (name, slot), count in gpu.used:
                assert by_name[name].accepts(slots(node.one.name)[slot], node.one.board)
                taken[slot] += count
                here[name] += count
            assert all(count <= offered.get(slot, 0) for slot, count in taken.items())
            for name, count in here.items():
                assert by_name[name].spread == "none" or count == 1
                assert not by_name[name].isolated or set(here) == {name}
            on_node += here
        assert all(by_name[name].spread != "node" or count == 1 for name, count in on_node.items())
        given += on_node
        total += prices[node.one.name] if node.name is None else 0.0
    assert given == Counter({demand.name: demand.count for demand in demands if demand.count})
    assert math.isclose(total, planned.price, abs_tol=1e-5)
    assert planned.bound <= planned.price + 1e-6
    before = [(node.one, gpu) for node in live for gpu in node.gpus]
    after = [gpu for node in planned.nodes if node.name is not None for gpu in node.gpus]
    assert planned.repartitioned == sum(one[1].layout != gpu.layout for one, gpu in zip(before, after, strict=True))


def served(one: InstanceType, layout: Layout, demands: Sequence[Demand]) -> set[Vector]:
    """Every vector of instances that one GPU with this layout can serve."""
    found: set[Vector] = {(0,) * len(demands)}
    for slot, count in layout.items():
        for _each in range(count):
            found |= {
                _plus(vector, index)
                for vector in found
                for index, demand in enumerate(demands)
                if demand.accepts(slots(one.name)[slot], one.board) and vector[index] < demand.count
            }
    return {vector for vector in found if _allowed(vector, demands)}


def cheapest(
    demands: Sequence[Demand], types: Mapping[InstanceType, float], most: Mapping[str, int] | None = None
) -> float:
    """The least price, by trying everything.

    :param most: instance type -> nodes at most.
    """
    wanted = tuple(demand.count for demand in demands)
    best: dict[Vector, float] = {(0,) * len(demands): 0.0}
    for one, price in types.items():
        limit = (most or {}).get(one.name, math.inf)
        cost = {vector: n * price for vector, n in _nodes_needed(one, demands).items() if n <= limit}
        merged: dict[Vector, float] = {}
        for left, paid in best.items():
            for right, more in cost.items():
                vector = tuple(a + b for a, b in zip(left, right, strict=True))
                if all(a <= b for a, b in zip(vector, wanted, strict=True)):
                    merged[vector] = min(paid + more, merged.get(vector, math.inf))
        best = merged
    return best.get(wanted, math.inf)


def least_change(demands: Sequence[Demand], one: InstanceType, gpus: Sequence[LiveGpu]) -> tuple[int, int] | None:
    """(GPUs cut anew, instances that move), by trying everything; None when the demands do not fit."""
    wanted = tuple(demand.count for demand in demands)
    running = Counter[str]()
    for gpu in gpus:
        for (name, _slot), count in gpu.used:
            running[name] += count
    go_on = sum(min(running[demand.name], demand.count) for demand in demands)
    best: dict[Vector, tuple[int, int]] = {(0,) * len(demands): (0, 0)}
    for gpu in gpus:
        grown: dict[Vector, tuple[int, int]] = {}
        choices = _choices(one, gpu, demands)
        for vector, (cut, stay) in best.items():
            for more, (again, staying) in choices.items():
                total = tuple(a + b for a, b in zip(vector, more, strict=True))
                if all(a <= b for a, b in zip(total, wanted, strict=True)):
                    grown[total] = min((cut + again, stay - staying), grown.get(total, (99, 0)))
        best = grown
    return (best[wanted][0], go_on + best[wanted][1]) if wanted in best else None


def _choices(one: InstanceType, gpu: LiveGpu, demands: Sequence[Demand]) -> dict[Vector, tuple[int, int]]:
    """Vector -> (1 when the GPU is cut anew, minus instances that stay is maximal)."""
    found: dict[Vector, tuple[int, int]] = {}
    for layout in [{WHOLE: 1}, *maximal_layouts(board(one.board or ""))]:
        if tuple(sorted(layout.items())) != tuple(sorted(gpu.slots.items())):
            for vector in served(one, layout, demands):
                found.setdefault(vector, (1, 0))
    used = dict(gpu.used)
    states: set[tuple[tuple[tuple[str, str], int], ...]] = {()}
    for slot, count in gpu.slots.items():
        for _each in range(count):
            states |= {
                tuple(sorted((Counter(dict(state)) + Counter({(demand.name, slot): 1})).items()))
                for state in states
                for demand in demands
                if demand.accepts(slots(one.name)[slot], one.board)
            }
    for state in states:
        counts = Counter[str]()
        for (name, _slot), count in state:
            counts[name] += count
        vector = tuple(counts[demand.name] for demand in demands)
        stay = (Counter(dict(state)) & Counter(used)).total()
        if _allowed(vector, demands) and (vector not in found or found[vector] > (0, -stay)):
            found[vector] = (0, -stay)
    return {vector: (cut, -stay) for vector, (cut, stay) in found.items()}


def _nodes_needed(one: InstanceType, demands: Sequence[Demand]) -> dict[Vector, int]:
    """Vector -> nodes of a type that can serve it together, as few as possible."""
    whole: list[Layout] = [{WHOLE: 1}]
    cut: Iterable[Layout] = maximal_layouts(board(one.board), plain=False) if one.board else ()
    wanted, nothing = tuple(demand.count for demand in demands), (0,) * len(demands)
    gpus = {vector for layout in [*whole, *cut] for vector in served(one, layout, demands)}
    nodes = {nothing}
    for _gpu in range(one.accelerator_count):
        nodes = {total for left in nodes for more in gpus if _on_one_node(total := _sum(left, more), demands)}
    needed, frontier = {nothing: 0}, [nothing]
    while frontier:
        reached = []
        for vector in frontier:
            for more in nodes:
                total = _sum(vector, more)
                if total not in needed and all(a <= b for a, b in zip(total, wanted, strict=True)):
                    needed[total] = needed[vector] + 1
                    reached.append(total)
        frontier = reached
    return needed


def _on_one_node(vector: Vector, demands: Sequence[Demand]) -> bool:
    return all(
        count <= (1 if demand.spread == "node" else demand.count) for count, demand in zip(vector, demands, strict=True)
    )


def _sum(one: Vector, other: Vector) -> Vector:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _allowed(vector: Vector, demands: Sequence[Demand]) -> bool:
    there = [demand for count, demand in zip(vector, demands, strict=True) if count]
    if any(demand.isolated for demand in there) and len(there) > 1:
        return False
    return all(count <= 1 or demand.spread == "none" for count, demand in zip(vector, demands, strict=True))


def _plus(vector: Vector, index: int) -> Vector:
    return (*vector[:index], vector[index] + 1, *vector[index + 1 :])
