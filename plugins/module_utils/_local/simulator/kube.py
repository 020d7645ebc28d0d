# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the simulator writes to Kubernetes, one method for each thing that a kubelet, EKS or an operator would do."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._k8s.client import APPLY_PATCH, MERGE_PATCH, KubeClient
from ..._k8s.errors import KubeApiError

Object = dict[str, t.Any]
NODES = "/api/v1/nodes"
MANAGER = "aiplatform-simulator"
NOT_FOUND, CONFLICT, TOO_MANY = 404, 409, 429


class Kube(t.Protocol):
    """The writes that the engine makes. Each returns the object as it is afterwards, or None when it is gone."""

    def create_node(self, node: Object) -> Object | None:
        """Register a node; None when one of that name is there."""

    def patch_node(self, name: str, body: Mapping[str, t.Any]) -> Object | None:
        """Change metadata or spec; None also when somebody else was quicker."""

    def patch_node_status(self, name: str, body: Mapping[str, t.Any]) -> Object | None:
        """Change the status."""

    def delete_node(self, name: str) -> None:
        """The instance is terminated."""

    def evict(self, namespace: str, name: str) -> bool:
        """Ask for an eviction; False when a disruption budget forbids it now."""

    def delete_pod(self, namespace: str, name: str) -> None:
        """The pod went down with its node."""

    def fail_pod(self, namespace: str, name: str, *, reason: str, message: str) -> None:
        """The kubelet does not admit the pod."""

    def apply(self, path: str, document: Mapping[str, t.Any]) -> Object | None:
        """Server-side apply."""


class KubeWriter:
    """The writes against a real API server."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    def create_node(self, node: Object) -> Object | None:
        """See C(Kube)."""
        return self._object("POST", NODES, node)

    def patch_node(self, name: str, body: Mapping[str, t.Any]) -> Object | None:
        """See C(Kube)."""
        return self._object("PATCH", f"{NODES}/{name}", body, MERGE_PATCH)

    def patch_node_status(self, name: str, body: Mapping[str, t.Any]) -> Object | None:
        """See C(Kube)."""
        return self._object("PATCH", f"{NODES}/{name}/status", body, MERGE_PATCH)

    def delete_node(self, name: str) -> None:
        """See C(Kube)."""
        self._object("DELETE", f"{NODES}/{name}", None)

    def evict(self, namespace: str, name: str) -> bool:
        """See C(Kube)."""
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
        try:
            self._object("POST", f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", body)
        except KubeApiError as error:
            if error.status == TOO_MANY:
                return False
            raise
        return True

    def delete_pod(self, namespace: str, name: str) -> None:
        """See C(Kube)."""
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        self._object("DELETE", path, {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0})

    def fail_pod(self, namespace: str, name: str, *, reason: str, message: str) -> None:
        """See C(Kube)."""
        status = {"phase": "Failed", "reason": reason, "message": message, "containerStatuses": None}
        self._object("PATCH", f"/api/v1/namespaces/{namespace}/pods/{name}/status", {"status": status}, MERGE_PATCH)

    def apply(self, path: str, document: Mapping[str, t.Any]) -> Object | None:
        """See C(Kube)."""
        query = {"fieldManager": MANAGER, "force": "true"}
        try:
            return self._client.request("PATCH", path, query=query, body=document, content_type=APPLY_PATCH).body
        except KubeApiError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def _object(self, method: str, path: str, body: t.Any, content_type: str = "application/json") -> Object | None:
        try:
            return self._client.request(method, path, body=body, content_type=content_type).body
        except KubeApiError as error:
            if error.status in (NOT_FOUND, CONFLICT):
                return None
            raise


__all__ = ("Kube", "KubeWriter")
