# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""MIG layouts as users write them: what each GPU of an instance becomes, proved against its board."""

from __future__ import annotations

import hashlib
import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from .._core.errors import PlatformError
from .._core.text import listed, unknown_name
from .boards import Board, board
from .geometry import require_placements
from .instances import InstanceType
from .mig_parted import MigEntry
from .nearest import judge, nearest_layouts, shown, unknown_profile

Counts = Mapping[str, int]
BALANCED = {7: {"1g": 2, "2g": 1, "3g": 1}, 4: {"1g": 2, "2g": 1}}
LONGEST_LABEL = 63
GROUP_KEYS = ("gpus", "profiles")


@dataclass(frozen=True)
class MigLayout:
    """A layout: groups of GPUs, in the order of their indices.

    :param groups: (number of GPUs or None for all of them, (profile, count) per GPU sorted, or None for a whole GPU).
    """

    groups: tuple[tuple[int | None, tuple[tuple[str, int], ...] | None], ...]

    @property
    def name(self) -> str:
        """The layout's name in ConfigMap and label, made from its content.

        mig-manager looks at a node again only when the label changes, so another layout must have another name.
        """
        return label_value("_".join(_group_name(count, profiles) for count, profiles in self.groups))

    @property
    def profiles(self) -> tuple[str, ...]:
        """All profiles, sorted."""
        return tuple(sorted({name for _count, profiles in self.groups for name, _number in profiles or ()}))

    @property
    def uniform(self) -> bool:
        """Whether every GPU has MIG on with one and the same profile: what the strategy V(single) demands."""
        return len(self.profiles) == 1 and all(profiles for _count, profiles in self.groups)

    def entries(self) -> tuple[MigEntry, ...]:
        """The layout in mig-parted's words."""
        if len(self.groups) == 1 and self.groups[0][0] is None:
            return (MigEntry(mig_devices=self.groups[0][1]),)
        entries, start = [], 0
        for count, profiles in self.groups:
            end = start + (count or 0)
            entries.append(MigEntry(devices=tuple(range(start, end)), mig_devices=profiles))
            start = end
        return tuple(entries)

    def per_gpu(self, gpus: int) -> tuple[Counts | None, ...]:
        """What each of that many GPUs becomes: instances per profile, or None for a whole GPU."""
        found: list[Counts | None] = []
        for count, profiles in self.groups:
            found.extend([None if profiles is None else dict(profiles)] * (gpus if count is None else count))
        return tuple(found)


def mig_layout(wish: t.Any, types: tuple[InstanceType, ...], *, where: str) -> MigLayout:
    """The layout that a user asks for, proved on the board of every instance type.

    :param wish: profile -> count for every GPU; a standard name (V(all-3g.40gb), V(all-balanced)); or a list of
        C({gpus, profiles}) groups, where a group without C(profiles) keeps its GPUs whole.
    :param where: begins each sentence, e.g. C(pool a100-mig: gpu_sharing.layout).
    :raises PlatformError: the layout is unreadable, or no GPU of these types can have it.
    """
    ids = sorted({one.board or "" for one in types})
    if len(ids) > 1:
        shown = listed(f"{one.name} ({one.board or 'no MIG'})" for one in types)
        raise PlatformError(f"{where}: the pool's instance types have different boards: {shown}; use one board a pool")
    if not ids[0]:
        name = types[0].accelerator or "no GPU"
        raise PlatformError(f"{where}: {types[0].name} ({name}) cannot do MIG; use time_slicing, or {_mig_families()}")
    target = board(ids[0])
    try:
        require_placements(target)
    except PlatformError as error:
        raise PlatformError(f"{where}: {error.message}") from error
    layout = MigLayout(_groups(wish, target, types[0].name, where))
    _prove(layout, target, types, where)
    return layout


def _groups(wish: t.Any, target: Board, type_name: str, where: str) -> t.Any:
    if isinstance(wish, str):
        return ((None, _standard(wish, target, where)),)
    if isinstance(wish, Mapping):
        return ((None, _counts(wish, target, type_name, where)),)
    if not isinstance(wish, list) or not wish:
        raise PlatformError(
            f"{where} is {wish!r}; wanted are profile counts ({{3g.40gb: 2}}), a name (all-balanced) or a list of "
            "groups"
        )
    return tuple(_group(entry, target, type_name, f"{where}[{index}]") for index, entry in enumerate(wish))


