# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The services beside EKS, played by moto's EC2, Auto Scaling and IAM."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from . import moto_library as lib
from .eks.neighbours import LaunchTemplate, Place, ScalingGroup, Subnet

IMAGE = "ami-12c6146b"  # one of moto's own: an instance must have an image, and no one looks at this one


class MotoNeighbours:
    """See eks.neighbours.Neighbours."""

    @staticmethod
    def _ec2(place: Place) -> t.Any:
        return lib.ec2_backends[place.account][place.region]

    @staticmethod
    def _groups(place: Place) -> t.Any:
        return lib.autoscaling_backends[place.account][place.region]

    def subnets(self, place: Place, ids: Iterable[str]) -> dict[str, Subnet]:
        """Those of these subnets that exist, by id."""
        wanted = set(ids)
        return {
            one.id: Subnet(one.id, one.vpc_id, one.availability_zone)
            for one in self._ec2(place).describe_subnets()
            if one.id in wanted
        }

    def security_groups(self, place: Place, ids: Iterable[str]) -> set[str]:
        """Those of these security groups that exist."""
        return {one for one in ids if self._ec2(place).get_security_group_from_id(one) is not None}

    def create_cluster_security_group(self, place: Place, *, cluster: str, vpc_id: str) -> str:
        """Make it as EKS does, named and tagged."""
        name = f"eks-cluster-sg-{cluster}"
        group = self._ec2(place).create_security_group(
            name,
            "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, "
            "as well as any managed workloads.",
            vpc_id,
            tags={
                "Name": name,
                "aws:eks:cluster-name": cluster,
                f"kubernetes.io/cluster/{cluster}": "owned",
            },
        )
        return str(group.id)

    def delete_security_group(self, place: Place, group_id: str) -> None:
        """Delete it if it is still there."""
        if self._ec2(place).get_security_group_from_id(group_id) is not None:
            self._ec2(place).delete_security_group(group_id=group_id)

    def launch_template(
        self, place: Place, *, template_id: str | None, name: str | None, version: str | None
    ) -> LaunchTemplate | None:
        """A version of a launch template, or None."""
        ec2 = self._ec2(place)
        template = ec2.launch_templates.get(template_id or ec2.launch_template_name_to_ids.get(name))
        if template is None:
            return None
        wanted = str(version or "$Default")
        if wanted.isdigit() and not 1 <= int(wanted) <= len(template.versions):
            return None
        found = template.get_version(wanted)
        if getattr(found, "deleted", False):
            return None
        return LaunchTemplate(template.id, template.name, str(found.number), found.data)

    def create_scaling_group(self, place: Place, group: ScalingGroup) -> None:
        """Make the group with a launch template of its own, as EKS does."""
        own = f"eks-{group.name.rpartition('-')[2]}-{group.name}"[:128]
        self._ec2(place).create_launch_template(
            own, "EKS", {"ImageId": IMAGE, "InstanceType": group.instance_type}, {"launch-template": dict(group.tags)}
        )
        self._groups(place).create_auto_scaling_group(
            name=group.name,
            availability_zones=[],
            desired_capacity=group.sizes["desiredSize"],
            max_size=group.sizes["maxSize"],
            min_size=group.sizes["minSize"],
            launch_config_name=None,
            launch_template={"LaunchTemplateName": own, "Version": "1"},
            vpc_zone_identifier=",".join(group.subnets),
            default_cooldown=None,
            health_check_period=15,
            health_check_type="EC2",
            load_balancers=[],
            target_group_arns=[],
            placement_group=None,
            termination_policies=["AllocationStrategy", "OldestLaunchTemplate", "OldestInstance"],
            tags=[
                {"Key": key, "Value": value, "PropagateAtLaunch": True, "ResourceId": group.name}
                for key, value in group.tags.items()
            ],
            capacity_rebalance=True,
        )
        self._bind_interfaces(place, group.name)

    def _bind_interfaces(self, place: Place, name: str) -> None:
        """An instance's own interface goes with it; moto would leave it in the network for ever."""
        for state in self._group(place, name).instance_states:
            for interface in state.instance.nics.values():
                interface.delete_on_termination = True

    def _group(self, place: Place, name: str) -> t.Any:
        return self._groups(place).autoscaling_groups.get(name)

    def resize_scaling_group(self, place: Place, name: str, sizes: Mapping[str, int]) -> None:
        """Set its sizes."""
        if (group := self._group(place, name)) is not None:
            group.min_size, group.max_size = sizes["minSize"], sizes["maxSize"]
            group.set_desired_capacity(sizes["desiredSize"])
            self._bind_interfaces(place, name)

    def scaling_sizes(self, place: Place, name: str) -> dict[str, int] | None:
        """Its sizes now."""
        group = self._group(place, name)
        if group is None:
            return None
        return {"minSize": group.min_size, "maxSize": group.max_size, "desiredSize": group.desired_capacity}

    def delete_scaling_group(self, place: Place, name: str) -> None:
        """Delete it, its instances and its launch template."""
        group = self._group(place, name)
        if group is None:
            return
        template = group.launch_template
        group.set_desired_capacity(0)
        self._groups(place).delete_auto_scaling_group(name)
        if template:
            self._ec2(place).delete_launch_template(template["LaunchTemplateName"], None)

    def role_exists(self, place: Place, arn: str) -> bool:
        """Whether IAM knows the role; users and accounts are taken on trust."""
        if ":role/" not in arn:
            return True
        return any(role.arn == arn for role in lib.iam_backends[place.account]["aws"].get_roles())

    def caller(self, place: Place) -> str:
        """Who moto's STS says the caller is."""
        return f"arn:aws:iam::{place.account}:user/moto"


__all__ = ("MotoNeighbours",)
