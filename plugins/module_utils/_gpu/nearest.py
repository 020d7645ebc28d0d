# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with a layout, in a sentence, and which layouts come nearest.

Nearness is measured in slices: instances are paired by size, and each pair costs the compute and memory slices between
them. So C({3g.40gb: 2, 1g.10gb: 1}) is nearer to C({3g.40gb: 2}) than to C({1g.10gb: 7}).
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from .._core.errors import PlatformError
from .._core.text import listed, unknown_name
from .boards import Board, Profile, boards
from .geometry import Layout, compute_slices, feasible_layouts, is_feasible, memory_slices
from .instances import InstanceType, instance_types

Fault = t.Literal[
    "", "unpublished", "count", "profile", "too_many", "media", "compute", "memory", "placement", "engines"
]
FAMILY_NAMES = {"a100": "A100", "h100": "H100", "h200": "H200", "b200": "B200", "b300": "B300", "a30": "A30"}


@dataclass(frozen=True)
class Verdict:
    """Whether one GPU of a board can have a layout.

    :param fault: empty when it can; else the kind of the first reason.
    :param reason: the sentence; empty when it can.
    """

    fault: Fault = ""
    reason: str = ""

    @property
    def fits(self) -> bool:
        """Whether the layout is possible."""
        return not self.fault


def judge(target: Board, layout: Layout, *, on: str = "") -> Verdict:
    """Classify a layout, the most telling fault first.

    :param on: instance type that the user named; the board's id stands for it otherwise.
    """
    if not target.placements_known:
        return Verdict("unpublished", f"the MIG placements of {target.id} are not published: no layout can be proved")
    if negative := [name for name, count in layout.items() if count < 0]:
        return Verdict("count", f"{negative[0]} has the count {layout[negative[0]]}; it must be 0 or more")
    for name in layout:
        if _find(target, name) is None:
            return Verdict("profile", unknown_profile(target, name, on=on))
    if is_feasible(target, layout):
        return Verdict()
    return _misfit(
        target, {target.profile(name).name: count for name, count in layout.items() if count}, on or target.id
    )


def _misfit(target: Board, layout: Mapping[str, int], where: str) -> Verdict:
    for name, count in layout.items():
        most = target.profiles[name].max_instances
        if count > most:
            return Verdict("too_many", f"{count} x {name}: a GPU of {where} takes at most {most} of them")
    media = [name for name in layout if target.profiles[name].media]
    if sum(layout[name] for name in media) > 1:
        return Verdict("media", f"{listed(media)}: only one instance of a GPU can hold the media engines")
    if (used := compute_slices(target, layout)) > target.compute_slices:
        return Verdict("compute", f"it takes {used} compute slices; a GPU of {where} has {target.compute_slices}")
    if (taken := memory_slices(target, layout)) > (target.memory_slices or 0):
        return Verdict("memory", f"it takes {taken} memory slices; a GPU of {where} has {target.memory_slices}")
    for engine, total in target.engine_totals.items():
        wanted = sum((target.profiles[name].engines.get(engine) or 0) * count for name, count in layout.items())
        if wanted > total:
            return Verdict("engines", f"it takes {wanted} {engine}; a GPU of {where} has {total}")
    return Verdict(
        "placement",
        f"the slices would suffice ({used} of {target.compute_slices} compute, {taken} of {target.memory_slices} "
        "memory), but the legal placements of these profiles overlap",
    )


def unknown_profile(target: Board, name: str, *, on: str = "") -> str:
    """Why a profile is not to be had on a board, what is the same share there, and where it does exist."""
    where, gpu = on or target.id, _gpu_name(target)
    homes = [other for other in boards().values() if _find(other, name) is not None]
    if not homes:
        return f"{where}: {unknown_name(f'MIG profile of {target.id}', name, target.profiles)}"
    sentence = f"{name} does not exist on {where}, whose {gpu} has {target.memory_gb} GB"
    same = _same_share(target, [other.profile(name) for other in homes])
    choices = [f"{same.name} is the same share"] if same else []
    if families := _families(homes):
        choices.append(f"choose {listed(families, conjunction='or')}")
    return f"{sentence}: {'; or '.join(choices)}" if choices else f"{sentence}; it has {listed(target.profiles)}"


