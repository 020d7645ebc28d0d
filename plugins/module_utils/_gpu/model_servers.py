# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Model servers of an inventory: each sized, placed on a pool and completed, ready for templates. Pure."""

from __future__ import annotations

import math
import typing as t
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._core.errors import PlatformError
from .._core.outcome import Context
from .._core.text import listed, unknown_name
from .node_disks import disk_gib, size_for
from .policy import DRA, MPS, SharingPolicy, sharing_policies
from .policy_nodes import allocatable
from .policy_objects import claim_templates, named_policy, placement
from .quotas import largest
from .sizing_use_case import USE_CASE

Pools = Sequence[Mapping[str, t.Any]]
DEFAULTS = {name: option.get("default") for name, option in USE_CASE.spec.options.items()}
# What llm_sizing is told as it stands; the server's name and pool are ours.
SIZED_BY = tuple(name for name in DEFAULTS if name not in ("node_pools", "instance_types", "mig_strategy"))
SCHEMES = ("hf", "s3", "pvc")
PERIOD = 10  # seconds between two looks of the startup probe
SCRATCH_GIB = 10  # compiled kernels, CUDA graphs, temporary files
START_SECONDS = 300  # imports, compilation and CUDA graphs, after the weights are there


@dataclass(frozen=True)
class Settings:
    """What holds for all servers.

    :param load_mib_per_second: how fast weights come at the very least; the startup probe waits that long.
    :param scaled: whether something scales the servers between C(replicas) and C(max_replicas).
    :param buckets: whether the servers' service account may read models from S3.
    :param shared_cache: whether what is downloaded lies on a claim, not on the nodes' disks.
    """

    mig_strategy: str = "mixed"
    load_mib_per_second: int = 100
    scaled: bool = False
    buckets: bool = False
    shared_cache: bool = False


@dataclass(frozen=True)
class Source:
    """Where the weights are: C(argument) is what the server is told, C(claim) the volume that holds them."""

    kind: str
    argument: str
    claim: str = ""


def model_servers(models: Sequence[Mapping[str, t.Any]], pools: Pools, settings: Settings) -> list[dict[str, t.Any]]:
    """The servers, in the order of the inventory.

    :param models: C(name), C(model), C(source), C(pool), C(replicas), C(max_replicas), C(arguments) and the options of
        C(llm_sizing); other keys are handed on.
    :returns: each entry with C(pool), C(placement), C(arguments), C(source), C(memory_gib), C(cpu), C(shm_gib),
        C(disk_gib), C(start_seconds), C(startup_failures), C(surge), C(claim_template) and C(sizing).
    :raises PlatformError: a model fits nowhere, or all of them together do not fit into the pools.
    """
    names = [str(one["name"]) for one in models]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PlatformError(f"vllm_models: {listed(twice)} stand twice; names of model servers are unique")
    policies = sharing_policies(pools, mig_strategy=settings.mig_strategy)
    servers = [_server(one, pools, policies, settings) for one in models]
    free = _free(servers, pools, policies)
    for server in servers:
        server["surge"] = free[_place(server)] >= server["sizing"]["count"]
    return servers


