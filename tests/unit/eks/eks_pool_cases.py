"""Builders that the tests of the node pools share."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.options import SPEC
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.read import PoolReading, Reading
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.spec import PoolSpec, specs_of
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.state import template_record

ROLE = "arn:aws:iam::123456789012:role/nodes"
SUBNETS = ["subnet-0a", "subnet-0b"]
Record = dict[str, t.Any]


def options(*pools: Record, **more: t.Any) -> Record:
    given = {"cluster_name": "prod", "node_role": ROLE, "subnets": SUBNETS, "pools": list(pools), **more}
    validation = ArgumentSpecValidator(dict(SPEC.options), **SPEC.constraints()).validate(given)
    assert not validation.error_messages, validation.error_messages
    return t.cast("Record", validation.validated_parameters)


def pool(name: str = "system", **more: t.Any) -> Record:
    return {"name": name, "instance_types": ["m7i.2xlarge"], "scaling": {"min": 1, "max": 4}, **more}


def spec(**more: t.Any) -> PoolSpec:
    return specs_of(options(pool(**more)))[0]


def node_group(wish: PoolSpec, **more: t.Any) -> Record:
    """The node group that fulfils the wish."""
    record = template_record(1, wish.launch.digest) if wish.launch else ""
    group: Record = {
        "nodegroupName": wish.name,
        "nodegroupArn": f"arn:aws:eks:us-east-1:123456789012:nodegroup/prod/{wish.name}/1",
        "clusterName": "prod",
        "status": "ACTIVE",
        "version": "1.34",
        "releaseVersion": "1.34.1-20261101",
        "amiType": "AL2023_x86_64_STANDARD",
        "capacityType": wish.capacity_type,
        "scalingConfig": {"minSize": 1, "maxSize": 4, "desiredSize": 2},
        "subnets": list(wish.subnets),
        "nodeRole": ROLE,
        "labels": dict(wish.labels or {}),
        "taints": [],
        "instanceTypes": list(wish.instance_types),
        "updateConfig": {"maxUnavailable": 1},
        "launchTemplate": {"id": "lt-1", "name": f"aiplatform-prod-{wish.name}", "version": "1"},
        "resources": {"autoScalingGroups": [{"name": f"eks-{wish.name}"}]},
        "health": {"issues": []},
        "tags": {
            "aiplatform.eks/cluster": "prod",
            "aiplatform.eks/pool": wish.name,
            "aiplatform.eks/launch-template": record,
        },
    }
    return {**group, **more}


def reading(wish: PoolSpec, group: Record | None, **more: t.Any) -> Reading:
    return Reading((PoolReading(wish, group, **{"fresh": group is not None, **more}),))
