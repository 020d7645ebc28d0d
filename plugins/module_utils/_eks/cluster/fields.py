# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every field of a cluster that EKS can change, as data: how to read it, how to write it.

EKS takes one kind of change per UpdateClusterConfig, and refuses a field that does not change (aws-cdk #30114,
eks-controller #119). So each kind is a step of its own.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..._aws.session import Record

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")
TIERS = ("standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl")

Value = t.Any


@dataclass(frozen=True)
class Kind:
    """One kind of change.

    :param option: its option, and its key in states and diffs.
    :param read: its value in C(cluster) of DescribeCluster, in the user's terms.
    :param write: parameters of UpdateClusterConfig, from (live, wanted).
    :param overlay: whether parts that the user leaves out keep their live value.
    """

    option: str
    read: Callable[[Record], Value]
    write: Callable[[Value, Value], Record]
    overlay: bool = False

    def wanted(self, live: Value, given: Value) -> Value:
        """The wanted value, from what the user gave."""
        if not self.overlay:
            return sorted(given) if isinstance(given, list) else given
        parts = {key: value for key, value in given.items() if value is not None}
        return {**(live or {}), **{key: sorted(value) if _plain(value) else value for key, value in parts.items()}}


def _plain(value: Value) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _network(cluster: Record) -> Record:
    return cluster.get("resourcesVpcConfig") or {}


def _endpoint(cluster: Record) -> Record:
    network = _network(cluster)
    return {
        "public": bool(network.get("endpointPublicAccess", True)),
        "private": bool(network.get("endpointPrivateAccess", False)),
        "public_cidrs": sorted(network.get("publicAccessCidrs") or []),
    }


def _write_endpoint(_live: Value, wanted: Value) -> Record:
    parameters = {"endpointPublicAccess": wanted["public"], "endpointPrivateAccess": wanted["private"]}
    if wanted["public"] and wanted.get("public_cidrs"):
        parameters["publicAccessCidrs"] = wanted["public_cidrs"]
    return {"resourcesVpcConfig": parameters}


def _logging(cluster: Record) -> list[str]:
    rows = (cluster.get("logging") or {}).get("clusterLogging") or []
    return sorted(kind for row in rows if row.get("enabled") for kind in row.get("types") or [])


def logging_parameter(live: list[str], wanted: list[str]) -> Record:
    """C(logging) of CreateCluster and UpdateClusterConfig."""
    rows = [
        {"types": sorted(set(wanted) - set(live)), "enabled": True},
        {"types": sorted(set(live) - set(wanted)), "enabled": False},
    ]
    return {"clusterLogging": [row for row in rows if row["types"]]}


def _auto_mode(cluster: Record) -> Record:
    compute = cluster.get("computeConfig") or {}
    return {
        "enabled": bool(compute.get("enabled")),
        "node_pools": sorted(compute.get("nodePools") or []),
        "node_role": compute.get("nodeRoleArn"),
    }


def auto_mode_parameters(wanted: Record) -> Record:
    """Auto Mode is three switches that EKS wants turned together."""
    compute: Record = {"enabled": wanted["enabled"]}
    if wanted["enabled"]:
        compute |= {"nodePools": wanted.get("node_pools") or [], "nodeRoleArn": wanted.get("node_role")}
    return {
        "computeConfig": {key: value for key, value in compute.items() if value is not None},
        "storageConfig": {"blockStorage": {"enabled": wanted["enabled"]}},
        "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": wanted["enabled"]}},
    }


def _remote_networks(cluster: Record) -> Record:
    found = cluster.get("remoteNetworkConfig") or {}
    return {
        "nodes": sorted(cidr for row in found.get("remoteNodeNetworks") or [] for cidr in row.get("cidrs") or []),
        "pods": sorted(cidr for row in found.get("remotePodNetworks") or [] for cidr in row.get("cidrs") or []),
    }


def remote_networks_parameter(wanted: Record) -> Record:
    """C(remoteNetworkConfig)."""
    names = {"nodes": "remoteNodeNetworks", "pods": "remotePodNetworks"}
    return {name: [{"cidrs": wanted[key]}] if wanted.get(key) else [] for key, name in names.items()}


def _api_server(cluster: Record) -> Record:
    found = cluster.get("kubeApiServerConfig") or {}
    ports = found.get("serviceNodePortRange") or {}
    state = {"event_ttl": found.get("eventTtl"), "min_port": ports.get("minPort"), "max_port": ports.get("maxPort")}
    return {key: value for key, value in state.items() if value is not None}


def api_server_parameter(wanted: Record) -> Record:
    """C(kubeApiServerConfig)."""
    found: Record = {"eventTtl": wanted["event_ttl"]} if wanted.get("event_ttl") else {}
    if wanted.get("min_port") is not None and wanted.get("max_port") is not None:
        found["serviceNodePortRange"] = {"minPort": wanted["min_port"], "maxPort": wanted["max_port"]}
    return found


def _scheduler(cluster: Record) -> Record:
    fit = (cluster.get("kubeSchedulerConfig") or {}).get("nodeResourcesFit") or {}
    strategy = fit.get("scoringStrategy") or {}
    weights = {row["name"]: row.get("weight", 1) for row in strategy.get("resources") or []}
    state = {"scoring": strategy.get("type"), "weights": weights or None}
    return {key: value for key, value in state.items() if value is not None}


