# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Node objects as EKS registers them.

Sources: amazon-eks-ami (nodeadm): labels of managed groups, reserved memory 255 MiB + 11 MiB a pod, reserved CPU 6 % of
the first core, 1 % of the second, 0.5 % of the next two and 0.25 % of the rest, eviction thresholds 100 MiB of memory
and 10 % of the disk; max pods 110 up to 30 vCPU and 250 above (prefix delegation).
"""

from __future__ import annotations

import ipaddress
import typing as t
from collections.abc import Collection, Mapping

from .model import ORIGIN, Machine, NodeGroup, Origin, Subnet, digest

MIB = 1024
HYPERVISOR_SHARE = 0.03  # memory that an instance never sees; 2 to 5 % are seen on EC2
FIRST_HOST = 4  # the first four addresses of a subnet are AWS's own
EFA = "vpc.amazonaws.com/efa"
GPU = "nvidia.com/gpu"
BUILT_IN_PLUGIN = "BOTTLEROCKET"  # Bottlerocket's NVIDIA images carry the device plugin
CAPACITY_LABEL = {"ON_DEMAND": "ON_DEMAND", "SPOT": "SPOT", "CAPACITY_BLOCK": "CAPACITY_BLOCK"}


def node_name(group: NodeGroup, serial: int, subnet: Subnet, taken: Collection[str]) -> str:
    """The private DNS name of a free address of the subnet."""
    network = ipaddress.ip_network(subnet.cidr)
    hosts = max(1, network.num_addresses - FIRST_HOST - 1)
    start = int(digest(group.key, serial)[:8], 16)
    domain = "ec2.internal" if group.region == "us-east-1" else f"{group.region}.compute.internal"
    for step in range(hosts):
        address = network.network_address + FIRST_HOST + (start + step) % hosts
        name = f"ip-{str(address).replace('.', '-')}.{domain}"
        if name not in taken:
            return name
    return f"ip-{digest(group.key, serial)[:12]}.{domain}"


def node_object(group: NodeGroup, *, serial: int, subnet: Subnet, name: str) -> dict[str, t.Any]:
    """The Node as the kubelet of a new instance registers it; kwok makes it Ready."""
    instance = f"i-{digest(group.key, serial, name)[:17]}"
    capacity = capacity_of(group.machine, disk_gib=group.disk_gib)
    if group.ami_type.startswith(BUILT_IN_PLUGIN) and "NVIDIA" in group.ami_type and group.machine.gpus:
        capacity[GPU] = str(group.machine.gpus)
    origin = Origin(
        group=group.key,
        revision=group.revision,
        serial=serial,
        labels=tuple(sorted(group.labels.items())),
        taints=tuple((taint.key, taint.value, taint.effect) for taint in group.taints),
        efa=group.efa_interfaces,
        ami=group.ami_type,
    )
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": node_labels(group, subnet=subnet, name=name),
            "annotations": {ORIGIN: origin.text(), "node.alpha.kubernetes.io/ttl": "0"},
        },
        "spec": {
            "providerID": f"aws:///{subnet.zone}/{instance}",
            "taints": [taint.document() for taint in group.taints],
        },
        "status": {
            "capacity": capacity,
            "allocatable": allocatable_of(capacity),
            "nodeInfo": node_info(group, instance),
        },
    }


def node_labels(group: NodeGroup, *, subnet: Subnet, name: str) -> dict[str, str]:
    """The labels of a node of a managed group, the group's own last."""
    machine = group.machine
    labels = {
        "beta.kubernetes.io/arch": machine.arch,
        "beta.kubernetes.io/instance-type": machine.instance_type,
        "beta.kubernetes.io/os": "linux",
        "eks.amazonaws.com/capacityType": CAPACITY_LABEL.get(group.capacity_type, "ON_DEMAND"),
        "eks.amazonaws.com/nodegroup": group.name,
        "eks.amazonaws.com/nodegroup-image": f"ami-{digest(group.ami_type, group.version, group.release)[:17]}",
        "failure-domain.beta.kubernetes.io/region": group.region,
        "failure-domain.beta.kubernetes.io/zone": subnet.zone,
        "kubernetes.io/arch": machine.arch,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": machine.instance_type,
        "topology.kubernetes.io/region": group.region,
        "topology.kubernetes.io/zone": subnet.zone,
    }
    if group.template:
        labels["eks.amazonaws.com/sourceLaunchTemplateId"] = group.template
        labels["eks.amazonaws.com/sourceLaunchTemplateVersion"] = group.template_version
    if machine.gpus and "NVIDIA" in group.ami_type and _minor(group.version) >= 35:
        labels["nvidia.com/gpu.present"] = "true"  # nodeadm since Kubernetes 1.35
    return {**labels, **group.labels}


def node_info(group: NodeGroup, instance: str) -> dict[str, str]:
    """What the kubelet says about itself."""
    bottlerocket = group.ami_type.startswith(BUILT_IN_PLUGIN)
    return {
        "architecture": group.machine.arch,
        "operatingSystem": "linux",
        "kubeletVersion": f"v{group.version}.0-eks-{digest(group.release)[:7]}",
        "kubeProxyVersion": "",
        "containerRuntimeVersion": "containerd://2.1.4",
        "kernelVersion": "6.12.40",
        "osImage": "Bottlerocket OS" if bottlerocket else "Amazon Linux 2023",
        "machineID": digest("machine", instance)[:32],
        "systemUUID": digest("system", instance)[:32],
        "bootID": digest("boot", instance)[:32],
    }


def capacity_of(machine: Machine, *, disk_gib: int) -> dict[str, str]:
    """Capacity without the resources that device plugins add."""
    return {
        "cpu": str(machine.vcpus),
        "memory": f"{int(machine.memory_mib * (1 - HYPERVISOR_SHARE)) * MIB}Ki",
        "ephemeral-storage": f"{disk_gib * MIB * MIB - 64 * MIB}Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "pods": str(max_pods(machine)),
    }


def max_pods(machine: Machine) -> int:
    """Pods that the kubelet takes."""
    return 110 if machine.vcpus <= 30 else 250


def allocatable_of(capacity: Mapping[str, str]) -> dict[str, str]:
    """Capacity less what EKS reserves for the system and the kubelet."""
    disk = int(capacity["ephemeral-storage"].removesuffix("Ki"))
    memory = int(capacity["memory"].removesuffix("Ki"))
    reserved = (255 + 11 * int(capacity["pods"]) + 100) * MIB
    return {
        **capacity,
        "cpu": f"{int(capacity['cpu']) * 1000 - _reserved_millicores(int(capacity['cpu']))}m",
        "memory": f"{max(0, memory - reserved)}Ki",
        "ephemeral-storage": str(int(disk * MIB * 0.9) - MIB**3),
    }


def _reserved_millicores(cores: int) -> int:
    shares = [60, 10, 5, 5][:cores] + [2.5] * max(0, cores - 4)
    return int(sum(shares))


def _minor(version: str) -> int:
    return int(version.partition(".")[2] or 0)


__all__ = (
    "EFA",
    "GPU",
    "allocatable_of",
    "capacity_of",
    "max_pods",
    "node_info",
    "node_labels",
    "node_name",
    "node_object",
)
