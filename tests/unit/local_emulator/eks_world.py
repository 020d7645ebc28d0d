"""EKS without HTTP for tests: a clock that steps, neighbours in memory, and every answer held against AWS's model."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache

import botocore.session
import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import SteppingClock
from ansible_collections.aiplatform.eks.plugins.module_utils._local.emulator.eks.api import Eks
from ansible_collections.aiplatform.eks.plugins.module_utils._local.emulator.eks.errors import EksError
from ansible_collections.aiplatform.eks.plugins.module_utils._local.emulator.eks.neighbours import (
    LaunchTemplate,
    Place,
    ScalingGroup,
    Subnet,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._local.emulator.eks.session import Endpoint
from ansible_collections.aiplatform.eks.plugins.module_utils._local.emulator.faults import Faults

PLACE = Place("123456789012", "eu-west-1")
TYPES = {
    "string": str,
    "integer": int,
    "long": int,
    "boolean": bool,
    "list": list,
    "map": Mapping,
    "structure": Mapping,
    "timestamp": datetime,
}


@cache
def model() -> t.Any:
    """botocore's model of EKS."""
    return botocore.session.get_session().get_service_model("eks")


def hold(shape: t.Any, value: t.Any, where: str) -> None:
    """Assert that a value is one of AWS's shape: known members, types, enumerated values, required members."""
    assert isinstance(value, TYPES[shape.type_name]), f"{where}: {value!r} is no {shape.type_name}"
    if shape.type_name == "structure":
        assert not (unknown := set(value) - set(shape.members)), f"{where}: AWS knows no {unknown}"
        assert not (missing := set(shape.required_members) - set(value)), f"{where}: {missing} missing"
        for key, one in value.items():
            hold(shape.members[key], one, f"{where}.{key}")
    elif shape.type_name == "list":
        for index, one in enumerate(value):
            hold(shape.member, one, f"{where}[{index}]")
    elif shape.type_name == "map":
        for key, one in value.items():
            hold(shape.value, one, f"{where}.{key}")
    elif shape.type_name == "string" and shape.enum:
        assert value in shape.enum, f"{where}: {value!r} is none of {shape.enum}"


def refused(code: str, message: str) -> t.Any:
    """Expect an error of EKS with that code, whose message holds that text."""
    return pytest.raises(EksError, match=re.escape(message), check=lambda error: error.code == code)


class Beside:
    """Neighbours in memory."""

    def __init__(self) -> None:
        self.known = {f"subnet-{zone}": Subnet(f"subnet-{zone}", "vpc-1", f"eu-west-1{zone}") for zone in "abc"}
        self.known["subnet-a2"] = Subnet("subnet-a2", "vpc-1", "eu-west-1a")
        self.known["subnet-far"] = Subnet("subnet-far", "vpc-2", "eu-west-1b")
        self.groups: set[str] = {"sg-own"}
        self.templates: dict[tuple[str, str], LaunchTemplate] = {}
        self.scaling: dict[str, ScalingGroup] = {}
        self.roles: set[str] = set()

    def subnets(self, place: Place, ids: Iterable[str]) -> dict[str, Subnet]:
        return {one: self.known[one] for one in ids if one in self.known}

    def security_groups(self, place: Place, ids: Iterable[str]) -> set[str]:
        return self.groups & set(ids)

    def create_cluster_security_group(self, place: Place, *, cluster: str, vpc_id: str) -> str:
        self.groups.add(f"sg-{cluster}")
        return f"sg-{cluster}"

    def delete_security_group(self, place: Place, group_id: str) -> None:
        self.groups.discard(group_id)

    def template(self, template_id: str, version: str = "1", **data: t.Any) -> None:
        """Have a version of a launch template."""
        self.templates[template_id, version] = LaunchTemplate(template_id, f"name-of-{template_id}", version, data)

    def launch_template(
        self, place: Place, *, template_id: str | None, name: str | None, version: str | None
    ) -> LaunchTemplate | None:
        found = template_id or (name or "").removeprefix("name-of-")
        return self.templates.get((found, "1" if version in (None, "$Default") else str(version)))

    def create_scaling_group(self, place: Place, group: ScalingGroup) -> None:
        self.scaling[group.name] = group

    def resize_scaling_group(self, place: Place, name: str, sizes: Mapping[str, int]) -> None:
        before = self.scaling[name]
        self.scaling[name] = ScalingGroup(before.name, before.subnets, sizes, before.instance_type, before.tags)

    def scaling_sizes(self, place: Place, name: str) -> dict[str, int] | None:
        found = self.scaling.get(name)
        return dict(found.sizes) if found else None

    def delete_scaling_group(self, place: Place, name: str) -> None:
        self.scaling.pop(name, None)

    def role_exists(self, place: Place, arn: str) -> bool:
        return arn in self.roles

    def caller(self, place: Place) -> str:
        return f"arn:aws:iam::{place.account}:user/engineer"


class World:
    """An EKS with its clock, neighbours and switches."""

    def __init__(self, **faults: t.Any) -> None:
        self.clock = SteppingClock(1000.0)
        self.beside = Beside()
        self.faults = Faults.of(faults)
        self.eks = Eks(clock=self.clock, faults=lambda: self.faults, neighbours=self.beside, endpoint=Endpoint())

    def switch(self, **faults: t.Any) -> None:
        """Set the switches."""
        self.faults = Faults.of(faults)

    def __call__(self, operation: str, **parameters: t.Any) -> dict[str, t.Any]:
        """Call an operation; its answer has AWS's shape."""
        request = model().operation_model(operation).input_shape
        hold(request, parameters, operation)
        answer = self.eks.call(PLACE, operation, parameters)
        output = model().operation_model(operation).output_shape
        hold(output, answer, operation)
        return answer

    def cluster(self, name: str = "demo", **options: t.Any) -> dict[str, t.Any]:
        """Make a cluster; as it is created."""
        network = {"subnetIds": ["subnet-a", "subnet-b"], **options.pop("resourcesVpcConfig", {})}
        options = {"accessConfig": {"authenticationMode": "API"}} | options
        role = f"arn:aws:iam::{PLACE.account}:role/cluster"
        self("CreateCluster", name=name, roleArn=role, resourcesVpcConfig=network, **options)
        return t.cast(dict[str, t.Any], self("DescribeCluster", name=name)["cluster"])

    def node_group(self, name: str = "pool", **options: t.Any) -> dict[str, t.Any]:
        """Make a node group; as it is created."""
        role = f"arn:aws:iam::{PLACE.account}:role/nodes"
        options = {"subnets": ["subnet-a", "subnet-b"], "nodeRole": role} | options
        self("CreateNodegroup", clusterName="demo", nodegroupName=name, **options)
        return self.described(name)

    def described(self, name: str = "pool") -> dict[str, t.Any]:
        """A node group."""
        answer = self("DescribeNodegroup", clusterName="demo", nodegroupName=name)
        return t.cast(dict[str, t.Any], answer["nodegroup"])