def _server(
    model: Mapping[str, t.Any], pools: Pools, policies: Sequence[SharingPolicy], settings: Settings
) -> dict[str, t.Any]:
    where = f"vllm_models: {model['name']}"
    source = _source(model, settings, where)
    replicas, most = _replicas(model, settings, where)
    sized = _sized(model, _offered(model, pools, policies, where), settings, where)
    choice, weights = sized["choice"], sized["model"]["weights_gib"]
    count, policy = choice["count"], named_policy(policies, choice["pool"])
    disk = SCRATCH_GIB + (math.ceil(weights) if source.kind == "hf" and not settings.shared_cache else 0)
    _check_disk(disk, next(pool for pool in pools if pool["name"] == policy.pool), policy, where)
    start = START_SECONDS + math.ceil(weights * 1024 / settings.load_mib_per_second)
    shm = max(1, 2 * count)
    return {
        **model,
        "replicas": replicas,
        "max_replicas": most,
        "pool": choice["pool"],
        "sizing": {**choice, "weights_gib": weights, "parameters_billion": sized["model"]["parameters_billion"]},
        "placement": _placement(policy, choice, str(model["name"])),
        "claim_template": _claim_template(policy, choice, str(model["name"])),
        "source": {"kind": source.kind, "argument": source.argument, "claim": source.claim},
        "arguments": _arguments(model, source, sized["arguments"]),
        "cpu": 2 + 2 * count,
        # A process of a few GiB for each GPU and the weights once on their way through; mapped files are page cache.
        "memory_gib": math.ceil(8 + 4 * count + weights),
        "shm_gib": shm,
        "disk_gib": disk,
        "start_seconds": start,
        "startup_failures": math.ceil(start / PERIOD),
    }


def _check_disk(need: int, pool: Mapping[str, t.Any], policy: SharingPolicy, where: str) -> None:
    """A pod that asks for more than any node has is never placed.

    :raises PlatformError: a type of the pool has too small a disk.
    """
    for one in policy.types:
        has = disk_gib(pool, one)
        if has is not None and has < need:
            unused = one.local_nvme_gb and pool.get("instance_store") != "raid0"
            offer = f"set instance_store: raid0 ({one.name} has {one.local_nvme_gb:,.0f} GB of NVMe), "
            raise PlatformError(
                f"{where}: its weights and temporary files need {need} GiB of disk, but the nodes of pool "
                f"{policy.pool} have {has:.0f} GiB for pods; {offer if unused else ''}"
                f"set disk.size to {size_for(need)} or more, or put the cache on a claim (vllm_cache_storage_class)"
            )


def _source(model: Mapping[str, t.Any], settings: Settings, where: str) -> Source:
    text = str(model.get("source") or model.get("model") or "")
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "hf", text
    if scheme not in SCHEMES:
        raise PlatformError(f"{where}: {unknown_name('scheme of the source', scheme, SCHEMES)}; found {text!r}")
    first, _slash, path = rest.strip("/").partition("/")
    if not first or not path:
        raise PlatformError(
            f"{where}: its source is {text!r}; wanted is hf://publisher/model, s3://bucket/folder or pvc://claim/folder"
        )
    if scheme == "s3" and not settings.buckets:
        raise PlatformError(
            f"{where}: its source is {text}, but the servers have no AWS role to read it with; list serving in "
            "foundation_identities, or set vllm_role_arn"
        )
    if scheme == "pvc":
        return Source(scheme, f"/models/{first}/{path}", first)
    return Source(scheme, text if scheme == "s3" else f"{first}/{path}")


def _replicas(model: Mapping[str, t.Any], settings: Settings, where: str) -> tuple[int, int]:
    replicas = 1 if model.get("replicas") is None else int(model["replicas"])
    most = replicas if model.get("max_replicas") is None else int(model["max_replicas"])
    if replicas < 1 or most < replicas:
        raise PlatformError(f"{where}: replicas is {replicas} and max_replicas {most}; wanted is 1 <= replicas <= max")
    if most > replicas and not settings.scaled:
        raise PlatformError(
            f"{where}: max_replicas is {most}, but nothing scales it; list keda in aiplatform_components, or leave "
            "max_replicas out"
        )
    return replicas, most


def _offered(model: Mapping[str, t.Any], pools: Pools, policies: Sequence[SharingPolicy], where: str) -> Pools:
    """The pools that the model may be put on: all, or the one that it names."""
    wish = model.get("pool")
    if not wish:
        return pools
    policy = next((one for one in policies if one.pool == wish), None)
    if policy is None:
        raise PlatformError(f"{where}: {unknown_name('node pool', str(wish), [one.pool for one in policies])}")
    if reason := _unfit(policy):
        others = listed(one.pool for one in policies if not _unfit(one)) or "none of the inventory"
        raise PlatformError(f"{where}: pool {wish} is not for model servers: {reason}; possible are {others}")
    return [pool for pool in pools if pool["name"] == wish]


