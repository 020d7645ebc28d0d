# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking pods off nodes within their PodDisruptionBudgets, and only those that are asked for."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from .._core.clock import Clock
from .client import KubeClient, Object
from .errors import KubeApiError
from .retry import is_passing, send

FINISHED = frozenset({"Succeeded", "Failed"})
MIRROR = "kubernetes.io/config.mirror"
TOO_MANY_REQUESTS, CONFLICT, NOT_FOUND = 429, 409, 404


@dataclass(frozen=True)
class PodState:
    """What matters of a pod that has a node.

    :param resources: extended resources that its containers ask for.
    :param owner: kind of its controller, or empty: nobody would make it again.
    :param daemon: name of the DaemonSet that it belongs to, or empty.
    """

    key: str
    uid: str
    node: str
    resources: frozenset[str]
    owner: str
    daemon: str
    running: bool
    deleting: bool


def pod_state(live: Object) -> PodState | None:
    """The record of an API object; None for pods that hold nothing: finished, static or without a node."""
    metadata, spec, status = live["metadata"], live.get("spec") or {}, live.get("status") or {}
    if not spec.get("nodeName") or status.get("phase") in FINISHED or MIRROR in (metadata.get("annotations") or {}):
        return None
    owners = [one for one in metadata.get("ownerReferences") or [] if one.get("controller")]
    owner = owners[0] if owners else {}
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    return PodState(
        key=f"{metadata['namespace']}/{metadata['name']}",
        uid=metadata["uid"],
        node=spec["nodeName"],
        resources=frozenset(name for one in containers for name in _extended(one.get("resources") or {})),
        owner=owner.get("kind", ""),
        daemon=owner.get("name", "") if owner.get("kind") == "DaemonSet" else "",
        running=status.get("phase") == "Running",
        deleting="deletionTimestamp" in metadata,
    )


def _extended(resources: Mapping[str, t.Any]) -> Iterable[str]:
    for part in ("limits", "requests"):
        yield from (name for name, count in (resources.get(part) or {}).items() if "/" in name and str(count) != "0")
    yield from ("resource.k8s.io/claim" for _claim in resources.get("claims") or [])


def to_evict(pods: Iterable[PodState], *, prefixes: Collection[str] = ()) -> list[PodState]:
    """The pods to take off a node: not those of DaemonSets, and only those that use a resource with such a prefix.

    :param prefixes: C(nvidia.com/) for GPU pods; empty for every pod.
    """
    return sorted(
        (pod for pod in pods if not pod.daemon and (not prefixes or _uses(pod, prefixes))), key=lambda pod: pod.key
    )


def _uses(pod: PodState, prefixes: Collection[str]) -> bool:
    return any(name.startswith(tuple(prefixes)) for name in pod.resources)


@dataclass(frozen=True)
class Eviction:
    """The answer to one eviction.

    :param refused: why the pod stays for now; empty when it goes or is gone.
    :param by_budget: whether a PodDisruptionBudget said so, and not a busy server.
    """

    pod: PodState
    refused: str = ""
    by_budget: bool = False


def evict(client: KubeClient, pod: PodState, *, grace: int | None = None) -> Eviction:
    """Ask for the eviction of a pod; the API server asks its budgets.

    :param grace: seconds that the pod has to end; None for its own.
    :raises KubeApiError: the server refuses it for another reason than a budget.
    """
    namespace, _slash, name = pod.key.partition("/")
    options: dict[str, t.Any] = {"preconditions": {"uid": pod.uid}}
    if grace is not None:
        options["gracePeriodSeconds"] = grace
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
        "deleteOptions": options,
    }
    try:
        client.request("POST", f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", body=body)
    except KubeApiError as error:
        if error.status == NOT_FOUND or (error.status == CONFLICT and "uid" in error.message.lower()):
            return Eviction(pod)
        budgets = [str(cause.get("message")) for cause in error.causes if cause.get("reason") == "DisruptionBudget"]
        if error.status == TOO_MANY_REQUESTS and budgets:
            return Eviction(pod, refused="; ".join(budgets), by_budget=True)
        if is_passing(error):
            return Eviction(pod, refused=error.message)
        raise
    return Eviction(pod)


def delete_pod(client: KubeClient, pod: PodState, *, clock: Clock) -> None:
    """Delete a pod that its controller makes again at once; one that is gone already is right too."""
    namespace, _slash, name = pod.key.partition("/")
    body = {"preconditions": {"uid": pod.uid}}
    try:
        send(client, "DELETE", f"/api/v1/namespaces/{namespace}/pods/{name}", clock=clock, body=body)
    except KubeApiError as error:
        if error.status not in (NOT_FOUND, CONFLICT):
            raise


def list_pods(client: KubeClient, node: str, *, clock: Clock) -> list[PodState]:
    """The pods of one node, read consistently."""
    query = {"fieldSelector": f"spec.nodeName={node}"}
    items = send(client, "GET", "/api/v1/pods", clock=clock, query=query).body.get("items") or []
    return [found for found in map(pod_state, items) if found is not None]


__all__ = ("Eviction", "PodState", "delete_pod", "evict", "list_pods", "pod_state", "to_evict")
