# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a solution in numbers to GPUs: which instance of which demand sits on which GPU of which node."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .demands import BY_NODE, NO_SPREAD, Demand, LiveGpu, LiveNode
from .instances import InstanceType
from .patterns import Pattern
from .planner_model import Block, Cell, Model

Used = Counter[tuple[str, str]]  # (demand, slot) -> instances
Edge = tuple[str, str]  # (slot, demand)


@dataclass(frozen=True)
class PlannedGpu:
    """One GPU after the plan.

    :param layout: profile -> instances; None for the whole GPU.
    :param used: (demand, slot) -> instances that run there.
    :param before: its state now; None for a new GPU.
    """

    layout: tuple[tuple[str, int], ...] | None
    used: tuple[tuple[tuple[str, str], int], ...]
    before: LiveGpu | None = None

    @property
    def repartitioned(self) -> bool:
        """Whether its layout changes."""
        return self.before is not None and self.before.layout != self.layout

    @property
    def staying(self) -> Used:
        """Instances that run on, untouched."""
        if self.before is None or self.repartitioned:
            return Counter()
        return Counter(dict(self.used)) & Counter(dict(self.before.used))


@dataclass(frozen=True)
class PlannedNode:
    """One node after the plan; a node without a name is to be bought."""

    one: InstanceType
    gpus: tuple[PlannedGpu, ...]
    name: str | None = None


@dataclass
class _Gpus:
    """The GPUs of one cell while they are filled."""

    patterns: list[tuple[Pattern, bool]]
    used: list[Used] = field(default_factory=list)


def planned_nodes(
    model: Model, values: Sequence[float], demands: Sequence[Demand], live: Sequence[LiveNode]
) -> list[PlannedNode]:
    """All nodes of the plan: the live ones in their order, then the new ones by type."""
    by_block: dict[Block, list[PlannedGpu]] = defaultdict(list)
    for cell in model.cells:
        by_block[cell.block] += _filled(cell, values)
    by_node = any(demand.spread == BY_NODE for demand in demands)
    found = [_live_node(node, by_block, by_node=by_node) for node in live]
    apart = frozenset(demand.name for demand in demands if demand.spread == BY_NODE)
    for block, gpus in by_block.items():
        if block.offer is not None:
            found += _new_nodes(block.one, gpus, round(values[model.nodes[block.one.name]]), apart)
    return found


def _live_node(node: LiveNode, by_block: Mapping[Block, list[PlannedGpu]], *, by_node: bool) -> PlannedNode:
    pools = {(block.gpu, block.node): gpus for block, gpus in by_block.items() if block.one == node.one and block.gpu}
    return PlannedNode(
        node.one, tuple(pools[gpu, node.name if by_node else None].pop() for gpu in node.gpus), node.name
    )


def _filled(cell: Cell, values: Sequence[float]) -> list[PlannedGpu]:
    cut = [(pattern, stays) for variable, pattern, stays in cell.counts for _each in range(round(values[variable]))]
    gpus = _Gpus(cut, [Counter() for _each in cut])
    counts = Counter[Edge]()
    for part in (cell.kept, cell.moved):
        counts += Counter({edge: round(values[variable]) for edge, variable in part.items()})
    apart = {demand.name for demand in cell.members if demand.spread != NO_SPREAD}
    _place_apart(gpus, {edge: count for edge, count in counts.items() if edge[1] in apart})
    rest = Counter({edge: count for edge, count in counts.items() if edge[1] not in apart})
    _place_kept(gpus, cell, rest)
    _place_rest(gpus, rest)
    before = cell.block.gpu
    return [
        PlannedGpu(pattern.layout, tuple(sorted(used.items())), before)
        for (pattern, _stays), used in zip(gpus.patterns, gpus.used, strict=True)
    ]


def _place_kept(gpus: _Gpus, cell: Cell, rest: Counter[Edge]) -> None:
    """Instances that already run on a GPU which stays as it is remain there, as far as the plan has room for them."""
    if cell.block.gpu is None or not cell.kept:
        return
    for (demand, slot), running in cell.block.gpu.used:
        for used in gpus.used:
            count = min(running, rest[slot, demand])
            if count > 0:
                used[demand, slot] += count
                rest[slot, demand] -= count


