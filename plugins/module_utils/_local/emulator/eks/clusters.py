# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters: create, describe, list, delete."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from . import access_entries, tags, versions
from .errors import in_use, invalid_parameter, invalid_request
from .session import Operations, Session, page
from .store import Cluster, Record

NAME = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")
LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
# Sections of CreateCluster that DescribeCluster answers as they were sent.
ECHOED = (
    "encryptionConfig",
    "outpostConfig",
    "zonalShiftConfig",
    "remoteNetworkConfig",
    "computeConfig",
    "storageConfig",
    "controlPlaneScalingConfig",
    "kubeApiServerConfig",
    "kubeSchedulerConfig",
    "kubeControllerManagerConfig",
)
NETWORK: Mapping[str, t.Any] = {
    "endpointPublicAccess": True,
    "endpointPrivateAccess": False,
    "publicAccessCidrs": ["0.0.0.0/0"],
    "securityGroupIds": [],
}
DEFAULTS: Mapping[str, t.Any] = {
    "zonalShiftConfig": {"enabled": False},
    "computeConfig": {"enabled": False},
    "storageConfig": {"blockStorage": {"enabled": False}},
    "controlPlaneScalingConfig": {"tier": "standard"},
}


def logging_of(setup: list[Record] | None, now: list[Record] | None = None) -> list[Record]:
    """C(clusterLogging) as EKS answers it: what is on, then what is off.

    :param setup: what is asked for.
    :param now: what was before.
    """
    enabled = {kind for entry in now or () if entry["enabled"] for kind in entry["types"]}
    for entry in setup or ():
        kinds = set(entry.get("types") or ())
        enabled = enabled | kinds if entry.get("enabled") else enabled - kinds
    on = [kind for kind in LOG_TYPES if kind in enabled]
    off = [kind for kind in LOG_TYPES if kind not in enabled]
    return [{"types": kinds, "enabled": state} for kinds, state in ((on, True), (off, False)) if kinds]


def check_network(eks: Session, subnet_ids: list[str], group_ids: list[str], *, vpc_id: str | None = None) -> str:
    """The VPC of a cluster's network.

    :param vpc_id: where the cluster is already.
    :raises EksError: InvalidParameterException, as EKS says it.
    """
    found = eks.neighbours.subnets(eks.place, subnet_ids)
    for subnet_id in subnet_ids:
        if subnet_id not in found:
            raise invalid_parameter(f"The subnet ID '{subnet_id}' does not exist")
    if len({subnet.zone for subnet in found.values()}) < 2:
        raise invalid_parameter("Subnets specified must be in at least two different AZs")
    vpcs = {subnet.vpc_id for subnet in found.values()} | ({vpc_id} if vpc_id else set())
    if len(vpcs) > 1:
        raise invalid_parameter("Provided subnets belong to different VPCs; they must belong to the VPC of the cluster")
    missing = sorted(set(group_ids) - eks.neighbours.security_groups(eks.place, group_ids))
    if missing:
        raise invalid_parameter(f"The security group '{missing[0]}' does not exist")
    return vpcs.pop()


def create_cluster(eks: Session, request: Record) -> Record:
    """CreateCluster: CREATING, and ACTIVE later."""
    name = request["name"]
    if name in eks.region.clusters:
        raise in_use(f"Cluster already exists with name: {name}", clusterName=name)
    if not NAME.fullmatch(name):
        raise invalid_parameter(f"The cluster name {name} must match {NAME.pattern}", clusterName=name)
    version = versions.supported(request.get("version") or versions.DEFAULT)
    eks.require_role(request["roleArn"], clusterName=name)
    _check_auto_mode(request)
    network = request["resourcesVpcConfig"]
    vpc_id = check_network(eks, network.get("subnetIds") or [], network.get("securityGroupIds") or [])
    body: Record = {
        "name": name,
        "arn": eks.place.arn("cluster", name),
        "createdAt": eks.now(),
        "version": version.name,
        "platformVersion": version.platform,
        "resourcesVpcConfig": {**NETWORK, **network, "vpcId": vpc_id},
        **_wished(request),
    }
    cluster = Cluster("cluster", name, body["arn"], body)
    eks.region.clusters[name] = cluster
    eks.create(cluster, done=lambda: _complete(eks, cluster))
    return {"cluster": dict(body)}


