# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What NVIDIA's device plugin publishes and what GPU feature discovery writes on the node.

Sources: facts/gpu-sharing.md §1.5, facts/mock-nvml.md (results of the real programs against a mock driver).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ..._core.errors import PlatformError
from .hardware import Board, Gpus
from .model import Machine
from .plugin_config import MIXED, MPS, NONE, SINGLE, Sharing

GPU = "nvidia.com/gpu"
DRIVER = ("580", "95", "05")  # of the AL2023 NVIDIA image; CUDA 13.0
CUDA = ("13", "0")
CAPABILITY = {
    "volta": (7, 0), "turing": (7, 5), "ampere": (8, 0), "ada": (8, 9), "hopper": (9, 0), "blackwell": (10, 0),
    "blackwell-gb20x": (12, 0),
}  # fmt: skip
FAMILY = {"ada": "ada-lovelace", "blackwell-gb20x": "blackwell"}
OWNED = re.compile(
    r"^nvidia\.com/(gpu\.(product|count|replicas|sharing-strategy|memory|family|machine|mode|multiprocessors"
    r"|compute\.(major|minor)|slices\.(gi|ci)|engines\.\w+)|mig-.+\..+|mig\.(strategy|capable)|mps\.capable|vgpu\.present|cuda\..+)$"
)
UNFIT = re.compile(r"[^A-Za-z0-9\-_. ]")


@dataclass(frozen=True)
class Equipment:
    """The accelerators of one node as the programs see them.

    :param board: the MIG side of the GPUs; None when they cannot do MIG.
    """

    machine: Machine
    board: Board | None
    gpus: Gpus


def mig_resource(profile: str) -> str:
    """The resource of a MIG profile under the strategy V(mixed)."""
    return f"nvidia.com/mig-{profile.replace('+', '.')}"


def resources(equipment: Equipment, *, strategy: str, sharing: Sharing) -> dict[str, int]:
    """Resource name -> devices that the kubelet gets to know.

    :raises PlatformError: the plugin ends with this error instead.
    """
    _check_mps(equipment, strategy, sharing)
    found = devices(equipment, strategy=strategy)
    return {sharing.published(name): count * sharing.of(name) for name, count in found.items()}


def devices(equipment: Equipment, *, strategy: str) -> dict[str, int]:
    """Resource name -> devices, before sharing.

    :raises PlatformError: the strategy V(single) and GPUs that differ.
    """
    gpus = equipment.gpus
    if strategy == NONE or not any(gpu.mig for gpu in gpus):
        return {GPU: len(gpus)} if gpus else {}
    profiles = _profiles(gpus)
    if strategy == SINGLE:
        if fault := single_fault(gpus):
            raise PlatformError(f"invalid MIG configuration: {fault}")
        return {GPU: profiles.total()}
    whole = sum(not gpu.mig for gpu in gpus)
    return {**({GPU: whole} if whole else {}), **{mig_resource(name): n for name, n in sorted(profiles.items())}}


def single_fault(gpus: Gpus) -> str:
    """Why the strategy V(single) refuses these GPUs; empty when it does not."""
    if not any(gpu.mig for gpu in gpus):
        return ""
    if any(gpu.mig and not gpu.instances for gpu in gpus):
        return "at least one device with migEnabled=true was not configured correctly: no MIG devices"
    if not all(gpu.mig for gpu in gpus):
        return "all devices on the node must be configured with the same migEnabled value"
    if len(_profiles(gpus)) > 1:
        return "more than one MIG device type present on node"
    return ""


def labels(equipment: Equipment, *, strategy: str, sharing: Sharing) -> dict[str, str]:
    """All labels that GPU feature discovery writes for these GPUs.

    :raises PlatformError: GPU feature discovery ends with this error instead.
    """
    _check_mps(equipment, strategy, sharing)
    if not equipment.gpus:
        return {}
    found = {**_node_labels(equipment, sharing), **_gpu_labels(equipment, sharing)}
    if strategy != NONE:
        found["nvidia.com/mig.strategy"] = strategy
    if strategy == MIXED:
        for profile in _profiles(equipment.gpus):
            found |= _mig_labels(equipment, profile, mig_resource(profile), sharing)
    elif strategy == SINGLE and any(gpu.mig for gpu in equipment.gpus):
        found |= _single_labels(equipment, sharing)
    return found


