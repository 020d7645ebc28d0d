# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of objects that a teardown can leave, each as a listing and a reading of its records."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .. import monthly_cost as cost
from ..session import AwsSession
from .scope import Finding, Record, Scope

Reading: t.TypeAlias = "Callable[[Record, Scope], Finding | None]"


def _nothing(_scope: Scope) -> Mapping[str, t.Any]:
    return {}


@dataclass(frozen=True)
class Kind:
    """One listing.

    :param items: key of the answer that holds the records.
    :param marker: (in the answer, in the request) names of the continuation token.
    :param read: makes a finding of a record that is the cluster's, None of another.
    :param parameters: of the request.
    """

    service: str
    operation: str
    items: str
    marker: tuple[str, str]
    read: Reading
    parameters: Callable[[Scope], Mapping[str, t.Any]] = _nothing

    def records(self, session: AwsSession, scope: Scope) -> list[t.Any]:
        """All records of the listing.

        :raises AwsError: it cannot be asked.
        """
        return session.pages(
            self.service,
            self.operation,
            self.parameters(scope),
            items=self.items,
            marker=self.marker,
            doing=f"list {self.items} of {self.service}",
        )


def _tagged(kind: str, key: str, price: Callable[[Record], float | None] = lambda _record: 0.0) -> Reading:
    """A reading of EC2-style records: the cluster's by tag or by network."""

    def read(record: Record, scope: Scope) -> Finding | None:
        reason = scope.reason(record)
        return Finding(kind, str(record[key]), reason, price(record)) if reason else None

    return read


def _named(kind: str, key: str, prefixes: tuple[str, ...], price: Callable[[Record], float | None]) -> Reading:
    """A reading of records that are the cluster's by the name's beginning or by a tag."""

    def read(record: Record, scope: Scope) -> Finding | None:
        name = str(record[key])
        for prefix in prefixes:
            beginning = prefix.format(cluster=scope.cluster)
            if name.startswith(beginning):
                return Finding(kind, name, f"its name begins with {beginning}", price(record))
        reason = scope.reason(record)
        return Finding(kind, name, reason, price(record)) if reason else None

    return read


def _cluster(kind: str, price: float) -> Callable[[t.Any, Scope], Finding | None]:
    def read(record: t.Any, scope: Scope) -> Finding | None:
        return Finding(kind, scope.cluster, "has its name", price) if record == scope.cluster else None

    return read


def _live(reading: Reading, state_key: str, gone: tuple[str, ...]) -> Reading:
    """Leave out what is going or gone."""

    def read(record: Record, scope: Scope) -> Finding | None:
        state: t.Any = record.get(state_key)
        name = state.get("Name") if isinstance(state, Mapping) else state
        return None if name in gone else reading(record, scope)

    return read


def _volume(record: Record) -> float:
    return float(record.get("Size") or 0) * cost.VOLUME_PER_GIB.get(str(record.get("VolumeType")), 0.08)


def _efs(record: Record) -> float:
    size: t.Any = record.get("SizeInBytes") or {}
    return float(size.get("Value") or 0) / cost.BYTES_PER_GIB * cost.EFS_PER_GIB


def _address(record: Record, scope: Scope) -> Finding | None:
    reason = scope.reason(record)
    return Finding("address", str(record.get("AllocationId")), reason, cost.ADDRESS) if reason else None


def _instances(reservation: Record, scope: Scope) -> Finding | None:
    reading = _live(_tagged("instance", "InstanceId", lambda _r: None), "State", GONE)
    found = [reading(record, scope) for record in reservation.get("Instances") or []]
    return next((finding for finding in found if finding), None)


def _security_group(record: Record, scope: Scope) -> Finding | None:
    """A network's own default group goes with the network."""
    return None if record.get("GroupName") == "default" else _tagged("security group", "GroupId")(record, scope)


EC2_MARKER = ("NextToken", "NextToken")
GONE = ("deleting", "deleted", "terminated", "shutting-down")

