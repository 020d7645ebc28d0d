# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The planner's integer programme: which GPU is cut how, and which demand gets which slots.

Equal GPUs form a I(block): all new GPUs of an instance type, or live GPUs with the same layout and the same users. For
each block C(x[pattern]) counts the GPUs cut by a pattern and C(y[slot, demand]) the instances put there. Demands that
share GPUs form a I(class); an isolated demand is a class of its own. Where an instance must not meet its like on a GPU,
C(y) is counted per pattern: by König's edge-colouring theorem a placement on the GPUs then always exists.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .demands import BY_NODE, NO_SPREAD, Demand, LiveGpu, LiveNode, Offer, slots
from .instances import InstanceType
from .patterns import Pattern, patterns
from .program import Program, Terms

Class = tuple[Demand, ...]
UNSAFE = 0.01  # GPUs that a layout which some driver cannot create is worse than another


@dataclass(frozen=True)
class Block:
    """Equal GPUs.

    :param offer: set for new GPUs.
    :param gpu: the state of each, for live ones.
    :param node: the live node, where spreading over nodes makes it matter; or one of the new ones, counted one by one.
    :param count: how many live ones.
    """

    one: InstanceType
    offer: Offer | None = None
    gpu: LiveGpu | None = None
    node: str | None = None
    count: int = 0

    @property
    def where(self) -> str:
        """The node, or the instance type of nodes that are alike."""
        return self.node or self.one.name


@dataclass(frozen=True)
class Cell:
    """GPUs of a block whose slots are counted together, for one class of demands.

    :param counts: (variable, pattern, the GPU stays as it is).
    :param moved: (slot, demand) -> variable of instances that come to this cell.
    :param kept: (slot, demand) -> variable of instances that stay where they run.
    :param shares: slot -> variable of all instances there.
    """

    block: Block
    members: Class
    counts: tuple[tuple[int, Pattern, bool], ...]
    moved: dict[tuple[str, str], int] = field(default_factory=dict)
    kept: dict[tuple[str, str], int] = field(default_factory=dict)
    shares: dict[str, int] = field(default_factory=dict)

    @property
    def spread(self) -> bool:
        """Whether some demand here must not meet its like on a GPU."""
        return any(demand.spread != NO_SPREAD for demand in self.members)


@dataclass
class Model:
    """The programme with the meaning of its variables.

    :param nodes: where -> variable of nodes to buy there.
    :param prices: the goal of the least price.
    """

    program: Program = field(default_factory=Program)
    cells: list[Cell] = field(default_factory=list)
    nodes: dict[str, int] = field(default_factory=dict)
    prices: dict[int, float] = field(default_factory=dict)

    @property
    def shares(self) -> frozenset[int]:
        """The variables that say how many slots of a kind are used in a cell.

        Where they are whole, the GPUs nearly always can be cut for them: whole GPUs take as many as parts of GPUs
        rounded up (in 1200 of 1200 cases of facts/gpu-sharing.md §7). They are few, the patterns many.
        """
        return frozenset(variable for cell in self.cells for variable in cell.shares.values())

    def repartitioned(self) -> Terms:
        """Goal: live GPUs whose layout changes."""
        return {
            variable: 1.0
            for cell in self.cells
            for variable, _pattern, stays in cell.counts
            if cell.block.gpu is not None and not stays
        }

    def staying(self) -> Terms:
        """Goal: instances that keep running where they are, as many as possible."""
        return {variable: -1.0 for cell in self.cells for variable in cell.kept.values()}

    def used(self) -> Terms:
        """Goal: few new GPUs in use, and among equals layouts that every driver can create."""
        return {
            variable: 1.0 + UNSAFE * (not pattern.safe)
            for cell in self.cells
            for variable, pattern, _stays in cell.counts
            if cell.block.gpu is None
        }


def blocks(
    offers: Sequence[Offer], nodes: Sequence[LiveNode], demands: Sequence[Demand], singly: Mapping[str, int]
) -> list[Block]:
    """Equal GPUs put together; but each of the so many new nodes of a type in C(singly) for itself."""
    by_node = any(demand.spread == BY_NODE for demand in demands)
    found: Counter[tuple[str, LiveGpu, str | None]] = Counter()
    types = {node.one.name: node.one for node in nodes}
    for node in nodes:
        for gpu in node.gpus:
            found[node.one.name, gpu, node.name if by_node else None] += 1
    live = [Block(types[name], gpu=gpu, node=node, count=count) for (name, gpu, node), count in found.items()]
    new = [Block(offer.one, offer=offer, node=node) for offer in offers for node in _counted(offer.one.name, singly)]
    return new + live


def _counted(type_name: str, singly: Mapping[str, int]) -> Sequence[str | None]:
    """New nodes of a type that are counted for themselves; None for all that are alike."""
    return [f"{type_name} {number}" for number in range(singly[type_name])] if type_name in singly else [None]


def classes(demands: Sequence[Demand]) -> list[Class]:
    """Demands that may share GPUs, and each isolated one alone."""
    common = tuple(demand for demand in demands if not demand.isolated)
    return [group for group in (common, *((demand,) for demand in demands if demand.isolated)) if group]


