# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every part of the engine says about an API object: its identity, its group, its values by path."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Object = dict[str, t.Any]


@dataclass(frozen=True, order=True)
class Ref:
    """The identity of an object; versions of one kind share it.

    :param group: empty for the core group.
    :param namespace: empty for cluster-scoped objects.
    """

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {where}"

    @property
    def group_kind(self) -> str:
        """C(Deployment.apps), or C(Secret) for the core group: the notation of KEP-3659."""
        return f"{self.kind}.{self.group}" if self.group else self.kind


def group_of(api_version: str) -> str:
    """C(apps) of C(apps/v1); empty for C(v1)."""
    return api_version.rpartition("/")[0]


def version_of(api_version: str) -> str:
    """C(v1) of C(apps/v1)."""
    return api_version.rpartition("/")[2]


def ref_of(document: Mapping[str, t.Any]) -> Ref:
    """The identity of a document or a live object."""
    metadata = document.get("metadata") or {}
    return Ref(
        group_of(str(document.get("apiVersion") or "")),
        str(document.get("kind") or ""),
        str(metadata.get("namespace") or ""),
        str(metadata.get("name") or ""),
    )


def annotations_of(document: Mapping[str, t.Any]) -> Mapping[str, str]:
    """The annotations, never None."""
    return (document.get("metadata") or {}).get("annotations") or {}


def labels_of(document: Mapping[str, t.Any]) -> Mapping[str, str]:
    """The labels, never None."""
    return (document.get("metadata") or {}).get("labels") or {}


def condition_of(document: Mapping[str, t.Any], kind: str) -> Mapping[str, t.Any]:
    """The condition of that type, or an empty mapping (C(status.conditions) may be JSON null)."""
    for condition in (document.get("status") or {}).get("conditions") or []:
        if condition.get("type") == kind:
            return t.cast("Mapping[str, t.Any]", condition)
    return {}


def leaves(value: t.Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], t.Any]]:
    """Every value that is not a mapping, with its path; an empty mapping is a leaf."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, str(key)))
    else:
        yield path, value


__all__ = (
    "Object",
    "Ref",
    "annotations_of",
    "condition_of",
    "group_of",
    "labels_of",
    "leaves",
    "ref_of",
    "version_of",
)
