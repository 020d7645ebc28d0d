# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What we put into a pool's launch template, before it is resolved: a value with a digest.

EKS can never change a pool's disk, network interfaces or user data, but it can roll a pool to another version of its
launch template. So all of that stands there. The digest of the wish is kept on the node group, with the version that
fulfils it: an unchanged pool costs no call to EC2.
"""

from __future__ import annotations

import hashlib
import json
import typing as t
from collections.abc import Mapping
from dataclasses import asdict, dataclass

# Raise it when launch_template.py makes other data from the same wish: every pool then compares its template anew.
LAYOUT = 1


@dataclass(frozen=True)
class Disk:
    """The root volume: gp3, encrypted. Sizes in GiB, throughput in MiB/s."""

    size: int = 100
    iops: int | None = None
    throughput: int | None = None
    kms_key_id: str | None = None


@dataclass(frozen=True)
class Reservation:
    """A capacity reservation by id, by a resource group, or a preference."""

    id: str | None = None
    resource_group_arn: str | None = None
    preference: str | None = None


@dataclass(frozen=True)
class LaunchSpec:
    """The wish.

    :param instance_type: the one type; None when EKS gets several.
    :param image: the AMI type when it is given, else the family.
    :param instance_store: C(none) or C(raid0): kubelet's and containerd's data on the local NVMe disks.
    :param node_config: C(spec) of nodeadm's NodeConfig, merged over ours.
    :param user_data: raw user data instead of ours.
    :param boot_script: a shell script that runs before nodeadm, on Amazon Linux 2023.
    :param bottlerocket_settings: TOML beside ours, on Bottlerocket.
    """

    instance_type: str | None
    ami_id: str | None = None
    image: str = "al2023"
    disk: Disk = Disk()
    efa: bool = False
    security_groups: tuple[str, ...] = ()
    placement_group: str | None = None
    reservation: Reservation = Reservation()
    capacity_block: bool = False
    hop_limit: int = 1
    key_name: str | None = None
    instance_store: str = "none"
    node_config: Mapping[str, t.Any] | None = None
    user_data: str | None = None
    boot_script: str | None = None
    bottlerocket_settings: str | None = None
    instance_tags: tuple[tuple[str, str], ...] = ()

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that change with the wish."""
        text = json.dumps([LAYOUT, asdict(self)], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def bottlerocket(self) -> bool:
        """Whether the image is Bottlerocket."""
        return self.image.lower().startswith("bottlerocket")

    @property
    def needs_cluster(self) -> bool:
        """Whether resolving needs the cluster: its security group, or for an own image its endpoint."""
        return self.efa or bool(self.security_groups) or self.ami_id is not None


__all__ = ("LAYOUT", "Disk", "LaunchSpec", "Reservation")
