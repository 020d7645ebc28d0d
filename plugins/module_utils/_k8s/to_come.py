# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What check mode says of clusters, namespaces and kinds that an earlier step of the same plan would make.

A first C(--check) of a whole platform meets none of them. A real run never comes here: there the same absence is an
error.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping

from .._core.outcome import Context
from .client import Answer, KubeClient, Object
from .discovery import ApiKind, Discovery
from .errors import ClusterAbsentError, KubeApiError
from .objects import group_of, version_of

DISCOVERY = ("/api", "/apis")
# The kinds of Kubernetes 1.36 and of the platform's own charts that belong to no namespace.
CLUSTER_SCOPED = frozenset(
    (
        *("APIService", "CSIDriver", "CustomResourceDefinition", "DeviceClass", "EC2NodeClass", "FlowSchema"),
        *("IngressClass", "MutatingWebhookConfiguration", "Namespace", "Node", "NodeOverlay", "NodePool"),
        *("PersistentVolume", "PriorityClass", "PriorityLevelConfiguration", "ResourceFlavor", "RuntimeClass"),
        *("StorageClass", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
        *("ValidatingWebhookConfiguration", "VolumeSnapshotClass", "VolumeSnapshotContent"),
    )
)


class ClusterToCome(KubeClient):
    """A cluster that serves nothing and holds nothing yet."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.host = ""

    def request(self, method: str, path: str, **_request: t.Any) -> Answer:
        """Empty discovery, empty lists; nothing else is there."""
        if method == "GET" and path in DISCOVERY:
            return Answer(200, {"kind": "APIGroupDiscoveryList", "items": []}, {})
        if method == "GET" and _is_collection(path):
            return Answer(200, {"metadata": {}, "items": []}, {})
        raise KubeApiError(f"{method} {path}: {self.reason}", status=404, reason="NotFound")

    def connect_ahead(self) -> None:
        """There is nothing to connect to."""

    def stream(self, *_path: str, **_request: t.Any) -> Iterator[Object]:
        """No event ever comes."""
        return iter(())


def connect(options: Mapping[str, t.Any], context: Context, *, connections: int = 32) -> KubeClient:
    """The cluster of these options; in check mode also one that is not made yet.

    :raises PlatformError: no cluster is named, or the login fails.
    :raises ClusterAbsentError: the cluster is not there, and this is a real run.
    """
    try:
        return KubeClient(options, connections=connections)
    except ClusterAbsentError as error:
        if not context.check_mode:
            raise
        return ClusterToCome(error.message)


def expecting(discovery: Discovery, documents: Iterable[Object]) -> Discovery:
    """The discovery with kinds of these documents whose whole API group is not served yet.

    A group that is served and lacks the kind stays an error: there the name is wrong.
    """
    served = {kind.group for kind in discovery}
    guesses = [
        _guess(document)
        for document in documents
        if group_of(str(document["apiVersion"])) not in served
        and discovery.find(str(document["apiVersion"]), str(document["kind"])) is None
    ]
    return Discovery([*discovery, *guesses], stale=discovery.stale) if guesses else discovery


def _guess(document: Object) -> ApiKind:
    """The kind as its definition will most likely say; without verbs, since nothing can be done with it yet."""
    api_version, kind = str(document["apiVersion"]), str(document["kind"])
    return ApiKind(
        group=group_of(api_version),
        version=version_of(api_version),
        kind=kind,
        plural=f"{kind.lower()}s",
        namespaced=kind not in CLUSTER_SCOPED and not kind.startswith("Cluster"),
    )


def _is_collection(path: str) -> bool:
    """Whether a path names all objects of a kind: a group and version, then an odd number of parts."""
    parts = path.strip("/").split("/")
    return len(parts[2 if parts[0] == "api" else 3 :]) % 2 == 1


__all__ = ("ClusterToCome", "connect", "expecting")
