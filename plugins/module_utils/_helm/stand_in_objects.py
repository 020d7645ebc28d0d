# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Kubernetes objects of a stand-in chart: workloads without software, as strict as their Pod Security level."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._core.errors import PlatformError

Object = dict[str, t.Any]
STAND_IN = "aiplatform.eks/stand-in"  # annotation of the chart; label of the pods, with their workload's name
REQUESTS = {"cpu": "10m", "memory": "16Mi"}
NOBODY = 65532
API_GROUPS = (".k8s.io", ".kubernetes.io")  # need a word about their approval on a CRD
APPROVAL = "api-approved.kubernetes.io"
SECCOMP = {"seccompProfile": {"type": "RuntimeDefault"}}
# What a pod and its containers need: https://kubernetes.io/docs/concepts/security/pod-security-standards/
SECURITY: dict[str, tuple[Object, Object]] = {
    "restricted": (
        {**SECCOMP, "runAsNonRoot": True, "runAsUser": NOBODY},
        {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
    ),
    "baseline": (SECCOMP, {"allowPrivilegeEscalation": False}),
    "privileged": ({}, {"privileged": True}),
}


@dataclass(frozen=True)
class Workload:
    """One workload.

    :param labels: of the workload, its pods and its services.
    :param claims: names and sizes of the volumes.
    :param governing: the service that gives a StatefulSet's pods their names.
    """

    kind: str
    name: str
    replicas: t.Any
    service_account: str
    pod_security: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    containers: Sequence[Mapping[str, t.Any]]
    claims: Sequence[Mapping[str, t.Any]]
    pod: Mapping[str, t.Any]
    governing: str

    @classmethod
    def of(cls, entry: Mapping[str, t.Any], services: Sequence[Mapping[str, t.Any]], *, where: str) -> Workload:
        """Read one entry of C(workloads).

        :raises PlatformError: no container, two of one name, or a port that is none.
        """
        where = f"{where}: workload {entry['name']}"
        containers = entry.get("containers") or ()
        names = [container["name"] for container in containers]
        if not names or len(set(names)) < len(names):
            raise PlatformError(f"{where}: needs containers, each with a name of its own")
        for container in containers:
            _check_ports(container.get("ports") or {}, f"{where}: container {container['name']}")
        mine = sorted(
            (one for one in services if one["workload"] == entry["name"]), key=lambda one: not one.get("headless")
        )
        return cls(
            kind=entry.get("kind") or "Deployment",
            name=entry["name"],
            replicas=1 if entry.get("replicas") is None else entry["replicas"],
            service_account=entry.get("service_account") or "",
            pod_security=entry.get("pod_security") or "restricted",
            labels={**_labels(entry), STAND_IN: entry["name"]},
            annotations=entry.get("annotations") or {},
            containers=containers,
            claims=entry.get("volume_claims") or (),
            pod=entry.get("pod") or {},
            governing=mine[0]["name"] if mine else entry["name"],
        )

    @property
    def selector(self) -> dict[str, str]:
        """The labels that tell this workload's pods from all others of the namespace."""
        return {STAND_IN: self.name}

    def port_names(self) -> set[str]:
        """The named ports of its containers."""
        return {name for container in self.containers for name in container.get("ports") or {}}


def _labels(entry: Mapping[str, t.Any]) -> dict[str, str]:
    known = {"app.kubernetes.io/name": entry["name"], "app.kubernetes.io/instance": "{{ .Release.Name }}"}
    return {**known, **(entry.get("labels") or {})}


def _check_ports(ports: Mapping[str, t.Any], where: str) -> None:
    for name, number in ports.items():
        expression = isinstance(number, str) and "{{" in number
        if not expression and not (isinstance(number, int) and 0 < number < 65536):
            raise PlatformError(f"{where}: port {name} is {number!r}, wanted is a number from 1 to 65535")


def workload_objects(workload: Workload) -> list[Object]:
    """The workload, after the claims that only a StatefulSet makes itself."""
    spec: Object = {"selector": {"matchLabels": workload.selector}, "template": _template(workload)}
    claims = [_claim(entry) for entry in workload.claims]
    if workload.kind != "DaemonSet":
        spec["replicas"] = workload.replicas
    if workload.kind == "StatefulSet":
        spec |= {"serviceName": workload.governing, "volumeClaimTemplates": claims}
        claims = []
    metadata = {"name": workload.name, "labels": dict(workload.labels)}
    return [*claims, {"apiVersion": "apps/v1", "kind": workload.kind, "metadata": metadata, "spec": spec}]


def _template(workload: Workload) -> Object:
    pod_context, container_context = SECURITY[workload.pod_security]
    mounts = [{"name": claim["name"], "mountPath": f"/var/lib/{claim['name']}"} for claim in workload.claims]
    spec: Object = {"containers": [_container(entry, container_context, mounts) for entry in workload.containers]}
    if pod_context:
        spec["securityContext"] = pod_context
    if workload.service_account:
        spec["serviceAccountName"] = workload.service_account
    if mounts and workload.kind != "StatefulSet":
        spec["volumes"] = [
            {"name": claim["name"], "persistentVolumeClaim": {"claimName": claim["name"]}} for claim in workload.claims
        ]
    metadata: Object = {"labels": dict(workload.labels)}
    if workload.annotations:
        metadata["annotations"] = dict(workload.annotations)
    return {"metadata": metadata, "spec": {**spec, **workload.pod}}


def _container(entry: Mapping[str, t.Any], context: Object, mounts: list[Object]) -> Object:
    requests = {**REQUESTS, **(entry.get("requests") or {})}
    # Memory is never overcommitted, and the API server wants extended resources (nvidia.com/gpu) as limits too.
    limits = {name: amount for name, amount in requests.items() if name == "memory" or "/" in name}
    found: Object = {
        "name": entry["name"],
        "image": entry["image"],
        "ports": [{"name": name, "containerPort": number} for name, number in (entry.get("ports") or {}).items()],
        "resources": {"requests": requests, "limits": limits},
        "securityContext": context,
    }
    return {**found, "volumeMounts": mounts} if mounts else found


def _claim(entry: Mapping[str, t.Any]) -> Object:
    spec: Object = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": entry.get("size") or "1Gi"}},
    }
    if entry.get("storage_class"):
        spec["storageClassName"] = entry["storage_class"]
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": entry["name"]}, "spec": spec}


