# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parameters of CreateCluster."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._aws.session import Record
from ..._aws.tags import OWNER_TAG
from .fields import (
    api_server_parameter,
    auto_mode_parameters,
    controller_manager_parameter,
    logging_parameter,
    remote_networks_parameter,
    scheduler_parameter,
)
from .spec import ClusterSpec


def create_parameters(spec: ClusterSpec, after: Record) -> Record:
    """The parameters that lead to the state C(after)."""
    auto = auto_mode_parameters(after["auto_mode"]) if (after.get("auto_mode") or {}).get("enabled") else {}
    access = {
        "authenticationMode": after.get("authentication_mode") or "API",
        "bootstrapClusterCreatorAdminPermissions": spec.bootstrap_creator_admin,
    }
    parameters: Record = {
        "name": spec.name,
        "roleArn": after["role_arn"],
        "version": spec.version,
        "resourcesVpcConfig": _network(after),
        "kubernetesNetworkConfig": _given(
            {"serviceIpv4Cidr": after.get("service_cidr"), "ipFamily": after.get("ip_family")}
        ),
        "accessConfig": access,
        "bootstrapSelfManagedAddons": spec.bootstrap_addons and not auto,
        "encryptionConfig": encryption_parameter(spec.encryption_key) if spec.encryption_key else None,
        "deletionProtection": after.get("deletion_protection"),
        "upgradePolicy": _given({"supportType": after.get("support_type")}),
        "zonalShiftConfig": _given({"enabled": after.get("zonal_shift")}),
        "controlPlaneScalingConfig": _given({"tier": after.get("control_plane_tier")}),
        "tags": {**(spec.tags or {}), OWNER_TAG: spec.name},
        **_settings(after),
    }
    for name, value in auto.items():
        parameters[name] = {**(parameters.get(name) or {}), **value}
    return _given(parameters)


def _network(after: Record) -> Record:
    endpoint = after.get("endpoint") or {}
    return _given(
        {
            "subnetIds": after["subnets"],
            "securityGroupIds": after.get("security_groups"),
            "endpointPublicAccess": endpoint.get("public"),
            "endpointPrivateAccess": endpoint.get("private"),
            "publicAccessCidrs": endpoint.get("public_cidrs"),
            "controlPlaneEgressMode": after.get("egress_mode"),
        }
    )


def _settings(after: Record) -> Record:
    """Logging, hybrid networks and the settings of the control plane's programs."""
    return {
        "logging": logging_parameter([], after["logging"]) if after.get("logging") else None,
        "remoteNetworkConfig": remote_networks_parameter(after["remote_networks"])
        if after.get("remote_networks")
        else None,
        "kubeApiServerConfig": api_server_parameter(after.get("kube_api_server") or {}),
        "kubeSchedulerConfig": scheduler_parameter(after["kube_scheduler"]) if after.get("kube_scheduler") else None,
        "kubeControllerManagerConfig": controller_manager_parameter(after.get("kube_controller_manager") or {}),
    }


def encryption_parameter(key: str) -> list[Record]:
    """C(encryptionConfig) of CreateCluster and AssociateEncryptionConfig."""
    return [{"resources": ["secrets"], "provider": {"keyArn": key}}]


def _given(parameters: Mapping[str, t.Any]) -> Record:
    return {key: value for key, value in parameters.items() if value not in (None, {}, [])}


__all__ = ("create_parameters", "encryption_parameter")
