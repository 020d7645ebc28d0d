# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects and fragments that follow from a sharing policy: placement of pods, notebook profiles, overlays, claims."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from collections.abc import Iterable, Sequence

from .._core.errors import PlatformError
from .._core.text import listed, unknown_name
from .boards import Profile, board
from .policy import DRA, MIG, MPS, TIME_SLICING, SharingPolicy
from .policy_nodes import POOL_LABEL, allocatable, main_resource, product_label, resource_names, taints

INSTANCE_LABEL = "node.kubernetes.io/instance-type"
NODEPOOL_LABEL = "karpenter.sh/nodepool"
CLAIM = "gpu"


def resource_name(policy: SharingPolicy, profile: str | None = None) -> str:
    """The extended resource that a pod of this pool asks for.

    :param profile: a MIG profile of the layout, when it has several; else the pool's smallest share.
    :raises PlatformError: the pool has no such resource.
    """
    where = f"node pool {policy.pool}"
    names = resource_names(policy)
    if policy.mode == DRA:
        raise PlatformError(f"{where}: its GPUs are claimed (mode dra), not counted; use its ResourceClaimTemplate")
    if not names:
        raise PlatformError(f"{where}: it has no accelerators")
    if profile is None:
        return main_resource(policy) or names[0]
    if policy.layout is None:
        raise PlatformError(f"{where}: it has no MIG profiles (mode {policy.mode}), found the wish for {profile}")
    known = {one.name: one for one in _profiles(policy)}
    wanted = next((one for one in known.values() if profile in (one.name, one.config_name)), None)
    if wanted is None:
        raise PlatformError(f"{where}: {unknown_name('MIG profile of its layout', profile, known)}")
    candidates = (wanted.resource, f"{wanted.resource}.shared")
    return next((name for name in names if name in candidates), names[0])


def placement(policy: SharingPolicy, *, count: int = 1, profile: str | None = None) -> dict[str, t.Any]:
    """What a pod that wants C(count) shares of this pool says: resources, tolerations and node selector.

    In the mode V(dra) C(resources) names a claim and C(resourceClaims) the template that makes it.

    :raises PlatformError: no node of the pool can give that much, or it would give nothing more.
    """
    found: dict[str, t.Any] = {
        "nodeSelector": {POOL_LABEL: policy.pool},
        "tolerations": [
            {"key": taint["key"], "operator": "Equal", "value": taint["value"], "effect": taint["effect"]}
            for taint in taints(policy)
        ]
        + [{"key": key, "operator": "Exists", "effect": effect} for key, effect in policy.own_taints],
    }
    if policy.mode == DRA:
        found["resources"] = {"claims": [{"name": CLAIM}]}
        found["resourceClaims"] = [{"name": CLAIM, "resourceClaimTemplateName": claim_template_name(policy)}]
        return found
    name = resource_name(policy, profile)
    most = max(allocatable(policy, one).get(name, 0) for one in policy.types)
    if count < 1 or count > most:
        raise PlatformError(f"node pool {policy.pool}: a pod asks for {count} {name}; a node has {most}")
    if count > 1 and policy.replicas > 1:
        raise PlatformError(
            f"node pool {policy.pool}: a pod asks for {count} shares ({name}), which gives no more than one: they may "
            "be shares of one GPU; ask for 1, or use a pool with whole GPUs"
        )
    if count > 1 and policy.layout is not None and name.startswith("nvidia.com/mig-"):
        raise PlatformError(
            f"node pool {policy.pool}: a pod asks for {count} {name}, but a process can use one MIG device only; ask "
            "for 1 of a larger profile"
        )
    found["resources"] = {"requests": {name: str(count)}, "limits": {name: str(count)}}
    return found


def notebook_profiles(policy: SharingPolicy) -> list[dict[str, t.Any]]:
    """Entries of JupyterHub's C(singleuser.profileList), one for each share that the pool offers."""
    if policy.mode == DRA or policy.purpose == "training" or not policy.has_gpu:
        return []
    found: list[dict[str, t.Any]] = []
    wanted: list[str | None] = [one.name for one in _profiles(policy)]
    for profile in wanted or [None]:
        where = placement(policy, profile=profile)
        words = _words(policy, profile)
        found.append(
            {
                "display_name": words[0],
                "slug": f"{policy.pool}-{profile or policy.mode}".replace(".", "-").replace("+", "-").replace("_", "-"),
                "description": words[1],
                "kubespawner_override": {
                    "extra_resource_limits": where["resources"]["limits"],
                    "extra_resource_guarantees": where["resources"]["requests"],
                    "node_selector": where["nodeSelector"],
                    "tolerations": where["tolerations"],
                },
            }
        )
    return found


