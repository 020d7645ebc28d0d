# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What moto's own resource classes lack for CloudFormation: deletion, changes in place, and types that it has not."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Collection, Mapping

from . import moto_library as lib
from .cloudformation.provider import Made, Wanted
from .eks.neighbours import Place

Properties = Mapping[str, t.Any]


def _ec2(place: Place) -> t.Any:
    return lib.ec2_backends[place.account][place.region]


def _detach_gateway(place: Place, made: Made) -> None:
    properties = made.wanted.properties
    if gateway := properties.get("InternetGatewayId"):
        _ec2(place).detach_internet_gateway(gateway, properties["VpcId"])


def _delete_route(place: Place, made: Made) -> None:
    properties = made.wanted.properties
    _ec2(place).delete_route(
        properties["RouteTableId"],
        properties.get("DestinationCidrBlock"),
        properties.get("DestinationIpv6CidrBlock"),
        properties.get("DestinationPrefixListId"),
    )


def _disassociate(place: Place, made: Made) -> None:
    properties = made.wanted.properties
    table = _ec2(place).route_tables.get(properties["RouteTableId"])
    for key, subnet in list(table._associations.items()) if table else []:
        if subnet == properties["SubnetId"]:
            _ec2(place).disassociate_route_table(key)


def _delete_nat(place: Place, made: Made) -> None:
    _ec2(place).delete_nat_gateway(made.physical_id)
    _ec2(place).enis.pop(made.handle._eni.id, None)
    for address in _ec2(place).addresses:
        if address.allocation_id == made.wanted.properties.get("AllocationId"):
            address.association_id = address.eni = None


def _delete_vpc(place: Place, made: Made) -> None:
    """Moto leaves the table, list and group that a network begins with."""
    _ec2(place).delete_vpc(made.physical_id)


def _delete_bucket(place: Place, made: Made) -> None:
    backend = lib.s3_backends[place.account]["aws"]
    bucket = backend.buckets.get(made.physical_id)
    if bucket is None:
        return
    if list(bucket.keys.values()):
        raise lib.ServiceException("BucketNotEmpty", "The bucket you tried to delete is not empty")
    backend.delete_bucket(made.physical_id)


def _delete_rule(place: Place, made: Made) -> None:
    backend = lib.events_backends[place.account][place.region]
    bus = made.wanted.properties.get("EventBusName")
    backend.remove_targets(made.handle.name, bus, [target["Id"] for target in made.handle.targets])
    backend.delete_rule(made.handle.name, bus)


# Deletion of types whose moto classes have none, or one that fails.
DELETE: Mapping[str, Callable[[Place, Made], None]] = {
    "AWS::EC2::VPC": _delete_vpc,
    "AWS::EC2::InternetGateway": lambda place, made: _ec2(place).delete_internet_gateway(made.physical_id),
    "AWS::EC2::VPCGatewayAttachment": _detach_gateway,
    "AWS::EC2::Route": _delete_route,
    "AWS::EC2::RouteTable": lambda place, made: _ec2(place).delete_route_table(made.physical_id),
    "AWS::EC2::SubnetRouteTableAssociation": _disassociate,
    "AWS::EC2::NatGateway": _delete_nat,
    "AWS::EC2::EIP": lambda place, made: _ec2(place).release_address(allocation_id=made.handle.allocation_id),
    "AWS::EC2::VPCEndpoint": lambda place, made: _ec2(place).delete_vpc_endpoints([made.physical_id]),
    "AWS::EC2::FlowLog": lambda place, made: _ec2(place).delete_flow_logs([made.physical_id]),
    "AWS::EC2::SecurityGroup": lambda place, made: _ec2(place).delete_security_group(group_id=made.handle.id),
    "AWS::EC2::LaunchTemplate": lambda place, made: _ec2(place).delete_launch_template(None, made.physical_id),
    "AWS::S3::Bucket": _delete_bucket,
    "AWS::Events::Rule": _delete_rule,
}


def _bucket_policy(place: Place, wanted: Wanted, _present: str | None) -> str:
    properties = wanted.properties
    name = str(properties["Bucket"])
    policy = json.dumps(properties["PolicyDocument"]).encode()
    lib.s3_backends[place.account]["aws"].put_bucket_policy(name, policy)
    return name


def _queues(place: Place, properties: Properties) -> list[t.Any]:
    backend = lib.sqs_backends[place.account][place.region]
    names = [str(url).rpartition("/")[2] for url in properties["Queues"]]
    return [backend.queues[name] for name in names if name in backend.queues]


def _queue_policy(place: Place, wanted: Wanted, _present: str | None) -> str:
    properties = wanted.properties
    for queue in _queues(place, properties):
        queue.policy = json.dumps(properties["PolicyDocument"])
    return "-".join(str(url).rpartition("/")[2] for url in properties["Queues"])


def _forget_queue_policy(place: Place, made: Made) -> None:
    for queue in _queues(place, made.wanted.properties):
        queue.policy = None


def _no_attributes(_place: Place, _key: str) -> Mapping[str, str]:
    return {}


