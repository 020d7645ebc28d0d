"""mig-manager and the device plugin on one node, look by look: the label protocol of facts/gpu-sharing.md §2.1."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.catalogue import Catalogue
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.controls import Controls, Delays, Fault
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.gpu_node import Scene, first_memory, look
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.mig_manager import NEVER
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.operator_policy import (
    MIG_MANAGER,
    PLUGIN,
    Settings,
    policy_status,
    settings_of,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.store import Pod

CONFIG, STATE = "nvidia.com/mig.config", "nvidia.com/mig.config.state"
DEPLOY = "nvidia.com/gpu.deploy.device-plugin"
GPU, SMALL = "nvidia.com/gpu", "nvidia.com/mig-1g.10gb"
LAYOUTS = """
version: v1
mig-configs:
  all-disabled: [{devices: all, mig-enabled: false}]
  small: [{devices: all, mig-enabled: true, mig-devices: {1g.10gb: 7}}]
  half: [{devices: all, mig-enabled: true, mig-devices: {3g.40gb: 2}}]
  impossible: [{devices: all, mig-enabled: true, mig-devices: {4g.40gb: 2}}]
"""
SLICED = "version: v1\nsharing: {timeSlicing: {resources: [{name: nvidia.com/gpu, replicas: 3}]}}\n"
SETTINGS = Settings(
    namespace="gpu-operator",
    strategy="mixed",
    mig_default="all-disabled",
    layouts_name="layouts",
    layouts=LAYOUTS,
    plugin_name="sharing",
    plugin_data={"whole": "version: v1\n", "three": SLICED, "bad": SLICED.replace("3", "1")},
    plugin_default="whole",
)


def pod(owner="", *, uid="1", accelerators=()):
    return Pod(
        uid=f"{owner}-{uid}",
        namespace="n",
        name=f"{owner or 'user'}-{uid}",
        node="node-1",
        phase="Running",
        deleting=False,
        accelerators=accelerators,
        owner=owner,
        images=(),
    )


class Node:
    """A node with a DaemonSet controller that follows the deploy label, and a clock."""

    def __init__(self, instance_type="p5.48xlarge", *, settings=SETTINGS, controls=None):
        self.machine = Catalogue().machine(instance_type)
        self.settings, self.controls = settings, controls or Controls(delays=Delays(mig=1, mode=1, reboot=5))
        self.labels: dict[str, str] = {}
        self.resources: dict[str, str] = {}
        self.users: list[Pod] = []
        self.plugin_uid, self.manager_uid = "1", "1"
        self.memory = first_memory(self.machine, packed=None)
        self.now, self.disrupted, self.away, self.states = 0.0, [], False, []
        self.aim = None
        self.settle()

    def pods(self):
        found = list(self.users)
        if self.labels.get(DEPLOY) == "true":
            found.append(pod(PLUGIN, uid=self.plugin_uid))
        if self.labels.get("nvidia.com/gpu.deploy.mig-manager") == "true":
            found.append(pod(MIG_MANAGER, uid=self.manager_uid))
        return found

    def look(self):
        board = Catalogue().board(self.machine.board) if self.machine.board else None
        scene = Scene("node-1", dict(self.labels), dict(self.resources), self.pods(), self.machine, board)
        aim = look(scene, self.memory, settings=self.settings, controls=self.controls, now=self.now)
        self.memory, self.away, self.aim = aim.memory, aim.away, aim
        for name, value in aim.labels.items():
            if value is None:
                del self.labels[name]
            else:
                self.labels[name] = value
        if STATE in aim.labels:
            self.states.append(aim.labels[STATE])
        self.resources.update(aim.resources)
        self.disrupted += aim.disrupted
        return aim

    def settle(self, *, limit=1000.0):
        """Look until nothing changes, moving the clock to what is due."""
        for _other in range(40):
            aim = self.look()
            if aim.labels or aim.resources:
                continue
            if aim.due == NEVER or aim.due > limit:
                return self
            self.now = max(self.now, aim.due)
        raise AssertionError("the node never settles")

    def ask(self, layout):
        self.labels.pop(STATE, None)
        self.labels[CONFIG] = layout
        self.states.clear()
        return self.settle()


def test_a_fresh_node_gets_the_operators_labels():
    node = Node()
    assert node.labels[CONFIG] == "all-disabled"
    assert node.labels[STATE] == "success", "already applied: straight to success"
    assert node.labels["nvidia.com/gpu.present"] == "true"
    assert node.resources == {GPU: "8"}


def test_a_layout_is_applied():
    node = Node()
    node.ask("small")
    assert node.states == ["pending", "success"]
    assert node.resources == {GPU: "0", SMALL: "56"}
    assert node.labels[DEPLOY] == "true"
    assert node.now == 2.0, "a mode change takes longer"
    node.ask("half")
    assert node.now == 3.0
    assert node.resources == {GPU: "0", SMALL: "0", "nvidia.com/mig-3g.40gb": "16"}
    assert "nvidia.com/mig-1g.10gb.count" not in node.labels, "labels of a former layout go"
    node.ask("all-disabled")
    assert node.resources[GPU] == "8"


def test_while_it_is_pending_nothing_is_offered():
    node = Node()
    node.labels.update({CONFIG: "small"})
    node.look()
    assert node.labels[STATE] == "pending"
    assert node.labels[DEPLOY] == "paused-for-mig-change"
    node.look()
    node.look()
    assert node.resources == {GPU: "0"}


def test_the_applied_layout_goes_straight_to_success():
    node = Node()
    node.ask("small")
    before = dict(node.resources)
    node.labels["extra"] = "1"
    node.labels[CONFIG] = "all-disabled"
    node.settle()
    node.ask("small")
    assert node.resources == before
    node.labels.pop(STATE)
    node.manager_uid = "2"
    node.states.clear()
    node.settle()
    assert node.states == ["success"]


@pytest.mark.parametrize("layout", ["impossible", "no-such-layout"])
def test_failed_stays_until_the_label_changes(layout):
    node = Node()
    node.ask(layout)
    assert node.labels[STATE] == "failed"
    node.settle()
    assert node.labels[STATE] == "failed"
    assert node.labels[DEPLOY] == "true", "the clients come back"
    node.ask("small")
    assert node.labels[STATE] == "success"


def test_an_impossible_layout_leaves_the_gpus_cleared():
    node = Node()
    node.ask("impossible")
    assert node.resources[GPU] == "7", "the first GPU is in MIG mode and empty, the others were not reached"


def test_a_named_config_without_the_default_name_fails_at_once():
    node = Node(settings=replace(SETTINGS, layouts=LAYOUTS.replace("all-disabled", "other")))
    assert node.labels[STATE] == "failed"


def test_a_single_layout_that_differs_is_silent_in_the_labels_and_fatal_to_the_plugin():
    node = Node(settings=replace(SETTINGS, strategy="single"))
    node.ask("impossible")
    assert node.resources[GPU] == "0"
    assert "MIG-INVALID" in node.labels["nvidia.com/gpu.product"]
    assert "same migEnabled value" in node.aim.error or "no MIG devices" in node.aim.error


def test_ampere_reboots_for_the_mode():
    node = Node("p4de.24xlarge", settings=replace(SETTINGS, with_reboot=True))
    node.users.append(pod(uid="9", accelerators=((GPU, 1),)))
    node.labels[CONFIG] = "small"
    node.look()
    node.look()
    while not node.away:
        node.now = max(node.now, node.look().due)
    assert node.labels[STATE] == "rebooting"
    assert [one.name for one in node.disrupted] == ["user-9"]
    node.users.clear()
    node.settle()
    assert node.states[-3:] == ["pending", "rebooting", "success"]
    assert not node.away
    assert node.resources[SMALL] == "56"
    node.ask("half")
    assert node.states == ["pending", "success"], "the mode is on: no second reboot"


def test_ampere_without_reboot_fails():
    node = Node("p4de.24xlarge")
    node.ask("small")
    assert node.labels[STATE] == "failed"
    assert node.resources[GPU] == "8"


def test_pods_that_hold_gpus_make_it_fail_and_are_recorded():
    node = Node()
    node.users.append(pod(uid="7", accelerators=((GPU, 2),)))
    node.ask("small")
    assert node.labels[STATE] == "failed"
    assert [one.name for one in node.disrupted] == ["user-7"]


def test_the_manager_can_be_switched_off():
    node = Node()
    node.labels["nvidia.com/gpu.deploy.mig-manager"] = "false"
    node.ask("small")
    assert node.states == []
    assert node.resources == {GPU: "8"}


def test_stuck_pending_is_for_ever_until_the_label_changes():
    node = Node(controls=Controls(faults=(Fault("stuck_pending", "node-*", times=1),)))
    node.ask("small")
    assert node.labels[STATE] == "pending"
    assert node.labels[DEPLOY] == "paused-for-mig-change"
    assert node.resources == {GPU: "0"}
    node.settle()
    assert node.labels[STATE] == "pending"
    node.ask("half")
    assert node.labels[STATE] == "success"
    assert node.labels[DEPLOY] == "true"


def test_stuck_pending_is_cured_by_a_new_manager_pod():
    node = Node(controls=Controls(faults=(Fault("stuck_pending", times=1),)))
    node.ask("small")
    node.manager_uid = "2"
    node.settle()
    assert node.labels[STATE] == "success"


def test_failing_a_number_of_times_and_slowness():
    node = Node(controls=Controls(faults=(Fault("failed", times=2), Fault("slow", seconds=30))))
    node.ask("small")
    assert node.labels[STATE] == "failed"
    node.ask("half")
    assert node.labels[STATE] == "failed"
    assert node.now >= 60
    node.ask("small")
    assert node.labels[STATE] == "success"


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
