# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a pool's C(gpu_sharing) may say: its words, and the combinations that do harm.

Sources of the rules: facts/gpu-sharing.md §1.3, §1.5, §2, §3, §5 and facts/components.md §1.2.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from .._core.errors import PlatformError
from .._core.text import listed, unknown_name
from .instances import InstanceType

EXCLUSIVE, TIME_SLICING, MIG, MPS, DRA = "exclusive", "time_slicing", "mig", "mps", "dra"
PURPOSES = ("general", "notebooks", "inference", "training")
REPLICATION = ("replicas", "rename", "fail_requests_greater_than_one")
# Which keys a mode understands, besides mode itself.
KEYS: Mapping[str, tuple[str, ...]] = {
    EXCLUSIVE: (),
    TIME_SLICING: REPLICATION,
    MIG: ("layout", "applied_by", *REPLICATION),
    MPS: REPLICATION,
    DRA: (),
}
APPLIED_BY = ("mig_manager", "user_data")
MPS_CLIENTS, MPS_CLIENTS_VOLTA = 48, 16


def check_keys(sharing: Mapping[str, t.Any], mode: str, where: str) -> None:
    """Refuse modes and keys that there are not, and keys that do nothing in the mode."""
    if mode not in KEYS:
        raise PlatformError(f"{where}: gpu_sharing.mode: {unknown_name('mode', mode, KEYS)}")
    every = {"mode", *(key for keys in KEYS.values() for key in keys)}
    for key in sharing:
        if key not in every:
            raise PlatformError(f"{where}: {unknown_name('key of gpu_sharing', str(key), every)}")
        if key != "mode" and key not in KEYS[mode]:
            modes = [other for other, keys in KEYS.items() if key in keys]
            raise PlatformError(
                f"{where}: gpu_sharing.{key} does nothing in mode {mode}; it belongs to mode "
                f"{listed(modes, conjunction='or')}"
            )
    if mode == MIG and "layout" not in sharing:
        raise PlatformError(f"{where}: gpu_sharing.mode is mig without a layout, e.g. layout: {{3g.40gb: 2}}")
    if sharing.get("applied_by", APPLIED_BY[0]) not in APPLIED_BY:
        raise PlatformError(
            f"{where}: {unknown_name('gpu_sharing.applied_by', str(sharing['applied_by']), APPLIED_BY)}"
        )


def check_accelerators(types: Sequence[InstanceType], mode: str, where: str) -> None:
    """Refuse different accelerators in one pool, and the sharing of what is no GPU."""
    kinds = {one.resource for one in types}
    if len(kinds) > 1:
        shown = listed(f"{one.name} ({one.resource or 'none'})" for one in types)
        raise PlatformError(f"{where}: the instance types have different accelerators: {shown}; use a pool for each")
    if mode == EXCLUSIVE:
        return
    if not any(one.has_gpu for one in types):
        kind = (
            "Neuron devices, which are shared by the core, not by a mode" if types and types[0].has_neuron else "no GPU"
        )
        shown = listed(one.name for one in types) or "the pool without instance types"
        raise PlatformError(f"{where}: gpu_sharing.mode is {mode}, but {shown} has {kind}; leave gpu_sharing out")


def check_harm(pool: Mapping[str, t.Any], mode: str, purpose: str, mig_strategy: str, where: str) -> None:
    """Refuse combinations that work badly or not at all."""
    distributed = purpose == "training" or pool.get("efa")
    reason = "its purpose is training" if purpose == "training" else "it has EFA for multi-node work"
    if mode == MIG and distributed:
        raise PlatformError(
            f"{where}: MIG switches NVLink and peer-to-peer off, and a process can use one MIG device only, but "
            f"{reason}; use whole GPUs (mode exclusive)"
        )
    if mode in (TIME_SLICING, MPS) and distributed:
        raise PlatformError(
            f"{where}: NCCL does not support several ranks on one shared GPU, but {reason}; use whole GPUs "
            "(mode exclusive)"
        )
    if mode == MPS and mig_strategy == "mixed":
        # The plugin of an MPS node refuses the cluster-wide strategy mixed (k8s-device-plugin api/config/v1).
        raise PlatformError(
            f"{where}: the device plugin refuses mps while the cluster's MIG strategy is mixed; use time_slicing, or "
            "set the strategy to single or none (MIG pools then need one profile on every GPU)"
        )
    if mode == DRA and is_bottlerocket(pool):
        raise PlatformError(
            f"{where}: Bottlerocket has a device plugin of its own, and DRA beside a device plugin counts each GPU "
            "twice; use ami_family al2023"
        )


def is_bottlerocket(pool: Mapping[str, t.Any]) -> bool:
    """Whether the pool's nodes run Bottlerocket, whose own device plugin does the sharing."""
    image = str(pool.get("ami_type") or pool.get("ami_family") or "")
    return image.lower().startswith("bottlerocket")


def replication(
    sharing: Mapping[str, t.Any], mode: str, types: Sequence[InstanceType], where: str
) -> tuple[int, bool, bool]:
    """The pods that share a device, whether shares are renamed, and whether a request for two of them fails."""
    replicas = sharing.get("replicas", None if mode in (TIME_SLICING, MPS) else 1)
    said = mode in (TIME_SLICING, MPS) or "replicas" in sharing
    if said and (not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 2):
        raise PlatformError(
            f"{where}: gpu_sharing.replicas is {replicas!r}; the device plugin wants 2 or more (for no sharing take "
            "mode exclusive)"
        )
    if mode == MPS:
        old = any(one.accelerator_arch == "volta" for one in types)
        most = MPS_CLIENTS_VOLTA if old else MPS_CLIENTS
        if int(replicas or 0) > most:
            raise PlatformError(f"{where}: gpu_sharing.replicas is {replicas}; MPS serves at most {most} clients a GPU")
    rename, strict = (_flag(sharing, key, where) for key in ("rename", "fail_requests_greater_than_one"))
    shares = int(replicas or 1)
    return shares, rename and shares > 1, strict and shares > 1


def _flag(sharing: Mapping[str, t.Any], key: str, where: str) -> bool:
    value = sharing.get(key, True)
    if not isinstance(value, bool):
        raise PlatformError(f"{where}: gpu_sharing.{key} is {value!r}; wanted is true or false")
    return value


__all__ = (
    "DRA",
    "EXCLUSIVE",
    "MIG",
    "MPS",
    "PURPOSES",
    "TIME_SLICING",
    "check_accelerators",
    "check_harm",
    "check_keys",
    "is_bottlerocket",
    "replication",
)
