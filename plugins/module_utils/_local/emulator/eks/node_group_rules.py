# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What EKS refuses of a node group; the messages are AWS's where an issue quotes them (facts/eks-and-moto.md §1)."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from . import versions
from .errors import EksError, invalid_parameter, invalid_request
from .neighbours import LaunchTemplate
from .session import Session
from .store import Cluster, Record

AMI_TYPES = (
    "AL2_x86_64",
    "AL2_x86_64_GPU",
    "AL2_ARM_64",
    "CUSTOM",
    *(f"BOTTLEROCKET_{kind}" for kind in ("ARM_64", "x86_64", "ARM_64_FIPS", "x86_64_FIPS")),
    *(f"BOTTLEROCKET_{kind}" for kind in ("ARM_64_NVIDIA", "x86_64_NVIDIA")),
    *(f"BOTTLEROCKET_{kind}" for kind in ("ARM_64_NVIDIA_FIPS", "x86_64_NVIDIA_FIPS")),
    *(f"WINDOWS_{kind}_{year}_x86_64" for kind in ("CORE", "FULL") for year in (2019, 2022, 2025)),
    "AL2023_x86_64_STANDARD",
    "AL2023_ARM_64_STANDARD",
    "AL2023_x86_64_NEURON",
    "AL2023_x86_64_NVIDIA",
    "AL2023_ARM_64_NVIDIA",
)
ENDED_AMI_TYPES = ("AL2_x86_64", "AL2_x86_64_GPU", "AL2_ARM_64")
LAST_AL2_MINOR = 32
MOST_TAINTS = 50
MOST_TYPES = 20


def check_scaling(sizes: Mapping[str, int]) -> None:
    """Refuse sizes that contradict each other.

    :raises EksError: "Minimum capacity 8 can't be greater than desired size 4" (terraform-aws-eks #3306).
    """
    least, most, desired = sizes["minSize"], sizes["maxSize"], sizes["desiredSize"]
    if most < 1:
        raise invalid_parameter("maxSize must be at least 1")
    if least > most:
        raise invalid_parameter(f"Minimum capacity {least} can't be greater than maximum size {most}")
    if least > desired:
        raise invalid_parameter(f"Minimum capacity {least} can't be greater than desired size {desired}")
    if desired > most:
        raise invalid_parameter(f"Desired capacity {desired} can't be greater than max size {most}")


def check_update_config(config: Mapping[str, t.Any], most: int) -> None:
    """Refuse an updateConfig with both figures, or one out of range.

    :param most: maxSize of the group.
    :raises EksError: InvalidParameterException (terraform-provider-aws #26535).
    """
    count, percentage = config.get("maxUnavailable"), config.get("maxUnavailablePercentage")
    if count is not None and percentage is not None:
        raise invalid_parameter("Either specify maxUnavailable or maxUnavailablePercentage, not both")
    if count is not None and not 1 <= count <= min(most, 100):
        raise invalid_parameter("max-unavailable must be within the range 1 and max size of the node group")
    if percentage is not None and not 1 <= percentage <= 100:
        raise invalid_parameter("max-unavailable-percentage must be within the range 1 and 100")


def check_labels_and_taints(labels: Mapping[str, str], taints: Sequence[Mapping[str, str]]) -> None:
    """Refuse reserved labels and too many or doubled taints.

    :raises EksError: InvalidParameterException.
    """
    for key in labels:
        if key.startswith(("eks.amazonaws.com/", "kubernetes.io/", "k8s.io/")):
            raise invalid_parameter(
                f"Label cannot contain reserved prefixes [kubernetes.io/, k8s.io/, eks.amazonaws.com/]: {key}"
            )
    if len(taints) > MOST_TAINTS:
        raise invalid_parameter(f"Too many taints specified, the maximum is {MOST_TAINTS}")
    keys = [(taint["key"], taint["effect"]) for taint in taints]
    if len(set(keys)) < len(keys):
        raise invalid_parameter("Duplicate taints specified: a taint is identified by its key and effect")


def find_template(eks: Session, wanted: Mapping[str, str]) -> LaunchTemplate:
    """The launch template of a request.

    :raises EksError: when it is named twice or not there.
    """
    template_id, name = wanted.get("id"), wanted.get("name")
    if bool(template_id) == bool(name):
        raise invalid_parameter("Either provide launch template ID or launch template name in the request.")
    found = eks.neighbours.launch_template(eks.place, template_id=template_id, name=name, version=wanted.get("version"))
    if found is None:
        raise invalid_request(
            f"Launch template {template_id or name} with version {wanted.get('version') or '$Default'} was not found."
        )
    return found