KINDS = (
    Kind("eks", "ListClusters", "clusters", ("nextToken", "nextToken"), _cluster("cluster", cost.CLUSTER)),
    Kind(
        "ec2",
        "DescribeInstances",
        "Reservations",
        EC2_MARKER,
        _instances,
    ),
    Kind("ec2", "DescribeVolumes", "Volumes", EC2_MARKER, _tagged("volume", "VolumeId", _volume)),
    Kind(
        "ec2",
        "DescribeSnapshots",
        "Snapshots",
        EC2_MARKER,
        _tagged("snapshot", "SnapshotId", lambda r: float(r.get("VolumeSize") or 0) * cost.SNAPSHOT_PER_GIB),
        lambda _scope: {"OwnerIds": ["self"]},
    ),
    Kind(
        "ec2", "DescribeNetworkInterfaces", "NetworkInterfaces", EC2_MARKER, _tagged("interface", "NetworkInterfaceId")
    ),
    Kind("ec2", "DescribeAddresses", "Addresses", EC2_MARKER, _address),
    Kind(
        "ec2",
        "DescribeNatGateways",
        "NatGateways",
        EC2_MARKER,
        _live(_tagged("NAT gateway", "NatGatewayId", lambda _r: cost.NAT_GATEWAY), "State", GONE),
    ),
    Kind(
        "ec2",
        "DescribeVpcEndpoints",
        "VpcEndpoints",
        EC2_MARKER,
        _live(
            _tagged(
                "VPC endpoint",
                "VpcEndpointId",
                lambda r: cost.INTERFACE_ENDPOINT_PER_ZONE * len(r.get("SubnetIds") or []),
            ),
            "State",
            GONE,
        ),
    ),
    Kind("ec2", "DescribeSecurityGroups", "SecurityGroups", EC2_MARKER, _security_group),
    Kind("ec2", "DescribeVpcs", "Vpcs", EC2_MARKER, _tagged("VPC", "VpcId")),
    Kind(
        "ec2", "DescribeLaunchTemplates", "LaunchTemplates", EC2_MARKER, _tagged("launch template", "LaunchTemplateId")
    ),
    Kind(
        "autoscaling",
        "DescribeAutoScalingGroups",
        "AutoScalingGroups",
        EC2_MARKER,
        _tagged("autoscaling group", "AutoScalingGroupName"),
    ),
    Kind(
        "elb",
        "DescribeLoadBalancers",
        "LoadBalancerDescriptions",
        ("NextMarker", "Marker"),
        _tagged("classic load balancer", "LoadBalancerName", lambda _r: cost.LOAD_BALANCER),
    ),
    Kind(
        "efs",
        "DescribeFileSystems",
        "FileSystems",
        ("NextMarker", "Marker"),
        _live(_tagged("EFS file system", "FileSystemId", _efs), "LifeCycleState", GONE),
    ),
    Kind("efs", "DescribeAccessPoints", "AccessPoints", EC2_MARKER, _tagged("EFS access point", "AccessPointId")),
    Kind(
        "fsx",
        "DescribeFileSystems",
        "FileSystems",
        EC2_MARKER,
        _live(
            _tagged(
                "FSx file system",
                "FileSystemId",
                lambda r: float(r.get("StorageCapacity") or 0) * cost.FSX_LUSTRE_PER_GIB,
            ),
            "Lifecycle",
            ("DELETING",),
        ),
    ),
    Kind(
        "logs",
        "DescribeLogGroups",
        "logGroups",
        ("nextToken", "nextToken"),
        _named(
            "log group",
            "logGroupName",
            ("/aws/eks/{cluster}/", "/aiplatform/{cluster}/"),
            lambda r: float(r.get("storedBytes") or 0) / cost.BYTES_PER_GIB * cost.LOGS_PER_GIB,
        ),
    ),
    Kind(
        "secretsmanager",
        "ListSecrets",
        "SecretList",
        EC2_MARKER,
        _named("secret", "Name", ("aiplatform/{cluster}/",), lambda _r: cost.SECRET),
    ),
    Kind(
        "kms",
        "ListAliases",
        "Aliases",
        ("NextMarker", "Marker"),
        _named("key", "AliasName", ("alias/aiplatform/{cluster}",), lambda _r: cost.KEY),
    ),
    Kind(
        "sqs",
        "ListQueues",
        "QueueUrls",
        EC2_MARKER,
        lambda url, scope: (
            Finding("queue", str(url), f"its name begins with {scope.cluster}-")
            if str(url).rsplit("/", 1)[-1].startswith(f"{scope.cluster}-")
            else None
        ),
    ),
    Kind(
        "cloudformation",
        "DescribeStacks",
        "Stacks",
        EC2_MARKER,
        _live(_named("stack", "StackName", (), lambda _r: 0.0), "StackStatus", ("DELETE_COMPLETE",)),
    ),
)


__all__ = ("KINDS", "Kind")
