# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GPUs with MIG as the driver keeps them: mode, instances, and the choice of a place for each new instance.

The driver's own choice is not documented (facts/gpu-sharing.md §7), so three are played: the lowest legal start, the
highest, and any. A layout that survives all three survives every driver.
"""

from __future__ import annotations

import json
import random
import typing as t
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..._core.errors import PlatformError
from .mig_parted import Entry

Choice = Callable[[Sequence[int]], int]


@dataclass(frozen=True)
class Profile:
    """A MIG profile of a board.

    :param size: memory slices.
    :param starts: the legal first memory slices.
    :param media: it takes media engines that only one instance of a GPU can have.
    :param attributes: what GFD publishes: memory, multiprocessors, slices.gi, engines.copy and so on.
    """

    name: str
    compute: int
    size: int
    starts: tuple[int, ...]
    most: int
    media: bool = False
    attributes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Board:
    """A GPU board that can do MIG.

    :param pci_ids: C(0xDDDDVVVV), for device-filter.
    :param needs_reset: a change of the mode waits for a reset, which a passed-through GPU gets by a reboot only.
    """

    name: str
    profiles: Mapping[str, Profile]
    pci_ids: frozenset[str] = frozenset()
    needs_reset: bool = False


@dataclass(frozen=True)
class Gpu:
    """One GPU: its MIG mode and its instances as (profile, start)."""

    mig: bool = False
    instances: tuple[tuple[str, int], ...] = ()

    @property
    def counts(self) -> Counter[str]:
        """Instances per profile."""
        return Counter(profile for profile, _start in self.instances)


Gpus = tuple[Gpu, ...]


def chooser(placement: str, seed: int) -> Choice:
    """The driver's rule: V(lowest), V(highest) or V(random)."""
    if placement == "random":
        dice = random.Random(seed)  # noqa: S311 (a simulation, no secret)
        return lambda starts: dice.choice(list(starts))
    return max if placement == "highest" else min


def place(board: Board, gpu: Gpu, name: str, choose: Choice) -> Gpu | None:
    """The GPU with one more instance, or None when there is no room."""
    profile = board.profiles[name]
    used = {slot for other, start in gpu.instances for slot in range(start, start + board.profiles[other].size)}
    media = any(board.profiles[other].media for other, _start in gpu.instances)
    if gpu.counts[name] >= profile.most or (media and profile.media):
        return None
    free = [start for start in profile.starts if used.isdisjoint(range(start, start + profile.size))]
    return replace(gpu, instances=(*gpu.instances, (name, choose(free)))) if free else None


def partition(board: Board, wanted: Mapping[str, int], choose: Choice) -> Gpu:
    """A cleared GPU in MIG mode with these instances, made in the first order that works, larger profiles first.

    :raises PlatformError: a profile is unknown to the board, or no order works.
    """
    for name in wanted:
        if name not in board.profiles:
            raise PlatformError(f"error getting GPU instance profile info for {name!r}: Not Supported ({board.name})")
    ordered = sorted(wanted, key=lambda name: (-board.profiles[name].compute, -board.profiles[name].size, name))
    if any(count > board.profiles[name].most for name, count in wanted.items()):
        raise PlatformError("error attempting multiple config orderings: all orderings failed")
    for order in _orders({name: wanted[name] for name in ordered}):
        gpu: Gpu | None = Gpu(mig=True)
        for name in order:
            gpu = place(board, gpu, name, choose) if gpu else None
        if gpu:
            return gpu
    raise PlatformError("error attempting multiple config orderings: all orderings failed")


def _orders(counts: dict[str, int]) -> Iterator[tuple[str, ...]]:
    """Each distinct order once."""
    left = [name for name, count in counts.items() if count]
    if not left:
        yield ()
    for name in left:
        for rest in _orders({**counts, name: counts[name] - 1}):
            yield (name, *rest)