def check_template(request: Mapping[str, t.Any], template: LaunchTemplate) -> None:
    """Refuse what the launch template says already, or must say itself.

    :raises EksError: as EKS says it.
    """
    data = template.data
    if request.get("diskSize") is not None:
        raise invalid_parameter("Disk size must be specified within the launch template.")
    if request.get("remoteAccess"):
        raise invalid_parameter("Remote access configuration cannot be specified with a launch template.")
    if request.get("instanceTypes") and data.get("InstanceType"):
        raise invalid_request("Cannot specify instance types in launch template and API request")
    if data.get("IamInstanceProfile"):
        raise invalid_parameter("IAM instance profile cannot be specified in the launch template.")
    if any(one.get("SubnetId") for one in data.get("NetworkInterfaces") or ()):
        raise invalid_parameter("Subnets cannot be specified in the network interfaces of the launch template.")
    if data.get("ImageId"):
        _check_custom_image(request)


def _check_custom_image(request: Mapping[str, t.Any]) -> None:
    if request.get("amiType") not in (None, "CUSTOM"):
        raise invalid_parameter(
            "You cannot specify an AMI Type other than CUSTOM, when specifying an image id in your launch template."
        )
    if request.get("version"):
        raise invalid_parameter(
            "You cannot specify a kubernetes version to use when specifying an image id to use within the "
            "launch template."
        )
    if request.get("releaseVersion"):
        raise invalid_parameter("You cannot specify the field releaseVersion when using custom AMIs.")


def check_capacity(request: Mapping[str, t.Any], template: LaunchTemplate | None) -> None:
    """Refuse a capacity block without its launch template.

    :raises EksError: InvalidParameterException (terraform-provider-aws #40876).
    """
    if request.get("capacityType") != "CAPACITY_BLOCK":
        return
    if template is None:
        raise invalid_parameter("Launch template is required for capacity type CAPACITY_BLOCK.")
    options = template.data.get("InstanceMarketOptions") or {}
    reservation = (template.data.get("CapacityReservationSpecification") or {}).get("CapacityReservationTarget") or {}
    if options.get("MarketType") != "capacity-block" or not reservation:
        raise invalid_parameter(
            "The launch template of a node group with capacity type CAPACITY_BLOCK must have the market type "
            "capacity-block and a capacity reservation target."
        )


def check_image(ami_type: str, template: LaunchTemplate | None, version: str) -> None:
    """Refuse an image type that is unknown, over, or CUSTOM without an image.

    :raises EksError: InvalidParameterException (CAPA #4327).
    """
    if ami_type not in AMI_TYPES:
        raise invalid_parameter(f"The following supplied AMI type is not supported: [{ami_type}]")
    if ami_type in ENDED_AMI_TYPES and versions.minor(version) > LAST_AL2_MINOR:
        raise invalid_parameter(
            f"AMI Type {ami_type} is only supported for kubernetes versions 1.{LAST_AL2_MINOR} or earlier"
        )
    if ami_type == "CUSTOM" and (template is None or not template.data.get("ImageId")):
        raise invalid_parameter("Launch template details can't be null for Custom ami type node group")


def check_version(cluster: Cluster, version: str, *, now: str | None = None) -> None:
    """Refuse a Kubernetes version above the cluster's, more than three behind it, or below the group's own.

    :param now: the group's version, when it exists.
    :raises EksError: InvalidParameterException.
    """
    control_plane = cluster.body["version"]
    behind = versions.minor(control_plane) - versions.minor(version)
    if not 0 <= behind <= 3:
        raise invalid_parameter(
            f"Nodegroup Kubernetes version {version} must be equal to the cluster version {control_plane} "
            "or at most three minor versions behind it"
        )
    if now is not None and versions.minor(version) < versions.minor(now):
        raise invalid_parameter(f"Nodegroup Kubernetes version downgrade from {now} to {version} is not supported")


def check_release(release: str | None, ami_type: str, version: str) -> None:
    """Refuse a release of another Kubernetes version.

    :raises EksError: "Requested Nodegroup release version ... is invalid. Allowed release version is ...".
    """
    if not release or ami_type == "CUSTOM":
        return
    allowed = versions.release_version(ami_type, version)
    if not ami_type.startswith("BOTTLEROCKET") and not release.startswith(f"{version}."):
        raise invalid_parameter(
            f"Requested Nodegroup release version {release} is invalid. Allowed release version is {allowed}"
        )


def check_instance_types(types: Sequence[str]) -> None:
    """Refuse too many instance types.

    :raises EksError: InvalidParameterException.
    """
    if len(types) > MOST_TYPES:
        raise invalid_parameter(f"At most {MOST_TYPES} instance types can be specified")


def named(error: EksError, cluster: str, name: str) -> EksError:
    """The error with the node group that it is about, as EKS adds it."""
    members: Record = {"clusterName": cluster, "nodegroupName": name} | error.members
    return EksError(error.code, error.message, **members)


__all__ = (
    "check_capacity",
    "check_image",
    "check_instance_types",
    "check_labels_and_taints",
    "check_release",
    "check_scaling",
    "check_template",
    "check_update_config",
    "check_version",
    "find_template",
    "named",
)