def _single_labels(equipment: Equipment, sharing: Sharing) -> dict[str, str]:
    if single_fault(equipment.gpus):
        product = f"{_clean(equipment.machine.gpu_name)}-MIG-INVALID"
        return {f"{GPU}.product": product, f"{GPU}.count": "0", f"{GPU}.replicas": "0", f"{GPU}.memory": "0"}
    (profile,) = _profiles(equipment.gpus)
    return _mig_labels(equipment, profile, GPU, sharing)


def _node_labels(equipment: Equipment, sharing: Sharing) -> dict[str, str]:
    major, minor, revision = DRIVER
    return {
        "nvidia.com/cuda.driver.major": major,
        "nvidia.com/cuda.driver.minor": minor,
        "nvidia.com/cuda.driver.rev": revision,
        "nvidia.com/cuda.runtime.major": CUDA[0],
        "nvidia.com/cuda.runtime.minor": CUDA[1],
        "nvidia.com/cuda.driver-version.major": major,
        "nvidia.com/cuda.driver-version.minor": minor,
        "nvidia.com/cuda.driver-version.revision": revision,
        "nvidia.com/cuda.driver-version.full": ".".join(DRIVER),
        "nvidia.com/cuda.runtime-version.major": CUDA[0],
        "nvidia.com/cuda.runtime-version.minor": CUDA[1],
        "nvidia.com/cuda.runtime-version.full": ".".join(CUDA),
        "nvidia.com/gpu.machine": equipment.machine.instance_type,
        "nvidia.com/gpu.mode": "compute",
        "nvidia.com/mig.capable": "true" if equipment.board else "false",
        "nvidia.com/mps.capable": "true" if sharing.strategy == MPS else "false",
        "nvidia.com/vgpu.present": "false",
    }


def _gpu_labels(equipment: Equipment, sharing: Sharing) -> dict[str, str]:
    machine, gpus = equipment.machine, equipment.gpus
    whole = any(not gpu.mig for gpu in gpus)
    found = _base_labels(GPU, [machine.gpu_name], len(gpus), sharing if whole else None)
    major, minor = capability(machine)
    if machine.gpu_memory_mib:
        found[f"{GPU}.memory"] = str(machine.gpu_memory_mib)
    if major:
        found[f"{GPU}.family"] = FAMILY.get(machine.gpu_arch, machine.gpu_arch)
        found[f"{GPU}.compute.major"] = str(major)
        found[f"{GPU}.compute.minor"] = str(minor)
    return found


def capability(machine: Machine) -> tuple[int, int]:
    """The GPU's compute capability; zeros when it is unknown."""
    major, minor = CAPABILITY.get(machine.gpu_arch, (0, 0))
    return (major, 6) if machine.gpu_name.endswith("A10G") else (major, minor)


def _mig_labels(equipment: Equipment, profile: str, resource: str, sharing: Sharing) -> dict[str, str]:
    count = _profiles(equipment.gpus)[profile]
    parts = [equipment.machine.gpu_name, "MIG", profile.replace("+", ".")]
    attributes: Mapping[str, int] = equipment.board.profiles[profile].attributes if equipment.board else {}
    return {
        **_base_labels(resource, parts, count, sharing),
        **{f"{resource}.{name}": str(value) for name, value in attributes.items()},
    }


def _base_labels(resource: str, parts: list[str], count: int, sharing: Sharing | None) -> dict[str, str]:
    replicas = sharing.of(resource) if sharing else 0
    words = [_clean(part) for part in parts]
    if sharing and replicas > 1 and not sharing.renamed:
        words.append("SHARED")
    return {
        f"{resource}.product": "-".join(words),
        f"{resource}.count": str(count),
        f"{resource}.replicas": str(replicas),
        f"{resource}.sharing-strategy": sharing.strategy if sharing and replicas > 1 else NONE,
    }


def _check_mps(equipment: Equipment, strategy: str, sharing: Sharing) -> None:
    if sharing.strategy != MPS:
        return
    if strategy == MIXED:
        raise PlatformError("using --mig-strategy=mixed is not supported with MPS")
    if any(gpu.mig for gpu in equipment.gpus):
        raise PlatformError("MPS sharing is not supported for mig devices")


def _profiles(gpus: Gpus) -> Counter[str]:
    return sum((gpu.counts for gpu in gpus), Counter())


def _clean(name: str) -> str:
    return "-".join(UNFIT.sub("", name).split())


__all__ = ("GPU", "OWNED", "Equipment", "capability", "devices", "labels", "mig_resource", "resources", "single_fault")
