# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a chart may ask of the cluster (C(.Capabilities)), for a rendering that does not ask the cluster itself.

C(helm template) takes the Kubernetes version that it was built for and no API of any operator, even with
C(--dry-run=server): a chart that makes a ServiceMonitor only where the cluster knows the kind would lose it.
"""

from __future__ import annotations

from .._k8s.client import KubeClient
from .._k8s.discovery import discover


def template_arguments(client: KubeClient) -> list[str]:
    """The options of C(helm template) that say the cluster's version, its API versions and its kinds.

    :raises KubeApiError: the cluster does not answer.
    """
    version = str(client.request("GET", "/version").body["gitVersion"])
    known = {name for kind in discover(client) for name in (kind.api_version, f"{kind.api_version}/{kind.kind}")}
    return ["--kube-version", version, *(part for name in sorted(known) for part in ("--api-versions", name))]


__all__ = ("template_arguments",)
