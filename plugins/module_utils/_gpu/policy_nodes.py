# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a sharing policy means for nodes: labels, taints, allocatable resources and what autoscalers must know."""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Mapping

from .boards import board
from .device_plugin_config import DevicePluginConfig
from .instances import InstanceType
from .policy import DRA, EXCLUSIVE, GPU, MIG, MPS, TIME_SLICING, SharingPolicy

POOL_LABEL, MODE_LABEL = "aiplatform.eks/pool", "aiplatform.eks/gpu-sharing"
MIG_CONFIG = "nvidia.com/mig.config"
PLUGIN_CONFIG = "nvidia.com/device-plugin.config"
DEPLOY = "nvidia.com/gpu.deploy."
NEURON_TAINT = "aws.amazon.com/neuron"
AUTOSCALER = "k8s.io/cluster-autoscaler/node-template"
STRATEGY_LABELS = {TIME_SLICING: "time-slicing", MPS: "mps"}

Taint = dict[str, str]


def labels(policy: SharingPolicy) -> dict[str, str]:
    """Labels of every node of the pool."""
    found = {POOL_LABEL: policy.pool}
    if not policy.has_gpu:
        return found
    found[MODE_LABEL] = policy.mode.replace("_", "-")
    if policy.bottlerocket:
        found[f"{DEPLOY}operands"] = "false"  # its own plugin and layout; a second plugin would fight it
        return found
    found[PLUGIN_CONFIG] = policy.config_key
    if policy.layout is not None and policy.applied_by == "mig_manager":
        found[MIG_CONFIG] = policy.layout.name
    elif any(one.mig_capable for one in policy.types):
        # mig-manager restarts pods on nodes that it has no business on (gpu-operator#1310)
        found[f"{DEPLOY}mig-manager"] = "false"
    if policy.mode == DRA:
        del found[PLUGIN_CONFIG]
        found[f"{DEPLOY}device-plugin"] = "false"
    return found


def taints(policy: SharingPolicy) -> list[Taint]:
    """Taints of every node of the pool.

    Beside the usual taint of accelerators there is one for the nodes that publish shares under the name of whole GPUs:
    no pod that wants a whole GPU may land there.
    """
    if policy.has_neuron:
        return [{"key": NEURON_TAINT, "value": "present", "effect": "NoSchedule"}]
    if not policy.has_gpu:
        return []
    found = [{"key": GPU, "value": "present", "effect": "NoSchedule"}]
    if policy.shared and GPU in resource_names(policy) and not _whole_gpus_only(policy):
        found.append({"key": MODE_LABEL, "value": policy.mode.replace("_", "-"), "effect": "NoSchedule"})
    return found


def _whole_gpus_only(policy: SharingPolicy) -> bool:
    """Whether C(nvidia.com/gpu) means whole GPUs although the pool is shared (a MIG layout that leaves some whole)."""
    return policy.mode == MIG and policy.mig_strategy == "mixed" and policy.replicas == 1


def plugin_config(policy: SharingPolicy) -> DevicePluginConfig:
    """The device plugin's configuration of the pool's nodes."""
    if policy.replicas < 2:
        return DevicePluginConfig(mig_strategy=policy.mig_strategy)
    return DevicePluginConfig(
        sharing="mps" if policy.mode == MPS else "time_slicing",
        replicas=tuple(sorted((name, policy.replicas) for name in _unshared(policy, policy.types[0]))),
        rename=policy.rename,
        fail_requests_greater_than_one=policy.fail_requests_greater_than_one,
        mig_strategy=policy.mig_strategy,
    )


def allocatable(policy: SharingPolicy, one: InstanceType) -> dict[str, int]:
    """Extended resources of a node of that type, when everything is right."""
    if policy.mode == DRA:
        return {}  # devices stand in ResourceSlices
    if one.has_neuron:
        cores = {"aws.amazon.com/neuroncore": one.neuron_cores} if one.neuron_cores else {}
        return {"aws.amazon.com/neuron": one.accelerator_count, **cores}
    config = plugin_config(policy)
    return {
        config.published(name): count * dict(config.replicas).get(name, 1)
        for name, count in _unshared(policy, one).items()
    }


def _unshared(policy: SharingPolicy, one: InstanceType) -> dict[str, int]:
    """Devices by resource name, before they are replicated."""
    if not one.has_gpu:
        return {}
    if policy.layout is None:
        return {GPU: one.accelerator_count}
    target, found = board(one.board or ""), Counter[str]()
    for gpu in policy.layout.per_gpu(one.accelerator_count):
        if gpu is None:
            found[GPU] += 1
        for name, count in (gpu or {}).items():
            single = policy.mig_strategy == "single" or policy.bottlerocket
            found[GPU if single else target.profile(name).resource] += count
    return dict(sorted(found.items()))


def resource_names(policy: SharingPolicy) -> tuple[str, ...]:
    """The extended resources that the pool's nodes offer, sorted."""
    return tuple(sorted({name for one in policy.types for name in allocatable(policy, one)}))


