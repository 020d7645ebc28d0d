# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managed node groups: create, describe, list, delete."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from ..faults import Failure
from . import access_entries, tags, versions
from . import node_group_rules as rules
from .errors import EksError, in_use, invalid_parameter
from .neighbours import LaunchTemplate, ScalingGroup
from .session import Operations, Session, page
from .store import Cluster, Record, Resource

KIND = "nodegroup"
NAME = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,62}")
DEFAULT_SIZES = {"minSize": 1, "maxSize": 2, "desiredSize": 2}
DEFAULT_TYPE = "t3.medium"
DEFAULT_DISK = 20
ECHOED = ("nodeRepairConfig", "warmPoolConfig", "remoteAccess")


def find(eks: Session, request: Mapping[str, t.Any]) -> tuple[Cluster, Resource]:
    """The node group that a request names.

    :raises EksError: 404.
    """
    cluster = eks.cluster(request["clusterName"])
    name = request["nodegroupName"]
    return cluster, cluster.child(KIND, name, f"No node group found for name: {name}.")


def create_nodegroup(eks: Session, request: Record) -> Record:
    """CreateNodegroup: CREATING, and ACTIVE later; or CREATE_FAILED with a health issue."""
    cluster = eks.cluster(request["clusterName"])
    name = request["nodegroupName"]
    if name in cluster.children[KIND]:
        raise in_use(
            f"NodeGroup already exists with name {name} and cluster name {cluster.name}",
            clusterName=cluster.name,
            nodegroupName=name,
        )
    eks.require_active(cluster)
    try:
        resource = _checked(eks, cluster, request)
    except EksError as error:
        raise rules.named(error, cluster.name, name) from None
    cluster.children[KIND][name] = resource
    _launch(eks, cluster, resource)
    eks.create(resource)
    return {"nodegroup": described(eks, resource)}


def _check(eks: Session, request: Record, *, template: t.Any, sizes: dict[str, int], update: Record) -> None:
    """The rules of CreateNodegroup, in AWS's order."""
    if template is not None:
        rules.check_template(request, template)
    rules.check_capacity(request, template)
    rules.check_instance_types(request.get("instanceTypes") or ())
    rules.check_scaling(sizes)
    rules.check_update_config(update, sizes["maxSize"])
    rules.check_labels_and_taints(request.get("labels") or {}, request.get("taints") or ())
    _check_subnets(eks, request["subnets"])
    eks.require_role(request["nodeRole"])


def _checked(eks: Session, cluster: Cluster, request: Record) -> Resource:
    name = request["nodegroupName"]
    if not NAME.fullmatch(name):
        raise invalid_parameter(f"The nodegroup name {name} must match {NAME.pattern}")
    template = rules.find_template(eks, request["launchTemplate"]) if request.get("launchTemplate") else None
    sizes = _sizes(request.get("scalingConfig") or {})
    update_config = request.get("updateConfig") or {"maxUnavailable": 1}
    _check(eks, request, template=template, sizes=sizes, update=update_config)
    image = _image(cluster, request, template)
    arn = eks.place.arn(KIND, cluster.name, name, eks.ids.uuid())
    body: Record = {
        "nodegroupName": name,
        "nodegroupArn": arn,
        "clusterName": cluster.name,
        "createdAt": eks.now(),
        "modifiedAt": eks.now(),
        "capacityType": request.get("capacityType") or "ON_DEMAND",
        "scalingConfig": sizes,
        "subnets": request["subnets"],
        "nodeRole": request["nodeRole"],
        "labels": request.get("labels") or {},
        "taints": request.get("taints") or [],
        "updateConfig": {"updateStrategy": "DEFAULT", **update_config},
        "health": {"issues": []},
        "tags": tags.checked(request.get("tags")),
        **{key: request[key] for key in ECHOED if request.get(key) is not None},
        **image,
        **_hardware(request, template),
    }
    return Resource(KIND, name, arn, body)


def _sizes(wanted: Mapping[str, int]) -> dict[str, int]:
    sizes = {**DEFAULT_SIZES, **wanted}
    if "desiredSize" not in wanted:
        sizes["desiredSize"] = max(sizes["minSize"], min(sizes["desiredSize"], sizes["maxSize"]))
    return sizes


def _check_subnets(eks: Session, subnets: list[str]) -> None:
    if not subnets:
        raise invalid_parameter("Subnets cannot be empty")
    if missing := sorted(set(subnets) - set(eks.neighbours.subnets(eks.place, subnets))):
        raise invalid_parameter(f"The subnet ID '{missing[0]}' does not exist")


