# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The use case of gpu_plan: demands and what may serve them in, layouts, purchases and changes out."""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .._core.argument_spec import ArgumentSpec
from .._core.errors import PlatformError
from .._core.outcome import Context, Outcome, UseCase
from .._core.text import listed
from .boards import board, boards
from .demands import BY_GPU, BY_NODE, NO_SPREAD, Demand, LiveGpu, LiveNode, Offer, require_gpu
from .instances import InstanceType, instance_type, instance_types
from .nearest import judge, shown
from .plan_report import report
from .planner import plan
from .policy import EXCLUSIVE, MIG
from .quotas import largest

SPEC = ArgumentSpec(
    options={
        "demands": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "name": {"type": "str", "required": True},
                "count": {"type": "int", "default": 1},
                "profile": {"type": "str"},
                "memory_gb": {"type": "float", "default": 0.0},
                "compute_slices": {"type": "int", "default": 0},
                "boards": {"type": "list", "elements": "str"},
                "spread": {"type": "str", "choices": [NO_SPREAD, BY_GPU, BY_NODE], "default": NO_SPREAD},
                "isolated": {"type": "bool", "default": False},
            },
        },
        "node_pools": {"type": "list", "elements": "dict"},
        "instance_types": {"type": "list", "elements": "str"},
        "prices": {"type": "dict"},
        "nodes": {
            "type": "list",
            "elements": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "instance_type": {"type": "str", "required": True},
                "gpus": {
                    "type": "list",
                    "elements": "dict",
                    "options": {
                        "count": {"type": "int", "default": 1},
                        "layout": {"type": "dict"},
                        "used": {"type": "dict"},
                    },
                },
            },
        },
        "time_limit": {"type": "float", "default": 10.0},
    },
    mutually_exclusive=(("node_pools", "instance_types"),),
)


