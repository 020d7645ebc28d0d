"""Pieces of scripts of the node pools."""

from __future__ import annotations

import typing as t

from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools import use_case
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.spec import specs_of
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.state import template_record
from botocore.stub import ANY
from eks_script import Record, Script

ROLE = "arn:aws:iam::123456789012:role/nodes"
ARN = "arn:aws:eks:us-east-1:123456789012:nodegroup/prod/system/1"
SUBNETS = ["subnet-0a", "subnet-0b"]
WHERE = {"clusterName": "prod", "nodegroupName": "system"}
UPDATE = {"name": "prod", "nodegroupName": "system", "updateId": "u-1"}
ISSUE = {"code": "AsgInstanceLaunchFailures", "message": "no capacity", "resourceIds": ["asg-1"]}


def options(**more: t.Any) -> Record:
    task = {key: more.pop(key) for key in list(more) if key in ("state", "prune", "wait", "recreate_failed", "tags")}
    pool = {"name": "system", "instance_types": ["m7i.2xlarge"], "scaling": {"min": 1, "max": 4}, **more}
    return {"cluster_name": "prod", "node_role": ROLE, "subnets": SUBNETS, "parallel": 1, "pools": [pool], **task}


def digest(**more: t.Any) -> str:
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    result = ArgumentSpecValidator(dict(use_case.SPEC.options), **use_case.SPEC.constraints()).validate(options(**more))
    launch = specs_of(result.validated_parameters)[0].launch
    assert launch is not None
    return launch.digest


def group(*, wish: Record | None = None, **more: t.Any) -> Record:
    """DescribeNodegroup of the pool that C(options) wishes."""
    return {
        "nodegroupName": "system",
        "nodegroupArn": ARN,
        "clusterName": "prod",
        "status": "ACTIVE",
        "version": "1.34",
        "releaseVersion": "1.34.1-20261101",
        "amiType": "AL2023_x86_64_STANDARD",
        "capacityType": "ON_DEMAND",
        "scalingConfig": {"minSize": 1, "maxSize": 4, "desiredSize": 2},
        "subnets": SUBNETS,
        "nodeRole": ROLE,
        "labels": {},
        "taints": [],
        "updateConfig": {"maxUnavailable": 1},
        "launchTemplate": {"id": "lt-1", "name": "aiplatform-prod-system", "version": "1"},
        "resources": {"autoScalingGroups": [{"name": "eks-system"}]},
        "health": {"issues": []},
        "tags": {
            "aiplatform.eks/cluster": "prod",
            "aiplatform.eks/pool": "system",
            "aiplatform.eks/launch-template": template_record(1, digest(**(wish or {}))),
        },
        **more,
    }


def describe(script: Script, **more: t.Any) -> Script:
    return script.call("eks:DescribeNodegroup", WHERE, {"nodegroup": group(**more)})


def update(script: Script, status: str = "Successful", errors: list[Record] | None = None) -> Script:
    answer = {"update": {"id": "u-1", "status": status, "errors": errors or []}}
    return script.call("eks:DescribeUpdate", UPDATE, answer)


def begun(script: Script, operation: str, **parameters: t.Any) -> Script:
    return script.call(f"eks:{operation}", {**WHERE, **parameters}, {"update": {"id": "u-1", "status": "InProgress"}})


def reads_of_an_absent_pool(script: Script, offered: str = "ab") -> Script:
    script.fails("eks:DescribeNodegroup", "ResourceNotFoundException", parameters=WHERE)
    script.call("eks:ListNodegroups", {"clusterName": "prod"}, {"nodegroups": []})
    script.call("eks:DescribeCluster", {"name": "prod"}, {"cluster": {"name": "prod", "status": "ACTIVE"}})
    zones = [{"SubnetId": name, "AvailabilityZone": f"us-east-1{name[-1]}"} for name in SUBNETS]
    script.call("ec2:DescribeSubnets", {"SubnetIds": SUBNETS}, {"Subnets": zones})
    offer = {"InstanceType": "m7i.2xlarge", "LocationType": "availability-zone"}
    filters = [
        {"Name": "instance-type", "Values": ["m7i.2xlarge"]},
        {"Name": "location", "Values": ["us-east-1a", "us-east-1b"]},
    ]
    return script.call(
        "ec2:DescribeInstanceTypeOfferings",
        {"LocationType": "availability-zone", "Filters": filters},
        {"InstanceTypeOfferings": [{**offer, "Location": f"us-east-1{zone}"} for zone in offered]},
    )


def creation(script: Script, **more: t.Any) -> Script:
    script.call(
        "ec2:CreateLaunchTemplate",
        {
            "LaunchTemplateName": "aiplatform-prod-system",
            "VersionDescription": f"aiplatform.eks {digest()}",
            "LaunchTemplateData": ANY,
            "TagSpecifications": ANY,
        },
        {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "LatestVersionNumber": 1}},
    )
    parameters = {
        **WHERE,
        "scalingConfig": {"minSize": 1, "maxSize": 4, "desiredSize": 1},
        "subnets": SUBNETS,
        "nodeRole": ROLE,
        "capacityType": "ON_DEMAND",
        "amiType": "AL2023_x86_64_STANDARD",
        "launchTemplate": {"id": "lt-1", "version": "1"},
        "tags": group()["tags"],
    }
    return script.call("eks:CreateNodegroup", {**parameters, **more}, {"nodegroup": group(status="CREATING")})


ANY_TEMPLATE = {"LaunchTemplateName": "aiplatform-prod-system", "Versions": ["$Latest"]}
ANY_CREATE = {
    **WHERE,
    **dict.fromkeys(("scalingConfig", "subnets", "nodeRole", "capacityType", "amiType", "launchTemplate", "tags"), ANY),
}
