"""The engine on a cluster in memory and a clock that never waits: the life of nodes, and the record of what hurt."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import SteppingClock
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.catalogue import Catalogue
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.controls import Controls, Delays
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.disruptions import Disruptions
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.engine import Engine
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.model import NodeGroup, Subnet
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.operator_policy import (
    MIG_MANAGER,
    PLUGIN,
    Settings,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.store import Store

SUBNETS = tuple(Subnet(f"s{zone}", f"us-east-1{zone}", f"10.{index}.0.0/16") for index, zone in enumerate("abc"))
GPU = "nvidia.com/gpu"


def merge(target, patch):
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            merge(target.setdefault(key, {}), value)
        else:
            target[key] = value


class Cluster:
    """An API server in memory that counts its writes."""

    def __init__(self):
        self.nodes, self.pods, self.version, self.writes = {}, {}, 0, []
        self.store = Store(lambda: None)
        self.refuse_evictions, self.broken, self.broken_patches = False, False, 0

    def _kept(self, node):
        self.version += 1
        node["metadata"]["resourceVersion"] = str(self.version)
        self.store.put_node(copy.deepcopy(node))
        return copy.deepcopy(node)

    def create_node(self, node):
        if self.broken:
            raise PlatformError("no answer")
        self.writes.append("create")
        node = copy.deepcopy(node)
        node["metadata"]["uid"] = f"{node['metadata']['name']}-{self.version}"
        node["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
        self.nodes[node["metadata"]["name"]] = node
        return self._kept(node)

    def patch_node(self, name, body):
        if self.broken_patches:
            self.broken_patches -= 1
            raise PlatformError("no answer")
        self.writes.append("patch")
        merge(self.nodes[name], copy.deepcopy(body))
        return self._kept(self.nodes[name])

    patch_node_status = patch_node

    def delete_node(self, name):
        self.writes.append("delete")
        self.store.drop_node(self.nodes.pop(name))

    def evict(self, namespace, name):
        if not self.refuse_evictions:
            self.delete_pod(namespace, name)
        return not self.refuse_evictions

    def delete_pod(self, _namespace, name):
        if name in self.pods:
            self.store.drop_pod(self.pods.pop(name))

    def apply(self, _path, document):
        return document

    def run(self, name, node, *, limits=None, owner=None):
        owners = [{"kind": "DaemonSet", "name": owner}] if owner else []
        self.pods[name] = {
            "metadata": {"uid": name, "namespace": "n", "name": name, "ownerReferences": owners},
            "spec": {"nodeName": node, "containers": [{"image": "i", "resources": {"limits": limits or {}}}]},
            "status": {"phase": "Running"},
        }
        self.store.put_pod(self.pods[name])


class Play:
    """The engine with its world."""

    def __init__(self, cluster=None, **settings):
        self.cluster, self.clock = cluster or Cluster(), SteppingClock()
        self.disruptions, self.complaints = Disruptions(), []
        self.engine = Engine(
            store=self.cluster.store,
            kube=self.cluster,
            catalogue=Catalogue(),
            clock=self.clock,
            disruptions=self.disruptions,
            complain=self.complaints.append,
        )
        self.engine.world.controls = Controls(delays=Delays(drain=10))
        self.engine.world.settings = Settings(namespace="g", **settings) if settings else None

    def groups(self, *groups):
        self.engine.world.groups = {group.key: group for group in groups}
        self.engine.look_at_everything()
        return self.settle()

    def settle(self, seconds=0.0):
        end = self.clock.now() + seconds
        for _other in range(200):
            before = len(self.cluster.writes)
            wait = self.engine.step()
            if len(self.cluster.writes) > before:
                continue  # the watch brings the change at once
            if self.clock.now() + wait > end:
                return self
            self.clock.sleep(min(wait, max(0.0, end - self.clock.now())))
        raise AssertionError("the engine never rests")

    @property
    def names(self):
        return sorted(self.cluster.nodes)


def group(desired=2, instance_type="p5.48xlarge", **more):
    machine = Catalogue().machine(instance_type)
    made = NodeGroup(
        cluster="c", name="g", status="ACTIVE", version="1.36", release="r1", region="us-east-1", machine=machine,
        desired=desired, subnets=SUBNETS,
    )  # fmt: skip
    return replace(made, **more)


def test_a_settled_world_makes_no_writes():
    play = Play().groups(group(3))
    assert len(play.names) == 3
    writes = len(play.cluster.writes)
    play.engine.look_at_everything()
    play.settle()
    assert len(play.cluster.writes) == writes == 3


def test_nothing_is_deleted_before_eks_was_read():
    play = Play().groups(group(2))
    again = Play(play.cluster)
    again.settle()
    assert len(again.names) == 2
    again.groups(group(2))
    assert again.cluster.writes == ["create", "create"], "a restarted simulator knows its nodes"


def test_scaling_down_evicts_first():
    play = Play().groups(group(2))
    for name in play.names:
        play.cluster.run(f"work-{name}", name, limits={GPU: "1"})
        play.cluster.run(f"daemon-{name}", name, owner="logs")
    play.groups(group(1))
    play.settle(5)
    assert len(play.names) == 1
    assert len(play.cluster.pods) == 2
    assert play.disruptions.entries() == []


def test_a_blocked_drain_ends_by_force_and_is_recorded():
    play = Play().groups(group(1))
    play.cluster.run("work", play.names[0], limits={GPU: "4"})
    play.cluster.refuse_evictions = True
    play.groups(group(0))
    play.settle(9)
    assert len(play.names) == 1
    play.settle(2)
    assert play.names == []
    (entry,) = play.disruptions.entries()
    assert (entry["pod"], entry["resources"]) == ("work", {GPU: 4})
    assert "not empty after 10 s" in entry["reason"]
    play.disruptions.clear()
    assert play.disruptions.entries() == []


def test_a_roll_never_uses_force():
    play = Play().groups(group(2))
    for name in play.names:
        play.cluster.run(f"work-{name}", name, limits={GPU: "1"})
    play.cluster.refuse_evictions = True
    old = set(play.names)
    play.groups(group(2, release="r2"))
    play.settle(90)
    assert old <= set(play.names)
    assert len(play.names) == 3
    assert sum(bool(node["spec"].get("unschedulable")) for node in play.cluster.nodes.values()) == 1
    play.cluster.refuse_evictions = False
    play.settle(60)
    assert not old & set(play.names)
    assert len(play.names) == 2
    assert play.disruptions.entries() == []


def test_a_group_that_vanishes_takes_everything_with_it():
    play = Play().groups(group(1))
    play.cluster.run("work", play.names[0], limits={GPU: "1"})
    play.groups()
    assert (play.names, play.cluster.pods) == ([], {})
    assert "its node group is gone" in play.disruptions.entries()[0]["reason"]


def test_a_failed_write_is_said_and_tried_again():
    play = Play()
    play.cluster.broken = True
    play.groups(group(2))
    assert play.names == []
    assert "no answer" in play.complaints[0]
    play.cluster.broken = False
    play.settle(3)
    assert len(play.names) == 2


def test_a_deleted_node_comes_again_as_another_instance():
    play = Play().groups(group(1))
    first = play.cluster.nodes[play.names[0]]["spec"]["providerID"]
    play.cluster.delete_node(play.names[0])
    play.settle()
    assert play.cluster.nodes[play.names[0]]["spec"]["providerID"] != first


def test_gpus_of_a_node_that_nobody_grouped():
    play = Play(strategy="mixed")
    label = {"node.kubernetes.io/instance-type": "p5.48xlarge"}
    play.cluster.create_node({"metadata": {"name": "own", "labels": label}, "spec": {}, "status": {"capacity": {}}})
    play.cluster.run("plugin", "own", owner=PLUGIN)
    play.settle()
    assert play.cluster.nodes["own"]["status"]["capacity"] == {GPU: "8"}


@pytest.mark.parametrize("instance_type", ["m7i.large", "unknown.large"])
def test_nodes_without_accelerators_are_left_alone(instance_type):
    play = Play(strategy="mixed")
    label = {"node.kubernetes.io/instance-type": instance_type}
    play.cluster.create_node({"metadata": {"name": "own", "labels": label}, "spec": {}, "status": {"capacity": {}}})
    play.settle()
    assert play.cluster.writes == ["create"]


def test_a_state_that_could_not_be_written_is_written_later():
    play = Play(strategy="mixed", mig_default="all-disabled")
    label = {"node.kubernetes.io/instance-type": "p5.48xlarge", "nvidia.com/mig.config": "all-1g.10gb"}
    play.cluster.create_node({"metadata": {"name": "own", "labels": label}, "spec": {}, "status": {"capacity": {}}})
    play.cluster.run("manager", "own", owner=MIG_MANAGER)
    play.cluster.broken_patches = 3
    play.settle(30)
    assert "no answer" in play.complaints[0]
    assert play.cluster.nodes["own"]["metadata"]["labels"]["nvidia.com/mig.config.state"] == "success"


def test_a_disruption_that_could_not_be_told_is_recorded_once():
    play = Play(strategy="mixed", mig_default="all-disabled")
    label = {"node.kubernetes.io/instance-type": "p5.48xlarge", "nvidia.com/mig.config": "all-1g.10gb"}
    play.cluster.create_node({"metadata": {"name": "own", "labels": label}, "spec": {}, "status": {"capacity": {}}})
    play.cluster.run("manager", "own", owner=MIG_MANAGER)
    play.cluster.run("work", "own", limits={GPU: "1"})
    play.settle(0.1)
    assert play.cluster.nodes["own"]["metadata"]["labels"]["nvidia.com/mig.config.state"] == "pending"
    play.cluster.broken_patches = 2
    play.settle(30)
    assert play.cluster.nodes["own"]["metadata"]["labels"]["nvidia.com/mig.config.state"] == "failed"
    assert [entry["pod"] for entry in play.disruptions.entries()] == ["work"]
