# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NVIDIA boards that can do MIG, with profiles and placements. Unknown figures are None and are refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from .._core.errors import PlatformError
from .._core.text import unknown_name
from ._data_boards import BOARDS

MEDIA = frozenset({"me", "me.all"})


@dataclass(frozen=True)
class Profile:
    """One MIG profile of one board.

    :param name: as NVIDIA's tools write it, e.g. C(1g.10gb+me).
    :param kind: the same share on every board: C(1g), C(1g2) (double memory), C(3g), C(1g+me)...
    :param resource: the extended resource under the mixed strategy, e.g. C(nvidia.com/mig-1g.10gb.me).
    :param memory_slices: slices of the board's memory.
    :param memory_gb: the number in the name; C(memory_mib) is what the instance reports, in MiB.
    :param starts: legal first memory slices; None where nobody has published them.
    :param size: memory slices that a placement occupies.
    :param smi_id: id of C(nvidia-smi mig -cgi); C(nvml_id): number of the NVML enumeration.
    """

    name: str
    kind: str
    resource: str
    compute_slices: int
    memory_slices: int
    memory_gb: int
    memory_mib: int | None
    multiprocessors: int | None
    engines: Mapping[str, int | None]
    attributes: tuple[str, ...]
    max_instances: int
    smi_id: int | None
    nvml_id: int | None
    starts: tuple[int, ...] | None
    size: int | None
    confidence: str | None
    source: str | None

    @property
    def config_name(self) -> str:
        """The name inside mig-parted's configuration names and resource names: C(+) becomes a dot."""
        return self.name.replace("+", ".")

    @property
    def media(self) -> bool:
        """Whether it holds media engines that only one instance of a GPU can have."""
        return bool(MEDIA & set(self.attributes))


@dataclass(frozen=True)
class Board:
    """One product of NVIDIA.

    :param id: our name, e.g. C(a100-80gb): the memory is part of it, because one family name hides two memories.
    :param memory_slices: length of the memory, in slices; None when unknown.
    :param needs_reset: whether turning MIG mode on or off resets the GPU; None when unknown.
    :param needs_reboot: whether it takes a reboot inside a virtual machine; None when unknown.
    :param engine_totals: media engines of the whole board, where they limit layouts.
    """

    id: str
    products: tuple[str, ...]
    arch: str
    memory_gb: int
    memory_slices: int | None
    compute_slices: int
    pci_device_ids: tuple[str, ...]
    needs_reset: bool | None
    needs_reboot: bool | None
    engine_totals: Mapping[str, int]
    minimum_driver: str | None
    caveat: str | None
    profiles: Mapping[str, Profile]

    @property
    def placements_known(self) -> bool:
        """Whether the placements of every profile are known."""
        return all(profile.starts is not None for profile in self.profiles.values())

    def profile(self, name: str) -> Profile:
        """The profile of that name; the spelling of configuration names is understood too.

        :raises PlatformError: there is none, with the nearest name.
        """
        for profile in self.profiles.values():
            if name in (profile.name, profile.config_name):
                return profile
        raise PlatformError(unknown_name(f"MIG profile of {self.id}", name, self.profiles))

    def by_kind(self, kind: str) -> Profile | None:
        """The profile that is the same share of this board, or None."""
        return next((profile for profile in self.profiles.values() if profile.kind == kind), None)


@cache
def boards() -> Mapping[str, Board]:
    """All boards by id."""
    return {
        record["id"]: Board(
            **{**record, "profiles": {entry["name"]: Profile(**entry) for entry in record["profiles"]}},
        )
        for record in BOARDS
    }


def board(board_id: str) -> Board:
    """The board of that id.

    :raises PlatformError: there is none, with the nearest id.
    """
    found = boards().get(board_id)
    if found is None:
        raise PlatformError(unknown_name("board", board_id, boards()))
    return found


@cache
def twin(board_id: str) -> tuple[Board, Mapping[str, str]]:
    """The first board with the same geometry, and its profile names in this board's words.

    Seven-slice boards differ in names and memory only: what is computed for one holds for all.
    """
    own = board(board_id)
    other = next(entry for entry in boards().values() if _geometry(entry) == _geometry(own))
    return other, dict(zip(other.profiles, own.profiles, strict=True))


def _geometry(target: Board) -> tuple[object, ...]:
    totals = tuple(sorted(target.engine_totals.items()))
    profiles = tuple(
        (
            one.size,
            one.starts,
            one.compute_slices,
            one.max_instances,
            one.attributes,
            [one.engines.get(n) for n, _total in totals],
        )
        for one in target.profiles.values()
    )
    return (target.memory_slices, target.compute_slices, totals, *profiles)


__all__ = ("Board", "Profile", "board", "boards", "twin")
