# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects that a set wants, made ready for the server: identities checked, kinds found, secrets folded.

Pure: every mistake of the whole set is found here at once, before anything is written.
"""

from __future__ import annotations

import base64
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .._core.errors import PlatformError
from .apply_set import PART_OF, ApplySet
from .discovery import ApiKind, Discovery
from .objects import Object, Ref, labels_of, ref_of
from .waves import wave_of

MOST_NAMED = 10


@dataclass(frozen=True)
class Desired:
    """One object that the set wants.

    :param document: what is sent to the server.
    """

    ref: Ref
    kind: ApiKind
    document: Object
    wave: int

    @property
    def path(self) -> str:
        """The object's path on the server."""
        return self.kind.path(namespace=self.ref.namespace, name=self.ref.name)


def desired_objects(
    documents: Iterable[Object], *, discovery: Discovery, apply_set: ApplySet | None, namespace: str
) -> tuple[Desired, ...]:
    """The objects of these documents, ready to be applied.

    :param discovery: with the kinds of the set's own CustomResourceDefinitions.
    :param apply_set: the set whose members they become; None for objects that belong to no set.
    :param namespace: of namespaced objects that name none.
    :raises PlatformError: with every problem of every object.
    """
    problems: list[str] = []
    found: dict[Ref, Desired] = {}
    for document in documents:
        try:
            desired = _desired(document, discovery, apply_set, namespace)
        except PlatformError as error:
            problems.append(error.message)
            continue
        if desired.ref in found:
            problems.append(f"{desired.ref} stands twice in the set")
        found[desired.ref] = desired
    raise_problems(problems)
    return tuple(found.values())


def raise_problems(problems: Sequence[str]) -> None:
    """Raise one error that names the problems, if there are any.

    :raises PlatformError: with C(problems) in its details, all of them.
    """
    if not problems:
        return
    shown = "; ".join(problems[:MOST_NAMED])
    more = f"; and {len(problems) - MOST_NAMED} more" if len(problems) > MOST_NAMED else ""
    raise PlatformError(f"nothing was changed: {shown}{more}", problems=list(problems))


def _desired(document: Object, discovery: Discovery, apply_set: ApplySet | None, namespace: str) -> Desired:
    given = ref_of(document)
    try:
        kind = discovery.require(str(document["apiVersion"]), given.kind)
    except PlatformError as error:
        raise PlatformError(f"{given}: {error.message}") from error
    if kind.verbs and "patch" not in kind.verbs:
        raise PlatformError(f"{given}: objects of this kind cannot be applied (verbs: {', '.join(sorted(kind.verbs))})")
    if given.namespace and not kind.namespaced:
        raise PlatformError(f"{given}: {given.kind} is cluster-scoped, so it has no metadata.namespace")
    if PART_OF in labels_of(document):
        raise PlatformError(f"{given}: the label {PART_OF} belongs to apply sets; leave it out")
    ref = Ref(given.group, given.kind, (given.namespace or namespace) if kind.namespaced else "", given.name)
    if apply_set and ref == apply_set.parent:
        raise PlatformError(f"{ref} is the record of the set itself; give the object another name")
    ready = _cleaned(document, ref)
    return Desired(ref, kind, apply_set.member(ready) if apply_set else ready, wave_of(document))


def _cleaned(document: Object, ref: Ref) -> Object:
    metadata = {
        key: value
        for key, value in document["metadata"].items()
        if key != "managedFields" and not (key == "creationTimestamp" and value is None)
    }
    if ref.namespace:
        metadata["namespace"] = ref.namespace
    cleaned = {**document, "metadata": metadata}
    return folded_secret(cleaned) if ref.group_kind == "Secret" else cleaned


def folded_secret(document: Object) -> Object:
    """The Secret with C(stringData) folded into C(data).

    Under server-side apply a key that is set by stringData and left out later would stay in the Secret.

    :raises PlatformError: a value is no text.
    """
    plain = document.get("stringData")
    if not plain:
        return {key: value for key, value in document.items() if key != "stringData"}
    data: dict[str, t.Any] = dict(document.get("data") or {})
    for key, value in _texts(plain, ref_of(document)).items():
        data[key] = base64.b64encode(value.encode()).decode()
    return {**{key: value for key, value in document.items() if key != "stringData"}, "data": data}


def _texts(values: t.Any, ref: Ref) -> Mapping[str, str]:
    if not isinstance(values, Mapping):
        raise PlatformError(f"{ref}: stringData needs a mapping")
    for key, value in values.items():
        if not isinstance(value, str):
            raise PlatformError(f"{ref}: stringData.{key} needs text, found {type(value).__name__}; quote it")
    return values


def namespaces_made(desired: Iterable[Desired]) -> frozenset[str]:
    """The namespaces that the set itself makes."""
    return frozenset(one.ref.name for one in desired if one.ref.group_kind == "Namespace")


def groups_made(definitions: Iterable[Mapping[str, t.Any]]) -> frozenset[tuple[str, str]]:
    """(group, kind) of the kinds that these CustomResourceDefinitions make."""
    return frozenset(
        (str(spec.get("group")), str((spec.get("names") or {}).get("kind")))
        for spec in (definition.get("spec") or {} for definition in definitions)
    )


__all__ = ("Desired", "desired_objects", "folded_secret", "groups_made", "namespaces_made", "raise_problems")