def _unfit(policy: SharingPolicy) -> str:
    """Why no model server is put on a pool; empty when one is."""
    if not policy.has_gpu:
        return "it has no GPUs"
    if policy.purpose == "training":
        return "its purpose is training"
    if policy.replicas > 1 and policy.mode != MPS:
        return "nothing bounds the memory of those who take turns on its GPUs"
    return ""


def _sized(model: Mapping[str, t.Any], offered: Pools, settings: Settings, where: str) -> Mapping[str, t.Any]:
    wish = {name: model[name] for name in SIZED_BY if model.get(name) is not None}
    given = {"node_pools": offered, "instance_types": None, "mig_strategy": settings.mig_strategy}
    try:
        return USE_CASE.run({**DEFAULTS, **wish, **given}, Context()).facts
    except PlatformError as error:
        raise PlatformError(f"{where}: {error.message}") from error


def _placement(policy: SharingPolicy, choice: Mapping[str, t.Any], name: str) -> dict[str, t.Any]:
    if policy.mode == DRA:
        found = placement(policy)
        return {
            **found,
            "resourceClaims": [{**one, "resourceClaimTemplateName": name} for one in found["resourceClaims"]],
        }
    amount = {choice["resource"]: str(choice["count"])}
    return {**placement(policy), "resources": {"requests": amount, "limits": amount}}


def _claim_template(policy: SharingPolicy, choice: Mapping[str, t.Any], name: str) -> dict[str, t.Any] | None:
    if policy.mode != DRA:
        return None
    (found,) = claim_templates(policy, namespace="", count=choice["count"])
    return {**found, "metadata": {"name": name}}


def _arguments(model: Mapping[str, t.Any], source: Source, sized: Sequence[str]) -> list[str]:
    """What C(vllm serve) is told; the model's own arguments win."""
    found = [source.argument, f"--served-model-name={model.get('served_name') or model['name']}", *sized]
    if source.kind == "hf" and model.get("revision"):
        found.append(f"--revision={model['revision']}")
    if source.kind == "s3":
        found.append("--load-format=runai_streamer")
    own = [str(one) for one in model.get("arguments") or ()]
    said = {one.partition("=")[0] for one in own}
    return [one for one in found if one.partition("=")[0] not in said] + own


def _place(server: Mapping[str, t.Any]) -> tuple[str, str]:
    return server["pool"], server["sizing"]["resource"]


def _free(
    servers: Sequence[Mapping[str, t.Any]], pools: Pools, policies: Sequence[SharingPolicy]
) -> dict[tuple[str, str], int]:
    """Shares that are left at the pools' largest when all servers have all their replicas."""
    taken: Counter[tuple[str, str]] = Counter()
    for server in servers:
        taken[_place(server)] += server["max_replicas"] * server["sizing"]["count"]
    nodes = {str(pool["name"]): largest(pool) for pool in pools}
    free = {}
    for (pool, resource), count in taken.items():
        policy = named_policy(policies, pool)
        each = min(_devices(policy, one).get(resource, 0) for one in policy.types)
        if count > nodes[pool] * each:
            users = [str(one["name"]) for one in servers if _place(one) == (pool, resource)]
            raise PlatformError(
                f"vllm_models: {listed(users)} want {count} {resource} of pool {pool}, which has "
                f"{nodes[pool] * each} at its largest ({nodes[pool]} nodes); lower replicas, name another pool, "
                "or raise scaling.max"
            )
        free[pool, resource] = nodes[pool] * each - count
    return free


def _devices(policy: SharingPolicy, one: t.Any) -> Mapping[str, int]:
    return {"nvidia.com/gpu": one.accelerator_count} if policy.mode == DRA else allocatable(policy, one)


__all__ = ("Settings", "model_servers")
