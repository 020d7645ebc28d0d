"""The device plugin on one node, look by look, and the ClusterPolicy that it goes by (facts/gpu-sharing.md §1.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.catalogue import Catalogue
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.controls import Controls, Fault
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.gpu_node import Scene, first_memory, look
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.operator_policy import (
    policy_status,
    settings_of,
)
from simulated_node import GPU, LAYOUTS, SETTINGS, SLICED, STATE, Node, pod


def test_time_slicing_by_the_nodes_label():
    node = Node()
    node.labels["nvidia.com/device-plugin.config"] = "three"
    node.settle()
    assert node.resources == {GPU: "24"}
    assert node.labels["nvidia.com/gpu.replicas"] == "3"
    assert node.labels["nvidia.com/gpu.product"].endswith("-SHARED")


def test_an_edit_counts_after_a_restart_only():
    node = Node()
    node.labels["nvidia.com/device-plugin.config"] = "three"
    node.settle()
    node.settings = replace(SETTINGS, plugin_data={**SETTINGS.plugin_data, "three": SLICED.replace("3", "5")})
    node.settle()
    assert node.resources == {GPU: "24"}
    node.plugin_uid = "2"
    node.settle()
    assert node.resources == {GPU: "40"}


def test_a_plugin_that_was_not_restarted():
    node = Node(controls=Controls(faults=(Fault("plugin_not_restarted"),)))
    node.settings = replace(SETTINGS, plugin_data={"whole": SLICED})
    node.plugin_uid = "2"
    node.settle()
    assert node.resources == {GPU: "8"}


@pytest.mark.parametrize(("key", "error"), [("nothing", "Cannot find configuration"), ("bad", "replicas must be >= 2")])
def test_a_bad_configuration_takes_the_resources_away(key, error):
    node = Node()
    node.labels["nvidia.com/device-plugin.config"] = key
    node.settle()
    assert node.resources == {GPU: "0"}
    assert error in node.aim.error
    node.settings = replace(SETTINGS, plugin_data={**SETTINGS.plugin_data, key: SLICED})
    node.settle()
    assert node.resources == {GPU: "24"}, "a crashing plugin reads the new content at its next start"


def test_a_plugin_that_is_down_and_a_node_that_is_away():
    node = Node()
    node.controls = Controls(faults=(Fault("plugin_down"), Fault("not_ready", f"{GPU}.present=true")))
    node.settle()
    assert node.resources == {GPU: "0"}
    assert node.away
    node.controls = Controls()
    node.settle()
    assert node.resources == {GPU: "8"}


def test_other_plugins_bring_their_devices():
    machine = Catalogue().machine("trn1.32xlarge")
    scene = Scene("n", {}, {}, [pod("neuron-device-plugin"), pod("x-aws-efa-k8s-device-plugin")], machine, None, efa=8)
    found = look(scene, first_memory(machine, packed=None), settings=None, controls=Controls(), now=0).resources
    assert found == {"aws.amazon.com/neuron": "16", "aws.amazon.com/neuroncore": "32", "vpc.amazonaws.com/efa": "8"}
    bare = replace(scene, pods=[], resources=found)
    gone = look(bare, first_memory(machine, packed=None), settings=None, controls=Controls(), now=0).resources
    assert set(gone.values()) == {"0"}


def test_without_a_policy_a_gpu_node_offers_nothing():
    node = Node(settings=None)
    assert (node.resources, node.labels) == ({}, {})


POLICY = {
    "metadata": {"name": "p"},
    "spec": {
        "mig": {"strategy": "mixed"},
        "migManager": {"config": {"name": "layouts"}, "env": [{"name": "WITH_REBOOT", "value": "true"}]},
        "devicePlugin": {"config": {"name": "sharing", "default": "whole"}},
    },
}


def test_the_policy_is_ready_only_with_its_config_maps():
    settings = settings_of(POLICY, namespace="gpu", config_maps={"layouts": {"data": {"config.yaml": LAYOUTS}}})
    assert (settings.with_reboot, settings.strategy, settings.plugin_default) == (True, "mixed", "whole")
    status = policy_status(settings, crashed={}, now="t")
    assert status["state"] == "notReady"
    assert "gpu/sharing does not exist" in status["conditions"][0]["message"]
    whole = settings_of(
        POLICY, namespace="gpu", config_maps={"layouts": {"data": {"config.yaml": LAYOUTS}}, "sharing": {}}
    )
    assert policy_status(whole, crashed={}, now="t")["state"] == "ready"
    assert "crashes on 1 node" in policy_status(whole, crashed={"n": "why"}, now="t")["conditions"][0]["message"]


def test_the_charts_default_name_means_the_shipped_layouts():
    policy = {"spec": {"migManager": {"config": {"name": "default-mig-parted-config", "default": "all-disabled"}}}}
    settings = settings_of(policy, namespace="gpu", config_maps={})
    node = Node(settings=settings)
    assert settings.missing() == []
    assert node.labels[STATE] == "success"
    node.ask("all-1g.10gb")
    assert node.resources[GPU] == "56", "strategy single"
