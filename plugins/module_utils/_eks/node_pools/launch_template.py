# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Launch template data from the wish, and back into words for the diff."""

from __future__ import annotations

import base64
import hashlib
import typing as t
from collections.abc import Mapping, Sequence

from ..._aws.session import Record
from ..._aws.tags import OWNER_TAG
from ..._core.errors import PlatformError
from ..instances import InstanceFacts
from .launch_spec import Disk, LaunchSpec
from .user_data import user_data_for

ROOT = "/dev/xvda"
BOTTLEROCKET_DATA = "/dev/xvdb"


def template_data(spec: LaunchSpec, *, cluster: Record, facts: InstanceFacts | None, of: str) -> Record:
    """LaunchTemplateData of EC2.

    :param cluster: C(cluster) of DescribeCluster; only its name is needed unless the wish C(needs_cluster).
    :param facts: of the one instance type; None when EKS gets several.
    :raises PlatformError: when the instance type has no EFA or no local disks although they are wanted.
    """
    data: Record = {
        "BlockDeviceMappings": _volumes(spec.disk, bottlerocket=spec.bottlerocket),
        "MetadataOptions": {
            "HttpEndpoint": "enabled",
            "HttpTokens": "required",
            "HttpPutResponseHopLimit": spec.hop_limit,
            "InstanceMetadataTags": "disabled",
        },
        "TagSpecifications": _tag_specifications(spec, str(cluster.get("name", ""))),
    }
    if spec.instance_store != "none" and facts is not None and not facts.instance_store:
        raise PlatformError(f"{of}: instance_store is raid0, but {facts.name} has no local disks")
    groups = _security_groups(spec, cluster)
    if spec.efa:
        data["NetworkInterfaces"] = efa_interfaces(facts, groups, of=of)
    elif groups:
        data["SecurityGroupIds"] = groups
    data.update(_capacity(spec))
    if user_data := user_data_for(spec, cluster):
        data["UserData"] = base64.b64encode(user_data.encode()).decode()
    simple = {
        "InstanceType": spec.instance_type,
        "ImageId": spec.ami_id,
        "KeyName": spec.key_name,
        "Placement": {"GroupName": spec.placement_group} if spec.placement_group else None,
    }
    return {**data, **{key: value for key, value in simple.items() if value}}


def efa_interfaces(facts: InstanceFacts | None, groups: Sequence[str], *, of: str) -> list[Record]:
    """The interfaces that give an instance its whole EFA bandwidth.

    The primary interface is ENA on card 0, device 0. Card 0 adds an EFA-only interface as device 1 when it takes one;
    every further card has one EFA-only interface as device 0 (EC2 user guide, "Maximize network bandwidth on Amazon
    EC2 instances with multiple network cards"). An instance with one card has one interface that is both. EFA-only
    interfaces take no addresses from the subnet.

    :raises PlatformError: when the type has no EFA.
    """
    if facts is None or facts.efa_interfaces < 1:
        raise PlatformError(f"{of}: efa is wanted, but {facts.name if facts else 'the instance type'} has no EFA")
    if facts.network_cards <= 1:
        return [_interface(0, 0, "efa", groups)]
    first = 0 if facts.efa_on_first_card else 1
    cards = range(first, first + facts.efa_interfaces)
    primary = _interface(0, 0, "interface", groups)
    return [primary, *(_interface(card, 1 if card == 0 else 0, "efa-only", groups) for card in cards)]


def _interface(card: int, device: int, kind: str, groups: Sequence[str]) -> Record:
    return {
        "NetworkCardIndex": card,
        "DeviceIndex": device,
        "InterfaceType": kind,
        "DeleteOnTermination": True,
        "Groups": list(groups),
    }


def _volumes(disk: Disk, *, bottlerocket: bool) -> list[Record]:
    volume: Record = {
        "VolumeSize": disk.size,
        "VolumeType": "gp3",
        "Encrypted": True,
        "DeleteOnTermination": True,
    }
    for name, value in (("Iops", disk.iops), ("Throughput", disk.throughput), ("KmsKeyId", disk.kms_key_id)):
        if value:
            volume[name] = value
    return [{"DeviceName": BOTTLEROCKET_DATA if bottlerocket else ROOT, "Ebs": volume}]