class OwnType(t.NamedTuple):
    """A type that moto has no class for, or one that knows too little.

    :param put: makes it or, given its physical id, changes it; gives its physical id.
    :param attributes: of it by its physical id, for Fn::GetAtt.
    :param replacing: properties whose change needs another resource.
    """

    put: Callable[[Place, Wanted, str | None], str]
    delete: Callable[[Place, Made], None]
    attributes: Callable[[Place, str], Mapping[str, str]] = _no_attributes
    replacing: frozenset[str] = frozenset()


OWN: Mapping[str, OwnType] = {
    "AWS::S3::BucketPolicy": OwnType(
        _bucket_policy,
        lambda place, made: lib.s3_backends[place.account]["aws"].delete_bucket_policy(made.physical_id),
    ),
    "AWS::SQS::QueuePolicy": OwnType(_queue_policy, _forget_queue_policy),
}


def _vpc_in_place(place: Place, made: Made, properties: Properties, changed: Collection[str]) -> None:
    names = {"EnableDnsSupport": "enable_dns_support", "EnableDnsHostnames": "enable_dns_hostnames"}
    for key in changed:
        if key in names:
            _ec2(place).modify_vpc_attribute(made.physical_id, names[key], properties.get(key))


def _subnet_in_place(_place: Place, made: Made, properties: Properties, changed: Collection[str]) -> None:
    if "MapPublicIpOnLaunch" in changed:
        made.handle.map_public_ip_on_launch = properties.get("MapPublicIpOnLaunch", False)


def _endpoint_in_place(place: Place, made: Made, properties: Properties, _changed: Collection[str]) -> None:
    endpoint = _ec2(place).vpc_end_points[made.physical_id]
    endpoint.policy_document = properties.get("PolicyDocument")
    endpoint.subnet_ids = properties.get("SubnetIds") or []
    endpoint.route_table_ids = properties.get("RouteTableIds") or []
    endpoint.security_group_ids = properties.get("SecurityGroupIds") or []


def _key_in_place(_place: Place, made: Made, properties: Properties, _changed: Collection[str]) -> None:
    made.handle.policy = json.dumps(properties["KeyPolicy"]) if "KeyPolicy" in properties else made.handle.policy
    made.handle.description = properties.get("Description", "")
    made.handle.key_rotation_status = bool(properties.get("EnableKeyRotation"))


def _log_group_in_place(_place: Place, made: Made, properties: Properties, _changed: Collection[str]) -> None:
    made.handle.retention_in_days = properties.get("RetentionInDays")
    made.handle.kms_key_id = properties.get("KmsKeyId")


def _mount_target_in_place(place: Place, made: Made, properties: Properties, _changed: Collection[str]) -> None:
    backend = lib.efs_backends[place.account][place.region]
    backend.modify_mount_target_security_groups(made.physical_id, list(properties["SecurityGroups"]))


def _nothing(_place: Place, _made: Made, _properties: Properties, _changed: Collection[str]) -> None:
    """Tags of the rest are set by the provider."""


class InPlace(t.NamedTuple):
    """What can be changed without another resource (AWS resource reference, "Update requires: No interruption")."""

    properties: frozenset[str]
    apply: Callable[[Place, Made, Properties, Collection[str]], None]


TAGS_ONLY = InPlace(frozenset({"Tags"}), _nothing)
IN_PLACE: Mapping[str, InPlace] = {
    "AWS::EC2::VPC": InPlace(frozenset({"Tags", "EnableDnsSupport", "EnableDnsHostnames"}), _vpc_in_place),
    "AWS::EC2::Subnet": InPlace(frozenset({"Tags", "MapPublicIpOnLaunch"}), _subnet_in_place),
    "AWS::EC2::VPCEndpoint": InPlace(
        frozenset({"PolicyDocument", "SubnetIds", "RouteTableIds", "SecurityGroupIds", "PrivateDnsEnabled", "Tags"}),
        _endpoint_in_place,
    ),
    "AWS::KMS::Key": InPlace(
        frozenset({"KeyPolicy", "Description", "EnableKeyRotation", "Enabled", "PendingWindowInDays", "Tags"}),
        _key_in_place,
    ),
    "AWS::Logs::LogGroup": InPlace(frozenset({"RetentionInDays", "KmsKeyId", "Tags"}), _log_group_in_place),
    "AWS::EFS::MountTarget": InPlace(frozenset({"SecurityGroups"}), _mount_target_in_place),
}
# Properties whose change needs another resource although moto's class changes it in place, or says nothing.
REPLACING: Mapping[str, frozenset[str]] = {
    "AWS::IAM::Role": frozenset({"RoleName", "Path"}),
    "AWS::S3::Bucket": frozenset({"BucketName", "ObjectLockEnabled"}),
    "AWS::SQS::Queue": frozenset({"QueueName", "FifoQueue"}),
    "AWS::EC2::SecurityGroup": frozenset({"GroupDescription", "GroupName", "VpcId"}),
    "AWS::Events::Rule": frozenset({"Name", "EventBusName"}),
    "AWS::IAM::ManagedPolicy": frozenset({"ManagedPolicyName", "Path", "Description"}),
    "AWS::KMS::Alias": frozenset({"AliasName"}),
}

__all__ = ("DELETE", "IN_PLACE", "OWN", "REPLACING", "TAGS_ONLY", "OwnType")
