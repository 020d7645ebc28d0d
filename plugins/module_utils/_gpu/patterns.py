# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Patterns: the ways to cut one GPU that a plan chooses among."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from .boards import twin
from .creation_order import safe_order
from .demands import WHOLE, mig_board
from .geometry import maximal_layouts
from .instances import InstanceType, instance_type


@dataclass(frozen=True)
class Pattern:
    """One way to cut a GPU.

    :param layout: profile -> instances; None for the whole GPU with MIG off.
    :param useful: the part of it that some demand can use.
    :param safe: there is an order of creation that succeeds whatever places the driver picks.
    """

    layout: tuple[tuple[str, int], ...] | None
    useful: tuple[tuple[str, int], ...]
    safe: bool = True


def patterns(one: InstanceType, wanted: Iterable[str]) -> tuple[Pattern, ...]:
    """The patterns that matter for demands which can use these slots; a pattern that another one covers is left out."""
    return _patterns(one.name, tuple(sorted(wanted)))


@lru_cache(maxsize=512)
def _patterns(type_name: str, wanted: tuple[str, ...]) -> tuple[Pattern, ...]:
    target = mig_board(instance_type(type_name))
    found = [Pattern(None, ((WHOLE, 1),))] if WHOLE in wanted else []
    if target is None:
        return tuple(found)
    plain = not any(target.profiles[name].attributes for name in wanted if name != WHOLE)
    best: dict[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]] = {}
    for layout in maximal_layouts(target, plain=plain):
        useful = tuple((name, count) for name, count in sorted(layout.items()) if name in wanted)
        other = best.get(useful)
        if useful and (other is None or _rank(target.id, layout) < _rank(target.id, dict(other))):
            best[useful] = tuple(sorted(layout.items()))
    kept = [useful for useful in best if not any(other != useful and _covers(other, useful) for other in best)]
    found += [Pattern(best[useful], useful, safe_layout(target.id, best[useful])) for useful in sorted(kept)]
    return tuple(found)


def _covers(one: tuple[tuple[str, int], ...], other: tuple[tuple[str, int], ...]) -> bool:
    counts = dict(one)
    return all(counts.get(name, 0) >= count for name, count in other)


def _rank(board_id: str, layout: Mapping[str, int]) -> tuple[bool, int, tuple[tuple[str, int], ...]]:
    key = tuple(sorted(layout.items()))
    return not safe_layout(board_id, key), sum(layout.values()), key


@lru_cache(maxsize=4096)
def safe_layout(board_id: str, layout: tuple[tuple[str, int], ...]) -> bool:
    """Whether an order of creation exists that succeeds whatever places the driver picks."""
    other, words = twin(board_id)
    if other.id != board_id:
        back = {own: name for name, own in words.items()}
        return safe_layout(other.id, tuple(sorted((back[name], count) for name, count in layout)))
    return safe_order(other, dict(layout)) is not None


__all__ = ("Pattern", "patterns", "safe_layout")
