# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What EKS needs of the services beside it (EC2, Auto Scaling, IAM), as a port."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Place:
    """Where a call goes: an account and a region."""

    account: str
    region: str

    def arn(self, kind: str, *parts: str) -> str:
        """The ARN of an EKS resource."""
        return f"arn:aws:eks:{self.region}:{self.account}:{kind}/{'/'.join(parts)}"


class Subnet(t.NamedTuple):
    """A subnet and where it lies."""

    id: str
    vpc_id: str
    zone: str


class LaunchTemplate(t.NamedTuple):
    """One version of a launch template.

    :param data: C(LaunchTemplateData) as EC2 answers it.
    """

    id: str
    name: str
    version: str
    data: Mapping[str, t.Any]


@dataclass(frozen=True)
class ScalingGroup:
    """An Auto Scaling group of a node group.

    :param sizes: C(minSize), C(maxSize), C(desiredSize).
    """

    name: str
    subnets: tuple[str, ...]
    sizes: Mapping[str, int]
    instance_type: str
    tags: Mapping[str, str] = field(default_factory=dict)


class Neighbours(t.Protocol):
    """The services beside EKS."""

    def subnets(self, place: Place, ids: Iterable[str]) -> dict[str, Subnet]:
        """Those of these subnets that exist, by id."""

    def security_groups(self, place: Place, ids: Iterable[str]) -> set[str]:
        """Those of these security groups that exist."""

    def create_cluster_security_group(self, place: Place, *, cluster: str, vpc_id: str) -> str:
        """Make the security group that EKS makes for a cluster; its id."""

    def delete_security_group(self, place: Place, group_id: str) -> None:
        """Delete it if it is still there."""

    def launch_template(
        self, place: Place, *, template_id: str | None, name: str | None, version: str | None
    ) -> LaunchTemplate | None:
        """A version of a launch template: a number, C($Latest), C($Default) or None for the default one."""

    def create_scaling_group(self, place: Place, group: ScalingGroup) -> None:
        """Make an Auto Scaling group."""

    def resize_scaling_group(self, place: Place, name: str, sizes: Mapping[str, int]) -> None:
        """Set its sizes."""

    def scaling_sizes(self, place: Place, name: str) -> dict[str, int] | None:
        """Its sizes now: an autoscaler may have changed the desired one. None when the group is gone."""

    def delete_scaling_group(self, place: Place, name: str) -> None:
        """Delete it if it is still there."""

    def role_exists(self, place: Place, arn: str) -> bool:
        """Whether IAM knows the role."""

    def caller(self, place: Place) -> str:
        """The ARN of the principal who calls."""


__all__ = ("LaunchTemplate", "Neighbours", "Place", "ScalingGroup", "Subnet")
