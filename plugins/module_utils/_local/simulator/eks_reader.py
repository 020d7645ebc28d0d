# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Node groups as EKS and EC2 report them: the simulator's eyes on the AWS side."""

from __future__ import annotations

import base64
import typing as t
from collections.abc import Callable, Iterable, Mapping

from ..._gpu.instances import instance_types
from .catalogue import Catalogue
from .model import Machine, NodeGroup, Subnet, Taint

EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}
EFA_KINDS = ("efa", "efa-only")
DEFAULT_TYPE = "t3.medium"
# What user data say, for Amazon Linux and for Bottlerocket, where the local disks are to hold the kubelet's data.
LOCAL_DISKS = ('"strategy": "RAID0"', '["apiclient", "ephemeral-storage", "bind"')


Document = Mapping[str, t.Any]
Documents = Callable[[], Iterable[Document]]


class EksReader:
    """Reads all node groups.

    :param documents: gives the node groups as DescribeNodegroup does.
    :param ec2: boto3 client of EC2.
    """

    def __init__(self, *, documents: Documents, ec2: t.Any, region: str, catalogue: Catalogue) -> None:
        self._documents, self._ec2, self._region, self._catalogue = documents, ec2, region, catalogue
        self._subnets: dict[str, Subnet] = {}
        self._templates: dict[tuple[str, str], Document] = {}

    def read(self) -> dict[str, NodeGroup]:
        """All node groups by C(cluster/name)."""
        groups = [self._group(document) for document in self._documents()]
        return {group.key: group for group in groups}

    def _group(self, document: Document) -> NodeGroup:
        template = document.get("launchTemplate") or {}
        data = self._template(template) if template else {}
        update = document.get("updateConfig") or {}
        return NodeGroup(
            cluster=document["clusterName"],
            name=document["nodegroupName"],
            status=document["status"],
            version=document.get("version") or "1.36",
            release=document.get("releaseVersion") or "",
            region=self._region,
            machine=self._machine(document, data),
            desired=int((document.get("scalingConfig") or {}).get("desiredSize") or 0),
            subnets=self._located(document.get("subnets") or []),
            ami_type=document.get("amiType") or "AL2023_x86_64_STANDARD",
            capacity_type=document.get("capacityType") or "ON_DEMAND",
            disk_gib=_disk(document, data, self._machine(document, data)),
            labels=document.get("labels") or {},
            taints=tuple(_taint(taint) for taint in document.get("taints") or []),
            template=str(template.get("id") or ""),
            template_version=str(template.get("version") or ""),
            efa_interfaces=_efa_interfaces(data),
            max_unavailable=int(update.get("maxUnavailable") or 1),
            max_unavailable_percentage=int(update.get("maxUnavailablePercentage") or 0),
        )

    def _machine(self, document: Document, data: Document) -> Machine:
        types = document.get("instanceTypes") or []
        name = str(types[0] if types else data.get("InstanceType") or DEFAULT_TYPE)
        return self._catalogue.machine(name) or Machine(name, "amd64", 2, 4096)

    def _template(self, template: Document) -> Document:
        key = (str(template["id"]), str(template.get("version") or "$Default"))
        if key not in self._templates:
            found = self._ec2.describe_launch_template_versions(LaunchTemplateId=key[0], Versions=[key[1]])
            data = found["LaunchTemplateVersions"][0]["LaunchTemplateData"]
            if key[1].startswith("$"):
                return t.cast("Document", data)
            self._templates[key] = data
        return self._templates[key]

    def _located(self, names: list[str]) -> tuple[Subnet, ...]:
        unknown = [name for name in names if name not in self._subnets]
        if unknown:
            for subnet in self._ec2.describe_subnets(SubnetIds=unknown)["Subnets"]:
                one = Subnet(subnet["SubnetId"], subnet["AvailabilityZone"], subnet["CidrBlock"])
                self._subnets[one.subnet_id] = one
        return tuple(self._subnets[name] for name in names)


def _taint(taint: Mapping[str, str]) -> Taint:
    return Taint(taint["key"], taint.get("value", ""), EFFECTS[taint["effect"]])


def _efa_interfaces(data: Document) -> int:
    return sum(one.get("InterfaceType") in EFA_KINDS for one in data.get("NetworkInterfaces") or [])


def _disk(document: Document, data: Document, machine: Machine) -> int:
    """GiB that hold the kubelet's data: the local disks where the user data say so, else the root volume."""
    user_data = base64.b64decode(data.get("UserData") or "").decode(errors="replace")
    one = instance_types().get(machine.instance_type)
    if one and any(word in user_data for word in LOCAL_DISKS):
        return int(one.local_nvme_gb * 10**9 / 2**30)
    sizes = [(mapping.get("Ebs") or {}).get("VolumeSize") for mapping in data.get("BlockDeviceMappings") or []]
    return int(max((size for size in sizes if size), default=document.get("diskSize") or 20))


__all__ = ("Document", "Documents", "EksReader")