def nearest_layouts(target: Board, wish: Layout, *, most: int = 3) -> tuple[dict[str, int], ...]:
    """The feasible layouts that differ least from a wish, nearest first; the empty one is never among them.

    Profiles of another board stand for the same share of this one.
    """
    wanted = translated(target, wish)
    plain = not any(target.profiles[name].attributes for name in wanted)
    shape = _shape(target, wanted)

    def rank(layout: Layout) -> tuple[int, int, tuple[tuple[str, int], ...]]:
        lost = sum(max(0, count - layout.get(name, 0)) for name, count in wanted.items())
        return _distance(shape, _shape(target, layout)), lost, tuple(sorted(layout.items()))

    return tuple(sorted((layout for layout in feasible_layouts(target, plain=plain) if layout), key=rank)[:most])


def translated(target: Board, wish: Layout) -> dict[str, int]:
    """The wish with each profile that is another board's replaced by the same share of this board.

    :raises PlatformError: a profile has no counterpart.
    """
    found: dict[str, int] = {}
    for name, count in wish.items():
        profile = _find(target, name)
        if profile is None:
            others = (_find(other, name) for other in boards().values())
            profile = _same_share(target, [other for other in others if other is not None])
        if profile is None:
            raise PlatformError(unknown_profile(target, name))
        found[profile.name] = found.get(profile.name, 0) + count
    return found


def shown(layout: Layout) -> str:
    """C({3g.40gb: 2})."""
    return "{" + ", ".join(f"{name}: {count}" for name, count in sorted(layout.items()) if count) + "}"


def _find(target: Board, name: str) -> Profile | None:
    return next((one for one in target.profiles.values() if name in (one.name, one.config_name)), None)


def _same_share(target: Board, profiles: Sequence[Profile]) -> Profile | None:
    """The profile with the same part of the GPU: by kind, else by slices of both sorts."""
    for profile in profiles:
        if profile.kind and (found := target.by_kind(profile.kind)):
            return found
    for profile in profiles:
        for own in target.profiles.values():
            if not own.attributes and (own.compute_slices, own.size) == (profile.compute_slices, profile.size):
                return own
    return None


def _families(homes: Sequence[Board]) -> list[str]:
    """Instance families with one of these boards, cheapest first; those whose placements are unknown are left out."""
    ids = {one.id for one in homes if one.placements_known}
    cheapest: dict[str, InstanceType] = {}
    for one in instance_types().values():
        if one.board in ids and not one.mig_note and _cost(one) < _cost(cheapest.get(one.family)):
            cheapest[one.family] = one
    return sorted(cheapest, key=lambda family: _cost(cheapest[family]))


def _cost(one: InstanceType | None) -> float:
    if one is None:
        return float("inf")
    return 1e9 if one.price is None else one.price / one.accelerator_count


def _gpu_name(target: Board) -> str:
    return FAMILY_NAMES.get(target.id.partition("-")[0], target.id)


def _shape(target: Board, layout: Layout) -> list[tuple[int, int]]:
    """Instances as (memory slices, compute slices), largest first."""
    profiles = [target.profiles[name] for name, count in layout.items() for _each in range(count)]
    return sorted(((profile.size or 0, profile.compute_slices) for profile in profiles), reverse=True)


def _distance(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> int:
    pairs = zip_longest(one, other, fillvalue=(0, 0))
    return sum(abs(left[0] - right[0]) + abs(left[1] - right[1]) for left, right in pairs)


__all__ = ("Fault", "Verdict", "judge", "nearest_layouts", "shown", "translated", "unknown_profile")
