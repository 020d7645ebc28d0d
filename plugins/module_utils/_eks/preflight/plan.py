# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a set of node pools asks of an account: vCPUs per quota, addresses, zones and money. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..._core.errors import PlatformError
from ..._gpu.instances import InstanceType, instance_type
from ..._gpu.pool_sizes import pool_sizes

HOURS_PER_MONTH = 730
CLUSTER_PER_HOUR = 0.10
# Codes of the EC2 quotas (Service Quotas, service code ec2), counted in vCPUs: class -> (on demand, spot).
QUOTAS: Mapping[str, tuple[str, str]] = {
    "standard": ("L-1216C47A", "L-34B43A08"),
    "g": ("L-DB2E81BA", "L-3819A6DF"),
    "p": ("L-417A185B", "L-7212CCBC"),
    "trn": ("L-2C3B7624", "L-6B0D517C"),
    "inf": ("L-1945791B", "L-B5D1601B"),
}


@dataclass(frozen=True)
class PoolDemand:
    """One node pool as the account sees it.

    :param nodes: (at least, at first, at most).
    :param capacity_type: C(on_demand), C(spot) or C(capacity_block).
    """

    name: str
    types: tuple[InstanceType, ...]
    nodes: tuple[int, int, int]
    capacity_type: str

    @property
    def vcpu(self) -> int:
        """VCPUs of the largest of its types."""
        return max(entry.vcpu for entry in self.types)


@dataclass(frozen=True)
class QuotaDemand:
    """vCPUs that the plan needs of one quota: at least, and when every pool is full."""

    code: str
    label: str
    least: int
    most: int


@dataclass(frozen=True)
class Price:
    """USD per hour of the plan: at least, at first and when every pool is full."""

    least: float
    first: float
    most: float
    unknown: tuple[str, ...]


def pool_demand(pool: Mapping[str, t.Any]) -> PoolDemand:
    """A pool of the inventory; only C(name), C(instance_types), C(scaling) and C(capacity_type) are read.

    :raises PlatformError: a pool without name or types, or an instance type of which we have no figures.
    """
    if not pool.get("name") or not pool.get("instance_types"):
        raise PlatformError(f"node pool {pool.get('name') or pool}: name and instance_types are needed")
    sizes = pool_sizes(pool.get("scaling"))
    return PoolDemand(
        name=str(pool["name"]),
        types=tuple(instance_type(name) for name in pool["instance_types"]),
        nodes=(sizes.min, sizes.desired, sizes.max),
        capacity_type=str(pool.get("capacity_type") or "on_demand"),
    )


def quota_class(entry: InstanceType) -> str:
    """The class of EC2's quotas that an instance type counts against."""
    family = entry.family
    for name in ("trn", "inf"):
        if family.startswith(name):
            return name
    if family.startswith(("g", "vt")) and entry.accelerator_count:
        return "g"
    return "p" if family.startswith("p") and entry.accelerator_count else "standard"


def quota_demands(pools: Iterable[PoolDemand]) -> tuple[QuotaDemand, ...]:
    """VCPUs per quota; capacity blocks do not count against them."""
    sums: dict[tuple[str, str], list[int]] = {}
    for pool in pools:
        if pool.capacity_type == "capacity_block":
            continue
        kind = quota_class(max(pool.types, key=lambda entry: entry.vcpu))
        spot = pool.capacity_type == "spot"
        label = f"{'spot' if spot else 'on-demand'} {kind} instances"
        entry = sums.setdefault((QUOTAS[kind][spot], label), [0, 0])
        entry[0] += pool.nodes[0] * pool.vcpu
        entry[1] += pool.nodes[2] * pool.vcpu
    return tuple(QuotaDemand(code, label, least, most) for (code, label), (least, most) in sorted(sums.items()))


def price(pools: Iterable[PoolDemand], hourly: Mapping[str, float | None]) -> Price:
    """The plan's price; a pool of several types counts with its dearest, spot with the on-demand price.

    :param hourly: USD per hour by instance type, None when unknown.
    """
    totals = [CLUSTER_PER_HOUR] * 3
    unknown: set[str] = set()
    for pool in pools:
        known = [cost for entry in pool.types if (cost := hourly.get(entry.name)) is not None]
        if not known:
            unknown.update(entry.name for entry in pool.types)
            continue
        for position, count in enumerate(pool.nodes):
            totals[position] += count * max(known)
    least, first, most = (round(total, 4) for total in totals)
    return Price(least, first, most, tuple(sorted(unknown)))


__all__ = (
    "CLUSTER_PER_HOUR",
    "HOURS_PER_MONTH",
    "PoolDemand",
    "Price",
    "QuotaDemand",
    "pool_demand",
    "price",
    "quota_class",
    "quota_demands",
)
