# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which live objects are no longer what helm deployed: read-only, judged by the server's dry run."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._core.concurrency import map_concurrently
from .._core.plan import differences
from .._k8s.client import APPLY_PATCH, KubeClient
from .._k8s.discovery import Discovery
from .._k8s.errors import KubeApiError
from .._k8s.masking import presentable
from .rendering import Objects, located

# Not helm's own name: fields that helm owns and the manifest does not say (its labels) would seem to go.
MANAGER = "aiplatform.eks-drift"
QUERY = {"fieldManager": MANAGER, "force": "true", "dryRun": "All"}
WORKERS = 16
MISSING, CHANGED = "missing", "changed"


def drifted(client: KubeClient, discovery: Discovery, manifest: Objects, *, namespace: str) -> list[dict[str, t.Any]]:
    """The objects of a stored manifest that are gone or hold other values, with the paths of the fields.

    The server applies each object in a dry run over what is there, so that defaults and notations (C(1000m) and C(1))
    are no drift. What others added beside the manifest's fields is none either.

    :param manifest: from M(rendering.objects_of).
    :param namespace: of objects that do not say theirs.
    :raises KubeApiError: an object may not be read, or not be patched even in a dry run.
    """
    found = map_concurrently(
        lambda entry: _drift(client, discovery, *entry, namespace=namespace), manifest.items(), workers=WORKERS
    )
    return [entry for entry in found if entry]


def _drift(
    client: KubeClient, discovery: Discovery, name: str, item: Mapping[str, t.Any], *, namespace: str
) -> dict[str, t.Any] | None:
    found = located(item, discovery, namespace=namespace)
    if found is None:
        return _entry(name, MISSING)
    _kind, path = found
    try:
        live = client.request("GET", path).body
        wanted = client.request("PATCH", path, query=QUERY, body=item, content_type=APPLY_PATCH).body
    except KubeApiError as error:
        if error.status == 404:
            return _entry(name, MISSING)
        raise
    fields = [one.path for one in differences(presentable(live), presentable(wanted))]
    return _entry(name, CHANGED, fields) if fields else None


def _entry(name: str, state: str, fields: list[str] | None = None) -> dict[str, t.Any]:
    return {"object": name, "state": state, "fields": fields or []}


def in_words(entries: list[dict[str, t.Any]]) -> str:
    """The entries as a part of a sentence, without values."""
    return ", ".join(
        f"{entry['object']} is missing"
        if entry["state"] == MISSING
        else f"{entry['object']} ({', '.join(entry['fields'])})"
        for entry in entries
    )


__all__ = ("drifted", "in_words")
