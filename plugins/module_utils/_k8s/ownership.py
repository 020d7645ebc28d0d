# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a server-side apply would change an object, told from C(metadata.managedFields) without asking the server.

The entry of our own manager lists exactly the fields that we applied last, with the keys of keyed lists, so no
schema is needed. The answer is one-sided: V(True) is certain, V(False) means "ask the server", which costs 3 ms.
What the server rewrites for good (quantities, defaults inside atomic values, nulls) is settled by a fixpoint: the
digest of a document together with what the server made of it (see M(fixpoint)).
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import typing as t
from collections.abc import Iterable, Mapping, Sequence

from .objects import Object

Fields = Mapping[str, t.Any]
UNOWNED = frozenset(("apiVersion", "kind"))
UNOWNED_METADATA = frozenset(
    (
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    )
)


def applied_fields(live: Mapping[str, t.Any], *, manager: str, api_version: str) -> Fields | None:
    """The fields that this manager applied in that version, as C(fieldsV1); None when it never did."""
    for entry in (live.get("metadata") or {}).get("managedFields") or []:
        if (
            entry.get("manager") == manager
            and entry.get("operation") == "Apply"
            and not entry.get("subresource")
            and entry.get("apiVersion") == api_version
        ):
            return t.cast("Fields", entry.get("fieldsV1") or {})
    return None


def settled(desired: Mapping[str, t.Any], live: Mapping[str, t.Any], *, manager: str) -> bool:
    """Whether it is certain that applying C(desired) over C(live) changes nothing."""
    fields = applied_fields(live, manager=manager, api_version=str(desired.get("apiVersion")))
    if fields is None:
        return False
    owned = {key: value for key, value in desired.items() if key not in UNOWNED}
    metadata = {key: value for key, value in owned.get("metadata", {}).items() if key not in UNOWNED_METADATA}
    if metadata:
        owned["metadata"] = metadata
    else:
        owned.pop("metadata", None)
    return _mapping_settled(owned, live, fields)


def fixpoint(desired: Mapping[str, t.Any], live: Mapping[str, t.Any], *, manager: str) -> str:
    """A digest of the document, of our ownership and of the live values at the document's places.

    Taken after an apply it says: this document over these values gives these values. While it stays the same, applying
    again changes nothing, whatever the server had rewritten.
    """
    fields = applied_fields(live, manager=manager, api_version=str(desired.get("apiVersion")))
    text = json.dumps([desired, fields, _projection(live, desired)], sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:18]).decode()


def _projection(live: t.Any, desired: t.Any) -> t.Any:
    if isinstance(live, dict) and isinstance(desired, dict):
        return {key: _projection(live.get(key), value) for key, value in desired.items()}
    return live


def _mapping_settled(desired: Mapping[str, t.Any], live: t.Any, fields: Fields) -> bool:
    if not isinstance(live, dict):
        return False
    names = {key[2:] for key in fields if key.startswith("f:")}
    return names == set(desired) and all(
        key in live and _value_settled(value, live[key], fields[f"f:{key}"]) for key, value in desired.items()
    )


def _value_settled(desired: t.Any, live: t.Any, fields: Fields) -> bool:
    inner = {key: value for key, value in fields.items() if key != "."}
    if not inner:
        return same(desired, live)
    if isinstance(desired, dict):
        return _mapping_settled(desired, live, inner)
    if not isinstance(desired, list) or not isinstance(live, list):
        return False
    if all(key.startswith("v:") for key in inner):
        return _set_settled(desired, live, inner)
    if all(key.startswith("k:") for key in inner):
        return _keyed_settled(desired, live, inner)
    return False


def _set_settled(desired: Sequence[t.Any], live: Sequence[t.Any], fields: Fields) -> bool:
    owned = [json.loads(key[2:]) for key in fields]
    if len(owned) != len(desired) or any(value not in owned or value not in live for value in desired):
        return False
    return _ascending(live.index(value) for value in desired)


def _keyed_settled(desired: Sequence[t.Any], live: Sequence[t.Any], fields: Fields) -> bool:
    if len(desired) != len(fields):
        return False
    keys = {name: json.loads(name[2:]) for name in fields}
    positions: list[int] = []
    for item in desired:
        name = _owned_key(item, keys)
        position = _position(live, keys.pop(name)) if name else None
        if name is None or position is None or not _value_settled(item, live[position], fields[name]):
            return False
        positions.append(position)
    return _ascending(positions)


