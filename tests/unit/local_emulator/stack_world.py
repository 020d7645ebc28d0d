"""CloudFormation without HTTP for tests: a provider in memory, and a small template."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Collection

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import SteppingClock
from ansible_collections.aiplatform.eks.plugins.module_utils._local.emulator.cloudformation.api import CloudFormation
from ansible_collections.aiplatform.eks.plugins.module_utils._local.emulator.cloudformation.errors import (
    CloudFormationError,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._local.emulator.cloudformation.provider import (
    Made,
    ProviderError,
    Wanted,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._local.emulator.eks.neighbours import Place
from ansible_collections.aiplatform.eks.plugins.module_utils._local.emulator.faults import Faults

PLACE = Place("123456789012", "us-east-1")
NETWORK: dict[str, t.Any] = {
    "Parameters": {"Cidr": {"Type": "String", "Default": "10.0.0.0/16"}, "Stage": {"Type": "String", "Default": "dev"}},
    "Conditions": {"Production": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
    "Resources": {
        "Route": {"Type": "T::Route", "Properties": {"Table": {"Ref": "Table"}}, "DependsOn": "Attachment"},
        "Table": {"Type": "T::Table", "Properties": {"Network": {"Ref": "Network"}}},
        "Attachment": {
            "Type": "T::Attachment",
            "Properties": {"Network": {"Fn::GetAtt": ["Network", "Arn"]}, "Gateway": {"Fn::Sub": "x-${Gateway}"}},
        },
        "Gateway": {"Type": "T::Gateway"},
        "Network": {"Type": "T::Network", "Properties": {"Range": {"Ref": "Cidr"}}},
        "Alarm": {"Type": "T::Alarm", "Condition": "Production"},
    },
    "Outputs": {
        "NetworkId": {"Value": {"Ref": "Network"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-network"}}}
    },
}


class Maker:
    """A provider in memory, which remembers what it did; a property named Fixed needs another resource."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.there: dict[str, Wanted] = {}
        self.refusing: set[str] = set()

    def _do(self, verb: str, name: str) -> None:
        if f"{verb} {name}" in self.refusing:
            raise ProviderError(f"{verb} of {name} is refused")
        self.done.append(f"{verb} {name}")

    def create(self, place: Place, wanted: Wanted) -> Made:
        self._do("create", wanted.logical_id)
        physical = f"{wanted.logical_id.lower()}-{len(self.done)}"
        self.there[physical] = wanted
        return Made(wanted, physical, None)

    def replaces(self, type_name: str, changed: Collection[str]) -> bool:
        return "Fixed" in changed

    def update(self, place: Place, made: Made, wanted: Wanted, changed: Collection[str]) -> Made:
        if self.replaces(wanted.type, changed):
            return self.create(place, wanted)
        self._do("update", wanted.logical_id)
        self.there[made.physical_id] = wanted
        return Made(wanted, made.physical_id, None)

    def delete(self, place: Place, made: Made) -> None:
        self._do("delete", made.wanted.logical_id)
        del self.there[made.physical_id]

    def attribute(self, made: Made, name: str) -> t.Any:
        if name != "Arn":
            raise ProviderError(f"no {name}")
        return f"arn:{made.physical_id}"

    def parse(self, text: str) -> dict[str, t.Any]:
        try:
            return t.cast(dict[str, t.Any], json.loads(text))
        except ValueError as error:
            raise ProviderError(str(error)) from None

    def stored_template(self, place: Place, url: str) -> str:
        return json.dumps(NETWORK)

    def ssm_parameter(self, place: Place, name: str) -> str:
        return f"value of {name}"

    def zones(self, place: Place) -> list[str]:
        return ["us-east-1a", "us-east-1b"]


class World:
    """CloudFormation with its maker."""

    def __init__(self, **faults: t.Any) -> None:
        self.maker = Maker()
        self.clock = SteppingClock()
        self.faults = Faults.of(faults)
        self.cloud = CloudFormation(clock=self.clock, faults=lambda: self.faults, provider=self.maker)

    def __call__(self, operation: str, **request: t.Any) -> dict[str, t.Any]:
        return self.cloud.call(PLACE, operation, request)

    def put(
        self, operation: str, template: dict[str, t.Any], /, name: str = "net", **options: t.Any
    ) -> dict[str, t.Any]:
        parameters = [
            {"ParameterKey": key, "ParameterValue": value} for key, value in options.pop("parameters", {}).items()
        ]
        return self(operation, StackName=name, TemplateBody=json.dumps(template), Parameters=parameters, **options)

    def stack(self, name: str = "net") -> dict[str, t.Any]:
        return t.cast(dict[str, t.Any], self("DescribeStacks", StackName=name)["Stacks"][0])

    def changes(self, template: dict[str, t.Any], **options: t.Any) -> list[tuple[str, ...]]:
        self.put("CreateChangeSet", template, ChangeSetName="c", **options)
        found = self("DescribeChangeSet", ChangeSetName="c", StackName="net")
        self("DeleteChangeSet", ChangeSetName="c", StackName="net")
        rows = [one["ResourceChange"] for one in found["Changes"]]
        return [(row["Action"], row["LogicalResourceId"], row.get("Replacement", "")) for row in rows]


def refused(code: str, message: str) -> t.Any:
    return pytest.raises(CloudFormationError, match=re.escape(message), check=lambda error: error.code == code)


def edited(**changes: t.Any) -> dict[str, t.Any]:
    """The template with other resources; None takes one away."""
    found = json.loads(json.dumps(NETWORK))
    for name, resource in changes.items():
        if resource is None:
            del found["Resources"][name]
        else:
            found["Resources"][name] = resource
    return t.cast(dict[str, t.Any], found)
