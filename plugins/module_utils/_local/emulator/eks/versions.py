# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubernetes versions of EKS, and DescribeClusterVersions.

Dates: the Amazon EKS Kubernetes release calendar, as in facts/components.md (1.36 is the newest that is evidenced).
"""

from __future__ import annotations

import typing as t
from datetime import datetime

from .errors import invalid_parameter
from .session import Operations, Session, moment, page
from .store import Record

STANDARD, EXTENDED, UNSUPPORTED = "STANDARD_SUPPORT", "EXTENDED_SUPPORT", "UNSUPPORTED"
DEFAULT = "1.36"
AMI_DATE = "20260714"
BOTTLEROCKET_VERSION = "1.62.0"
BOTTLEROCKET_RELEASE = f"{BOTTLEROCKET_VERSION}-9e5a1c3d"


class Version(t.NamedTuple):
    """A minor version.

    :param patch: the patch version that the control plane and the images run.
    :param platform: the platform version that new clusters get.
    """

    name: str
    patch: str
    platform: str
    released: datetime
    standard_until: datetime
    extended_until: datetime
    support: str


VERSIONS = {
    version.name: version
    for version in (
        Version("1.36", "1.36.3", "eks.5", moment(2026, 6, 2), moment(2027, 8, 2), moment(2028, 8, 2), STANDARD),
        Version("1.35", "1.35.6", "eks.14", moment(2026, 1, 27), moment(2027, 3, 27), moment(2028, 3, 27), STANDARD),
        Version("1.34", "1.34.9", "eks.22", moment(2025, 10, 2), moment(2026, 12, 2), moment(2027, 12, 2), STANDARD),
        Version("1.33", "1.33.12", "eks.31", moment(2025, 5, 29), moment(2026, 7, 29), moment(2027, 7, 29), EXTENDED),
        Version("1.32", "1.32.13", "eks.38", moment(2025, 1, 23), moment(2026, 3, 23), moment(2027, 3, 23), EXTENDED),
        Version("1.31", "1.31.14", "eks.54", moment(2024, 9, 26), moment(2025, 11, 26), moment(2026, 11, 26), EXTENDED),
        Version(
            "1.30", "1.30.14", "eks.63", moment(2024, 5, 23), moment(2025, 7, 23), moment(2026, 7, 23), UNSUPPORTED
        ),
    )
}


def minor(name: str) -> int:
    """The number after the dot.

    :raises EksError: InvalidParameterException when it is no version.
    """
    major, _other, rest = name.partition(".")
    if major != "1" or not rest.isdigit():
        raise invalid_parameter("unsupported Kubernetes version")
    return int(rest)


def supported(name: str) -> Version:
    """A version that clusters may have.

    :raises EksError: InvalidParameterException.
    """
    found = VERSIONS.get(name)
    if found is None or found.support == UNSUPPORTED:
        raise invalid_parameter("unsupported Kubernetes version")
    return found


def release_version(ami_type: str, version: str) -> str:
    """The newest release of a managed image: also what the SSM parameters under /aws/service say."""
    if ami_type.startswith("BOTTLEROCKET"):
        return BOTTLEROCKET_RELEASE
    found = VERSIONS.get(version)
    return f"{found.patch if found else version}-{AMI_DATE}"


def _described(version: Version) -> Record:
    return {
        "clusterVersion": version.name,
        "clusterType": "eks",
        "defaultPlatformVersion": version.platform,
        "defaultVersion": version.name == DEFAULT,
        "releaseDate": version.released,
        "endOfStandardSupportDate": version.standard_until,
        "endOfExtendedSupportDate": version.extended_until,
        "status": version.support.lower().replace("_", "-"),
        "versionStatus": version.support,
        "kubernetesPatchVersion": version.patch,
    }


def describe_cluster_versions(_eks: Session, request: Record) -> Record:
    """DescribeClusterVersions, newest first; the unsupported ones only by C(includeAll) or by name."""
    wanted = request.get("clusterVersions")
    status = request.get("versionStatus") or (request.get("status") or "").upper().replace("-", "_")
    rows = [
        _described(version)
        for version in VERSIONS.values()
        if (not wanted or version.name in wanted)
        and (not status or version.support == status)
        and (not request.get("defaultOnly") or version.name == DEFAULT)
        and (version.support != UNSUPPORTED or request.get("includeAll") or wanted or status == UNSUPPORTED)
    ]
    return page(rows, request, "clusterVersions")


OPERATIONS: Operations = {"DescribeClusterVersions": describe_cluster_versions}

__all__ = (
    "AMI_DATE",
    "BOTTLEROCKET_RELEASE",
    "BOTTLEROCKET_VERSION",
    "DEFAULT",
    "OPERATIONS",
    "VERSIONS",
    "minor",
    "release_version",
    "supported",
)