def service(entry: Mapping[str, t.Any], workload: Workload, *, where: str) -> Object:
    """A service of a workload; a port leads to the container port of the same name, or of the same number.

    :raises PlatformError: a port that is none.
    """
    _check_ports(entry.get("ports") or {}, f"{where}: service {entry['name']}")
    known = workload.port_names()
    ports = [
        {"name": name, "port": number, "targetPort": name if name in known else number}
        for name, number in (entry.get("ports") or {}).items()
    ]
    spec: Object = {"selector": workload.selector, "ports": ports}
    if entry.get("headless"):
        spec["clusterIP"] = "None"
    metadata = {"name": entry["name"], "labels": dict(workload.labels)}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def is_stand_in(metadata: Mapping[str, t.Any]) -> bool:
    """Whether a chart's metadata (of its Chart.yaml, or in a release record) says that it is a stand-in."""
    return (metadata.get("annotations") or {}).get(STAND_IN) == "true"


def service_account(name: str) -> Object:
    """A service account."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}


def named_data(kind: str, field: str, entry: Mapping[str, t.Any]) -> Object:
    """A ConfigMap or a Secret."""
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": entry["name"]}, field: entry.get("data") or {}}


def definition(entry: Mapping[str, t.Any]) -> Object:
    """A CustomResourceDefinition with an open schema; the first version is the stored one."""
    kind, plural, group = entry["kind"], entry["plural"], entry["group"]
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    versions = [
        {"name": name, "served": True, "storage": number == 0, "subresources": {"status": {}}}
        | {"schema": {"openAPIV3Schema": schema}}
        for number, name in enumerate(entry["versions"])
    ]
    metadata: Object = {"name": f"{plural}.{group}"}
    if f".{group}".endswith(API_GROUPS):
        metadata["annotations"] = {APPROVAL: "unapproved, a stand-in"}
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": {"group": group, "names": names, "scope": entry.get("scope") or "Namespaced", "versions": versions},
    }


__all__ = (
    "STAND_IN",
    "Object",
    "Workload",
    "definition",
    "is_stand_in",
    "named_data",
    "service",
    "service_account",
    "workload_objects",
)
