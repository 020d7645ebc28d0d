# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which objects a check means, and what it says of those that are not there."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence

from .._k8s.client import Object
from .world import search

Asked = Mapping[str, t.Any]


def is_meant(asked: Asked, one: Object) -> bool:
    """Whether a check that names namespaces, names, labels or an expression means this object."""
    metadata = one["metadata"]
    namespaces, names, labels = asked.get("namespaces"), asked.get("names"), asked.get("labels") or {}
    return (
        (not namespaces or metadata.get("namespace") in namespaces)
        and metadata.get("namespace") not in (asked.get("except_namespaces") or ())
        and (not names or metadata["name"] in names)
        and metadata["name"] not in (asked.get("except_names") or ())
        and labels.items() <= (metadata.get("labels") or {}).items()
        and (not asked.get("where") or bool(search()(str(asked["where"]), one)))
    )


def missing(asked: Asked, chosen: Sequence[Object]) -> Iterator[str]:
    """A sentence for every name that is not among the chosen objects, and for too few or too many of them."""
    kind, there = asked["kind"], {(one["metadata"].get("namespace"), one["metadata"]["name"]) for one in chosen}
    for name in asked.get("names") or ():
        for namespace in asked.get("namespaces") or [None]:
            if not any(name == other and namespace in (None, place) for place, other in there):
                yield f"{kind} {f'{namespace}/' if namespace else ''}{name} is not there"
    least, most = asked.get("at_least"), asked.get("at_most")
    if least is not None and len(chosen) < least:
        yield f"{len(chosen)} {kind} objects are there, wanted are {least} or more"
    if most is not None and len(chosen) > most:
        yield f"{len(chosen)} {kind} objects are there, wanted are {most} or less"


__all__ = ("Asked", "is_meant", "missing")
