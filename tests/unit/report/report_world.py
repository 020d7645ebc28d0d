# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small cluster as API objects, for tests of the report."""

from __future__ import annotations

import typing as t

from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import sharing_policies
from ansible_collections.aiplatform.eks.plugins.module_utils._report.cluster import (
    Live,
    capacity_facts,
    node_facts,
    pool_facts,
    quota_facts,
)

POOLS: list[dict[str, t.Any]] = [
    {"name": "system", "instance_types": ["m7i.2xlarge"], "scaling": {"min": 2, "max": 4}},
    {
        "name": "a100-shared",
        "instance_types": ["p4de.24xlarge"],
        "scaling": {"min": 1, "max": 2},
        "gpu_sharing": {"mode": "time_slicing", "replicas": 3},
    },
    {
        "name": "a100-mig",
        "instance_types": ["p4de.24xlarge"],
        "scaling": {"min": 1, "max": 2},
        "gpu_sharing": {"mode": "mig", "layout": {"3g.40gb": 2}},
    },
    {
        "name": "h100-mix",
        "instance_types": ["p5.48xlarge"],
        "scaling": {"min": 0, "max": 2},
        "gpu_sharing": {"mode": "mig", "layout": {"1g.10gb": 2, "2g.20gb": 1, "3g.40gb": 1}},
    },
    {"name": "h100", "instance_types": ["p5.48xlarge"], "scaling": {"min": 0, "max": 1}, "capacity_type": "spot"},
]
OFFERS = {
    "system": {},
    "a100-shared": {"nvidia.com/gpu.shared": 24},
    "a100-mig": {"nvidia.com/mig-3g.40gb": 16},
    "h100-mix": {"nvidia.com/mig-1g.10gb": 16, "nvidia.com/mig-2g.20gb": 8, "nvidia.com/mig-3g.40gb": 8},
    "h100": {"nvidia.com/gpu": 8},
}


def node(pool: str, serial: int = 1, *, ready: bool = True, **offered: int) -> dict[str, t.Any]:
    """A node of a pool."""
    one = next(pool_ for pool_ in POOLS if pool_["name"] == pool)["instance_types"][0]
    room = {name: str(count) for name, count in (OFFERS[pool] | offered).items()}
    return {
        "metadata": {
            "name": f"ip-10-0-{list(OFFERS).index(pool)}-{serial}.ec2.internal",
            "labels": {
                "aiplatform.eks/pool": pool,
                "eks.amazonaws.com/nodegroup": pool,
                "node.kubernetes.io/instance-type": one,
                "topology.kubernetes.io/zone": f"us-east-1{'abc'[serial % 3]}",
            },
        },
        "spec": {},
        "status": {
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "allocatable": {"cpu": "96", "memory": "1000Gi", **room},
        },
    }


def pod(namespace: str, name: str, on: dict[str, t.Any], resource: str, count: int = 1) -> dict[str, t.Any]:
    """A running pod that holds devices."""
    amounts = {resource: str(count)}
    requests = {"cpu": "4", "memory": "27Gi", **amounts}
    return {
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "nodeName": on["metadata"]["name"],
            "containers": [{"name": "one", "resources": {"requests": requests, "limits": amounts}}],
        },
        "status": {"phase": "Running"},
    }


def quota(namespace: str, hard: dict[str, str], used: dict[str, str]) -> dict[str, t.Any]:
    """A namespace's quota."""
    return {"metadata": {"namespace": namespace, "name": "share"}, "spec": {"hard": hard}, "status": {"used": used}}


def live() -> Live:
    """What is there: a node of each GPU pool, with some pods."""
    shared, mig, mix, whole = node("a100-shared"), node("a100-mig"), node("h100-mix"), node("h100", ready=False)
    return Live(
        version="v1.36.2-eks-1a2b3c4",
        nodes=[node("system"), node("system", 2), shared, mig, mix, whole],
        pods=[
            *(pod("research", f"notebook-{n}", shared, "nvidia.com/gpu.shared") for n in range(7)),
            *(pod("development", f"trial-{n}", shared, "nvidia.com/gpu.shared") for n in range(2)),
            *(pod("inference", f"llama-3-1-8b-7d9f8-{n}", mig, "nvidia.com/mig-3g.40gb") for n in range(5)),
            pod("agentic", "planner-5c7b", mig, "nvidia.com/mig-3g.40gb"),
            pod("inference", "embeddings-66f", mix, "nvidia.com/mig-1g.10gb"),
            pod("agentic", "reranker-9b1", mix, "nvidia.com/mig-2g.20gb"),
            pod("training", "fine-tune-0", whole, "nvidia.com/gpu", 4),
        ],
        quotas=[
            quota(
                "inference",
                {"requests.cpu": "80", "requests.memory": "800Gi", "requests.nvidia.com/mig-3g.40gb": "20"},
                {"requests.cpu": "24", "requests.memory": "162Gi", "requests.nvidia.com/mig-3g.40gb": "5"},
            ),
            quota("agentic", {"requests.nvidia.com/mig-3g.40gb": "1"}, {"requests.nvidia.com/mig-3g.40gb": "1"}),
        ],
    )


def cluster(name: str = "prod-us-east-1", **more: t.Any) -> dict[str, t.Any]:
    """What the module platform_info returns of it, with what the role adds."""
    policies, seen = sharing_policies(POOLS), live()
    return {
        "name": name,
        "cloud": "local",
        "region": "us-east-1",
        "kubernetes_version": seen.version,
        "pools": pool_facts(POOLS, policies, seen),
        "gpu_nodes": node_facts(policies, seen),
        "capacity": capacity_facts(POOLS, policies, seen),
        "quotas": quota_facts(seen),
        "releases": [
            {"name": "gpu-operator", "namespace": "gpu-operator", "chart": "gpu-operator", "chart_version": "v26.7.0",
             "status": "deployed", "stand_in": True},
        ],
        "addons": [{"name": "vpc-cni", "version": "v1.21.1-eksbuild.1", "status": "ACTIVE"}],
        "price": {
            "per_hour": {"least": 55.8, "first": 55.8, "most": 400.1},
            "per_month": {"least": 40734.0, "first": 40734.0, "most": 292073.0},
            "from_table": ["m7i.2xlarge", "p4de.24xlarge"],
            "unknown": [],
        },
        **more,
    }  # fmt: skip


RUN = {
    "time": "2026-11-21 11:02 UTC",
    "changed": [
        {"host": "prod-us-east-1", "task": "Model servers", "steps": ["created Deployment inference/llama-3-1-8b"]},
        {"host": "prod-us-east-1", "task": "Node pools", "steps": []},
    ],
}
