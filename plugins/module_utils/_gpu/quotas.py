# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Quotas of namespaces, said in GPUs of pools and turned into what a ResourceQuota counts: resource names.

A namespace gets so many GPUs of a pool; a pool that shares its GPUs publishes more devices than it has GPUs, under
names of its own. A ResourceQuota bounds each name by itself and cannot add names up, so one number for the cluster is
taken only where the cluster publishes one name. Every name that a namespace is given nothing of is bounded by zero:
otherwise a tenant of the shared pool could take the slices that production was isolated for.
"""

from __future__ import annotations

import math
import re
import typing as t
from collections import Counter
from collections.abc import Mapping, Sequence

from .._core.errors import PlatformError
from .._core.text import listed, unknown_name
from .instances import instance_type
from .policy import DRA, SharingPolicy, sharing_policies
from .policy_nodes import allocatable, quota_keys
from .pool_sizes import pool_sizes

KEYS = ("cpu", "memory", "gpus", "hard")
QUANTITY = re.compile(r"^(\d+(?:\.\d+)?)(m|[kMGTPE]|[KMGTPE]i)?$")
SUFFIXES = {
    "m": 1e-3,
    **{letter: 1000.0**power for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)},
}
GIB = 1024.0**3
Pools = Sequence[Mapping[str, t.Any]]


def resource_quota(
    quota: Mapping[str, t.Any], pools: Pools, *, mig_strategy: str = "mixed", where: str = "quota"
) -> dict[str, str]:
    """C(spec.hard) of the ResourceQuota that holds a namespace to its share of these pools.

    :param quota: C(cpu) and C(memory) as quantities, C(gpus) as pool -> GPUs, or as one number where all pools publish
        one name; C(hard) holds further keys as they stand in a ResourceQuota. What is left out is not bounded.
    :param where: begins each sentence, e.g. C(governance_quotas.training).
    :raises PlatformError: an unknown key or pool, not a quantity, or more than the pools have at their largest.
    """
    for key in quota:
        if key not in KEYS:
            raise PlatformError(f"{where}: {unknown_name('key', str(key), KEYS)}")
    found: dict[str, str] = {}
    for name, most in zip(("cpu", "memory"), _capacity(pools), strict=True):
        if quota.get(name) is not None:
            found[f"requests.{name}"] = _bounded(str(quota[name]), most, where=f"{where}.{name}", name=name)
    if quota.get("gpus") is not None:
        policies = [one for one in sharing_policies(pools, mig_strategy=mig_strategy) if one.has_gpu or one.has_neuron]
        found |= _gpu_keys(quota["gpus"], policies, pools, where=f"{where}.gpus")
    return found | {str(key): str(value) for key, value in (quota.get("hard") or {}).items()}


def quantity(text: str, *, where: str) -> float:
    """The number that a Kubernetes quantity stands for: cores, bytes or a count.

    :raises PlatformError: it is none.
    """
    match = QUANTITY.match(text)
    if match is None:
        raise PlatformError(f"{where} is {text!r}; wanted is a quantity such as 160, 500m or 640Gi")
    return float(match[1]) * SUFFIXES.get(match[2] or "", 1.0)


def _bounded(text: str, most: float, *, where: str, name: str) -> str:
    if quantity(text, where=where) > most:
        shown = f"{most:.0f} CPUs" if name == "cpu" else f"{most / GIB:.0f}Gi"
        raise PlatformError(
            f"{where} is {text}, but all node pools at their largest have {shown}; lower the quota or raise scaling.max"
        )
    return text


def _capacity(pools: Pools) -> tuple[float, float]:
    """CPUs and bytes of all pools at their largest, by their largest instance type."""
    cpus = memory = 0.0
    for pool in pools:
        types = [instance_type(str(name)) for name in pool.get("instance_types") or ()]
        if types:
            cpus += largest(pool) * max(one.vcpu for one in types)
            memory += largest(pool) * max(one.memory_gib for one in types) * GIB
    return cpus, memory


def largest(pool: Mapping[str, t.Any]) -> int:
    """Nodes of a pool of the inventory at its largest."""
    return pool_sizes(pool.get("scaling")).max


def _gpu_keys(wish: t.Any, policies: Sequence[SharingPolicy], pools: Pools, *, where: str) -> dict[str, str]:
    most = {str(pool["name"]): largest(pool) for pool in pools}
    has = {one.pool: most[one.pool] * max(kind.accelerator_count for kind in one.types) for one in policies}
    if not isinstance(wish, Mapping):
        return _of_all(wish, policies, sum(has.values()), where=where)
    for name, count in wish.items():
        if name not in has:
            raise PlatformError(f"{where}: {unknown_name('GPU pool', str(name), has)}")
        _check_count(count, where=f"{where}.{name}")
        if count > has[name]:
            raise PlatformError(
                f"{where}: {count} GPUs of {name}, which has {has[name]} at its largest ({most[name]} nodes); "
                "lower the quota or raise scaling.max"
            )
    found: Counter[str] = Counter()
    for policy in policies:
        for key, each in _devices_of_a_gpu(policy).items():
            found[key] += math.floor(wish.get(policy.pool, 0) * each)
    return {key: str(count) for key, count in sorted(found.items())}


def _of_all(count: t.Any, policies: Sequence[SharingPolicy], has: int, *, where: str) -> dict[str, str]:
    """One number for all pools: a bound only where they all publish one name, by the pool that shares least."""
    _check_count(count, where=where)
    each: dict[str, float] = {}
    for policy in policies:
        for key, number in _devices_of_a_gpu(policy).items():
            each[key] = min(number, each.get(key, number))
    if count and len(each) > 1:
        raise PlatformError(
            f"{where} is {count}, but the pools publish {listed(sorted(each))}, and a quota cannot add them up; say "
            f"how many GPUs of each pool, e.g. {{{policies[0].pool}: {count}}}"
        )
    if count > has:
        raise PlatformError(
            f"{where} is {count}, but all pools at their largest have {has} GPUs; lower the quota or raise scaling.max"
        )
    return {key: str(math.floor(count * number)) for key, number in sorted(each.items())}


def _check_count(count: t.Any, *, where: str) -> None:
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise PlatformError(f"{where} is {count!r}; wanted is a number of GPUs, 0 or more")


def _devices_of_a_gpu(policy: SharingPolicy) -> dict[str, float]:
    """Quota key -> devices that one GPU of the pool is published as; the smallest of its instance types."""
    if policy.mode == DRA:
        return dict.fromkeys(quota_keys(policy), 1.0)
    found: dict[str, float] = dict.fromkeys(quota_keys(policy), math.inf)
    for one in policy.types:
        for name, count in allocatable(policy, one).items():
            found[f"requests.{name}"] = min(found[f"requests.{name}"], count / one.accelerator_count)
    return found


__all__ = ("largest", "quantity", "resource_quota")
