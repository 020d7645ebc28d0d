# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EC2 instance types: what a node of each has. Accelerated types are in a table, general ones from their family."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from .._core.errors import PlatformError
from .._core.text import unknown_name
from ._data_instances import INSTANCES

# Families of general-purpose types: GiB per vCPU, USD per vCPU and hour (us-east-1, Linux, on demand; linear in size),
# architecture and the largest size's vCPUs. Source: the public price list and instance type pages of EC2, 2026-07.
FAMILIES: Mapping[str, tuple[float, float, str, int]] = {
    "m7i": (4, 0.0504, "amd64", 192),
    "m7a": (4, 0.05796, "amd64", 192),
    "m7g": (4, 0.0408, "arm64", 64),
    "m6i": (4, 0.048, "amd64", 128),
    "m5": (4, 0.048, "amd64", 96),
    "c7i": (2, 0.044625, "amd64", 192),
    "c7g": (2, 0.03625, "arm64", 64),
    "c6i": (2, 0.0425, "amd64", 128),
    "r7i": (8, 0.06615, "amd64", 192),
    "r7g": (8, 0.05355, "arm64", 64),
    "r6i": (8, 0.063, "amd64", 128),
}
SIZES = {
    "large": 2,
    "xlarge": 4,
    "2xlarge": 8,
    "4xlarge": 16,
    "8xlarge": 32,
    "12xlarge": 48,
    "16xlarge": 64,
    "24xlarge": 96,
    "32xlarge": 128,
    "48xlarge": 192,
}
# Burstable types are not linear: name -> vCPU, GiB, USD per hour.
BURSTABLE = {
    "t3.medium": (2, 4, 0.0416),
    "t3.large": (2, 8, 0.0832),
    "t3.xlarge": (4, 16, 0.1664),
    "t3.2xlarge": (8, 32, 0.3328),
}


@dataclass(frozen=True)
class InstanceType:
    """What one instance has.

    :param arch: C(amd64) or C(arm64).
    :param accelerator_kind: C(nvidia-gpu), C(neuron)... as the table says it; None without accelerators.
    :param board: id of the MIG board, None when the accelerator cannot do MIG.
    :param resource: extended resource of a whole accelerator, e.g. C(nvidia.com/gpu).
    :param product_label: value of C(nvidia.com/gpu.product) as GPU feature discovery writes it; None when unknown.
    :param price: USD per hour, us-east-1, Linux on demand; None when unknown.
    """

    name: str
    arch: str
    vcpu: int
    memory_gib: float
    accelerator_kind: str | None = None
    accelerator: str | None = None
    accelerator_arch: str | None = None
    accelerator_count: int = 0
    accelerator_memory_gib: float | None = None
    neuron_cores: int | None = None
    resource: str | None = None
    board: str | None = None
    mig_capable: bool = False
    mig_note: str | None = None
    product_label: str | None = None
    efa_interfaces: int = 0
    local_nvme_gb: float = 0
    price: float | None = None
    capacity_blocks: bool = False

    @property
    def family(self) -> str:
        """The part before the dot."""
        return self.name.partition(".")[0]

    @property
    def has_gpu(self) -> bool:
        """Whether it has NVIDIA GPUs."""
        return self.resource == "nvidia.com/gpu"

    @property
    def has_neuron(self) -> bool:
        """Whether it has Trainium or Inferentia devices."""
        return bool(self.accelerator_count) and not self.has_gpu


@cache
def instance_types() -> Mapping[str, InstanceType]:
    """All instance types that we know, by name."""
    accelerated = {record["name"]: InstanceType(**_without_none(record)) for record in INSTANCES}
    return {**_general(), **accelerated}


def _without_none(record: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Absent counts are zero, other absent figures stay None."""
    zero = ("accelerator_count", "efa_interfaces", "local_nvme_gb")
    return {key: (0 if value is None and key in zero else value) for key, value in record.items()}


def _general() -> dict[str, InstanceType]:
    found = {
        name: InstanceType(name=name, arch="amd64", vcpu=vcpu, memory_gib=gib, price=price)
        for name, (vcpu, gib, price) in BURSTABLE.items()
    }
    for family, (ratio, price, arch, most) in FAMILIES.items():
        for size, vcpu in SIZES.items():
            if vcpu <= most:
                name = f"{family}.{size}"
                found[name] = InstanceType(
                    name=name, arch=arch, vcpu=vcpu, memory_gib=vcpu * ratio, price=round(vcpu * price, 5)
                )
    return found


def instance_type(name: str) -> InstanceType:
    """The instance type of that name.

    :raises PlatformError: we have no figures for it, with the nearest name.
    """
    found = instance_types().get(name)
    if found is None:
        known = [other for other in instance_types() if other.partition(".")[0] == name.partition(".")[0]]
        raise PlatformError(unknown_name("instance type", name, known or instance_types()))
    return found


__all__ = ("InstanceType", "instance_type", "instance_types")
