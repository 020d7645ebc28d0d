# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report says of one cluster, from its API objects and its inventory. Pure: plain data in, plain data out."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._gpu.instances import instance_types
from .._gpu.policy import DRA, EXCLUSIVE, MIG, MPS, TIME_SLICING, SharingPolicy
from .._gpu.policy_nodes import POOL_LABEL, allocatable
from .._gpu.pool_sizes import pool_sizes
from .._gpu.quotas import largest, quantity
from .._k8s.nodes_info import node_summary
from .gpus import devices, node_gpus, users

Object = Mapping[str, t.Any]
TYPE_LABEL, ZONE_LABEL = "node.kubernetes.io/instance-type", "topology.kubernetes.io/zone"
GIB = 1024.0**3


@dataclass(frozen=True)
class Live:
    """The objects that were read, and the server's version."""

    version: str
    nodes: Sequence[Object]
    pods: Sequence[Object]
    quotas: Sequence[Object]


def pool_facts(pools: Sequence[Object], policies: Sequence[SharingPolicy], live: Live) -> list[dict[str, t.Any]]:
    """Each pool: how its GPUs are shared, its nodes, and what they cost now, in USD per hour (None when unknown)."""
    by_pool = defaultdict(list)
    for node in live.nodes:
        by_pool[_pool(node)].append(node_summary(dict(node)))
    found = []
    for pool, policy in zip(pools, policies, strict=True):
        nodes, sizes = by_pool[policy.pool], pool_sizes(pool.get("scaling"))
        prices = [_price(str(node["labels"].get(TYPE_LABEL))) for node in nodes]
        found.append(
            {
                "name": policy.pool,
                "instance_types": [one.name for one in policy.types],
                "capacity_type": pool.get("capacity_type") or "on_demand",
                "sharing": sharing(policy),
                "offers": dict(sorted(_offers(policy).items())),
                "nodes": len(nodes),
                "ready": sum(node["ready"] for node in nodes),
                "least": sizes.min,
                "most": sizes.max,
                "usd_per_node_hour": max((one.price for one in policy.types if one.price is not None), default=None),
                "usd_per_hour": None if None in prices else round(sum(price or 0.0 for price in prices), 4),
            }
        )
    return found


def node_facts(policies: Sequence[SharingPolicy], live: Live) -> list[dict[str, t.Any]]:
    """Each node with GPUs: what it offers against what its policy promises, and every GPU with its slices and users."""
    by_pool = {policy.pool: policy for policy in policies}
    on_node: dict[str, list[Object]] = defaultdict(list)
    for pod in live.pods:
        on_node[pod["spec"].get("nodeName", "")].append(pod)
    found = []
    for node in live.nodes:
        facts, policy = node_summary(dict(node)), by_pool.get(_pool(node))
        labels = facts["labels"]
        one = next((each for each in policy.types if each.name == labels.get(TYPE_LABEL)), None) if policy else None
        if policy is None or one is None or not one.has_gpu:
            continue
        promised = allocatable(policy, one)
        offered = {name: int(facts["allocatable"].get(name, 0)) for name in promised}
        gpus = node_gpus(policy, one, on_node[facts["name"]])
        found.append(
            {
                "name": facts["name"],
                "pool": policy.pool,
                "instance_type": one.name,
                "zone": labels.get(ZONE_LABEL, ""),
                "accelerator": one.accelerator or "GPU",
                "memory_gib": one.accelerator_memory_gib,
                "ready": facts["ready"],
                "schedulable": facts["schedulable"],
                "promised": promised,
                "offered": offered,
                "right": facts["ready"] and offered == promised,
                "gpus": gpus,
                "users": users(gpus),
            }
        )
    return found


