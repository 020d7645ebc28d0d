# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan as plain data: layouts with their proof, pools ready for the inventory, live nodes, waste."""

from __future__ import annotations

import itertools
import typing as t
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from .boards import Board, board
from .creation_order import HIGHEST, LOWEST, order_for, safe_order
from .geometry import compute_slices, memory_slices, placements
from .instances import InstanceType
from .planner import GPUS, MOVED, PRICE, REPARTITIONED, Planned
from .planner_nodes import PlannedGpu, PlannedNode
from .policy import EXCLUSIVE, MIG, sharing_policies

Facts = dict[str, t.Any]
Key = tuple[tuple[str, int], ...]


def report(
    planned: Planned, *, pools: Mapping[str, Mapping[str, int | None]], taken: Collection[str] = ()
) -> tuple[Facts, tuple[str, ...]]:
    """What the module returns, and sentences that deserve attention.

    :param pools: instance type -> pool of the inventory that has it -> nodes that may join it, None for any number.
    :param taken: names of pools that a new pool must not have.
    """
    node_pools = _node_pools(planned, pools, taken)
    layouts = _layouts(planned)
    facts: Facts = {
        "price": planned.price,
        "bound": planned.bound,
        "proved": planned.proved,
        "unproved": list(planned.unproved),
        "bought": dict(sorted(planned.bought.items())),
        "layouts": layouts,
        "node_pools": node_pools,
        "nodes": [_live(node) for node in planned.nodes if node.name is not None],
        "placed": _placed(planned),
        "waste": _waste(planned),
        "changes": {
            "repartitioned": planned.repartitioned,
            "repartitioned_bound": planned.repartitioned_bound,
            "moved": planned.moved,
            "ended": planned.ended,
        },
    }
    policies = sharing_policies(node_pools)
    warnings = tuple(warning for policy in policies for warning in policy.warnings)
    return facts, (*(_unproved(planned, goal) for goal in planned.unproved), *warnings)


def _unproved(planned: Planned, goal: str) -> str:
    """What is open about a goal for which the time was over."""
    least = {
        PRICE: f"a plan may cost less than {planned.price:g} USD per hour, though no less than {planned.bound:g}",
        REPARTITIONED: f"at this price, fewer than {planned.repartitioned} live GPUs might do to cut anew, though no "
        f"fewer than {planned.repartitioned_bound}",
        MOVED: f"fewer than {planned.moved} running instances might have to move",
        GPUS: "fewer of the new GPUs might do",
    }[goal]
    return f"the time was over before every other plan was ruled out: {least}; raise time_limit to know"


def layout_facts(target: Board, layout: Mapping[str, int]) -> Facts:
    """A layout with its proof: where each instance sits, and an order in which they can be created."""
    order = safe_order(target, layout)
    some = order or order_for(target, layout, HIGHEST) or order_for(target, layout, LOWEST) or ()
    return {
        "board": target.id,
        "profiles": dict(layout),
        "placements": [place._asdict() for place in placements(target, layout) or ()],
        "creation_order": list(some),
        "survives_every_driver": order is not None,
        "free_compute_slices": target.compute_slices - compute_slices(target, layout),
        "free_memory_slices": (target.memory_slices or 0) - memory_slices(target, layout),
    }


def _layouts(planned: Planned) -> list[Facts]:
    gpus = Counter[tuple[str, Key]]()
    types: dict[tuple[str, Key], set[str]] = defaultdict(set)
    for node in planned.nodes:
        for gpu in node.gpus:
            if gpu.layout is not None and node.one.board is not None:
                gpus[node.one.board, gpu.layout] += 1
                types[node.one.board, gpu.layout].add(node.one.name)
    return [
        {**layout_facts(board(key[0]), dict(key[1])), "instance_types": sorted(types[key]), "gpus": count}
        for key, count in sorted(gpus.items())
    ]


