# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apply sets in the format of KEP-3659: a parent object that records them, a label on every member.

Any tool that knows the format can read them; tools other than ours must keep off (the tooling annotation says so).
"""

from __future__ import annotations

import base64
import hashlib
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .._core.errors import PlatformError
from .objects import Object, Ref, annotations_of, labels_of

ID = "applyset.kubernetes.io/id"
PART_OF = "applyset.kubernetes.io/part-of"
TOOLING = "applyset.kubernetes.io/tooling"
GROUP_KINDS = "applyset.kubernetes.io/contains-group-kinds"
NAMESPACES = "applyset.kubernetes.io/additional-namespaces"
TOOL, TOOL_VERSION = "aiplatform.eks", "v1"
FIXPOINTS = "fixpoints"
PARENT_PREFIX = "applyset-"


@dataclass(frozen=True)
class ApplySet:
    """One set.

    :param name: the set's name; its parent is the ConfigMap C(applyset-<name>).
    :param namespace: the parent's namespace.
    """

    name: str
    namespace: str

    @property
    def parent(self) -> Ref:
        """The parent's identity."""
        return Ref("", "ConfigMap", self.namespace, PARENT_PREFIX + self.name)

    @property
    def parent_path(self) -> str:
        """The parent's path on the server."""
        return f"/api/v1/namespaces/{self.namespace}/configmaps/{self.parent.name}"

    @property
    def id(self) -> str:
        """The set's identity, as KEP-3659 computes it from the parent's."""
        parent = self.parent
        text = f"{parent.name}.{parent.namespace}.{parent.kind}.{parent.group}"
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        return f"applyset-{digest}-v1"

    @property
    def selector(self) -> str:
        """The label selector of the members."""
        return f"{PART_OF}={self.id}"

    @property
    def strangers(self) -> str:
        """The label selector of the members of every other set."""
        return f"{PART_OF},{PART_OF}!={self.id}"

    def member(self, document: Mapping[str, t.Any]) -> Object:
        """The document with the label of a member."""
        metadata = dict(document.get("metadata") or {})
        metadata["labels"] = {**(metadata.get("labels") or {}), PART_OF: self.id}
        return {**document, "metadata": metadata}


@dataclass(frozen=True)
class Record:
    """What the parent says.

    :param group_kinds: kinds that may have members, in the notation C(Deployment.apps).
    :param namespaces: namespaces that may have members, the parent's own included.
    :param fixpoints: digests of documents that the server rewrites, see M(ownership.fixpoint).
    :param exists: whether the parent is there.
    """

    group_kinds: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    fixpoints: frozenset[str] = frozenset()
    exists: bool = False

    def covers(self, other: Record) -> bool:
        """Whether everything of the other record stands in this one."""
        return self.exists and self.group_kinds >= other.group_kinds and self.namespaces >= other.namespaces


def parent_document(apply_set: ApplySet, record: Record) -> Object:
    """The parent that says this record."""
    others = sorted(record.namespaces - {apply_set.namespace, ""})
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": apply_set.parent.name,
            "namespace": apply_set.namespace,
            "labels": {ID: apply_set.id},
            "annotations": {
                TOOLING: f"{TOOL}/{TOOL_VERSION}",
                GROUP_KINDS: ",".join(sorted(record.group_kinds)),
                NAMESPACES: ",".join(others),
            },
        },
        "data": {FIXPOINTS: "\n".join(sorted(record.fixpoints))},
    }


def read_parent(apply_set: ApplySet, parent: Mapping[str, t.Any] | None) -> Record:
    """The record of a live parent; an empty one when there is none.

    :raises PlatformError: the ConfigMap of that name is no parent, or another tool's.
    """
    if parent is None:
        return Record()
    labels, annotations = labels_of(parent), annotations_of(parent)
    if labels.get(ID) != apply_set.id:
        raise PlatformError(
            f"{apply_set.parent} exists and is not the record of the apply set {apply_set.name!r} "
            f"(label {ID} is {labels.get(ID)!r}); choose another name, or delete that ConfigMap"
        )
    tool = annotations.get(TOOLING, "").rpartition("/")[0]
    if tool != TOOL:
        raise PlatformError(
            f"the apply set {apply_set.name!r} in namespace {apply_set.namespace} belongs to the tool {tool!r}, "
            f"see {TOOLING} of {apply_set.parent}; choose another name"
        )
    return Record(
        group_kinds=_names(annotations.get(GROUP_KINDS, "").split(",")),
        namespaces=_names([*annotations.get(NAMESPACES, "").split(","), apply_set.namespace]),
        fixpoints=_names((parent.get("data") or {}).get(FIXPOINTS, "").split("\n")),
        exists=True,
    )


def set_of_parent(parent: Mapping[str, t.Any]) -> ApplySet | None:
    """The set of a live parent; None when it is another tool's."""
    metadata = parent["metadata"]
    found = ApplySet(str(metadata["name"]).removeprefix(PARENT_PREFIX), str(metadata["namespace"]))
    ours = annotations_of(parent).get(TOOLING, "").rpartition("/")[0] == TOOL
    return found if ours and labels_of(parent).get(ID) == found.id else None


def _names(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word.strip() for word in words if word.strip())


__all__ = ("ID", "PART_OF", "ApplySet", "Record", "parent_document", "read_parent", "set_of_parent")