def _image(cluster: Cluster, request: Record, template: LaunchTemplate | None) -> Record:
    version = request.get("version") or cluster.body["version"]
    own_image = template.data.get("ImageId") if template else None
    ami_type = request.get("amiType") or ("CUSTOM" if own_image else "AL2023_x86_64_STANDARD")
    rules.check_version(cluster, version)
    rules.check_image(ami_type, template, version)
    rules.check_release(request.get("releaseVersion"), ami_type, version)
    release = own_image or request.get("releaseVersion") or versions.release_version(ami_type, version)
    return {"version": version, "amiType": ami_type, "releaseVersion": release}


def _hardware(request: Record, template: LaunchTemplate | None) -> Record:
    found: Record = {}
    if template is not None:
        found["launchTemplate"] = {"id": template.id, "name": template.name, "version": template.version}
    else:
        found["diskSize"] = request.get("diskSize") or DEFAULT_DISK
    if request.get("instanceTypes"):
        found["instanceTypes"] = request["instanceTypes"]
    elif template is None or not template.data.get("InstanceType"):
        found["instanceTypes"] = [DEFAULT_TYPE]
    return found


def _launch(eks: Session, cluster: Cluster, resource: Resource) -> None:
    body = resource.body
    group = f"eks-{resource.key}-{resource.arn.rpartition('/')[2]}"
    types = instance_types(eks, resource)
    body["resources"] = {"autoScalingGroups": [{"name": group}]}
    resource.hidden["blamed"] = group
    eks.neighbours.create_scaling_group(
        eks.place,
        ScalingGroup(
            name=group,
            subnets=tuple(body["subnets"]),
            sizes=body["scalingConfig"],
            instance_type=types[0],
            tags={
                "eks:cluster-name": cluster.name,
                "eks:nodegroup-name": resource.key,
                f"kubernetes.io/cluster/{cluster.name}": "owned",
                "k8s.io/cluster-autoscaler/enabled": "true",
                f"k8s.io/cluster-autoscaler/{cluster.name}": "owned",
            },
        ),
    )
    kind = "EC2_WINDOWS" if body["amiType"].startswith("WINDOWS") else "EC2_LINUX"
    access_entries.admit_nodes(eks, cluster, body["nodeRole"], kind)
    if set(types) <= set(eks.faults.no_capacity) and body["scalingConfig"]["desiredSize"] > 0:
        resource.hidden["failure"] = _no_capacity(types[0])


def instance_types(eks: Session, resource: Resource) -> list[str]:
    """The instance types of a node group: its own, or the launch template's."""
    own = resource.body.get("instanceTypes")
    if own:
        return list(own)
    wanted = resource.body["launchTemplate"]
    found = eks.neighbours.launch_template(eks.place, template_id=wanted["id"], name=None, version=wanted["version"])
    return [found.data.get("InstanceType", DEFAULT_TYPE) if found else DEFAULT_TYPE]


def _no_capacity(instance_type: str) -> Failure:
    return Failure(
        kind=KIND,
        code="AsgInstanceLaunchFailures",
        message=(
            "Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not have sufficient "
            f"{instance_type} capacity in the Availability Zone you requested. Launching EC2 instance failed."
        ),
    )


def described(eks: Session, resource: Resource) -> Record:
    """What DescribeNodegroup answers: the sizes are those of the Auto Scaling group, which an autoscaler may move."""
    groups = (resource.body.get("resources") or {}).get("autoScalingGroups") or []
    sizes = eks.neighbours.scaling_sizes(eks.place, groups[0]["name"]) if groups else None
    return resource.body | ({"scalingConfig": sizes} if sizes and resource.status != "DELETING" else {})


def describe_nodegroup(eks: Session, request: Record) -> Record:
    """DescribeNodegroup."""
    return {"nodegroup": described(eks, find(eks, request)[1])}


def list_nodegroups(eks: Session, request: Record) -> Record:
    """ListNodegroups."""
    return page(sorted(eks.cluster(request["clusterName"]).children[KIND]), request, "nodegroups")


def delete_nodegroup(eks: Session, request: Record) -> Record:
    """DeleteNodegroup: refused while an update runs."""
    cluster, resource = find(eks, request)
    if running := resource.running_update:
        raise in_use(
            f"Cannot delete because nodegroup {resource.key} currently has update {running.id} in progress",
            clusterName=cluster.name,
            nodegroupName=resource.key,
        )

    def remove() -> None:
        cluster.children[KIND].pop(resource.key, None)
        for group in resource.body["resources"]["autoScalingGroups"]:
            eks.neighbours.delete_scaling_group(eks.place, group["name"])
        access_entries.dismiss_nodes(cluster, resource.body["nodeRole"])

    if resource.status != "DELETING":
        eks.delete(resource, remove=remove)
    return {"nodegroup": described(eks, resource)}


OPERATIONS: Operations = {
    "CreateNodegroup": create_nodegroup,
    "DescribeNodegroup": describe_nodegroup,
    "ListNodegroups": list_nodegroups,
    "DeleteNodegroup": delete_nodegroup,
}

__all__ = ("KIND", "OPERATIONS", "described", "find")