def _node_pools(planned: Planned, pools: Mapping[str, Mapping[str, int | None]], taken: Collection[str]) -> list[Facts]:
    """One pool for each way in which the GPUs of a node are cut: a pool has one sharing policy.

    No more nodes come from a pool than may join it; a second policy for a part of its nodes is a new pool.
    """
    counts = Counter[tuple[str, tuple[Key, ...]]]()
    for node in planned.nodes:
        if node.name is None:
            counts[node.one.name, tuple(sorted(gpu.layout or () for gpu in node.gpus))] += 1
    rooms = {name: dict(limits) for name, limits in pools.items()}
    used = set[str]()
    found: list[Facts] = []
    for (type_name, cut), count in sorted(counts.items()):
        for base, part in _dealt(count, rooms.setdefault(type_name, {type_name.replace(".", "-"): None}), used):
            name = _free_name(base, {*taken, *used}) if base in used else base
            used.add(name)
            found.append(
                {
                    "name": name,
                    "instance_types": [type_name],
                    "scaling": {"min": part, "max": part},
                    "gpu_sharing": _sharing(cut),
                }
            )
    return found


def _dealt(count: int, rooms: dict[str, int | None], used: Collection[str]) -> Iterator[tuple[str, int]]:
    """Nodes of one cut, dealt to pools as far as there is room: first to those that have none yet."""
    for name in sorted(rooms, key=lambda name: name in used):
        room = rooms[name]
        part = count if room is None else min(count, room)
        if part:
            rooms[name] = None if room is None else room - part
            count -= part
            yield name, part


def _free_name(base: str, names: Collection[str]) -> str:
    return next(name for number in itertools.count(2) if (name := f"{base}-{number}") not in names)


def _sharing(cut: Sequence[Key]) -> Facts:
    groups = Counter(cut)
    if set(groups) == {()}:
        return {"mode": EXCLUSIVE}
    if len(groups) == 1:
        return {"mode": MIG, "layout": dict(cut[0])}
    ordered = sorted(groups.items(), key=lambda pair: (not pair[0], pair[0]))
    return {
        "mode": MIG,
        "layout": [
            {"gpus": count, "profiles": dict(layout)} if layout else {"gpus": count} for layout, count in ordered
        ],
    }


def _live(node: PlannedNode) -> Facts:
    return {
        "name": node.name,
        "instance_type": node.one.name,
        "changed": any(gpu.repartitioned for gpu in node.gpus),
        "gpus": [
            {
                "layout": None if gpu.layout is None else dict(gpu.layout),
                "changed": gpu.repartitioned,
                "used": _by_demand(gpu),
            }
            for gpu in node.gpus
        ],
    }


def _by_demand(gpu: PlannedGpu) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for (demand, slot), count in gpu.used:
        found[demand][slot] = count
    return dict(found)


def _placed(planned: Planned) -> dict[str, list[Facts]]:
    """Demand -> where its instances run, and as what."""
    counts = Counter[tuple[str, str, str]]()
    for node in planned.nodes:
        for gpu in node.gpus:
            for (demand, slot), count in gpu.used:
                counts[demand, node.one.name, slot] += count
    found: dict[str, list[Facts]] = defaultdict(list)
    for (demand, type_name, slot), count in sorted(counts.items()):
        found[demand].append({"instance_type": type_name, "profile": slot, "count": count})
    return dict(found)


def _waste(planned: Planned) -> Facts:
    """What is paid for and serves nobody."""
    idle, spare, compute, memory, gib = 0, Counter[str](), 0, 0, 0.0
    for node in planned.nodes:
        for gpu in node.gpus:
            if not gpu.used:
                idle += 1
            if gpu.layout is None or node.one.board is None:
                continue
            target = board(node.one.board)
            taken = Counter[str]()
            for (_demand, slot), count in gpu.used:
                taken[slot] += count
            spare += Counter(dict(gpu.layout)) - taken
            compute += target.compute_slices - compute_slices(target, taken)
            free = (target.memory_slices or 0) - memory_slices(target, taken)
            memory += free
            gib += free * _slice_gib(node.one, target)
    return {
        "gpus": idle,
        "instances": dict(sorted(spare.items())),
        "compute_slices": compute,
        "memory_slices": memory,
        "memory_gib": round(gib, 1),
    }


def _slice_gib(one: InstanceType, target: Board) -> float:
    return (one.accelerator_memory_gib or 0.0) / (target.memory_slices or 1)


__all__ = ("layout_facts", "report")
