# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instance types and boards as the simulator needs them, from the collection's own tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from ..._core.errors import PlatformError
from ..._gpu import boards as tables
from ..._gpu.instances import InstanceType, instance_type
from .hardware import Board, Profile
from .model import Machine

NVIDIA, NEURON = "nvidia-gpu", "aws-neuron"
# MiB that NVML reports for the whole GPU (facts/mock-nvml.md; A10G seen in public logs); else the figure of EC2.
NVML_MEMORY = {
    "a30-24gb": 24576,
    "a100-40gb": 40960,
    "a100-80gb": 81920,
    "h100-80gb": 81559,
    "h200-141gb": 143771,
    "b200-180gb": 183359,
}
NVML_MEMORY_BY_PRODUCT = {"NVIDIA-A10G": 23028, "NVIDIA-L4": 23034, "NVIDIA-L40S": 46068, "Tesla-T4": 15360}
FAMILY_MODEL = "h100-80gb"  # a seven-slice board whose placements are measured


class Catalogue:
    """Looks up instance types and boards; both are remembered."""

    def machine(self, name: str) -> Machine | None:
        """The instance type, or None when nobody knows it."""
        return _machine(name) if name else None

    def board(self, name: str) -> Board:
        """The MIG side of a board.

        :raises PlatformError: there is none of that id.
        """
        return _board(name)


@cache
def _machine(name: str) -> Machine | None:
    try:
        found = instance_type(name)
    except PlatformError:
        return None
    nvidia = found.accelerator_kind == NVIDIA
    neuron = found.accelerator_kind == NEURON
    return Machine(
        instance_type=name,
        arch=found.arch,
        vcpus=found.vcpu,
        memory_mib=int(found.memory_gib * 1024),
        gpus=found.accelerator_count if nvidia else 0,
        gpu_name=found.product_label or (found.accelerator or "") if nvidia else "",
        gpu_memory_mib=_gpu_memory(found) if nvidia else 0,
        gpu_arch=found.accelerator_arch or "",
        board=found.board or "",
        neuron_devices=found.accelerator_count if neuron else 0,
        neuron_cores=(found.neuron_cores or 0) if neuron else 0,
        efa=found.efa_interfaces,
    )


def _gpu_memory(found: InstanceType) -> int:
    known = NVML_MEMORY.get(found.board or "") or NVML_MEMORY_BY_PRODUCT.get(found.product_label or "")
    return known or int((found.accelerator_memory_gib or 0) * 1024)


@cache
def _board(name: str) -> Board:
    board = tables.board(name)
    profiles = (_profile(profile) for profile in board.profiles.values())
    return Board(
        name=name,
        profiles={profile.name: profile for profile in profiles if profile.starts},
        pci_ids=frozenset(board.pci_device_ids),
        needs_reset=bool(board.needs_reboot),
    )


def _profile(profile: tables.Profile) -> Profile:
    """A profile whose placements nobody published gets those of its family: the simulator has to play some hardware."""
    model = profile if profile.starts is not None else tables.board(FAMILY_MODEL).by_kind(profile.kind)
    return Profile(
        name=profile.name,
        compute=profile.compute_slices,
        size=(model.size if model else None) or profile.memory_slices,
        starts=(model.starts if model else None) or (),
        most=profile.max_instances,
        media=profile.media,
        attributes=_attributes(profile),
    )


def _attributes(profile: tables.Profile) -> Mapping[str, int]:
    engines = profile.engines
    named: dict[str, int | None] = {
        "memory": profile.memory_mib,
        "multiprocessors": profile.multiprocessors,
        "slices.gi": profile.compute_slices,
        "slices.ci": profile.compute_slices,
        "engines.copy": engines.get("copy_engines"),
        "engines.decoder": engines.get("decoders"),
        "engines.encoder": engines.get("encoders"),
        "engines.jpeg": engines.get("jpeg"),
        "engines.ofa": engines.get("ofa"),
    }
    return {name: value for name, value in named.items() if value is not None}


__all__ = ("Catalogue",)