def build(
    demands: Sequence[Demand],
    offers: Sequence[Offer],
    nodes: Sequence[LiveNode],
    *,
    singly: Mapping[str, int],
) -> Model:
    """The programme of a plan.

    :param singly: instance type -> nodes that are counted one by one, so that what must not meet on a node is kept
        apart exactly; that takes more variables than to count nodes that are alike.
    """
    model = Model()
    program = model.program
    for block in blocks(offers, nodes, demands, singly):
        if block.offer is not None:
            most = 1 if block.node else block.offer.most
            variable = program.variable(integral=True, upper=float("inf") if most is None else float(most))
            model.nodes[block.where], model.prices[variable] = variable, block.offer.price
        found = [cell for members in classes(demands) for cell in _cells(program, block, members)]
        model.cells += found
        _supply(model, block, found)
    _meet(model, demands)
    _spread_over_nodes(model, demands)
    return model


def _cells(program: Program, block: Block, members: Class) -> list[Cell]:
    kinds = slots(block.one.name)
    accepts = {
        demand.name: {name for name, slot in kinds.items() if demand.accepts(slot, block.one.board)}
        for demand in members
    }
    wanted = set().union(*accepts.values())
    cut = [(pattern, False) for pattern in patterns(block.one, wanted)]
    if block.gpu is not None:
        as_it_is = Pattern(block.gpu.layout, tuple(sorted(block.gpu.slots.items())))
        cut = [(as_it_is, True), *((pattern, False) for pattern, _stays in cut if pattern.layout != block.gpu.layout)]
    counts = [(program.variable(integral=True), pattern, stays) for pattern, stays in cut]
    together = [] if any(demand.spread != NO_SPREAD for demand in members) else [one for one in counts if not one[2]]
    alone = [one for one in counts if one not in together]
    groups = [tuple(together)] * bool(together) + [(one,) for one in alone]
    return [_cell(program, Cell(block, members, group), accepts) for group in groups]


def _cell(program: Program, cell: Cell, accepts: Mapping[str, set[str]]) -> Cell:
    """Variables and rows of one cell: no slot twice, no instance beside its like, no more stays than run there."""
    offered: dict[str, dict[int, float]] = defaultdict(dict)
    for variable, pattern, _stays in cell.counts:
        for slot, count in pattern.useful:
            offered[slot][variable] = -float(count)
    used = dict(cell.block.gpu.used) if cell.block.gpu is not None and cell.counts[0][2] else {}
    for slot, supply in offered.items():
        cell.shares[slot] = share = program.variable()
        program.row({**supply, share: 1.0}, upper=0.0)
        row = {share: -1.0}
        for demand in cell.members:
            if slot in accepts[demand.name]:
                cell.moved[slot, demand.name] = variable = program.variable()
                row[variable] = 1.0
                if running := used.get((demand.name, slot)):
                    cell.kept[slot, demand.name] = stay = program.variable()
                    row[stay] = 1.0
                    program.row({stay: 1.0, cell.counts[0][0]: -float(running)}, upper=0.0)
        program.row(row, upper=0.0)
    for demand in cell.members:
        if demand.spread != NO_SPREAD and (row := _of(cell, demand)):
            program.row({**row, cell.counts[0][0]: -1.0}, upper=0.0)
    return cell


def _of(cell: Cell, demand: Demand) -> dict[int, float]:
    """All instances of a demand in a cell."""
    both = (cell.moved, cell.kept)
    return {variable: 1.0 for part in both for (_slot, name), variable in part.items() if name == demand.name}


def _supply(model: Model, block: Block, cells: Sequence[Cell]) -> None:
    """No more GPUs than there are; each live one is cut in some way."""
    row = {variable: 1.0 for cell in cells for variable, _pattern, _stays in cell.counts}
    if block.offer is None:
        model.program.row(row, lower=float(block.count), upper=float(block.count))
    elif row:
        model.program.row({**row, model.nodes[block.where]: -float(block.one.accelerator_count)}, upper=0.0)


def _meet(model: Model, demands: Sequence[Demand]) -> None:
    rows: dict[str, dict[int, float]] = {demand.name: {} for demand in demands}
    for cell in model.cells:
        for part in (cell.moved, cell.kept):
            for (_slot, name), variable in part.items():
                rows[name][variable] = 1.0
    for demand in demands:
        model.program.row(rows[demand.name], lower=float(demand.count), upper=float(demand.count))


def _spread_over_nodes(model: Model, demands: Sequence[Demand]) -> None:
    """Of such a demand no more instances than nodes: per type for new ones, one on each live one."""
    for demand in demands:
        if demand.spread != BY_NODE:
            continue
        rows: dict[str, dict[int, float]] = defaultdict(dict)
        for cell in model.cells:
            rows[cell.block.where].update(_of(cell, demand))
        for where, row in rows.items():
            if where in model.nodes:
                model.program.row({**row, model.nodes[where]: -1.0}, upper=0.0)
            else:
                model.program.row(row, upper=1.0)


__all__ = ("Block", "Cell", "Model", "build")
