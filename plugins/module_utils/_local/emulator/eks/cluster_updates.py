# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""UpdateClusterConfig (one kind of change a call, and a real one) and UpdateClusterVersion."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping

from . import insights, updates, versions
from .clusters import AUTO_MODE_MESSAGE, auto_mode_switches, check_network, logging_of
from .errors import invalid_parameter, invalid_request
from .session import Operations, Session
from .store import Cluster, Record

Sections = Record
# A kind of change: the sections of the cluster that the request makes of it, and the update's params.
Plan = tuple[Sections, Record]
MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")


def _network(cluster: Cluster, request: Record, keys: Mapping[str, str]) -> Plan | None:
    wanted = request.get("resourcesVpcConfig") or {}
    changed = {key: wanted[key] for key in keys if wanted.get(key) is not None}
    if not changed:
        return None
    section = {**cluster.body["resourcesVpcConfig"], **changed}
    return {"resourcesVpcConfig": section}, {keys[key]: value for key, value in changed.items()}


def _vpc(eks: Session, cluster: Cluster, request: Record) -> Plan | None:
    plan = _network(cluster, request, {"subnetIds": "Subnets", "securityGroupIds": "SecurityGroups"})
    if plan is not None:
        network = plan[0]["resourcesVpcConfig"]
        check_network(eks, network["subnetIds"], network["securityGroupIds"], vpc_id=network["vpcId"])
    return plan


def _endpoint(_eks: Session, cluster: Cluster, request: Record) -> Plan | None:
    names = {
        "endpointPublicAccess": "EndpointPublicAccess",
        "endpointPrivateAccess": "EndpointPrivateAccess",
        "publicAccessCidrs": "PublicAccessCidrs",
    }
    plan = _network(cluster, request, names)
    if plan is not None:
        network = plan[0]["resourcesVpcConfig"]
        if not network["endpointPublicAccess"] and not network["endpointPrivateAccess"]:
            raise invalid_parameter("Private and public endpoint access cannot be false")
    return plan


def _egress(_eks: Session, cluster: Cluster, request: Record) -> Plan | None:
    return _network(cluster, request, {"controlPlaneEgressMode": "ControlPlaneEgressMode"})


def _logging(_eks: Session, cluster: Cluster, request: Record) -> Plan | None:
    wanted = request.get("logging")
    if wanted is None:
        return None
    section = logging_of(wanted.get("clusterLogging"), cluster.body["logging"]["clusterLogging"])
    return {"logging": {"clusterLogging": section}}, {"ClusterLogging": wanted}


def _access(_eks: Session, cluster: Cluster, request: Record) -> Plan | None:
    wanted = (request.get("accessConfig") or {}).get("authenticationMode")
    if wanted is None:
        return None
    now = cluster.body["accessConfig"]["authenticationMode"]
    if wanted != now and MODES.index(wanted) != MODES.index(now) + 1:
        raise invalid_parameter(f"Unsupported authentication mode update from {now} to {wanted}")
    section = {**cluster.body["accessConfig"], "authenticationMode": wanted}
    return {"accessConfig": section}, {"AuthenticationMode": wanted}


def _auto_mode(_eks: Session, cluster: Cluster, request: Record) -> Plan | None:
    keys = ("computeConfig", "kubernetesNetworkConfig", "storageConfig")
    if not any(key in request for key in keys):
        return None
    sections = {key: {**(cluster.body.get(key) or {}), **(request.get(key) or {})} for key in keys}
    if len(set(auto_mode_switches(sections))) > 1:
        raise invalid_parameter(AUTO_MODE_MESSAGE)
    names = {"computeConfig": "ComputeConfig", "storageConfig": "StorageConfig"}
    params = {names.get(key, "KubernetesNetworkConfig"): request[key] for key in keys if key in request}
    return sections, params


def _section(key: str, param: str) -> Callable[[Session, Cluster, Record], Plan | None]:
    def plan(_eks: Session, cluster: Cluster, request: Record) -> Plan | None:
        if request.get(key) is None:
            return None
        now = cluster.body.get(key)
        wanted = request[key]
        merged = {**now, **wanted} if isinstance(now, Mapping) and isinstance(wanted, Mapping) else wanted
        return {key: merged}, {param: wanted}

    return plan


def _components(_eks: Session, cluster: Cluster, request: Record) -> Plan | None:
    keys = ("kubeApiServerConfig", "kubeSchedulerConfig", "kubeControllerManagerConfig")
    wanted = {key: request[key] for key in keys if request.get(key) is not None}
    if not wanted:
        return None
    sections = {key: {**(cluster.body.get(key) or {}), **value} for key, value in wanted.items()}
    return sections, {key[0].upper() + key[1:]: value for key, value in wanted.items()}


