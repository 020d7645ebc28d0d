# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user may see of an object: no bookkeeping, secret values replaced by a sign that still shows change."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .objects import Object

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
BOOKKEEPING = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")
SAME, BEFORE, AFTER = "***", "*** (before)", "*** (after)"


@dataclass(frozen=True)
class MaskRule:
    """Where secret values stand.

    :param kind: the objects' kind; C(*) for every kind.
    :param path: dotted path of field names; every value below it is secret; C(*) is any one key or list item.
    """

    kind: str
    path: str


DEFAULT_RULES = (MaskRule("Secret", "data"), MaskRule("Secret", "stringData"))


def presentable(document: Mapping[str, t.Any] | None) -> Object | None:
    """The object without what the server keeps for itself: managedFields, resourceVersion, generation, uid, times,
    status, and kubectl's copy of the last applied document (which repeats every secret).
    """
    if document is None:
        return None
    shown = {key: value for key, value in document.items() if key != "status"}
    metadata = {key: value for key, value in (document.get("metadata") or {}).items() if key not in BOOKKEEPING}
    if LAST_APPLIED in (metadata.get("annotations") or {}):
        metadata["annotations"] = {key: value for key, value in metadata["annotations"].items() if key != LAST_APPLIED}
        if not metadata["annotations"]:
            del metadata["annotations"]
    shown["metadata"] = metadata
    return shown


def masked_pair(
    before: Mapping[str, t.Any] | None,
    after: Mapping[str, t.Any] | None,
    rules: Iterable[MaskRule] = DEFAULT_RULES,
) -> tuple[Object | None, Object | None]:
    """Both states of one object with secret values masked: V(***) where they are equal, V(*** (before)) and
    V(*** (after)) where they differ or stand on one side only.
    """
    kind = str((after or before or {}).get("kind") or "")
    left: t.Any = dict(before) if before is not None else None
    right: t.Any = dict(after) if after is not None else None
    for rule in rules:
        if rule.kind in (kind, "*"):
            left, right = _at_path(left, right, tuple(rule.path.split(".")))
    return left, right


def masked(document: Mapping[str, t.Any], rules: Iterable[MaskRule] = DEFAULT_RULES) -> Object:
    """The object with secret values masked."""
    return t.cast("Object", masked_pair(document, document, rules)[0])


def is_secret(kind: str, rules: Iterable[MaskRule]) -> bool:
    """Whether objects of that kind hold secret values."""
    return any(rule.kind in (kind, "*") for rule in rules)


def _at_path(left: t.Any, right: t.Any, path: tuple[str, ...]) -> tuple[t.Any, t.Any]:
    if not path:
        return _hidden(left, right)
    one, other = _children(left), _children(right)
    wanted = {*one, *other} if path[0] == "*" else {path[0]} & {*one, *other}
    pairs = {key: _at_path(one.get(key), other.get(key), path[1:]) for key in wanted}
    return (
        _replaced(left, {key: pair[0] for key, pair in pairs.items() if key in one}),
        _replaced(right, {key: pair[1] for key, pair in pairs.items() if key in other}),
    )


def _hidden(left: t.Any, right: t.Any) -> tuple[t.Any, t.Any]:
    one, other = _children(left), _children(right)
    if one or other:
        pairs = {key: _hidden(one.get(key), other.get(key)) for key in {*one, *other}}
        return (
            _replaced(left, {key: pairs[key][0] for key in one}) if one else _sign(left, right, BEFORE),
            _replaced(right, {key: pairs[key][1] for key in other}) if other else _sign(right, left, AFTER),
        )
    return _sign(left, right, BEFORE), _sign(right, left, AFTER)


def _sign(value: t.Any, opposite: t.Any, sign: str) -> t.Any:
    if value is None or value in ({}, []):
        return value
    return SAME if value == opposite else sign


def _children(value: t.Any) -> dict[str, t.Any]:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    return {}


def _replaced(value: t.Any, parts: Mapping[str, t.Any]) -> t.Any:
    if isinstance(value, Mapping):
        return {**value, **parts}
    if isinstance(value, list):
        return [parts.get(str(index), item) for index, item in enumerate(value)]
    return value


__all__ = (
    "AFTER",
    "BEFORE",
    "DEFAULT_RULES",
    "LAST_APPLIED",
    "SAME",
    "MaskRule",
    "is_secret",
    "masked",
    "masked_pair",
    "presentable",
)