def _security_groups(spec: LaunchSpec, cluster: Record) -> list[str]:
    """EKS adds the cluster's group only to a template that names none, so we name it first."""
    if not (spec.efa or spec.security_groups):
        return []
    own = (cluster.get("resourcesVpcConfig") or {}).get("clusterSecurityGroupId")
    return [*([own] if own else []), *spec.security_groups]


def _capacity(spec: LaunchSpec) -> Record:
    data: Record = {}
    if spec.capacity_block:
        data["InstanceMarketOptions"] = {"MarketType": "capacity-block"}
    target = {
        "CapacityReservationId": spec.reservation.id,
        "CapacityReservationResourceGroupArn": spec.reservation.resource_group_arn,
    }
    target = {key: value for key, value in target.items() if value}
    if target:
        data["CapacityReservationSpecification"] = {"CapacityReservationTarget": target}
    elif spec.reservation.preference:
        data["CapacityReservationSpecification"] = {"CapacityReservationPreference": spec.reservation.preference}
    return data


def _tag_specifications(spec: LaunchSpec, cluster: str) -> list[Record]:
    tags = {OWNER_TAG: cluster, **dict(spec.instance_tags)}
    rows = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
    return [{"ResourceType": kind, "Tags": rows} for kind in ("instance", "volume", "network-interface")]


def template_state(data: Mapping[str, t.Any]) -> Record:
    """What a diff shows of launch template data: plain, short, and of user data only its digest."""
    volumes = data.get("BlockDeviceMappings") or []
    metadata = data.get("MetadataOptions") or {}
    state = {
        "instance_type": data.get("InstanceType"),
        "image": data.get("ImageId"),
        "volumes": {row.get("DeviceName", ""): _volume_words(row.get("Ebs") or {}) for row in volumes},
        "network_interfaces": [_interface_words(row) for row in data.get("NetworkInterfaces") or []],
        "security_groups": sorted(data.get("SecurityGroupIds") or []),
        "metadata": f"tokens {metadata.get('HttpTokens')}, hop limit {metadata.get('HttpPutResponseHopLimit')}",
        "placement_group": (data.get("Placement") or {}).get("GroupName"),
        "market": (data.get("InstanceMarketOptions") or {}).get("MarketType"),
        "capacity_reservation": _reservation_words(data.get("CapacityReservationSpecification") or {}),
        "key_name": data.get("KeyName"),
        "instance_tags": _instance_tags(data),
        "user_data": _user_data_words(data.get("UserData")),
    }
    return {key: value for key, value in state.items() if value not in (None, "", [], {})}


def _volume_words(ebs: Mapping[str, t.Any]) -> str:
    words = [f"{ebs.get('VolumeSize')} GiB {ebs.get('VolumeType')}", "encrypted" if ebs.get("Encrypted") else "plain"]
    words += [f"{name} {ebs[name]}" for name in ("Iops", "Throughput", "KmsKeyId") if ebs.get(name)]
    return ", ".join(words)


def _interface_words(row: Mapping[str, t.Any]) -> str:
    groups = ",".join(sorted(row.get("Groups") or []))
    return (
        f"{row.get('InterfaceType', 'interface')} {row.get('NetworkCardIndex', 0)}/{row.get('DeviceIndex', 0)} {groups}"
    )


def _reservation_words(data: Mapping[str, t.Any]) -> str | None:
    target = data.get("CapacityReservationTarget") or {}
    found = target.get("CapacityReservationId") or target.get("CapacityReservationResourceGroupArn")
    return found or data.get("CapacityReservationPreference")


def _instance_tags(data: Mapping[str, t.Any]) -> dict[str, str]:
    for row in data.get("TagSpecifications") or []:
        if row.get("ResourceType") == "instance":
            return {tag["Key"]: tag["Value"] for tag in row.get("Tags") or []}
    return {}


def _user_data_words(user_data: str | None) -> str | None:
    if not user_data:
        return None
    return f"sha256:{hashlib.sha256(base64.b64decode(user_data)).hexdigest()[:16]}"


__all__ = ("efa_interfaces", "template_data", "template_state")