@dataclass
class Offered:
    """What may be bought.

    :param pools: instance type -> pool that has it -> nodes that may join it; empty without pools.
    :param names: of all pools, whether they may be cut or not.
    :param left_out: pool -> why the plan may not cut its GPUs.
    """

    offers: list[Offer] = field(default_factory=list)
    pools: dict[str, dict[str, int]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    left_out: dict[str, str] = field(default_factory=dict)


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:  # noqa: ARG001 (the doors' signature)
    """Plan it."""
    demands = [_demand(wish) for wish in options["demands"]]
    names = [demand.name for demand in demands]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PlatformError(f"demands: {listed(twice)} stand twice; give each demand a name of its own")
    nodes = [_node(wish) for wish in options.get("nodes") or ()]
    offered = _offered(options, demands, nodes)
    planned = plan(demands, offers=offered.offers, nodes=nodes, time_limit=float(options["time_limit"]))
    facts, warnings = report(planned, pools=offered.pools, taken=offered.names)
    return Outcome(facts={**facts, "left_out": offered.left_out}, warnings=warnings)


def _demand(wish: Mapping[str, t.Any]) -> Demand:
    where = f"demand {wish['name']}"
    for key in ("count", "memory_gb", "compute_slices"):
        if wish[key] < 0:
            raise PlatformError(f"{where}: {key} is {wish[key]:g}; it must be 0 or more")
    profile = wish.get("profile")
    if profile and (wish["memory_gb"] or wish["compute_slices"]):
        raise PlatformError(f"{where}: it names the profile {profile} and a minimum as well; give one of the two")
    if not (profile or wish["memory_gb"] or wish["compute_slices"]) and wish["count"]:
        raise PlatformError(f"{where}: it says nothing about its size; give profile (gpu for a whole one) or memory_gb")
    return Demand(
        name=wish["name"],
        count=wish["count"],
        profile=_profile(profile) if profile else None,
        memory_gb=wish["memory_gb"],
        compute_slices=wish["compute_slices"],
        boards=tuple(board(name).id for name in wish.get("boards") or ()),
        spread=wish["spread"],
        isolated=wish["isolated"],
    )


def _profile(name: str) -> str:
    """The profile as NVIDIA's tools write it; names of configurations and resources are understood."""
    plain = name.removeprefix("nvidia.com/").removeprefix("mig-")
    every = (profile for target in boards().values() for profile in target.profiles.values())
    return next((one.name for one in every if plain in (one.name, one.config_name)), plain)


def _node(wish: Mapping[str, t.Any]) -> LiveNode:
    where, one = f"node {wish['name']}", require_gpu(instance_type(wish["instance_type"]))
    wishes = wish.get("gpus") or [{"count": one.accelerator_count}]
    gpus = tuple(gpu for entry in wishes for gpu in [_gpu(entry, one, where)] * int(entry.get("count", 1)))
    if len(gpus) != one.accelerator_count:
        raise PlatformError(
            f"{where}: gpus describes {len(gpus)} GPUs, but {one.name} has {one.accelerator_count}; name each of them "
            "(count says how many are alike)"
        )
    return LiveNode(wish["name"], one, gpus)


def _gpu(entry: Mapping[str, t.Any], one: InstanceType, where: str) -> LiveGpu:
    layout, used = entry.get("layout"), entry.get("used") or {}
    found = None if layout is None else _counts(layout, f"{where}: layout")
    if found is not None:
        if one.board is None:
            raise PlatformError(f"{where}: {one.name} ({one.accelerator}) cannot do MIG; leave layout out")
        if not (verdict := judge(board(one.board), found, on=one.name)).fits:
            raise PlatformError(f"{where}: no GPU can have the layout {shown(found)}: {verdict.reason}")
    users = {
        (str(demand), slot): count
        for demand, kinds in used.items()
        for slot, count in _counts(kinds, f"{where}: used.{demand}").items()
    }
    gpu = LiveGpu(None if found is None else tuple(sorted(found.items())), tuple(sorted(users.items())))
    for slot in sorted({slot for _demand_name, slot in users}):
        running = sum(count for (_demand_name, other), count in users.items() if other == slot)
        if running > gpu.slots.get(slot, 0):
            raise PlatformError(f"{where}: {running} x {slot} are in use on a GPU that has {gpu.slots.get(slot, 0)}")
    return gpu


def _counts(wish: t.Any, where: str) -> dict[str, int]:
    if not isinstance(wish, Mapping) or not all(str(count).isdecimal() for count in wish.values()):
        raise PlatformError(f"{where} is {wish!r}; wanted is a mapping of profiles to counts, e.g. {{3g.40gb: 2}}")
    return {_profile(str(name)): int(count) for name, count in wish.items()}


def _offered(options: Mapping[str, t.Any], demands: Sequence[Demand], nodes: Sequence[LiveNode]) -> Offered:
    prices = {str(name): float(price) for name, price in (options.get("prices") or {}).items()}
    if options.get("node_pools"):
        return _pools(options["node_pools"], prices, Counter(node.one.name for node in nodes))
    names = options.get("instance_types")
    if names is None and nodes:
        return Offered()
    chosen = [require_gpu(instance_type(name)) for name in names or ()] or [
        one for one in instance_types().values() if one.has_gpu and (one.price or one.name in prices)
    ]
    wanted = {name for demand in demands for name in demand.boards}
    if not names and wanted and all(demand.boards for demand in demands):
        chosen = [one for one in chosen if one.board in wanted]
    return Offered([Offer(one, _price(one, prices)) for one in dict.fromkeys(chosen)])


def _pools(pools: Sequence[Mapping[str, t.Any]], prices: Mapping[str, float], live: Counter[str]) -> Offered:
    """The pools that may be cut, by their first instance type, which EKS takes first for nodes on demand.

    :param live: instance type -> nodes that are there; they take their part of what the pools may have, in their order.
    """
    found, most = Offered(names=frozenset(str(pool.get("name")) for pool in pools)), dict[InstanceType, int]()
    live = live.copy()
    for pool in pools:
        name, types = str(pool.get("name")), list(pool.get("instance_types") or ())
        one = instance_type(str(types[0])) if types else None
        if reason := _why_left_out(pool, one):
            found.left_out[name] = reason
        elif one is not None:
            limit = largest(pool)
            there = min(live[one.name], limit)
            live[one.name] -= there
            most[one] = most.get(one, 0) + limit - there
            found.pools.setdefault(one.name, {})[name] = limit - there
    if not most:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in found.left_out.items())
        raise PlatformError(f"node_pools: no pool's GPUs can be planned ({reasons})")
    found.offers = [Offer(one, _price(one, prices), limit) for one, limit in most.items()]
    return found


def _why_left_out(pool: Mapping[str, t.Any], one: InstanceType | None) -> str:
    if one is None or not one.has_gpu:
        return "it has no NVIDIA GPU"
    mode = str((pool.get("gpu_sharing") or {}).get("mode", EXCLUSIVE))
    if mode not in (EXCLUSIVE, MIG):
        return f"its GPUs are shared by {mode}"
    if pool.get("purpose") == "training" or pool.get("efa"):
        return "it serves distributed training, which needs whole GPUs"
    return ""


def _price(one: InstanceType, prices: Mapping[str, float]) -> float:
    price = prices.get(one.name, one.price)
    if price is None:
        raise PlatformError(f"the price of {one.name} is not known here; say it: prices: {{{one.name}: 12.34}}")
    return price


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE",)
