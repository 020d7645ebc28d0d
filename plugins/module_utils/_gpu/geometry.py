# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which sets of MIG instances fit on one GPU: exact, from the published placements.

A set is feasible when the instances' memory slices are disjoint, no profile exceeds its count, at most one instance
holds the media engines and the board's media engines suffice (MIG User Guide, 'Supported MIG Profiles').
"""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache

from .._core.errors import PlatformError
from .boards import Board, Profile, board, twin

Layout = Mapping[str, int]


class Placement(t.NamedTuple):
    """One instance on a GPU: profile name, first memory slice and number of slices."""

    profile: str
    start: int
    size: int


def placements(target: Board, layout: Layout) -> tuple[Placement, ...] | None:
    """Places for every instance of a layout, sorted by start, or None when it does not fit.

    :raises PlatformError: a profile is unknown, a count is negative, or the board's placements are unpublished.
    """
    wanted = _instances(target, layout)
    if not _limits_hold(target, wanted):
        return None
    found = _place(target, tuple(sorted(wanted, key=lambda profile: (-(profile.size or 0), profile.name))), 0)
    return None if found is None else tuple(sorted(found, key=lambda placement: placement.start))


def is_feasible(target: Board, layout: Layout) -> bool:
    """Whether a layout fits on one GPU."""
    return placements(target, layout) is not None


def compute_slices(target: Board, layout: Layout) -> int:
    """Compute slices that a layout uses."""
    return sum(target.profile(name).compute_slices * count for name, count in layout.items())


def memory_slices(target: Board, layout: Layout) -> int:
    """Memory slices that a layout occupies."""
    return sum((target.profile(name).size or 0) * count for name, count in layout.items())


def feasible_layouts(target: Board, *, plain: bool = True) -> tuple[dict[str, int], ...]:
    """All layouts that fit on one GPU, the empty one included.

    :param plain: without profiles that carry attributes (C(+me), C(+gfx), C(-me)).
    """
    return tuple(dict(layout) for layout in _feasible(target.id, plain))


def maximal_layouts(target: Board, *, plain: bool = True) -> tuple[dict[str, int], ...]:
    """The feasible layouts to which no instance can be added."""
    every = set(_feasible(target.id, plain))
    names = _names(target, plain=plain)
    return tuple(
        dict(layout)
        for layout in _feasible(target.id, plain)
        if not any(_key({**dict(layout), name: dict(layout).get(name, 0) + 1}) in every for name in names)
    )


def require_placements(target: Board) -> None:
    """Refuse a board whose placements nobody has published.

    :raises PlatformError: naming the board and its profiles.
    """
    if not target.placements_known:
        raise PlatformError(
            f"the MIG placements of {target.id} are not published, so no layout of it can be proved; "
            "use the GPUs whole or time-sliced, or another instance type"
        )


def _instances(target: Board, layout: Layout) -> list[Profile]:
    require_placements(target)
    found: list[Profile] = []
    for name, count in layout.items():
        if count < 0:
            raise PlatformError(f"layout of {target.id}: {name} has the count {count}; it must be 0 or more")
        found.extend([target.profile(name)] * count)
    return found


def _limits_hold(target: Board, wanted: list[Profile]) -> bool:
    counts = Counter(profile.name for profile in wanted)
    if any(counts[profile.name] > profile.max_instances for profile in wanted):
        return False
    if sum(profile.media for profile in wanted) > 1:
        return False
    if sum(profile.compute_slices for profile in wanted) > target.compute_slices:
        return False
    return all(
        sum(profile.engines.get(engine) or 0 for profile in wanted) <= total
        for engine, total in target.engine_totals.items()
    )


def _place(target: Board, wanted: tuple[Profile, ...], taken: int) -> list[Placement] | None:
    """Depth-first search; C(taken) is a bit mask of memory slices."""
    if not wanted:
        return []
    first, rest = wanted[0], wanted[1:]
    for placement, mask in _free(first, taken):
        found = _place(target, rest, taken | mask)
        if found is not None:
            return [placement, *found]
    return None


def _free(profile: Profile, taken: int) -> Iterator[tuple[Placement, int]]:
    size = profile.size or 0
    for start in profile.starts or ():
        mask = ((1 << size) - 1) << start
        if not mask & taken:
            yield Placement(profile.name, start, size), mask


def _names(target: Board, *, plain: bool) -> tuple[str, ...]:
    return tuple(name for name, profile in target.profiles.items() if not (plain and profile.attributes))


Key = tuple[tuple[str, int], ...]


def _key(layout: Layout) -> Key:
    return tuple(sorted((name, count) for name, count in layout.items() if count))


@lru_cache(maxsize=64)
def _feasible(board_id: str, plain: bool) -> tuple[Key, ...]:
    """Grow layouts one instance at a time; a part of a feasible layout is feasible."""
    target, words = twin(board_id)
    require_placements(board(board_id))
    if target.id != board_id:
        return tuple(sorted(_key({words[name]: count for name, count in key}) for key in _feasible(target.id, plain)))
    names = _names(target, plain=plain)
    found: dict[Key, None] = {(): None}
    frontier: list[Key] = [()]
    while frontier:
        grown: dict[Key, None] = {}
        for layout in frontier:
            for name in names:
                bigger = _key({**dict(layout), name: dict(layout).get(name, 0) + 1})
                if bigger not in found and bigger not in grown and is_feasible(target, dict(bigger)):
                    grown[bigger] = None
        found.update(grown)
        frontier = list(grown)
    return tuple(sorted(found))


__all__ = (
    "Layout",
    "Placement",
    "compute_slices",
    "feasible_layouts",
    "is_feasible",
    "maximal_layouts",
    "memory_slices",
    "placements",
    "require_placements",
)
