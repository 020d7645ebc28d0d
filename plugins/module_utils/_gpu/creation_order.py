# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In which order the instances of a layout can be created, whatever places the driver picks.

mig-parted and the GPU operator create instances without a placement; the driver chooses the start by a rule that nobody
has published. An order is safe when it succeeds for every choice that a driver could make.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import lru_cache

from .boards import Board, Profile, board
from .geometry import Layout, placements

Order = tuple[str, ...]
Choice = Callable[[list[int]], int]
LOWEST: Choice = min
HIGHEST: Choice = max


def safe_order(target: Board, layout: Layout) -> Order | None:
    """An order that succeeds whatever legal start the driver picks each time, or None when no order does."""
    for order in _orders(target, layout):
        if _always_succeeds(target, order, 0):
            return order
    return None


def order_for(target: Board, layout: Layout, choice: Choice) -> Order | None:
    """An order that succeeds for a driver with a known rule, or None."""
    for order in _orders(target, layout):
        if succeeds(target, order, choice):
            return order
    return None


def succeeds(target: Board, order: Order, choice: Choice) -> bool:
    """Whether creating in that order ends well when the driver picks its start by C(choice) among the legal ones."""
    taken = 0
    for name in order:
        profile = target.profile(name)
        starts = _free_starts(profile, taken)
        if not starts:
            return False
        taken |= _mask(profile, choice(starts))
    return True


def _orders(target: Board, layout: Layout) -> Iterator[Order]:
    """Distinct orders of an order of profiles, large ones first, as mig-parted tries them; nothing if infeasible."""
    if placements(target, layout) is None:
        return
    names = sorted(
        (name for name, count in layout.items() if count),
        key=lambda name: (-(target.profile(name).size or 0), -target.profile(name).compute_slices, name),
    )
    instances = tuple(name for name in names for _each in range(layout[name]))
    seen: set[Order] = set()
    grouped = (
        tuple(name for name in order for _each in range(layout[name])) for order in itertools.permutations(names)
    )
    for order in itertools.chain(grouped, _distinct(instances)):
        if order not in seen:
            seen.add(order)
            yield order


def _distinct(instances: Order) -> Iterator[Order]:
    """Permutations of a multiset, each once."""
    if not instances:
        yield ()
        return
    for name in dict.fromkeys(instances):
        rest = list(instances)
        rest.remove(name)
        for order in _distinct(tuple(rest)):
            yield (name, *order)


def _always_succeeds(target: Board, order: Order, taken: int) -> bool:
    return _always(target.id, order, taken)


@lru_cache(maxsize=65536)
def _always(board_id: str, order: Order, taken: int) -> bool:
    if not order:
        return True
    profile = board(board_id).profile(order[0])
    starts = _free_starts(profile, taken)
    return bool(starts) and all(_always(board_id, order[1:], taken | _mask(profile, start)) for start in starts)


def _free_starts(profile: Profile, taken: int) -> list[int]:
    return [start for start in profile.starts or () if not _mask(profile, start) & taken]


def _mask(profile: Profile, start: int) -> int:
    return ((1 << (profile.size or 0)) - 1) << start


__all__ = ("HIGHEST", "LOWEST", "Order", "order_for", "safe_order", "succeeds")