def _owned_key(item: t.Any, keys: Mapping[str, Mapping[str, t.Any]]) -> str | None:
    """The key under which we own this item: key fields that the item leaves out were defaulted by the server."""
    if not isinstance(item, dict):
        return None
    found = [name for name, key in keys.items() if all(k not in item or same(item[k], v) for k, v in key.items())]
    return found[0] if len(found) == 1 else None


def _position(live: Sequence[t.Any], key: Mapping[str, t.Any]) -> int | None:
    for position, item in enumerate(live):
        if isinstance(item, dict) and all(k in item and same(item[k], v) for k, v in key.items()):
            return position
    return None


def _ascending(positions: Iterable[int]) -> bool:
    order = list(positions)
    return all(one < other for one, other in itertools.pairwise(order))


def same(one: t.Any, other: t.Any) -> bool:
    """Whether two JSON values are equal (Python's V(1 == True) is not JSON's)."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def legacy_entries(live: Mapping[str, t.Any], managers: Iterable[str]) -> list[Object]:
    """The entries of managers that once wrote by Update (client-side apply) and whose fields become ours."""
    wanted = set(managers)
    return [
        entry
        for entry in (live.get("metadata") or {}).get("managedFields") or []
        if entry.get("manager") in wanted and entry.get("operation") == "Update" and not entry.get("subresource")
    ]


def migration(live: Mapping[str, t.Any], *, manager: str, managers: Iterable[str]) -> list[Object] | None:
    """The JSON patch that hands the fields of client-side-apply managers to our own Apply entry; None when there
    is nothing to hand over. After it, an apply removes what these managers had set and we no longer want.

    Same as kubectl's csaupgrade: the union of the fields under one entry, guarded by the resourceVersion.
    """
    legacy = legacy_entries(live, managers)
    if not legacy:
        return None
    entries = [entry for entry in live["metadata"]["managedFields"] if entry not in legacy]
    own = next(
        (
            entry
            for entry in entries
            if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource")
        ),
        None,
    )
    heir = {**(own or legacy[-1]), "manager": manager, "operation": "Apply"}
    for entry in legacy:
        heir["fieldsV1"] = _union(heir.get("fieldsV1") or {}, entry.get("fieldsV1") or {})
    return [
        {
            "op": "replace",
            "path": "/metadata/managedFields",
            "value": [heir, *(entry for entry in entries if entry is not own)],
        },
        {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
    ]


def _union(one: Fields, other: Fields) -> Object:
    merged = dict(one)
    for key, value in other.items():
        merged[key] = _union(merged[key], value) if key in merged else value
    return merged


def without_orphans(live: Mapping[str, t.Any], managers: Iterable[str]) -> Object:
    """The object without the fields that only these old managers own: what is left once they were handed over to us
    and we do not want them.
    """
    legacy = legacy_entries(live, managers)
    orphans: Object = {}
    for entry in legacy:
        orphans = _union(orphans, entry.get("fieldsV1") or {})
    for entry in live["metadata"]["managedFields"]:
        if entry not in legacy:
            orphans = _difference(orphans, entry.get("fieldsV1") or {})
    return t.cast("Object", _stripped(live, orphans))


def _difference(fields: Fields, others: Fields) -> Object:
    left: Object = {}
    for key, value in fields.items():
        if key not in others:
            left[key] = value
        elif inner := _difference(value, others[key]):
            left[key] = inner
    return left


def _stripped(value: t.Any, orphans: Fields) -> t.Any:
    if isinstance(value, dict):
        kept: Object = {}
        for key, inner in value.items():
            fields = orphans.get(f"f:{key}")
            if fields is None:
                kept[key] = inner
            elif (left := _stripped(inner, fields) if fields else None) not in (None, {}, []):
                kept[key] = left
        return kept
    if isinstance(value, list):
        return [left for item in value if (left := _stripped_item(item, orphans)) is not None]
    return value


def _stripped_item(item: t.Any, orphans: Fields) -> t.Any:
    for key, fields in orphans.items():
        if key.startswith("v:") and same(json.loads(key[2:]), item):
            return None
        if key.startswith("k:") and _position([item], json.loads(key[2:])) is not None:
            return None if "." in fields else _stripped(item, fields)
    return item


__all__ = ("applied_fields", "fixpoint", "legacy_entries", "migration", "same", "settled", "without_orphans")
