# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which proxies started with other trust anchors than the wanted ones: the injector writes their hash into the pod.

Source: charts/partials/templates/_metadata.tpl (partials.proxy.annotations) and the proxy injector of linkerd2, which
hashes the ConfigMap linkerd-identity-trust-roots, where the chart trims the bundle.
"""

from __future__ import annotations

import hashlib
import typing as t
from collections import Counter
from collections.abc import Iterable, Mapping

from .._k8s.client import METADATA_LIST, KubeClient
from .._k8s.errors import KubeApiError
from .._k8s.listing import list_all

CONTROL_PLANE = "linkerd.io/control-plane-ns"
COMPONENT = "linkerd.io/control-plane-component"  # of the control plane's own pods, which the chart's upgrade restarts
HASH = "linkerd.io/trust-root-sha256"
RUNNING = "status.phase!=Succeeded,status.phase!=Failed"


def outdated_proxies(client: KubeClient, *, namespace: str, bundle: str) -> list[dict[str, t.Any]] | None:
    """How many meshed pods of each namespace do not know the bundle; None when we may not see pods.

    :param namespace: of the control plane.
    :param bundle: the trust anchors, PEM.
    :raises KubeApiError: the server does not answer.
    """
    try:
        pods = list_all(
            client,
            "/api/v1/pods",
            label_selector=f"{CONTROL_PLANE}={namespace},!{COMPONENT}",
            field_selector=RUNNING,
            accept=METADATA_LIST,
        )
    except KubeApiError as error:
        if error.status != 403:
            raise
        return None
    return outdated(pods, bundle)


def outdated(pods: Iterable[Mapping[str, t.Any]], bundle: str) -> list[dict[str, t.Any]]:
    """C(namespace) and C(pods), their number, of those with another hash. Pods on their way out do not count."""
    known = {hashlib.sha256(text.encode()).hexdigest() for text in (bundle, bundle.strip(), f"{bundle.strip()}\n")}
    found: Counter[str] = Counter()
    for pod in pods:
        metadata = pod["metadata"]
        told = (metadata.get("annotations") or {}).get(HASH)
        if told and told not in known and not metadata.get("deletionTimestamp"):
            found[str(metadata["namespace"])] += 1
    return [{"namespace": namespace, "pods": number} for namespace, number in sorted(found.items())]


__all__ = ("outdated", "outdated_proxies")
