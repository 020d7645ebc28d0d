# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The use case of platform_info: what a report says of one cluster, read from its API."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._core.argument_spec import ArgumentSpec
from .._core.concurrency import map_concurrently
from .._core.outcome import Context, Outcome, UseCase
from .._gpu.policy import sharing_policies
from .._helm.info import release_facts
from .._helm.records import read_all
from .._k8s.client import KubeClient
from .._k8s.connection import CONNECTION_SPEC
from .._k8s.errors import KubeApiError
from .._k8s.listing import list_all
from .._k8s.to_come import connect
from .cluster import Live, capacity_facts, node_facts, pool_facts, quota_facts

SPEC = ArgumentSpec(
    options={
        "node_pools": {"type": "list", "elements": "dict", "required": True},
        "mig_strategy": {"type": "str", "choices": ["none", "single", "mixed"], "default": "mixed"},
    }
).merge(CONNECTION_SPEC)
LISTS = ("/api/v1/nodes", "/api/v1/pods", "/api/v1/resourcequotas")


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:
    """Read and say."""
    pools = options["node_pools"]
    policies = sharing_policies(pools, mig_strategy=options["mig_strategy"])
    client = connect(options, context)
    nodes, pods, quotas = map_concurrently(lambda path: list_all(client, path), LISTS)
    live = Live(version=_version(client), nodes=nodes, pods=pods, quotas=quotas)
    return Outcome(
        facts={
            "kubernetes_version": live.version,
            "pools": pool_facts(pools, policies, live),
            "gpu_nodes": node_facts(policies, live),
            "capacity": capacity_facts(pools, policies, live),
            "quotas": quota_facts(live),
            "releases": [release_facts(history) for _key, history in sorted(read_all(client, None).items())],
        }
    )


def _version(client: KubeClient) -> str:
    """The API server's version; empty for a cluster that is to come."""
    try:
        return str(client.request("GET", "/version").body.get("gitVersion", ""))
    except KubeApiError as error:
        if error.status != 404:
            raise
        return ""


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE",)
