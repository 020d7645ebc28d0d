# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a Service leads to a pod that is ready, or has a good reason not to.

No endpoints are wanted of a Service that selects no pods (somebody else writes its endpoints, or nobody), that names
another host, or whose workloads are all scaled to zero. A headless one that matches nothing is a name without an
address, such as those that charts make to scrape a control plane which on EKS is AWS's.
Source: https://kubernetes.io/docs/concepts/services-networking/service
"""

from __future__ import annotations

import typing as t
from collections import defaultdict
from collections.abc import Iterator, Sequence

from .._k8s.client import Object
from .._k8s.objects import ref_of
from .choice import Asked, is_meant, missing
from .world import Kind, World

SERVICE, SLICE = ("v1", "Service"), ("discovery.k8s.io/v1", "EndpointSlice")
WORKLOADS = (("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"))
SERVICE_KINDS: tuple[Kind, ...] = (SERVICE, SLICE, *WORKLOADS)
OWNER_LABEL = "kubernetes.io/service-name"


def services(asked: Asked, world: World) -> Iterator[str]:
    """The Services that are meant are there, and lead to a ready pod unless they need not."""
    chosen = [one for one in world.objects(*SERVICE) or () if is_meant(asked, one)]
    yield from missing({**asked, "kind": "Service"}, chosen)
    endpoints: dict[tuple[str, str], list[Object]] = defaultdict(list)
    for one in world.objects(*SLICE) or ():
        metadata = one["metadata"]
        owner = str((metadata.get("labels") or {}).get(OWNER_LABEL, ""))
        endpoints[str(metadata["namespace"]), owner] += one.get("endpoints") or ()
    workloads = [one for kind in WORKLOADS for one in world.objects(*kind) or ()]
    for one in chosen:
        namespace, name = str(one["metadata"]["namespace"]), str(one["metadata"]["name"])
        if not {name, f"{namespace}/{name}"} & set(asked.get("idle") or ()):
            near = [other for other in workloads if other["metadata"]["namespace"] == namespace]
            yield from complaint(one, endpoints[namespace, name], near)


def complaint(service: Object, endpoints: Sequence[Object], workloads: Sequence[Object]) -> Iterator[str]:
    """What is wrong with a Service, if something is.

    :param endpoints: of all its slices.
    :param workloads: the Deployments, StatefulSets and DaemonSets of its namespace.
    """
    spec = service["spec"]
    selector: dict[str, str] = spec.get("selector") or {}
    if spec.get("type") == "ExternalName" or not selector or any(_is_ready(one) for one in endpoints):
        return
    behind = [one for one in workloads if selector.items() <= _pod_labels(one).items()]
    awake = [one for one in behind if _wanted_pods(one)]
    if endpoints:
        yield f"{ref_of(service)}: none of its {len(endpoints)} endpoints is ready"
    elif awake:
        yield f"{ref_of(service)} has no endpoint, though {ref_of(awake[0])} wants {_wanted_pods(awake[0])} pods"
    elif not behind and spec.get("clusterIP") != "None":
        shown = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
        yield (
            f"{ref_of(service)} selects {shown}, which no pod and no workload has; correct its selector, or list it "
            "among the idle ones"
        )


def _is_ready(endpoint: Object) -> bool:
    """Unknown counts as ready, as the API says."""
    return (endpoint.get("conditions") or {}).get("ready") is not False


def _pod_labels(workload: Object) -> dict[str, str]:
    template: dict[str, t.Any] = workload["spec"].get("template") or {}
    return (template.get("metadata") or {}).get("labels") or {}


def _wanted_pods(workload: Object) -> int:
    if workload["kind"] == "DaemonSet":
        return int((workload.get("status") or {}).get("desiredNumberScheduled") or 0)
    replicas = workload["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


__all__ = ("SERVICE_KINDS", "complaint", "services")
