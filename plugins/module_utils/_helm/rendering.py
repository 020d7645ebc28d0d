# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a deployment changes, object by object: stored manifest against rendered manifest, secrets masked."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from .._k8s.discovery import ApiKind, Discovery
from .._k8s.manifests import documents
from .._k8s.masking import DEFAULT_RULES, MaskRule, masked_pair

Objects = dict[str, dict[str, t.Any]]


def objects_of(manifest: str, *, namespace: str, source: str) -> Objects:
    """The objects of a manifest by their names in words: C(Deployment prod/web)."""
    found: Objects = {}
    for document in documents(manifest, source=source, last_counts=True):
        for item in _items(document):
            metadata = item.get("metadata") or {}
            place = metadata.get("namespace") or namespace
            found[f"{item.get('kind')} {place}/{metadata.get('name')}"] = item
    return found


def located(item: Mapping[str, t.Any], discovery: Discovery, *, namespace: str) -> tuple[ApiKind, str] | None:
    """The kind and the path of a manifest's object on the server; None when the server does not know the kind.

    :param namespace: of an object that does not say its own.
    """
    metadata = item.get("metadata") or {}
    kind = discovery.find(str(item.get("apiVersion")), str(item.get("kind")))
    if kind is None:
        return None
    return kind, kind.path(namespace=str(metadata.get("namespace") or namespace), name=str(metadata.get("name")))


def _items(document: t.Any) -> list[dict[str, t.Any]]:
    if not isinstance(document, dict):
        return []
    if str(document.get("kind", "")).endswith("List") and isinstance(document.get("items"), list):
        return [item for item in document["items"] if isinstance(item, dict)]
    return [document]


def is_hook(item: Mapping[str, t.Any]) -> bool:
    """Whether an object is a hook, which helm keeps apart from the manifest."""
    return "helm.sh/hook" in ((item.get("metadata") or {}).get("annotations") or {})


def changes(before: Objects, after: Objects, rules: Iterable[MaskRule] = DEFAULT_RULES) -> tuple[Objects, Objects]:
    """Both sides of the objects that differ, masked."""
    left: Objects = {}
    right: Objects = {}
    rules = tuple(rules)
    for name in sorted({*before, *after}):
        if before.get(name) == after.get(name):
            continue
        old, new = masked_pair(before.get(name), after.get(name), rules)
        if old is not None:
            left[name] = old
        if new is not None:
            right[name] = new
    return left, right


def summary(before: Mapping[str, t.Any], after: Mapping[str, t.Any]) -> dict[str, int]:
    """How many objects are new, changed and gone, of :func:C(changes)."""
    return {
        "created": len(set(after) - set(before)),
        "changed": len(set(after) & set(before)),
        "deleted": len(set(before) - set(after)),
    }


__all__ = ("Objects", "changes", "is_hook", "located", "objects_of", "summary")
