# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an apply set would do, as a value: which objects are certain to be right, which are written, which go."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .._core.errors import PlatformError
from .._core.text import listed
from .apply_set import ApplySet, Record
from .desired import Desired
from .discovery import ApiKind
from .masking import MaskRule, is_secret
from .objects import Object, Ref, annotations_of
from .ownership import fixpoint, legacy_entries, settled
from .waves import wave_of

KEEP = "aiplatform.eks/keep"
GUARDED = ("Namespace", "CustomResourceDefinition", "PersistentVolumeClaim")


@dataclass(frozen=True)
class Member:
    """A live object that carries the set's label."""

    ref: Ref
    kind: ApiKind
    live: Object


@dataclass(frozen=True)
class Item:
    """One desired object and what is known of it.

    :param live: the object now; None when it is no member yet (it may exist all the same).
    :param unchanged: it is certain that applying would change nothing.
    :param fixpoint: the digest of the record that says so; empty when the comparison does.
    """

    desired: Desired
    live: Object | None
    unchanged: bool
    fixpoint: str = ""


@dataclass(frozen=True)
class Removal:
    """A member that nobody wants any more.

    :param kept: why it stays all the same; empty when it goes.
    """

    member: Member
    wave: int
    kept: str = ""


@dataclass(frozen=True)
class Guards:
    """What removal must not touch.

    :param allowed: guarded kinds that may be removed.
    :param limit: the most objects that one run removes because they left the set; None for any number.
    """

    allowed: frozenset[str] = frozenset()
    limit: int | None = None

    def verdict(self, member: Member) -> str:
        """Why the member stays; empty when it may go."""
        if annotations_of(member.live).get(KEEP, "").lower() == "true":
            return f"it carries {KEEP}"
        if member.ref.kind in GUARDED and member.ref.kind not in self.allowed:
            return f"{member.ref.kind} is guarded; allow it with deletable_kinds"
        return ""


@dataclass(frozen=True)
class SetPlan:
    """Everything that one run does.

    :param record: what the parent said before.
    """

    apply_set: ApplySet
    record: Record
    items: tuple[Item, ...] = ()
    removals: tuple[Removal, ...] = ()

    @property
    def writes(self) -> tuple[Item, ...]:
        """The objects that are sent to the server."""
        return tuple(item for item in self.items if not item.unchanged)

    @property
    def leaving(self) -> tuple[Removal, ...]:
        """The members that go."""
        return tuple(removal for removal in self.removals if not removal.kept)

    def wanted_record(self) -> Record:
        """The record of the set as it will be: kinds and namespaces of desired and of kept objects."""
        refs = [item.desired.ref for item in self.items] + [gone.member.ref for gone in self.removals if gone.kept]
        return Record(
            group_kinds=frozenset(ref.group_kind for ref in refs),
            namespaces=frozenset(ref.namespace for ref in refs if ref.namespace) | {self.apply_set.namespace},
        )

    def union_record(self) -> Record:
        """The record while the run lasts: old and new together, so that nothing is forgotten when it is cut off."""
        wanted = self.wanted_record()
        return Record(
            group_kinds=wanted.group_kinds | self.record.group_kinds,
            namespaces=wanted.namespaces | self.record.namespaces,
            fixpoints=self.record.fixpoints,
            exists=True,
        )


def plan_present(
    desired: Iterable[Desired],
    members: Mapping[Ref, Member],
    *,
    apply_set: ApplySet,
    record: Record,
    manager: str,
    legacy_managers: Iterable[str],
    mask: Iterable[MaskRule],
    prune: bool,
    guards: Guards,
) -> SetPlan:
    """The plan that makes the set's members exactly these objects.

    :param members: the live members by identity.
    :param legacy_managers: managers whose fields an object hands over to us first.
    :raises PlatformError: more objects than the guard's limit would be removed.
    """
    rules, legacy = tuple(mask), tuple(legacy_managers)
    items: list[Item] = []
    for one in desired:
        member = members.get(one.ref)
        items.append(_item(one, member.live if member else None, record, manager, legacy, rules))
    wanted = {item.desired.ref for item in items}
    left = [member for ref, member in sorted(members.items()) if ref not in wanted] if prune else []
    plan = SetPlan(apply_set, record, tuple(items), tuple(_removal(member, guards) for member in left))
    if guards.limit is not None and len(plan.leaving) > guards.limit:
        names = listed(str(gone.member.ref) for gone in plan.leaving[:5])
        raise PlatformError(
            f"nothing was changed: {len(plan.leaving)} objects left the set ({names}"
            f"{'...' if len(plan.leaving) > 5 else ''}), more than prune_limit={guards.limit}; "
            "raise prune_limit if they are really to go"
        )
    return plan


def plan_absent(members: Mapping[Ref, Member], *, apply_set: ApplySet, record: Record, guards: Guards) -> SetPlan:
    """The plan that removes every member."""
    removals = tuple(_removal(member, guards) for _ref, member in sorted(members.items()))
    return SetPlan(apply_set, record, removals=removals)


def _removal(member: Member, guards: Guards) -> Removal:
    try:
        wave = wave_of(member.live)
    except PlatformError:  # somebody broke the annotation on the live object: the kind's own wave does
        wave = wave_of({"apiVersion": member.kind.api_version, "kind": member.ref.kind})
    return Removal(member, wave, guards.verdict(member))


def _item(
    one: Desired,
    live: Object | None,
    record: Record,
    manager: str,
    legacy: tuple[str, ...],
    rules: tuple[MaskRule, ...],
) -> Item:
    if live is None or live["metadata"].get("deletionTimestamp") or legacy_entries(live, legacy):
        return Item(one, live, unchanged=False)
    if live.get("apiVersion") != one.document["apiVersion"]:
        return Item(one, live, unchanged=False)
    if settled(one.document, live, manager=manager):
        return Item(one, live, unchanged=True)
    if record.fixpoints and not is_secret(one.ref.kind, rules):
        digest = fixpoint(one.document, live, manager=manager)
        if digest in record.fixpoints:
            return Item(one, live, unchanged=True, fixpoint=digest)
    return Item(one, live, unchanged=False)


def fixpoint_to_keep(desired: Desired, live: t.Mapping[str, t.Any], *, manager: str, mask: Iterable[MaskRule]) -> str:
    """The digest to remember of an object whose live state never equals what was sent; or empty. Never of a secret."""
    if is_secret(desired.ref.kind, tuple(mask)) or settled(desired.document, live, manager=manager):
        return ""
    return fixpoint(desired.document, live, manager=manager)


__all__ = (
    "GUARDED",
    "KEEP",
    "Guards",
    "Item",
    "Member",
    "Removal",
    "SetPlan",
    "fixpoint_to_keep",
    "plan_absent",
    "plan_present",
)