def _group(entry: t.Any, target: Board, type_name: str, where: str) -> t.Any:
    if not isinstance(entry, Mapping):
        raise PlatformError(f"{where} is {entry!r}; wanted is a mapping with gpus and profiles")
    for key in entry:
        if key not in GROUP_KEYS:
            raise PlatformError(f"{where}: {unknown_name('key', str(key), GROUP_KEYS)}")
    gpus = entry.get("gpus")
    if not isinstance(gpus, int) or isinstance(gpus, bool) or gpus < 1:
        raise PlatformError(f"{where}.gpus is {gpus!r}; wanted is the number of GPUs of this group")
    profiles = entry.get("profiles")
    return gpus, _counts(profiles, target, type_name, f"{where}.profiles") if profiles else None


def _counts(wish: Mapping[str, t.Any], target: Board, type_name: str, where: str) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for name, count in wish.items():
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise PlatformError(f"{where}.{name} is {count!r}; wanted is a count of 0 or more")
        profile = _profile(str(name), target, type_name, where)
        if count:
            found[profile] = found.get(profile, 0) + count
    if not found:
        raise PlatformError(f"{where} holds no instance; leave the mode exclusive for whole GPUs")
    return tuple(sorted(found.items()))


def _profile(name: str, target: Board, type_name: str, where: str) -> str:
    try:
        return target.profile(name).name
    except PlatformError as error:
        raise PlatformError(f"{where}: {unknown_profile(target, name, on=type_name)}") from error


def _standard(name: str, target: Board, where: str) -> tuple[tuple[str, int], ...]:
    if name == "all-balanced":
        kinds = BALANCED[7 if target.compute_slices == 7 else 4]
        pairs = [(target.by_kind(kind), count) for kind, count in kinds.items()]
        if all(profile for profile, _count in pairs):
            return tuple(sorted((profile.name, count) for profile, count in pairs if profile))
    known = {f"all-{one.config_name}": one for one in target.profiles.values()}
    if name not in known:
        raise PlatformError(f"{where}: {unknown_name(f'layout name of {target.id}', name, [*known, 'all-balanced'])}")
    profile = known[name]
    return ((profile.name, 1 if profile.media else profile.max_instances),)


def _prove(layout: MigLayout, target: Board, types: tuple[InstanceType, ...], where: str) -> None:
    for one in types:
        named = sum(count or 0 for count, _profiles in layout.groups)
        if layout.groups[0][0] is not None and named != one.accelerator_count:
            raise PlatformError(
                f"{where}: the groups hold {named} GPUs, but {one.name} has {one.accelerator_count}; name every GPU"
            )
    for _count, profiles in layout.groups:
        wish = dict(profiles or ())
        verdict = judge(target, wish, on=types[0].name)
        if not verdict.fits:
            near = listed(map(shown, nearest_layouts(target, wish)), conjunction="or")
            raise PlatformError(
                f"{where}: {shown(wish)} does not fit on one {target.id}: {verdict.reason}; the nearest that fit are "
                f"{near}"
            )


def _mig_families() -> str:
    return "an instance type with A100, H100, H200 or B200 GPUs (p4d, p4de, p5, p5en, p6-b200)"


def label_value(text: str) -> str:
    """The text itself when a label can hold it, else its beginning and a digest of it."""
    if len(text) <= LONGEST_LABEL:
        return text
    return f"{text[:50].rstrip('-_.')}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def _group_name(gpus: int | None, profiles: tuple[tuple[str, int], ...] | None) -> str:
    parts = [] if gpus is None else [f"{gpus}gpu"]
    parts += ["whole"] if profiles is None else [f"{re.sub('[+,]', '.', name)}-x{count}" for name, count in profiles]
    return "_".join(parts)


__all__ = ("MigLayout", "label_value", "mig_layout")
