# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Helm's own release records: one LIST of secrets tells what is deployed, without a helm process."""

from __future__ import annotations

import base64
import gzip
import json
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .._core.errors import PlatformError
from .._k8s.client import KubeClient, Object
from .._k8s.errors import KubeApiError
from .stand_in_objects import is_stand_in

SELECTOR = "owner=helm,status!=superseded"
DIGEST_LABEL = "aiplatform.eks/chart-digest"
PAGE = 250
Key = tuple[str, str]


@dataclass(frozen=True)
class ReleaseRecord:
    """One revision of a release, as helm stores it (type helm.sh/release.v1, helm 3 and 4).

    :param status: deployed, failed, pending-install, pending-upgrade, pending-rollback, uninstalling, uninstalled.
    :param values: the user's values; may hold secrets.
    :param manifest: what was rendered, without hooks.
    :param digest: of a local chart that we deployed; empty otherwise.
    :param stand_in: whether the chart is one of our stand-ins.
    :param modified: seconds since 1970 of the record's last change; 0 when unknown.
    """

    name: str
    namespace: str
    revision: int
    status: str
    chart_name: str
    chart_version: str
    app_version: str
    values: Mapping[str, t.Any] = field(repr=False)
    manifest: str = field(repr=False)
    digest: str = ""
    modified: float = 0.0
    stand_in: bool = False

    @property
    def chart(self) -> str:
        """The chart in words."""
        return f"{self.chart_name} {self.chart_version}"


@dataclass(frozen=True)
class History:
    """What matters of a release's revisions: the newest, and the newest that was deployed."""

    newest: ReleaseRecord
    deployed: ReleaseRecord | None


def decode(secret: Mapping[str, t.Any]) -> ReleaseRecord:
    """A record from its secret.

    :raises PlatformError: the secret is no release record that we understand.
    """
    metadata: Object = secret["metadata"]
    labels: Mapping[str, str] = metadata.get("labels") or {}
    try:
        packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
        body: Object = json.loads(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed)
        chart: Object = body["chart"]["metadata"]
        return ReleaseRecord(
            name=str(body["name"]),
            namespace=str(body.get("namespace") or metadata["namespace"]),
            revision=int(body["version"]),
            status=str(body["info"]["status"]),
            chart_name=str(chart["name"]),
            chart_version=str(chart["version"]),
            app_version=str(chart.get("appVersion") or ""),
            values=body.get("config") or {},
            manifest=str(body.get("manifest") or ""),
            digest=labels.get(DIGEST_LABEL, ""),
            modified=float(labels.get("modifiedAt") or labels.get("createdAt") or 0),
            stand_in=is_stand_in(chart),
        )
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise PlatformError(
            f"the release record {metadata.get('namespace')}/{metadata.get('name')} cannot be read "
            f"({type(error).__name__}); it was written by another tool or is damaged"
        ) from error


def histories(records: Iterable[ReleaseRecord]) -> dict[Key, History]:
    """The histories of all releases by (namespace, name)."""
    found: dict[Key, History] = {}
    for record in sorted(records, key=lambda record: record.revision):
        key = (record.namespace, record.name)
        before = found.get(key)
        deployed = record if record.status == "deployed" else (before.deployed if before else None)
        found[key] = History(newest=record, deployed=deployed)
    return found


def read_histories(client: KubeClient, wanted: Iterable[Key]) -> dict[Key, History]:
    """Read the records of the wanted releases: one LIST, or one for each namespace where that is not permitted.

    :raises KubeApiError: not even the namespaces may be read.
    """
    keys = set(wanted)
    try:
        secrets = _list(client, "/api/v1/secrets")
    except KubeApiError as error:
        if error.status != 403:
            raise
        namespaces = sorted({namespace for namespace, _name in keys})
        secrets = [secret for name in namespaces for secret in _list(client, f"/api/v1/namespaces/{name}/secrets")]
    mine = [secret for secret in secrets if _key(secret) in keys]
    return histories(decode(secret) for secret in mine)


def read_all(client: KubeClient, namespace: str | None) -> dict[Key, History]:
    """Read the records of all releases, or of one namespace's."""
    path = f"/api/v1/namespaces/{namespace}/secrets" if namespace else "/api/v1/secrets"
    return histories(decode(secret) for secret in _list(client, path))


def _key(secret: Mapping[str, t.Any]) -> Key:
    metadata = secret["metadata"]
    return str(metadata["namespace"]), str((metadata.get("labels") or {}).get("name"))


def _list(client: KubeClient, path: str) -> list[Object]:
    found: list[Object] = []
    query: dict[str, t.Any] = {"labelSelector": SELECTOR, "limit": PAGE}
    while True:
        page = client.request("GET", path, query=query).body
        found.extend(page.get("items") or [])
        query["continue"] = (page.get("metadata") or {}).get("continue")
        if not query["continue"]:
            return found


__all__ = ("DIGEST_LABEL", "History", "Key", "ReleaseRecord", "decode", "histories", "read_all", "read_histories")
