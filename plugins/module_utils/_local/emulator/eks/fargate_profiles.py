# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fargate profiles: made and deleted, never updated; one at a time for each cluster."""

from __future__ import annotations

from . import access_entries, tags
from .errors import in_use, invalid_parameter
from .session import Operations, Session, page
from .store import Cluster, Record, Resource

KIND = "fargateprofile"
MOST_LABELS = 5


def _found(eks: Session, request: Record) -> tuple[Cluster, Resource]:
    cluster = eks.cluster(request["clusterName"])
    name = request["fargateProfileName"]
    return cluster, cluster.child(KIND, name, f"No Fargate Profile found with name: {name}.")


def create_fargate_profile(eks: Session, request: Record) -> Record:
    """CreateFargateProfile."""
    cluster = eks.cluster(request["clusterName"])
    name = request["fargateProfileName"]
    if name in cluster.children[KIND]:
        raise in_use("A Fargate Profile already exists with this name in this cluster.", clusterName=cluster.name)
    eks.require_active(cluster)
    _check_selectors(request.get("selectors"))
    for other in cluster.children[KIND].values():
        if other.status in ("CREATING", "DELETING"):
            raise in_use(
                f"Cannot create Fargate Profile {name} because cluster {cluster.name} currently has "
                f"Fargate profile {other.key} in status {other.status}",
                clusterName=cluster.name,
            )
    subnets = request.get("subnets") or []
    if missing := sorted(set(subnets) - set(eks.neighbours.subnets(eks.place, subnets))):
        raise invalid_parameter(f"The subnet ID '{missing[0]}' does not exist", clusterName=cluster.name)
    role = request["podExecutionRoleArn"]
    eks.require_role(role, clusterName=cluster.name)
    arn = eks.place.arn(KIND, cluster.name, name, eks.ids.uuid())
    body: Record = {
        "fargateProfileName": name,
        "fargateProfileArn": arn,
        "clusterName": cluster.name,
        "createdAt": eks.now(),
        "podExecutionRoleArn": role,
        "subnets": subnets or cluster.body["resourcesVpcConfig"]["subnetIds"],
        "selectors": request["selectors"],
        "tags": tags.checked(request.get("tags")),
        "health": {"issues": []},
    }
    resource = Resource(KIND, name, arn, body)
    cluster.children[KIND][name] = resource
    access_entries.admit_nodes(eks, cluster, role, "FARGATE_LINUX")
    eks.create(resource)
    return {"fargateProfile": dict(body)}


def _check_selectors(selectors: list[Record] | None) -> None:
    if not selectors:
        raise invalid_parameter("Fargate Profile requires at least one selector.")
    for selector in selectors:
        if not selector.get("namespace"):
            raise invalid_parameter(
                "Fargate Profile must have at least one selector with at least one namespace value."
            )
        if len(selector.get("labels") or {}) > MOST_LABELS:
            raise invalid_parameter("Request contains Selector with more than 5 Label pairs")


def describe_fargate_profile(eks: Session, request: Record) -> Record:
    """DescribeFargateProfile."""
    return {"fargateProfile": _found(eks, request)[1].body}


def list_fargate_profiles(eks: Session, request: Record) -> Record:
    """ListFargateProfiles."""
    return page(sorted(eks.cluster(request["clusterName"]).children[KIND]), request, "fargateProfileNames")


def delete_fargate_profile(eks: Session, request: Record) -> Record:
    """DeleteFargateProfile."""
    cluster, resource = _found(eks, request)

    def remove() -> None:
        cluster.children[KIND].pop(resource.key, None)
        access_entries.dismiss_nodes(cluster, resource.body["podExecutionRoleArn"])

    if resource.status != "DELETING":
        eks.delete(resource, remove=remove)
    return {"fargateProfile": dict(resource.body)}


OPERATIONS: Operations = {
    "CreateFargateProfile": create_fargate_profile,
    "DescribeFargateProfile": describe_fargate_profile,
    "ListFargateProfiles": list_fargate_profiles,
    "DeleteFargateProfile": delete_fargate_profile,
}

__all__ = ("OPERATIONS",)
