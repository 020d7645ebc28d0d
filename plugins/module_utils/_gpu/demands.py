# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of a plan, and what can answer it: demands, the shares of an instance type, live nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from .._core.errors import PlatformError
from .boards import Board, board
from .instances import InstanceType, instance_type

WHOLE = "gpu"
NO_SPREAD, BY_GPU, BY_NODE = "none", "gpu", "node"
GB_PER_GIB, GB_PER_MIB = 2**30 / 1e9, 2**20 / 1e9
# The EKS images run these with coherent driver memory, under which MIG is not supported (facts/gpu-sharing.md §3).
NO_MIG_ON_EKS = frozenset({"gb200", "gb300"})


@dataclass(frozen=True)
class Slot:
    """Something that one instance of a demand can occupy: a MIG instance or a whole GPU.

    :param name: the profile's name, or V(gpu).
    :param memory_gb: in 10^9 bytes, as the instance reports it.
    :param compute_slices: in slices of its board; None where the board has none.
    """

    name: str
    memory_gb: float
    compute_slices: int | None
    special: bool = False


@dataclass(frozen=True)
class Demand:
    """A number of equal instances.

    :param profile: the MIG profile that it must be, or V(gpu) for a whole GPU; otherwise the two minima count.
    :param memory_gb: at least so much memory, in 10^9 bytes.
    :param compute_slices: at least so many compute slices, of whatever board.
    :param boards: only on these boards; empty for any.
    :param spread: V(gpu): no two on one GPU; V(node): no two on one node.
    :param isolated: no instance of another demand on the same GPU.
    """

    name: str
    count: int
    profile: str | None = None
    memory_gb: float = 0.0
    compute_slices: int = 0
    boards: tuple[str, ...] = ()
    spread: str = NO_SPREAD
    isolated: bool = False

    def accepts(self, slot: Slot, board_id: str | None) -> bool:
        """Whether such a slot of such a board will do."""
        if self.boards and board_id not in self.boards:
            return False
        if self.profile is not None:
            return slot.name == self.profile
        if slot.special or slot.memory_gb < self.memory_gb:
            return False
        return not self.compute_slices or (slot.compute_slices or 0) >= self.compute_slices


@dataclass(frozen=True)
class Offer:
    """An instance type that may be bought.

    :param price: USD per hour.
    :param most: nodes at most; None for any number.
    """

    one: InstanceType
    price: float
    most: int | None = None


@dataclass(frozen=True)
class LiveGpu:
    """A GPU as it is.

    :param layout: profile -> instances; None when MIG is off.
    :param used: (demand, slot) -> running instances.
    """

    layout: tuple[tuple[str, int], ...] | None = None
    used: tuple[tuple[tuple[str, str], int], ...] = ()

    @property
    def slots(self) -> dict[str, int]:
        """What it offers as it is."""
        return {WHOLE: 1} if self.layout is None else dict(self.layout)


@dataclass(frozen=True)
class LiveNode:
    """A node as it is."""

    name: str
    one: InstanceType
    gpus: tuple[LiveGpu, ...] = field(default_factory=tuple)


def mig_board(one: InstanceType) -> Board | None:
    """The board on which MIG can be planned; None where it cannot."""
    if one.board is None or one.board in NO_MIG_ON_EKS:
        return None
    target = board(one.board)
    return target if target.placements_known else None


@cache
def slots(type_name: str) -> Mapping[str, Slot]:
    """Everything that a GPU of an instance type can be cut into, the whole GPU included."""
    one = instance_type(type_name)
    target = mig_board(one)
    memory = (one.accelerator_memory_gib or 0) * GB_PER_GIB
    found = {WHOLE: Slot(WHOLE, memory, board(one.board).compute_slices if one.board else None)}
    for profile in target.profiles.values() if target else ():
        mib = profile.memory_mib
        size = profile.memory_gb if mib is None else mib * GB_PER_MIB
        found[profile.name] = Slot(profile.name, size, profile.compute_slices, bool(profile.attributes))
    return found


def why_unplanned(one: InstanceType) -> str:
    """Why an instance type offers whole GPUs only; empty when it offers MIG instances too."""
    if one.board is None:
        return f"{one.name} ({one.accelerator}) cannot do MIG"
    if one.board in NO_MIG_ON_EKS:
        return f"{one.name}: the EKS images run it with coherent driver memory (CDMM), which does not support MIG"
    if not board(one.board).placements_known:
        return f"{one.name}: the MIG placements of {one.board} are not published"
    return ""


def require_gpu(one: InstanceType) -> InstanceType:
    """The instance type itself.

    :raises PlatformError: it has no NVIDIA GPU.
    """
    if not one.has_gpu:
        raise PlatformError(f"{one.name} has no NVIDIA GPU; the planner plans GPUs only")
    return one


__all__ = (
    "BY_GPU",
    "BY_NODE",
    "NO_SPREAD",
    "WHOLE",
    "Demand",
    "LiveGpu",
    "LiveNode",
    "Offer",
    "Slot",
    "mig_board",
    "require_gpu",
    "slots",
    "why_unplanned",
)
