"""Node groups become Ready nodes of a real control plane, and go again."""

from __future__ import annotations

import time

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.model import Taint

pytestmark = pytest.mark.cluster


def test_nodes_come_ready_and_spread(world):
    world.eks.put("plain", "m7i.2xlarge", 3, labels={"role": "system"})
    world.until(lambda: len(world.ready("plain")) == 3)
    nodes = world.ready("plain")
    assert {node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes} == {
        "us-east-1a", "us-east-1b", "us-east-1c",
    }  # fmt: skip
    for node in nodes:
        assert node["spec"]["providerID"].startswith("aws:///us-east-1")
        assert node["status"]["capacity"]["cpu"] == "8"
        assert node["metadata"]["labels"]["role"] == "system"
        assert node["status"]["nodeInfo"]["kubeletVersion"].startswith("v1.36.0-eks-")


def test_labels_and_taints_of_the_group_reach_live_nodes(world):
    world.eks.change("plain", labels={"team": "a"}, taints=(Taint("dedicated", "x", "NoSchedule"),))

    def changed():
        nodes = world.nodes("plain")
        labels = [node["metadata"]["labels"] for node in nodes]
        taints = [[taint["key"] for taint in node["spec"].get("taints", [])] for node in nodes]
        return all(one.get("team") == "a" and "role" not in one for one in labels) and all(
            "dedicated" in t for t in taints
        )

    world.until(changed)
    world.eks.change("plain", taints=())
    world.until(lambda: not any(node["spec"].get("taints") for node in world.nodes("plain")))


def test_scale_down_and_failed_groups(world):
    world.eks.change("plain", desired=1)
    world.until(lambda: len(world.nodes("plain")) == 1)
    world.eks.change("plain", status="CREATE_FAILED")
    world.until(lambda: not world.nodes("plain"))
    assert world.disruptions() == []


def test_a_roll_replaces_nodes_and_respects_disruption_budgets(world):
    world.eks.put("roll", "m7i.xlarge", 2)
    world.until(lambda: len(world.ready("roll")) == 2)
    namespace = "simulator-roll"
    world.make("/api/v1/namespaces", {"metadata": {"name": namespace}})
    budget = {"metadata": {"name": "all"}, "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}}
    world.make(f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets", budget)
    labels = {"app": "web"}
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": labels},
    }
    pod = {
        "metadata": {"labels": labels},
        "spec": {
            "nodeSelector": {"eks.amazonaws.com/nodegroup": "roll"},
            "topologySpreadConstraints": [spread],
            "containers": [{"name": "c", "image": "web"}],
        },
    }
    deployment = {
        "metadata": {"name": "web"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": pod},
    }
    world.make(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment)
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    world.until(lambda: world.get(path)["status"].get("readyReplicas") == 2)
    old = {node["metadata"]["name"] for node in world.nodes("roll")}
    world.eks.change("roll", release="1.36.0-2")
    world.until(lambda: len(world.ready("roll")) == 3)
    world.until(lambda: any(node["spec"].get("unschedulable") for node in world.nodes("roll")))
    time.sleep(1.5)
    assert old <= {node["metadata"]["name"] for node in world.nodes("roll")}, "the budget forbids the eviction"
    world.patch(f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets/all", {"spec": {"minAvailable": 1}})
    world.until(lambda: not old & {node["metadata"]["name"] for node in world.nodes("roll")}, 30)
    world.until(lambda: len(world.ready("roll")) == 2)
    world.delete(f"/api/v1/namespaces/{namespace}")


def test_a_node_that_fails(world):
    world.control({"faults": [{"kind": "not_ready", "nodes": "eks.amazonaws.com/nodegroup=roll"}]})
    world.until(lambda: not world.ready("roll"))
    world.control({"faults": []})
    world.until(lambda: len(world.ready("roll")) == 2)


def test_groups_that_are_gone_take_their_nodes(world):
    world.eks.groups.pop("test/roll")
    world.until(lambda: not world.nodes("roll"))


def test_the_control_endpoint_says_what_is_wrong(world):
    assert "did you mean 'failed'" in world.control({"faults": [{"kind": "faild"}]})["error"]
    assert "unknown switch 'fault'" in world.control({"fault": []})["error"]
    assert "unknown placement" in world.control({"placement": "best"})["error"]
    assert world.control(path="/nowhere")["status"] == 404
    assert world.control()["placement"] == "lowest"