def _wished(request: Record) -> Record:
    """What the request says itself, with EKS's defaults."""
    access = {"bootstrapClusterCreatorAdminPermissions": True, "authenticationMode": "CONFIG_MAP"}
    return {
        "roleArn": request["roleArn"],
        "kubernetesNetworkConfig": _kubernetes_network(request.get("kubernetesNetworkConfig") or {}),
        "logging": {"clusterLogging": logging_of((request.get("logging") or {}).get("clusterLogging"))},
        "accessConfig": access | (request.get("accessConfig") or {}),
        "upgradePolicy": request.get("upgradePolicy") or {"supportType": "EXTENDED"},
        "deletionProtection": bool(request.get("deletionProtection")),
        "tags": tags.checked(request.get("tags")),
        "health": {"issues": []},
        **{key: request.get(key, DEFAULTS.get(key)) for key in ECHOED if key in request or key in DEFAULTS},
    }


def _complete(eks: Session, cluster: Cluster) -> None:
    """What a cluster has once it is ACTIVE."""
    oidc = eks.ids.hex(32).upper()
    region = eks.place.region
    body = cluster.body
    body["endpoint"] = eks.endpoint.url or f"https://{oidc}.gr7.{region}.eks.amazonaws.com"
    body["certificateAuthority"] = {"data": eks.endpoint.certificate_authority}
    body["identity"] = {"oidc": {"issuer": f"https://oidc.eks.{region}.amazonaws.com/id/{oidc}"}}
    network = body["resourcesVpcConfig"]
    network["clusterSecurityGroupId"] = eks.neighbours.create_cluster_security_group(
        eks.place, cluster=cluster.name, vpc_id=network["vpcId"]
    )
    if body["accessConfig"].get("bootstrapClusterCreatorAdminPermissions"):
        access_entries.admit_creator(eks, cluster)


def _kubernetes_network(wanted: Mapping[str, t.Any]) -> Record:
    family = wanted.get("ipFamily", "ipv4")
    addresses = (
        {"serviceIpv6Cidr": "fd12:3456:789a::/108"}
        if family == "ipv6"
        else {"serviceIpv4Cidr": wanted.get("serviceIpv4Cidr", "172.20.0.0/16")}
    )
    return {
        "ipFamily": family,
        "elasticLoadBalancing": wanted.get("elasticLoadBalancing", {"enabled": False}),
    } | addresses


def auto_mode_switches(sections: Mapping[str, t.Any]) -> tuple[bool, bool, bool]:
    """The three switches of Auto Mode in these sections: compute, load balancing, block storage."""
    return (
        bool((sections.get("computeConfig") or {}).get("enabled")),
        bool(((sections.get("kubernetesNetworkConfig") or {}).get("elasticLoadBalancing") or {}).get("enabled")),
        bool(((sections.get("storageConfig") or {}).get("blockStorage") or {}).get("enabled")),
    )


def _check_auto_mode(request: Mapping[str, t.Any]) -> None:
    if len(set(auto_mode_switches(request))) > 1:
        raise invalid_parameter(AUTO_MODE_MESSAGE)


AUTO_MODE_MESSAGE = (
    "For EKS Auto Mode, please ensure that all required configs, including computeConfig, kubernetesNetworkConfig, "
    "and blockStorage are all either fully enabled or fully disabled."
)


def describe_cluster(eks: Session, request: Record) -> Record:
    """DescribeCluster."""
    return {"cluster": eks.cluster(request["name"]).body}


def list_clusters(eks: Session, request: Record) -> Record:
    """ListClusters."""
    return page(sorted(eks.region.clusters), request, "clusters")


def delete_cluster(eks: Session, request: Record) -> Record:
    """DeleteCluster: refused while it is protected, has node groups or Fargate profiles, or is updated."""
    cluster = eks.cluster(request["name"])
    named = {"clusterName": cluster.name}
    if cluster.body.get("deletionProtection"):
        raise invalid_request(
            f"Cannot delete cluster {cluster.name} because deletion protection is enabled. "
            "Disable deletion protection before you delete the cluster.",
            **named,
        )
    if cluster.children["nodegroup"]:
        raise in_use("Cluster has nodegroups attached", **named)
    if cluster.children["fargateprofile"]:
        raise in_use("Cluster has Fargate profiles attached", **named)
    if cluster.running_update or cluster.status in ("CREATING", "UPDATING"):
        raise in_use(f"Cannot delete because cluster {cluster.name} currently has an update in progress", **named)

    def remove() -> None:
        eks.region.clusters.pop(cluster.name, None)
        if group := cluster.body["resourcesVpcConfig"].get("clusterSecurityGroupId"):
            eks.neighbours.delete_security_group(eks.place, group)

    if cluster.status != "DELETING":
        eks.delete(cluster, remove=remove)
    return {"cluster": dict(cluster.body)}


OPERATIONS: Operations = {
    "CreateCluster": create_cluster,
    "DescribeCluster": describe_cluster,
    "ListClusters": list_clusters,
    "DeleteCluster": delete_cluster,
}

__all__ = ("AUTO_MODE_MESSAGE", "OPERATIONS", "auto_mode_switches", "check_network", "logging_of")
