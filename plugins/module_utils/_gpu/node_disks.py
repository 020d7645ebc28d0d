# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pods may keep on the disks of a pool's nodes: the root volume, or the NVMe disks that stand in for it."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .instances import InstanceType

ROOT_GIB = 100  # eks_node_pools' default
GB, GIB = 1e9, 1024.0**3
# The kubelet evicts pods when a tenth of the disk is left, and reserves a GiB; images and logs lie there too.
USABLE, KUBELET_GIB, IMAGES_GIB = 0.9, 1, 30


def disk_gib(pool: Mapping[str, t.Any], one: InstanceType) -> float | None:
    """GiB that a node of this type has for the data of its pods; None where a launch template of the user says it."""
    if pool.get("launch_template"):
        return None
    if pool.get("instance_store") == "raid0":
        whole = one.local_nvme_gb * GB / GIB
    else:
        whole = float((pool.get("disk") or {}).get("size") or ROOT_GIB)
    return max(0.0, whole * USABLE - KUBELET_GIB - IMAGES_GIB)


def size_for(gib: float) -> int:
    """The C(disk.size) with which a node has this many GiB for its pods."""
    return int(-(-(gib + KUBELET_GIB + IMAGES_GIB) // USABLE))


__all__ = ("disk_gib", "size_for")
