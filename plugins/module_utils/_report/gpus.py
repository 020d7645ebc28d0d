# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every GPU of a node with its slices and who uses them, from the node's policy and the pods on it. Pure.

Kubernetes says how much of a resource a pod got on a node, not which device: users are given to slices in order.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from .._gpu.boards import board
from .._gpu.geometry import placements
from .._gpu.instances import InstanceType
from .._gpu.policy import DRA, SharingPolicy
from .._gpu.policy_nodes import resource_names
from .._gpu.policy_objects import resource_name

Object = Mapping[str, t.Any]
Slice = dict[str, t.Any]
OVER = ("Succeeded", "Failed")


def node_gpus(policy: SharingPolicy, one: InstanceType, pods: Sequence[Object]) -> list[list[Slice]]:
    """The GPUs of a node, each with its slices from left to right.

    :param pods: the pods on the node.
    :returns: slices C({name, resource, start, size, user}): C(start) and C(size) are parts of 1, C(user) is
        C({namespace, pod}) or None.
    """
    gpus = [_slices(policy, one, counts) for counts in _layouts(policy, one)]
    free: dict[str, list[Slice]] = {}
    for gpu in gpus:
        for part in gpu:
            free.setdefault(part["resource"], []).append(part)
    for pod in sorted(pods, key=_key):
        for resource, count in devices(pod).items():
            waiting = free.get(resource, [])
            for part in waiting[:count]:
                part["user"] = {"namespace": _key(pod)[0], "pod": _key(pod)[1]}
            del waiting[:count]
    return gpus


def devices(pod: Object) -> dict[str, int]:
    """Devices that a running pod holds, by resource."""
    if (pod.get("status") or {}).get("phase") in OVER:
        return {}
    found: Counter[str] = Counter()
    for container in pod["spec"].get("containers") or ():
        for name, amount in ((container.get("resources") or {}).get("limits") or {}).items():
            if name.startswith(("nvidia.com/", "aws.amazon.com/neuron")):
                found[name] += int(amount)
    return dict(found)


def users(gpus: Iterable[Iterable[Slice]]) -> list[dict[str, t.Any]]:
    """Who holds how many slices of what, sorted: C({namespace, pod, resource, count})."""
    found: Counter[tuple[str, str, str]] = Counter()
    for gpu in gpus:
        for part in gpu:
            if part["user"]:
                found[part["user"]["namespace"], part["user"]["pod"], part["resource"]] += 1
    return [
        {"namespace": namespace, "pod": pod, "resource": resource, "count": count}
        for (namespace, pod, resource), count in sorted(found.items())
    ]


def _layouts(policy: SharingPolicy, one: InstanceType) -> Sequence[Mapping[str, int] | None]:
    return policy.layout.per_gpu(one.accelerator_count) if policy.layout else [None] * one.accelerator_count


def _slices(policy: SharingPolicy, one: InstanceType, counts: Mapping[str, int] | None) -> list[Slice]:
    """The slices of one GPU: MIG instances in their places, then the shares of each."""
    instances = [("", 0.0, 1.0)]
    if counts is not None:
        target = board(one.board or "")
        length = target.memory_slices or sum(
            target.profile(name).memory_slices * count for name, count in counts.items()
        )
        placed = placements(target, counts) or ()
        instances = [(place.profile, place.start / length, place.size / length) for place in placed]
    shares = policy.replicas
    return [
        {
            "name": profile or (f"1/{shares}" if shares > 1 else "whole"),
            "resource": _resource(policy, profile),
            "start": round(start + number * size / shares, 4),
            "size": round(size / shares, 4),
            "user": None,
        }
        for profile, start, size in instances
        for number in range(shares)
    ]


def _resource(policy: SharingPolicy, profile: str) -> str:
    if policy.mode == DRA:
        return "gpu.nvidia.com"
    if profile:
        return resource_name(policy, profile)
    whole = [name for name in resource_names(policy) if not name.startswith("nvidia.com/mig-")]
    return whole[0] if whole else resource_name(policy)


def _key(pod: Object) -> tuple[str, str]:
    return pod["metadata"].get("namespace", ""), pod["metadata"]["name"]


__all__ = ("devices", "node_gpus", "users")
