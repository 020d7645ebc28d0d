"""Node groups become nodes: counts, zones, rolls; and what a node offers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.fleet import plan_fleet
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.model import (
    FleetNode,
    Machine,
    NodeGroup,
    Origin,
    Subnet,
    Taint,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.nodes import (
    allocatable_of,
    capacity_of,
    node_name,
    node_object,
)

SUBNETS = tuple(Subnet(f"subnet-{zone}", f"us-east-1{zone}", f"10.0.{index}.0/24") for index, zone in enumerate("abc"))
P5 = Machine(
    "p5.48xlarge", "amd64", 192, 2048 * 1024, gpus=8, gpu_name="NVIDIA H100 80GB HBM3", board="h100-80gb", efa=32
)
GROUP = NodeGroup(
    cluster="c", name="g", status="ACTIVE", version="1.36", release="1.36.0-1", region="us-east-1",
    machine=P5, desired=3, subnets=SUBNETS,
)  # fmt: skip


def grow(group, nodes=(), *, ready=True, steps=50):
    """Follow the plan to its end as the world would: nodes become Ready, drained ones go; returns nodes and trace."""
    nodes, trace = list(nodes), []
    serial = max((node.origin.serial for node in nodes), default=99) + 1
    for _other in range(steps):
        plan = plan_fleet(group, nodes, next_serial=serial)
        gone = [node for node in nodes if node.draining]
        if not (plan.create or plan.drain or gone):
            return nodes, trace
        trace.append((sum(node.ready and not node.draining for node in nodes), len(gone), len(nodes)))
        nodes = [replace(node, draining=node.name in plan.drain) for node in nodes if not node.draining]
        for number, subnet in plan.create:
            origin = Origin(group=group.key, revision=group.revision, serial=number)
            nodes.append(FleetNode(f"n{number}", origin, subnet.zone, ready=ready, draining=False))
            serial = number + 1
    raise AssertionError(f"no end after {steps} steps: {nodes}")


def zones(nodes):
    return sorted(node.zone for node in nodes)


def test_nodes_spread_over_the_zones():
    nodes, _other = grow(replace(GROUP, desired=7))
    assert sorted(zones(nodes).count(f"us-east-1{zone}") for zone in "abc") == [2, 2, 3]


def test_scaling_down_keeps_the_zones_even_and_takes_the_youngest():
    nodes, _other = grow(replace(GROUP, desired=6))
    rest, _other = grow(replace(GROUP, desired=3), nodes)
    assert zones(rest) == ["us-east-1a", "us-east-1b", "us-east-1c"]
    assert [node.origin.serial for node in rest] == [100, 101, 102]


@pytest.mark.parametrize("status", ["CREATE_FAILED", "DELETING"])
def test_a_failed_or_leaving_group_has_no_nodes(status):
    nodes, _other = grow(GROUP)
    assert grow(replace(GROUP, status=status), nodes)[0] == []


@pytest.mark.parametrize(("parallel", "percentage", "most"), [(1, 0, 1), (2, 0, 2), (1, 50, 2)])
def test_a_roll_replaces_every_node_and_keeps_the_capacity(parallel, percentage, most):
    group = replace(GROUP, desired=4, max_unavailable=parallel, max_unavailable_percentage=percentage)
    nodes, _other = grow(group)
    newer = replace(group, release="1.36.0-2")
    rolled, trace = grow(newer, nodes)
    assert {node.origin.revision for node in rolled} == {newer.revision}
    assert len(rolled) == 4
    assert min(ready for ready, _leaving, _all in trace) >= 4
    assert max(leaving for _ready, leaving, _all in trace) == most


def test_a_roll_waits_for_the_new_node():
    nodes, _other = grow(GROUP)
    newer = replace(GROUP, release="1.36.0-2")
    fresh = FleetNode("new", Origin(newer.key, newer.revision, 9), "us-east-1a", ready=False, draining=False)
    plan = plan_fleet(newer, [*nodes, fresh], next_serial=10)
    assert (plan.create, plan.drain) == ((), ())


def test_the_node_object_is_what_eks_registers():
    group = replace(
        GROUP,
        labels={"team": "a"},
        taints=(Taint("nvidia.com/gpu", "true", "NoSchedule"),),
        ami_type="AL2023_x86_64_NVIDIA",
    )
    name = node_name(group, 1, SUBNETS[1], ())
    node = node_object(group, serial=1, subnet=SUBNETS[1], name=name)
    labels = node["metadata"]["labels"]
    assert name.startswith("ip-10-0-1-")
    assert name.endswith(".ec2.internal")
    assert labels["topology.kubernetes.io/zone"] == "us-east-1b"
    assert labels["node.kubernetes.io/instance-type"] == "p5.48xlarge"
    assert labels["eks.amazonaws.com/nodegroup"] == "g"
    assert labels["team"] == "a"
    assert labels["nvidia.com/gpu.present"] == "true"
    assert node["spec"]["taints"] == [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}]
    assert node["spec"]["providerID"].startswith("aws:///us-east-1b/i-")
    assert "nvidia.com/gpu" not in node["status"]["capacity"], "AL2023 has no device plugin"


def test_bottlerocket_brings_its_device_plugin():
    group = replace(GROUP, ami_type="BOTTLEROCKET_x86_64_NVIDIA")
    assert node_object(group, serial=1, subnet=SUBNETS[0], name="n")["status"]["allocatable"]["nvidia.com/gpu"] == "8"


def test_names_are_unique_until_the_subnet_is_full():
    taken: set[str] = set()
    for serial in range(200):
        taken.add(node_name(GROUP, serial, SUBNETS[0], taken))
    assert len(taken) == 200


def test_allocatable_is_less_than_capacity_as_on_eks():
    capacity = capacity_of(Machine("m7i.large", "amd64", 2, 8192), disk_gib=20)
    allocatable = allocatable_of(capacity)
    assert allocatable["cpu"] == "1930m"
    assert allocatable["pods"] == "110"
    kib = int(capacity["memory"][:-2]) - int(allocatable["memory"][:-2])
    assert kib == (255 + 11 * 110 + 100) * 1024
    assert allocatable_of(capacity_of(P5, disk_gib=20))["cpu"] == "191450m"