def capacity_facts(pools: Sequence[Object], policies: Sequence[SharingPolicy], live: Live) -> list[dict[str, t.Any]]:
    """Each resource: what nodes have now and at their largest, what pods ask for, and what quotas allow in all."""
    now, most, asked, allowed = (defaultdict[str, float](float) for _table in range(4))
    for node in live.nodes:
        for name, amount in ((node.get("status") or {}).get("allocatable") or {}).items():
            if _counts(name):
                now[name] += _number(name, amount)
    for pool, policy in zip(pools, policies, strict=True):
        for name, amount in _offers(policy).items():
            most[name] += largest(pool) * amount
        most["cpu"] += largest(pool) * max((one.vcpu for one in policy.types), default=0)
        most["memory"] += largest(pool) * max((one.memory_gib for one in policy.types), default=0)
    for pod in live.pods:
        for name, number in _asked(pod).items():
            asked[name] += number
    for quota in live.quotas:
        for name, amount in _hard(quota).items():
            allowed[name] += _number(name, amount)
    names = sorted(
        set(now) | set(most) | set(allowed) | set(asked), key=lambda name: (name not in ("cpu", "memory"), name)
    )
    return [
        {
            "resource": name,
            "now": now[name],
            "most": most.get(name),
            "asked": asked[name],
            "quotas": allowed.get(name),
        }
        for name in names
    ]


def quota_facts(live: Live) -> list[dict[str, t.Any]]:
    """Each namespace with a quota: C({namespace, resource, hard, used}), without what it is given nothing of."""
    found = []
    for quota in live.quotas:
        used = (quota.get("status") or {}).get("used") or {}
        for name, amount in sorted(_hard(quota).items()):
            hard = _number(name, amount)
            taken = _number(name, used.get(f"requests.{name}", used.get(name, "0")))
            if hard or taken:
                namespace = quota["metadata"]["namespace"]
                found.append({"namespace": namespace, "resource": name, "hard": hard, "used": taken})
    return sorted(found, key=lambda one: (one["namespace"], one["resource"]))


def sharing(policy: SharingPolicy) -> str:
    """How a pool's GPUs are shared, in words."""
    turns = f", {policy.replicas} pods take turns" if policy.replicas > 1 else ""
    if policy.layout is not None and policy.mode == MIG:
        parts = policy.layout.per_gpu(policy.types[0].accelerator_count)[0] or {}
        return "MIG " + " + ".join(f"{count} x {name}" for name, count in parts.items()) + turns
    names = {
        EXCLUSIVE: "whole GPUs" if policy.has_gpu else "accelerators" if policy.has_neuron else "",
        TIME_SLICING: f"time-sliced{turns}",
        MPS: f"MPS, {policy.replicas} pods at once",
        DRA: "claimed devices (DRA)",
    }
    return names.get(policy.mode, policy.mode)


def _pool(node: Object) -> str:
    return str((node["metadata"].get("labels") or {}).get(POOL_LABEL, ""))


def _price(name: str) -> float | None:
    one = instance_types().get(name)
    return one.price if one else None


def _offers(policy: SharingPolicy) -> dict[str, int]:
    """Devices of the pool's largest node."""
    found: dict[str, int] = {}
    for one in policy.types:
        for name, count in allocatable(policy, one).items():
            found[name] = max(count, found.get(name, 0))
    return found


def _counts(name: str) -> bool:
    return name in ("cpu", "memory") or name.startswith(("nvidia.com/", "aws.amazon.com/neuron"))


def _number(name: str, amount: t.Any) -> float:
    """Cores, GiB or devices."""
    found = quantity(str(amount), where=name)
    return found / GIB if name == "memory" else found


def _asked(pod: Object) -> dict[str, float]:
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return {}
    found = {name: float(count) for name, count in devices(pod).items()}
    for container in pod["spec"].get("containers") or ():
        for name, amount in ((container.get("resources") or {}).get("requests") or {}).items():
            if name in ("cpu", "memory"):
                found[name] = found.get(name, 0.0) + _number(name, amount)
    return found


def _hard(quota: Object) -> dict[str, t.Any]:
    """What a quota bounds, by resource: C(cpu) means C(requests.cpu). Quotas of a scope bound something else."""
    spec = quota.get("spec") or {}
    if spec.get("scopeSelector") or spec.get("scopes"):
        return {}
    hard = {name.removeprefix("requests."): amount for name, amount in (spec.get("hard") or {}).items()}
    return {name: amount for name, amount in hard.items() if _counts(name)}


__all__ = (
    "Live",
    "capacity_facts",
    "node_facts",
    "pool_facts",
    "quota_facts",
    "sharing",
)