def _place_rest(gpus: _Gpus, rest: Counter[Edge]) -> None:
    waiting: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for (slot, demand), count in sorted(rest.items()):
        if count > 0:
            waiting[slot].append((demand, count))
    for (pattern, _stays), used in zip(gpus.patterns, gpus.used, strict=True):
        taken = Counter[str]()
        for (_demand, slot), count in used.items():
            taken[slot] += count
        for slot, count in pattern.useful:
            free = count - taken[slot]
            while free > 0 and waiting[slot]:
                demand, left = waiting[slot].pop()
                used[demand, slot] += (put := min(free, left))
                free -= put
                if left > put:
                    waiting[slot].append((demand, left - put))


def _place_apart(gpus: _Gpus, counts: Mapping[Edge, int]) -> None:
    """Instances that must not meet their like: an edge colouring, where the GPUs are the colours."""
    if not any(counts.values()):
        return
    colouring = Colouring(len(gpus.used))
    copies: dict[str, list[str]] = {}
    for slot, room in gpus.patterns[0][0].useful:
        copies[slot] = [f"{slot} {copy}" for copy in range(room)]
    placed = Counter[str]()
    for (slot, demand), count in sorted(counts.items()):
        for _each in range(count):
            colouring.add(copies[slot][placed[slot] // len(gpus.used)], f"demand {demand}")
            placed[slot] += 1
    for left, right, colour in colouring.edges():
        gpus.used[colour][right.removeprefix("demand "), left.rpartition(" ")[0]] += 1


class Colouring:
    """A bipartite edge colouring that grows edge by edge, with as many colours as the largest degree (König)."""

    def __init__(self, colours: int) -> None:
        self._colours = colours
        self._free: dict[str, set[int]] = {}
        self._at: dict[str, dict[int, str]] = {}

    def add(self, left: str, right: str) -> None:
        """Add an edge; no vertex may get more edges than there are colours."""
        for vertex in (left, right):
            self._free.setdefault(vertex, set(range(self._colours)))
            self._at.setdefault(vertex, {})
        common = next(iter(self._free[left])), next(iter(self._free[right]))
        if common[0] in self._free[right]:
            self._set(left, right, common[0])
        elif common[1] in self._free[left]:
            self._set(left, right, common[1])
        else:
            self._swap(right, *common)
            self._set(left, right, common[0])

    def edges(self) -> Iterable[tuple[str, str, int]]:
        """(left, right, colour), each edge once."""
        for vertex, at in self._at.items():
            if not vertex.startswith("demand "):
                for colour, other in at.items():
                    yield vertex, other, colour

    def _set(self, left: str, right: str, colour: int) -> None:
        for vertex, other in ((left, right), (right, left)):
            self._at[vertex][colour] = other
            self._free[vertex].discard(colour)

    def _swap(self, start: str, colour: int, other: int) -> None:
        """Exchange two colours along the path that begins at C(start) with C(colour)."""
        path, vertex, wanted = [start], start, colour
        while wanted in self._at[vertex]:
            vertex = self._at[vertex][wanted]
            path.append(vertex)
            wanted = other if wanted == colour else colour
        steps = list(itertools.pairwise(path))
        for index, (one, two) in enumerate(steps):
            worn = colour if index % 2 == 0 else other
            for vertex in (one, two):
                del self._at[vertex][worn]
                self._free[vertex].add(worn)
        for index, (one, two) in enumerate(steps):
            self._set(one, two, other if index % 2 == 0 else colour)


def _new_nodes(one: InstanceType, gpus: list[PlannedGpu], count: int, apart: frozenset[str]) -> list[PlannedNode]:
    """Put GPUs on nodes, equal ones together; unused ones stay whole.

    Nodes are added in the rare case that several demands which must not meet their like on a node leave no other way.
    """
    size = one.accelerator_count
    nodes: list[list[PlannedGpu]] = [[] for _each in range(count)]
    labelled = [(frozenset(demand for (demand, _slot), _n in gpu.used) & apart, gpu) for gpu in gpus]
    first = 0
    for labels, gpu in sorted(labelled, key=lambda pair: (-len(pair[0]), pair[1].layout or (), pair[1].used)):
        while first < len(nodes) and len(nodes[first]) == size:
            first += 1
        place = next((node for node in nodes[first:] if len(node) < size and not _meets(node, labels)), None)
        if place is None:
            place = []
            nodes.append(place)
        place.append(gpu)
    whole = PlannedGpu(None, ())
    return [PlannedNode(one, tuple(node + [whole] * (size - len(node)))) for node in nodes]


def _meets(node: Iterable[PlannedGpu], labels: frozenset[str]) -> bool:
    return bool(labels) and any(demand in labels for gpu in node for (demand, _slot), _n in gpu.used)


__all__ = ("Colouring", "PlannedGpu", "PlannedNode", "planned_nodes")