def aims(board: Board | None, gpus: Gpus, layout: Sequence[Entry]) -> dict[int, Entry]:
    """What a layout wants of each GPU that it speaks of; a later entry wins over an earlier one.

    :raises PlatformError: an entry names a GPU that is not there or, enabling MIG, one that cannot do it.
    """
    found: dict[int, Entry] = {}
    for entry in layout:
        for index in entry.devices if entry.devices is not None else ():
            if index >= len(gpus) or index < 0:
                raise PlatformError(f"error getting device handle at index {index}: Invalid Argument")
        for index in range(len(gpus)):
            if not entry.matches(index, board.pci_ids if board else ()):
                continue
            if board is not None or (entry.devices is not None and not entry.mig_enabled):
                found[index] = entry
            elif entry.devices is not None:
                raise PlatformError(f"cannot set MIG mode on non MIG-capable GPU {index}")
    return found


def is_applied(gpus: Gpus, wanted: Mapping[int, Entry]) -> bool:
    """Whether every GPU is already as wanted (placements do not count)."""
    return all(
        gpus[index].mig == entry.mig_enabled and gpus[index].counts == Counter(dict(entry.mig_devices))
        for index, entry in wanted.items()
    )


def changes_mode(gpus: Gpus, wanted: Mapping[int, Entry]) -> bool:
    """Whether the MIG mode of a GPU must change."""
    return any(gpus[index].mig != entry.mig_enabled for index, entry in wanted.items())


def with_modes(gpus: Gpus, wanted: Mapping[int, Entry]) -> Gpus:
    """The GPUs after a reboot that brought the wanted modes: no instance survives one."""
    return tuple(Gpu(mig=wanted[index].mig_enabled if index in wanted else gpu.mig) for index, gpu in enumerate(gpus))


def apply_layout(board: Board, gpus: Gpus, wanted: Mapping[int, Entry], choose: Choice) -> tuple[Gpus, str]:
    """The GPUs afterwards, and the error that ended the work early, if one did: that GPU is left cleared."""
    after = list(gpus)
    for index, entry in wanted.items():
        if not entry.mig_enabled:
            after[index] = Gpu()
            continue
        try:
            after[index] = partition(board, dict(entry.mig_devices), choose)
        except PlatformError as error:
            after[index] = Gpu(mig=True)
            return tuple(after), error.message
    return tuple(after), ""


def pack(gpus: Gpus) -> str:
    """The state of the GPUs as text, for the node's annotation: equal GPUs written once."""
    groups: list[list[t.Any]] = []
    for gpu in gpus:
        state = [int(gpu.mig), [list(instance) for instance in gpu.instances]]
        if groups and groups[-1][1:] == state:
            groups[-1][0] += 1
        else:
            groups.append([1, *state])
    return json.dumps(groups, separators=(",", ":"))


def unpack(text: str) -> Gpus:
    """The reverse of C(pack)."""
    return tuple(
        Gpu(mig=bool(mig), instances=tuple((profile, start) for profile, start in instances))
        for count, mig, instances in json.loads(text)
        for _other in range(count)
    )


def standard_layouts(board: Board) -> dict[str, tuple[Entry, ...]]:
    """What C(nvidia-mig-parted generate-config) writes for the board: the names that mig-manager offers by default."""
    layouts: dict[str, tuple[Entry, ...]] = {
        "all-disabled": (Entry(devices=None, mig_enabled=False),),
        "all-enabled": (Entry(devices=None, mig_enabled=True),),
    }
    by_compute: dict[int, str] = {}
    for profile in board.profiles.values():
        most = 1 if profile.media else profile.most
        layouts["all-" + profile.name.replace("+", ".")] = (Entry(None, True, ((profile.name, most),)),)
        if profile.name.partition("gb")[2] == "":
            smallest = board.profiles.get(by_compute.get(profile.compute, ""))
            if smallest is None or profile.size < smallest.size:
                by_compute[profile.compute] = profile.name
    balanced = {1: 2, 2: 1, 3: 1} if 7 in by_compute else {1: 2, 2: 1}
    if balanced.keys() <= by_compute.keys():
        instances = tuple((by_compute[compute], count) for compute, count in balanced.items())
        layouts["all-balanced"] = (Entry(None, True, instances),)
    return layouts


__all__ = (
    "Board",
    "Choice",
    "Gpu",
    "Gpus",
    "Profile",
    "aims",
    "apply_layout",
    "changes_mode",
    "chooser",
    "is_applied",
    "pack",
    "partition",
    "place",
    "standard_layouts",
    "unpack",
    "with_modes",
)