def scheduler_parameter(wanted: Record) -> Record:
    """C(kubeSchedulerConfig)."""
    strategy: Record = {"type": wanted.get("scoring") or "LeastAllocated"}
    if wanted.get("weights"):
        rows = sorted(wanted["weights"].items())
        strategy["resources"] = [{"name": name, "weight": int(weight)} for name, weight in rows]
    return {"nodeResourcesFit": {"scoringStrategy": strategy}}


def _controller_manager(cluster: Record) -> Record:
    found = cluster.get("kubeControllerManagerConfig") or {}
    state = {
        "terminated_pod_gc_threshold": (found.get("podGcControllerConfig") or {}).get("terminatedPodGcThreshold"),
        "horizontal_pod_autoscaler_sync_period": (found.get("horizontalPodAutoscalerControllerConfig") or {}).get(
            "horizontalPodAutoscalerSyncPeriod"
        ),
    }
    return {key: value for key, value in state.items() if value is not None}


def controller_manager_parameter(wanted: Record) -> Record:
    """C(kubeControllerManagerConfig)."""
    found: Record = {}
    if (threshold := wanted.get("terminated_pod_gc_threshold")) is not None:
        found["podGcControllerConfig"] = {"terminatedPodGcThreshold": threshold}
    if period := wanted.get("horizontal_pod_autoscaler_sync_period"):
        found["horizontalPodAutoscalerControllerConfig"] = {"horizontalPodAutoscalerSyncPeriod": period}
    return found


def _networks(live: Value, wanted: Value, name: str) -> Record:
    del live
    return {"resourcesVpcConfig": {name: wanted}}


KINDS: tuple[Kind, ...] = (
    Kind(
        "deletion_protection",
        lambda cluster: bool(cluster.get("deletionProtection")),
        lambda _live, wanted: {"deletionProtection": wanted},
    ),
    Kind(
        "authentication_mode",
        lambda cluster: (cluster.get("accessConfig") or {}).get("authenticationMode", "CONFIG_MAP"),
        lambda _live, wanted: {"accessConfig": {"authenticationMode": wanted}},
    ),
    Kind("logging", _logging, lambda live, wanted: {"logging": logging_parameter(live, wanted)}),
    Kind("endpoint", _endpoint, _write_endpoint, overlay=True),
    Kind(
        "egress_mode",
        lambda cluster: _network(cluster).get("controlPlaneEgressMode", "AWS_MANAGED"),
        lambda _live, wanted: {"resourcesVpcConfig": {"controlPlaneEgressMode": wanted}},
    ),
    Kind(
        "subnets",
        lambda cluster: sorted(_network(cluster).get("subnetIds") or []),
        lambda live, wanted: _networks(live, wanted, "subnetIds"),
    ),
    Kind(
        "security_groups",
        lambda cluster: sorted(_network(cluster).get("securityGroupIds") or []),
        lambda live, wanted: _networks(live, wanted, "securityGroupIds"),
    ),
    Kind(
        "support_type",
        lambda cluster: (cluster.get("upgradePolicy") or {}).get("supportType", "EXTENDED"),
        lambda _live, wanted: {"upgradePolicy": {"supportType": wanted}},
    ),
    Kind(
        "zonal_shift",
        lambda cluster: bool((cluster.get("zonalShiftConfig") or {}).get("enabled")),
        lambda _live, wanted: {"zonalShiftConfig": {"enabled": wanted}},
    ),
    Kind("auto_mode", _auto_mode, lambda _live, wanted: auto_mode_parameters(wanted), overlay=True),
    Kind(
        "remote_networks",
        _remote_networks,
        lambda _live, wanted: {"remoteNetworkConfig": remote_networks_parameter(wanted)},
        overlay=True,
    ),
    Kind(
        "control_plane_tier",
        lambda cluster: (cluster.get("controlPlaneScalingConfig") or {}).get("tier", "standard"),
        lambda _live, wanted: {"controlPlaneScalingConfig": {"tier": wanted}},
    ),
    Kind(
        "kube_api_server",
        _api_server,
        lambda _live, wanted: {"kubeApiServerConfig": api_server_parameter(wanted)},
        overlay=True,
    ),
    Kind(
        "kube_scheduler",
        _scheduler,
        lambda _live, wanted: {"kubeSchedulerConfig": scheduler_parameter(wanted)},
        overlay=True,
    ),
    Kind(
        "kube_controller_manager",
        _controller_manager,
        lambda _live, wanted: {"kubeControllerManagerConfig": controller_manager_parameter(wanted)},
        overlay=True,
    ),
)


def encryption_key(cluster: Mapping[str, t.Any]) -> str | None:
    """ARN of the key that encrypts Secrets; None with EKS' own key."""
    for row in cluster.get("encryptionConfig") or []:
        if "secrets" in (row.get("resources") or []):
            return str((row.get("provider") or {}).get("keyArn"))
    return None


def fixed_of(cluster: Record) -> Record:
    """What EKS fixes for ever and says."""
    network = cluster.get("kubernetesNetworkConfig") or {}
    return {
        "role_arn": cluster.get("roleArn"),
        "service_cidr": network.get("serviceIpv4Cidr") or network.get("serviceIpv6Cidr"),
        "ip_family": network.get("ipFamily"),
    }


__all__ = (
    "KINDS",
    "LOG_TYPES",
    "MODES",
    "TIERS",
    "Kind",
    "encryption_key",
    "fixed_of",
    "logging_parameter",
)
