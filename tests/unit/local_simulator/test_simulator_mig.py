"""mig-manager on one node, look by look: the label protocol of facts/gpu-sharing.md §2.1."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.controls import Controls, Fault
from simulated_node import CONFIG, DEPLOY, GPU, LAYOUTS, SETTINGS, SMALL, STATE, Node, pod


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