KINDS: Mapping[str, Callable[[Session, Cluster, Record], Plan | None]] = {
    "VpcConfigUpdate": _vpc,
    "EndpointAccessUpdate": _endpoint,
    "ControlPlaneEgressUpdate": _egress,
    "LoggingUpdate": _logging,
    "AccessConfigUpdate": _access,
    "UpgradePolicyUpdate": _section("upgradePolicy", "UpgradePolicy"),
    "ZonalShiftConfigUpdate": _section("zonalShiftConfig", "ZonalShiftConfig"),
    "AutoModeUpdate": _auto_mode,
    "RemoteNetworkConfigUpdate": _section("remoteNetworkConfig", "RemoteNetworkConfig"),
    "DeletionProtectionUpdate": _section("deletionProtection", "DeletionProtection"),
    "ControlPlaneScalingConfigUpdate": _section("controlPlaneScalingConfig", "UpdatedTier"),
    "ControlPlaneComponentConfigUpdate": _components,
}


def update_cluster_config(eks: Session, request: Record) -> Record:
    """UpdateClusterConfig.

    Several kinds at once: InvalidParameterException "Only one type of update can be allowed." (aws-cdk #33452, CAPA
    #3553); a change that changes nothing: InvalidParameterException (ACK community #1855).
    """
    cluster = eks.cluster(request["name"])
    plans = {kind: plan for kind, of in KINDS.items() if (plan := of(eks, cluster, request)) is not None}
    if not plans:
        raise invalid_parameter("The type for cluster update was not provided.", clusterName=cluster.name)
    if len(plans) > 1:
        raise invalid_parameter("Only one type of update can be allowed.", clusterName=cluster.name)
    kind, (sections, params) = plans.popitem()
    if all(_same(cluster.body.get(key), value) for key, value in sections.items()) and not cluster.running_update:
        raise invalid_parameter(_unchanged(kind, sections), clusterName=cluster.name)
    change = updates.Change(kind, params, lambda: cluster.body.update(sections))
    return updates.begin(eks, cluster, cluster, change)


def _same(now: t.Any, then: t.Any) -> bool:
    if isinstance(now, Mapping) and isinstance(then, Mapping):
        return set(now) == set(then) and all(_same(now[key], then[key]) for key in now)
    if isinstance(now, list) and isinstance(then, list) and all(isinstance(one, str) for one in now + then):
        return sorted(now) == sorted(then)
    return bool(now == then)


def _unchanged(kind: str, sections: Sections) -> str:
    if kind == "EndpointAccessUpdate":
        network = sections["resourcesVpcConfig"]
        return (
            "Cluster is already at the desired configuration with endpointPrivateAccess: "
            f"{str(network['endpointPrivateAccess']).lower()} , endpointPublicAccess: "
            f"{str(network['endpointPublicAccess']).lower()}, and Public Endpoint Restrictions: "
            f"[{', '.join(network['publicAccessCidrs'])}]"
        )
    what = {"LoggingUpdate": "logging", "VpcConfigUpdate": "VPC"}.get(kind, kind.removesuffix("Update"))
    return f"No changes needed for the {what} config provided"


def update_cluster_version(eks: Session, request: Record) -> Record:
    """UpdateClusterVersion: one minor version up, held back by insights in ERROR, or one down within a rollback."""
    cluster = eks.cluster(request["name"])
    now, then = cluster.body["version"], request["version"]
    step = versions.minor(then) - versions.minor(now)
    named = {"clusterName": cluster.name}
    if step == 0:
        raise invalid_parameter(f"Cluster is already at the desired Kubernetes version {then}", **named)
    if step not in (1, -1) or (step == -1 and cluster.hidden.get("rollback_to") != then):
        raise invalid_parameter(f"Unsupported Kubernetes minor version update from {now} to {then}", **named)
    version = versions.supported(then)
    blocking = [one["name"] for one in insights.of_cluster(eks, cluster) if insights.blocks(one, then)]
    if blocking and step == 1 and not request.get("force"):
        raise invalid_request(
            f"Cluster {cluster.name} has upgrade insights with status ERROR ({', '.join(blocking)}); fix them, "
            "or update with force",
            **named,
        )

    def finish() -> None:
        cluster.hidden["rollback_to"] = now if step == 1 else None
        cluster.body["version"] = version.name
        cluster.body["platformVersion"] = version.platform

    kind = "VersionUpdate" if step == 1 else "VersionRollback"
    params = {"Version": version.name, "PlatformVersion": version.platform}
    return updates.begin(eks, cluster, cluster, updates.Change(kind, params, finish))


OPERATIONS: Operations = {
    "UpdateClusterConfig": update_cluster_config,
    "UpdateClusterVersion": update_cluster_version,
}

__all__ = ("OPERATIONS",)
