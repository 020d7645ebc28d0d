# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ConfigMaps that NVIDIA's programs read: as documents, and written only when their content differs."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from .._core.clock import Clock
from .._core.errors import MissingLibraryError, PlatformError
from .._core.outcome import Context, Outcome, converge
from .._core.plan import Plan, Step
from .._k8s.client import MERGE_PATCH, KubeClient
from .._k8s.errors import KubeApiError
from .._k8s.retry import send

try:
    import yaml
except ImportError as import_error:
    IMPORT_ERROR: ImportError | None = import_error
else:
    IMPORT_ERROR = None

MANAGER = "aiplatform.eks"
LABELS = {"app.kubernetes.io/managed-by": MANAGER}


@dataclass(frozen=True)
class ConfigMap:
    """A ConfigMap as it is or shall be.

    :param exists: False for one that the cluster does not have.
    :param annotations: ours only.
    :param version: the API server's resourceVersion, new with every change; empty for a wanted one.
    """

    namespace: str
    name: str
    data: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    exists: bool = True
    version: str = ""

    def __str__(self) -> str:
        return f"ConfigMap {self.namespace}/{self.name}"


def read_config_map(client: KubeClient, namespace: str, name: str, *, clock: Clock) -> ConfigMap:
    """The live ConfigMap, or an empty one.

    :raises KubeApiError: it cannot be read.
    """
    try:
        live = send(client, "GET", f"/api/v1/namespaces/{namespace}/configmaps/{name}", clock=clock).body
    except KubeApiError as error:
        if error.status != 404:
            raise
        return ConfigMap(namespace, name, exists=False)
    annotations = live["metadata"].get("annotations") or {}
    return ConfigMap(
        namespace,
        name,
        data=live.get("data") or {},
        annotations={key: value for key, value in annotations.items() if key.startswith("aiplatform.eks/")},
        version=live["metadata"]["resourceVersion"],
    )


def write_config_map(client: KubeClient, live: ConfigMap, wanted: ConfigMap, *, clock: Clock) -> None:
    """Make the live ConfigMap the wanted one; nothing is sent when it is already.

    :raises PlatformError: the namespace does not exist.
    """
    if live.exists and (live.data, live.annotations) == (wanted.data, wanted.annotations):
        return
    folder = f"/api/v1/namespaces/{wanted.namespace}/configmaps"
    query = {"fieldManager": MANAGER}
    try:
        if not live.exists:
            metadata = {"name": wanted.name, "labels": LABELS, "annotations": dict(wanted.annotations)}
            body: dict[str, t.Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
            body["data"] = dict(wanted.data)
            send(client, "POST", folder, clock=clock, query=query, body=body)
            return
        gone = {key: None for key in live.data if key not in wanted.data}
        unsaid = {key: None for key in live.annotations if key not in wanted.annotations}
        body = {"metadata": {"annotations": {**wanted.annotations, **unsaid}}, "data": {**wanted.data, **gone}}
        path = f"{folder}/{wanted.name}"
        send(client, "PATCH", path, clock=clock, query=query, body=body, content_type=MERGE_PATCH)
    except KubeApiError as error:
        if error.status != 404:
            raise
        raise PlatformError(
            f"{wanted}: namespace {wanted.namespace} does not exist; make it first (role gpu_operator does)"
        ) from error


def absence(client: KubeClient, live: ConfigMap, context: Context, facts: Mapping[str, t.Any]) -> Outcome:
    """Delete a ConfigMap; the nodes are not touched.

    :param facts: the module's other result keys.
    """

    def delete(_plan: Plan) -> Mapping[str, t.Any]:
        path = f"/api/v1/namespaces/{live.namespace}/configmaps/{live.name}"
        try:
            send(client, "DELETE", path, clock=context.clock)
        except KubeApiError as error:
            if error.status != 404:
                raise
        return facts

    steps = (Step("delete", str(live), dict(live.data), None),) if live.exists else ()
    return converge(Plan(steps), context, apply=delete, predict=lambda _plan: facts)


def to_text(document: Mapping[str, t.Any]) -> str:
    """The YAML text of a document, the same for the same content.

    :raises MissingLibraryError: PyYAML is absent.
    """
    _need_yaml()
    return str(yaml.safe_dump(dict(document), sort_keys=True, default_flow_style=False))


def from_text(text: str, *, where: str) -> t.Any:
    """The document of a YAML text.

    :raises PlatformError: it is no YAML.
    """
    _need_yaml()
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PlatformError(f"{where} is no YAML: {' '.join(str(error).split())}") from error


def _need_yaml() -> None:
    if IMPORT_ERROR is not None:
        raise MissingLibraryError(f"PyYAML cannot be imported ({IMPORT_ERROR}); pip install PyYAML")


__all__ = ("ConfigMap", "absence", "from_text", "read_config_map", "to_text", "write_config_map")