def main_resource(policy: SharingPolicy) -> str | None:
    """The resource that a pod of this pool asks for when it says nothing else: the smallest share."""
    shares = {name: count for one in policy.types for name, count in allocatable(policy, one).items()}
    shares.pop("aws.amazon.com/neuroncore", None)
    return max(sorted(shares), key=lambda name: shares[name]) if shares else None


def quota_keys(policy: SharingPolicy) -> tuple[str, ...]:
    """Keys of a ResourceQuota that bound this pool's use: extended resources are counted by their requests only."""
    if policy.mode == DRA:
        device_class = "mig.nvidia.com" if policy.layout else "gpu.nvidia.com"
        return (f"{device_class}.deviceclass.resource.k8s.io/devices",)
    return tuple(f"requests.{name}" for name in resource_names(policy))


def scale_from_zero(policy: SharingPolicy) -> dict[str, int]:
    """Extended resources of a node that does not exist yet; with several instance types the smallest count."""
    found: dict[str, int] = {}
    for one in policy.types:
        for name, count in allocatable(policy, one).items():
            found[name] = min(count, found.get(name, count))
    return dict(sorted(found.items()))


def autoscaling_tags(policy: SharingPolicy) -> dict[str, str]:
    """Tags of the autoscaling group, by which cluster-autoscaler knows a node that does not exist yet."""
    tags = {f"{AUTOSCALER}/resources/{name}": str(count) for name, count in scale_from_zero(policy).items()}
    tags |= {f"{AUTOSCALER}/label/{name}": value for name, value in labels(policy).items()}
    for taint in taints(policy):
        tags[f"{AUTOSCALER}/taint/{taint['key']}"] = f"{taint['value']}:{taint['effect']}"
    return tags


def product_label(policy: SharingPolicy, one: InstanceType) -> str | None:
    """C(nvidia.com/gpu.product) as GPU feature discovery will write it; None where nobody has seen the board's."""
    if one.product_label is None:
        return None
    words = [one.product_label]
    if policy.layout is not None and policy.mig_strategy == "single":
        words += ["MIG", board(one.board or "").profile(policy.layout.profiles[0]).config_name]
    whole = dict(plugin_config(policy).replicas).get(GPU, 1)
    if whole > 1 and not policy.rename:
        words.append("SHARED")
    return "-".join(words)


def discovered_labels(policy: SharingPolicy, one: InstanceType) -> dict[str, str]:
    """What GPU feature discovery will say about sharing on a node: the labels that dashboards and checks look at."""
    if not one.has_gpu:
        return {}
    replicas = dict(plugin_config(policy).replicas)
    strategy = STRATEGY_LABELS.get(policy.mode, "time-slicing" if policy.replicas > 1 else "none")
    unshared = _unshared(policy, one)
    single = policy.layout is not None and policy.mig_strategy == "single"
    count = unshared.get(GPU, 0) if single else one.accelerator_count
    times = replicas.get(GPU, 1) if GPU in unshared else 0
    found = {
        f"{GPU}.count": str(count),
        f"{GPU}.replicas": str(times),
        f"{GPU}.sharing-strategy": strategy if times > 1 else "none",
    }
    if (product := product_label(policy, one)) is not None:
        found[f"{GPU}.product"] = product
    if policy.mig_strategy != "none":
        found["nvidia.com/mig.strategy"] = policy.mig_strategy
    for name, number in unshared.items():
        if name != GPU:
            shares = replicas.get(name, 1)
            found[f"{name}.count"] = str(number)
            found[f"{name}.replicas"] = str(shares)
            found[f"{name}.sharing-strategy"] = strategy if shares > 1 else "none"
    return found


def pool_settings(policy: SharingPolicy) -> dict[str, t.Any]:
    """What a managed node group must be given so that the policy holds."""
    return {
        "labels": labels(policy),
        "taints": taints(policy),
        "scale_from_zero_resources": {name: str(count) for name, count in scale_from_zero(policy).items()},
    }


def expected_nodes(policies: t.Iterable[SharingPolicy]) -> Mapping[str, Mapping[str, Mapping[str, int]]]:
    """Pool -> instance type -> allocatable, for checks and reports."""
    return {
        policy.pool: {one.name: allocatable(policy, one) for one in policy.types}
        for policy in policies
        if policy.has_gpu or policy.has_neuron
    }


__all__ = (
    "EXCLUSIVE",
    "MIG_CONFIG",
    "MODE_LABEL",
    "PLUGIN_CONFIG",
    "POOL_LABEL",
    "Taint",
    "allocatable",
    "autoscaling_tags",
    "discovered_labels",
    "expected_nodes",
    "labels",
    "main_resource",
    "plugin_config",
    "pool_settings",
    "product_label",
    "quota_keys",
    "resource_names",
    "scale_from_zero",
    "taints",
)
