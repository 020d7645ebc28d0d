# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values that the simulator thinks in: machines, node groups, and the nodes that exist."""

from __future__ import annotations

import hashlib
import json
import math
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

DOMAIN = "simulator.aiplatform.eks"
ORIGIN = f"{DOMAIN}/origin"  # annotation: which group, revision and serial number a node has
HARDWARE = f"{DOMAIN}/gpus"  # annotation: MIG mode and instances of each GPU
NOT_READY = f"{DOMAIN}/not-ready"  # annotation: kwok leaves the node's conditions alone
DRAINING = f"{DOMAIN}/draining"  # annotation: the node is on its way out

GONE = frozenset({"CREATE_FAILED", "DELETING", "DELETE_FAILED"})


@dataclass(frozen=True)
class Machine:
    """An instance type.

    :param arch: V(amd64) or V(arm64).
    :param board: id of the GPU board in C(_gpu.boards), or empty.
    :param efa: EFA interfaces that the type can have.
    """

    instance_type: str
    arch: str
    vcpus: int
    memory_mib: int
    gpus: int = 0
    gpu_name: str = ""
    gpu_memory_mib: int = 0
    gpu_arch: str = ""
    board: str = ""
    neuron_devices: int = 0
    neuron_cores: int = 0
    efa: int = 0


@dataclass(frozen=True)
class Subnet:
    """Where nodes can be: subnet id, zone name and address range."""

    subnet_id: str
    zone: str
    cidr: str


@dataclass(frozen=True)
class Taint:
    """A taint as Kubernetes writes it."""

    key: str
    value: str
    effect: str

    def document(self) -> dict[str, str]:
        """The API form."""
        return {"key": self.key, "value": self.value, "effect": self.effect}


@dataclass(frozen=True)
class NodeGroup:
    """What EKS says about a managed node group, as far as its nodes show it.

    :param efa_interfaces: EFA interfaces that the launch template asks for.
    """

    cluster: str
    name: str
    status: str
    version: str
    release: str
    region: str
    machine: Machine
    desired: int
    subnets: tuple[Subnet, ...]
    ami_type: str = "AL2023_x86_64_STANDARD"
    capacity_type: str = "ON_DEMAND"
    disk_gib: int = 20
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    template: str = ""
    template_version: str = ""
    efa_interfaces: int = 0
    max_unavailable: int = 1
    max_unavailable_percentage: int = 0

    @property
    def key(self) -> str:
        """C(cluster/name)."""
        return f"{self.cluster}/{self.name}"

    @property
    def wanted(self) -> int:
        """How many nodes there should be now."""
        return 0 if self.status in GONE else self.desired

    @property
    def revision(self) -> str:
        """Changes whenever EKS would replace the nodes."""
        return f"{self.version}/{self.release}/{self.template}:{self.template_version}"

    @property
    def parallel(self) -> int:
        """How many nodes a roll may take away at once."""
        if self.max_unavailable_percentage:
            return max(1, math.floor(self.desired * self.max_unavailable_percentage / 100))
        return max(1, self.max_unavailable)


@dataclass(frozen=True)
class Origin:
    """Where a node comes from; kept in an annotation, so that a restarted simulator knows its nodes."""

    group: str
    revision: str
    serial: int
    labels: tuple[tuple[str, str], ...] = ()
    taints: tuple[tuple[str, str, str], ...] = ()
    efa: int = 0
    ami: str = ""

    def text(self) -> str:
        """The annotation's value."""
        return json.dumps(self.__dict__, separators=(",", ":"))


@lru_cache(maxsize=8192)
def parse_origin(text: str) -> Origin:
    """The value of the annotation; remembered, because a node's hardly ever changes."""
    raw = json.loads(text)
    return Origin(
        group=raw["group"],
        revision=raw["revision"],
        serial=raw["serial"],
        labels=tuple(tuple(label) for label in raw["labels"]),
        taints=tuple(tuple(taint) for taint in raw["taints"]),
        efa=raw["efa"],
        ami=raw["ami"],
    )


@dataclass(frozen=True)
class FleetNode:
    """A node of a group, as the fleet planner sees it."""

    name: str
    origin: Origin
    zone: str
    ready: bool
    draining: bool


def digest(*parts: t.Any) -> str:
    """A stable hexadecimal name for these parts."""
    return hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()


__all__ = (
    "DOMAIN",
    "DRAINING",
    "GONE",
    "HARDWARE",
    "NOT_READY",
    "ORIGIN",
    "FleetNode",
    "Machine",
    "NodeGroup",
    "Origin",
    "Subnet",
    "Taint",
    "digest",
    "parse_origin",
)