def _words(policy: SharingPolicy, profile: str | None) -> tuple[str, str]:
    one = policy.types[0]
    gpu = (one.accelerator or "GPU").removeprefix("NVIDIA ")
    shares = f", shared by {policy.replicas}" if policy.replicas > 1 else ""
    if profile is not None:
        memory = next(found.memory_gb for found in _profiles(policy) if found.name == profile)
        return f"{gpu} MIG {profile}{shares}", f"An isolated part of a GPU with {memory} GB of its own memory{shares}"
    if policy.mode == TIME_SLICING:
        return f"{gpu}{shares}", "A GPU in turns with others: neither memory nor faults are isolated"
    if policy.mode == MPS:
        memory = int((one.accelerator_memory_gib or 0) / policy.replicas)
        return f"{gpu}{shares} (MPS)", f"A part of a GPU with about {memory} GiB, used at the same time as others"
    return gpu, f"A whole GPU with {one.accelerator_memory_gib or 0:.0f} GiB"


def node_overlays(policy: SharingPolicy, *, weight: int = 10) -> list[dict[str, t.Any]]:
    """Karpenter NodeOverlays that teach it the resources which no instance type has by itself.

    Karpenter knows C(nvidia.com/gpu) as the physical count only (kubernetes-sigs/karpenter#729), so a pool of a
    Karpenter NodePool of the same name needs them; the feature gate NodeOverlay must be on.
    """
    groups: dict[tuple[tuple[str, int], ...], list[str]] = defaultdict(list)
    for one in policy.types:
        if one.has_gpu and policy.mode in (TIME_SLICING, MIG, MPS):
            groups[tuple(sorted(allocatable(policy, one).items()))].append(one.name)
    return [
        {
            "apiVersion": "karpenter.sh/v1alpha1",
            "kind": "NodeOverlay",
            "metadata": {"name": policy.pool if len(groups) == 1 else f"{policy.pool}-{number}"},
            "spec": {
                "weight": weight,
                "requirements": [
                    {"key": NODEPOOL_LABEL, "operator": "In", "values": [policy.pool]},
                    {"key": INSTANCE_LABEL, "operator": "In", "values": sorted(names)},
                ],
                "capacity": {name: str(count) for name, count in resources},
            },
        }
        for number, (resources, names) in enumerate(sorted(groups.items()), 1)
    ]


def claim_template_name(policy: SharingPolicy, profile: str | None = None) -> str:
    """The name of a pool's ResourceClaimTemplate."""
    return f"{policy.pool}-{profile}".replace("+", ".") if profile else policy.pool


def claim_templates(policy: SharingPolicy, *, namespace: str, count: int = 1) -> list[dict[str, t.Any]]:
    """ResourceClaimTemplates (resource.k8s.io/v1) of a pool: one for whole GPUs, or one for each profile of a layout.

    The layouts of MIG pools are offered in this dialect too, for clusters that claim devices instead of counting them.
    """
    wanted: list[tuple[str, dict[str, t.Any]]] = []
    if policy.mode == DRA:
        wanted.append((claim_template_name(policy), {"deviceClassName": "gpu.nvidia.com", "count": count}))
    for profile in _profiles(policy):
        expression = f"device.attributes['gpu.nvidia.com'].profile == '{profile.name}'"
        request = {
            "deviceClassName": "mig.nvidia.com",
            "count": count,
            "selectors": [{"cel": {"expression": expression}}],
        }
        wanted.append((claim_template_name(policy, profile.name), request))
    return [
        {
            "apiVersion": "resource.k8s.io/v1",
            "kind": "ResourceClaimTemplate",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"spec": {"devices": {"requests": [{"name": CLAIM, "exactly": request}]}}},
        }
        for name, request in wanted
    ]


def product_labels(policies: Iterable[SharingPolicy]) -> list[str]:
    """Values of C(nvidia.com/gpu.product) that dashboards filter by, sorted."""
    found = {product_label(policy, one) for policy in policies for one in policy.types if one.has_gpu}
    return sorted(name for name in found if name)


def named_policy(policies: Sequence[SharingPolicy], pool: str) -> SharingPolicy:
    """The policy of that pool.

    :raises PlatformError: there is no such pool.
    """
    for policy in policies:
        if policy.pool == pool:
            return policy
    known = [policy.pool for policy in policies]
    raise PlatformError(unknown_name("node pool", pool, known) if known else f"no node pool {pool!r}: {listed(known)}")


def _profiles(policy: SharingPolicy) -> list[Profile]:
    if policy.layout is None:
        return []
    target = board(policy.types[0].board or "")
    return [target.profile(name) for name in policy.layout.profiles]


__all__ = (
    "claim_template_name",
    "claim_templates",
    "named_policy",
    "node_overlays",
    "notebook_profiles",
    "placement",
    "product_labels",
    "resource_name",
)
