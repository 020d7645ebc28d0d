# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a solution in numbers to GPUs: which instance of which demand sits on which GPU of which node."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class _Run:
    """Equal GPUs of a cell while they are filled.

    :param used: (demand, slot) -> instances on each.
    """

    pattern: Pattern
    used: Used
    times: int

    def with_more(self, more: Mapping[Edge, int], times: int) -> _Run:
        """Some of them with more instances on each."""
        return _Run(self.pattern, self.used + Counter({(demand, slot): n for (slot, demand), n in more.items()}), times)


Runs = list[tuple[PlannedGpu, int]]


def planned_nodes(
    model: Model, values: Sequence[float], demands: Sequence[Demand], live: Sequence[LiveNode]
) -> list[PlannedNode]:
    """All nodes of the plan: the live ones in their order, then the new ones by type."""
    by_block: dict[Block, Runs] = defaultdict(list)
    for cell in model.cells:
        by_block[cell.block] += _filled(cell, values)
    by_node = any(demand.spread == BY_NODE for demand in demands)
    found = _live_nodes(live, by_block, by_node=by_node)
    apart = frozenset(demand.name for demand in demands if demand.spread == BY_NODE)
    for block, runs in by_block.items():
        if block.offer is not None:
            found += _new_nodes(block.one, runs, round(values[model.nodes[block.where]]), apart)
    return found


def _live_nodes(live: Sequence[LiveNode], by_block: Mapping[Block, Runs], *, by_node: bool) -> list[PlannedNode]:
    pools = {
        (block.one.name, block.gpu, block.node): [gpu for gpu, times in runs for _each in range(times)]
        for block, runs in by_block.items()
        if block.gpu is not None
    }
    return [
        PlannedNode(
            node.one,
            tuple(pools[node.one.name, gpu, node.name if by_node else None].pop() for gpu in node.gpus),
            node.name,
        )
        for node in live
    ]


def _filled(cell: Cell, values: Sequence[float]) -> Runs:
    """The cell's GPUs with what runs on them: first what must not meet its like, then what stays, then the rest."""
    cut = [(pattern, round(values[variable])) for variable, pattern, _stays in cell.counts]
    runs = [_Run(pattern, Counter(), times) for pattern, times in cut if times]
    counts = Counter[Edge]()
    for part in (cell.kept, cell.moved):
        counts += Counter({edge: round(values[variable]) for edge, variable in part.items()})
    alone = {demand.name for demand in cell.members if demand.spread != NO_SPREAD}
    apart = {edge: count for edge, count in counts.items() if edge[1] in alone}
    rest = Counter({edge: count for edge, count in counts.items() if edge[1] not in alone})
    runs = _place_apart(runs, apart) if apart else runs
    runs = _place_kept(runs, cell, rest) if cell.kept else runs
    return [
        (PlannedGpu(run.pattern.layout, tuple(sorted(run.used.items())), cell.block.gpu), run.times)
        for run in _place_rest(runs, rest)
    ]


def _dealt(runs: Sequence[_Run], rest: Counter[Edge], wish: Callable[[_Run], dict[Edge, int]]) -> list[_Run]:
    """Give each GPU what it wishes of the rest; GPUs that wish the same are served at once.

    :param wish: what one GPU takes, never more than the rest.
    """
    found: list[_Run] = []
    for run in runs:
        left = run.times
        while left:
            more = wish(run)
            times = min((rest[edge] // count for edge, count in more.items()), default=left)
            found.append(run.with_more(more, times := min(times, left)))
            rest -= Counter({edge: count * times for edge, count in more.items()})
            left -= times
    return found


def _place_kept(runs: Sequence[_Run], cell: Cell, rest: Counter[Edge]) -> list[_Run]:
    """Instances that already run on a GPU which stays as it is remain there, as far as the plan has room for them."""
    running = () if cell.block.gpu is None else cell.block.gpu.used

    def wish(_run: _Run) -> dict[Edge, int]:
        return {
            (slot, demand): min(count, rest[slot, demand])
            for (demand, slot), count in running
            if rest[slot, demand] > 0
        }

    return _dealt(runs, rest, wish)


def _place_rest(runs: Sequence[_Run], rest: Counter[Edge]) -> list[_Run]:
    waiting: dict[str, list[str]] = defaultdict(list)
    for slot, demand in sorted(rest):
        waiting[slot].append(demand)

    def wish(run: _Run) -> dict[Edge, int]:
        free = dict(run.pattern.useful)
        for (_demand, slot), count in run.used.items():
            free[slot] -= count
        found: dict[Edge, int] = {}
        for slot, room in free.items():
            left = room
            for demand in waiting[slot]:
                if (put := min(left, rest[slot, demand])) > 0:
                    found[slot, demand] = put
                    left -= put
        return found

    return _dealt(runs, rest, wish)


def _place_apart(runs: Sequence[_Run], counts: Mapping[Edge, int]) -> list[_Run]:
    """Instances that must not meet their like: an edge colouring, where the GPUs are the colours."""
    if not any(counts.values()):
        return list(runs)
    (run,) = runs
    colouring = Colouring(run.times)
    copies = {slot: [f"{slot} {copy}" for copy in range(room)] for slot, room in run.pattern.useful}
    placed = Counter[str]()
    for (slot, demand), count in sorted(counts.items()):
        for _each in range(count):
            colouring.add(copies[slot][placed[slot] // run.times], f"demand {demand}")
            placed[slot] += 1
    used: list[Used] = [Counter() for _each in range(run.times)]
    for left, right, colour in colouring.edges():
        used[colour][right.removeprefix("demand "), left.rpartition(" ")[0]] += 1
    return [_Run(run.pattern, each, 1) for each in used]


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


def _new_nodes(one: InstanceType, runs: Runs, count: int, apart: frozenset[str]) -> list[PlannedNode]:
    """Put GPUs on nodes, equal ones together; unused ones stay whole.

    Nodes are added in the rare case that several demands which must not meet their like on a node leave no other way
    to put these GPUs together; the caller sees that in their number.
    """
    size = one.accelerator_count
    labelled = [(frozenset(demand for (demand, _slot), _n in gpu.used) & apart, gpu, times) for gpu, times in runs]
    labelled.sort(key=lambda entry: (-len(entry[0]), entry[1].layout or (), entry[1].used))
    flat = [(labels, gpu) for labels, gpu, times in labelled for _each in range(times)]
    if apart:
        nodes = _apart_on_nodes(flat, size, count)
    else:
        nodes = [[gpu for _labels, gpu in flat[index * size : (index + 1) * size]] for index in range(count)]
    whole = PlannedGpu(None, ())
    return [PlannedNode(one, tuple(node + [whole] * (size - len(node)))) for node in nodes]


def _apart_on_nodes(flat: Sequence[tuple[frozenset[str], PlannedGpu]], size: int, count: int) -> list[list[PlannedGpu]]:
    nodes: list[list[PlannedGpu]] = [[] for _each in range(count)]
    first = 0
    for labels, gpu in flat:
        while first < len(nodes) and len(nodes[first]) == size:
            first += 1
        place = next((node for node in nodes[first:] if len(node) < size and not _meets(node, labels)), None)
        if place is None:
            place = []
            nodes.append(place)
        place.append(gpu)
    return nodes


def _meets(node: Iterable[PlannedGpu], labels: frozenset[str]) -> bool:
    return bool(labels) and any(demand in labels for gpu in node for (demand, _slot), _n in gpu.used)


__all__ = ("Colouring", "PlannedGpu", "PlannedNode", "planned_nodes")
