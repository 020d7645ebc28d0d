# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which AMI type a node pool gets: from its instance types, or refused when the wish cannot boot."""

from __future__ import annotations

from collections.abc import Sequence

from .._core.errors import PlatformError
from .instances import Accelerator, InstanceFacts

CUSTOM = "CUSTOM"
FAMILIES = ("al2023", "bottlerocket", "bottlerocket_fips")
# (family, architecture, accelerator) -> amiType of the EKS API 2017-11-01; AL2 images ended on 2025-11-26.
AMI_TYPES: dict[tuple[str, str, Accelerator], str] = {
    ("al2023", "x86_64", "none"): "AL2023_x86_64_STANDARD",
    ("al2023", "x86_64", "nvidia"): "AL2023_x86_64_NVIDIA",
    ("al2023", "x86_64", "neuron"): "AL2023_x86_64_NEURON",
    ("al2023", "arm64", "none"): "AL2023_ARM_64_STANDARD",
    ("al2023", "arm64", "nvidia"): "AL2023_ARM_64_NVIDIA",
    ("bottlerocket", "x86_64", "none"): "BOTTLEROCKET_x86_64",
    ("bottlerocket", "x86_64", "nvidia"): "BOTTLEROCKET_x86_64_NVIDIA",
    ("bottlerocket", "arm64", "none"): "BOTTLEROCKET_ARM_64",
    ("bottlerocket", "arm64", "nvidia"): "BOTTLEROCKET_ARM_64_NVIDIA",
    ("bottlerocket_fips", "x86_64", "none"): "BOTTLEROCKET_x86_64_FIPS",
    ("bottlerocket_fips", "x86_64", "nvidia"): "BOTTLEROCKET_x86_64_NVIDIA_FIPS",
    ("bottlerocket_fips", "arm64", "none"): "BOTTLEROCKET_ARM_64_FIPS",
    ("bottlerocket_fips", "arm64", "nvidia"): "BOTTLEROCKET_ARM_64_NVIDIA_FIPS",
}
WINDOWS = tuple(f"WINDOWS_{kind}_{year}_x86_64" for kind in ("CORE", "FULL") for year in (2019, 2022, 2025))
CHOICES = (*sorted(AMI_TYPES.values()), *WINDOWS)


def ami_type_for(instances: Sequence[InstanceFacts], *, family: str, of: str) -> str:
    """The AMI type of these instance types.

    :param of: the pool in words, for the sentence.
    :raises PlatformError: when they need different images, or the family has none for them.
    """
    kinds = sorted({(one.architecture, one.accelerator) for one in instances})
    if len(kinds) > 1:
        mixed = ", ".join(f"{one.name} ({one.architecture}, {_with(one.accelerator)})" for one in instances)
        raise PlatformError(
            f"{of}: one pool has one image, but its instance types need several: {mixed}; split the pool"
        )
    architecture, accelerator = kinds[0]
    found = AMI_TYPES.get((family, architecture, accelerator))
    if found is None:
        raise PlatformError(
            f"{of}: there is no {family} image for {architecture} {_with(accelerator)}; use ami_family al2023 or ami_id"
        )
    return found


def check_ami_type(ami_type: str, instances: Sequence[InstanceFacts], *, of: str) -> list[str]:
    """Refuse an image that cannot boot on an instance type; return warnings about one that boots but disappoints.

    :raises PlatformError: naming the image and the instance type.
    """
    warnings = []
    for one in instances:
        if (architecture := architecture_of(ami_type)) != one.architecture:
            raise PlatformError(
                f"{of}: ami_type {ami_type} is for {architecture}, but {one.name} is {one.architecture}"
            )
        if (needed := accelerator_of(ami_type)) not in ("none", one.accelerator):
            raise PlatformError(
                f"{of}: ami_type {ami_type} is for {needed}, but {one.name} has {_with(one.accelerator)}"
            )
        if one.accelerator != "none" and needed == "none":
            warnings.append(f"{of}: ami_type {ami_type} brings no {one.accelerator} driver for {one.name}")
    return warnings


def architecture_of(ami_type: str) -> str:
    """C(arm64) or C(x86_64)."""
    return "arm64" if "ARM_64" in ami_type else "x86_64"


def accelerator_of(ami_type: str) -> Accelerator:
    """What the image has drivers for."""
    if "NVIDIA" in ami_type:
        return "nvidia"
    return "neuron" if "NEURON" in ami_type else "none"


def is_bottlerocket(ami_type: str) -> bool:
    """Whether user data is TOML and the second volume holds the data."""
    return ami_type.startswith("BOTTLEROCKET")


def _with(accelerator: Accelerator) -> str:
    return {"nvidia": "an NVIDIA GPU", "neuron": "Neuron", "none": "no accelerator"}[accelerator]


__all__ = (
    "AMI_TYPES",
    "CHOICES",
    "CUSTOM",
    "FAMILIES",
    "accelerator_of",
    "ami_type_for",
    "architecture_of",
    "check_ami_type",
    "is_bottlerocket",
)
