"""NVIDIA's side on a real control plane: real scheduler, real DaemonSet controller, kwok's pods."""

from __future__ import annotations

import time

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.model import Taint
from simulator_fixture import sharing

pytestmark = pytest.mark.cluster
GPU, SMALL = "nvidia.com/gpu", "nvidia.com/mig-1g.10gb"
STATE = "nvidia.com/mig.config.state"
NAMESPACE = "simulator-gpu"


def offered(world, group):
    return [
        {name: count for name, count in node["status"]["allocatable"].items() if "nvidia.com" in name}
        for node in world.nodes(group)
    ]


def states(world, group):
    return [node["metadata"]["labels"].get(STATE) for node in world.nodes(group)]


def names(world, group):
    return [node["metadata"]["name"] for node in world.nodes(group)]


def flip(world, group, layout):
    for name in names(world, group):
        world.label(name, mig_config=layout, mig_state=None)


@pytest.fixture(scope="module")
def h100(gpu_world):
    gpu_world.eks.put("h100", "p5.48xlarge", 2)
    gpu_world.until(lambda: offered(gpu_world, "h100") == [{GPU: "8"}] * 2)
    gpu_world.make("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    return gpu_world


def gpu_pod(world, name, resource, count=1, group="h100"):
    container = {"name": "c", "image": "cuda", "resources": {"limits": {resource: str(count)}}}
    spec = {"containers": [container], "nodeSelector": {"eks.amazonaws.com/nodegroup": group}}
    world.make(f"/api/v1/namespaces/{NAMESPACE}/pods", {"metadata": {"name": name}, "spec": spec})


def gone(world, name):
    return name not in [pod["metadata"]["name"] for pod in world.get(f"/api/v1/namespaces/{NAMESPACE}/pods")["items"]]


def phase(world, name):
    return world.get(f"/api/v1/namespaces/{NAMESPACE}/pods/{name}")["status"].get("phase")


def test_gpus_appear_with_their_labels(h100):
    h100.until(lambda: set(states(h100, "h100")) == {"success"})
    labels = h100.nodes("h100")[0]["metadata"]["labels"]
    assert labels["nvidia.com/gpu.product"] == "NVIDIA-H100-80GB-HBM3"
    assert labels["nvidia.com/mig.config"] == "all-disabled"
    policy = h100.get("/apis/nvidia.com/v1/clusterpolicies/cluster-policy")
    assert policy["status"]["state"] == "ready"


def test_flip_eight_gpus_to_56_instances(h100):
    flip(h100, "h100", "all-1g.10gb")
    h100.until(lambda: offered(h100, "h100") == [{GPU: "0", SMALL: "56"}] * 2)
    assert states(h100, "h100") == ["success"] * 2
    gpu_pod(h100, "small", SMALL)
    gpu_pod(h100, "whole", GPU)
    h100.until(lambda: phase(h100, "small") == "Running")
    assert phase(h100, "whole") == "Pending"


def test_the_disruption_is_recorded(h100):
    flip(h100, "h100", "all-disabled")
    busy_fails = ["failed", "success"]
    h100.until(lambda: sorted(map(str, states(h100, "h100"))) == busy_fails)
    assert [entry["pod"] for entry in h100.disruptions()] == ["small"]
    h100.control(path="/disruptions", method="DELETE")
    for name in ("small", "whole"):
        h100.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/{name}")
        h100.until(lambda name=name: gone(h100, name))
    flip(h100, "h100", "some")
    mixture = {GPU: "2", SMALL: "28", "nvidia.com/mig-3g.40gb": "4"}
    h100.until(lambda: offered(h100, "h100") == [mixture] * 2)
    gpu_pod(h100, "again", GPU)
    h100.until(lambda: phase(h100, "again") == "Running")
    h100.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/again")
    h100.until(lambda: gone(h100, "again"))
    assert h100.disruptions() == []


def test_layouts_that_do_not_fit_or_do_not_exist(h100):
    for layout in ("too-much", "no-such-name"):
        flip(h100, "h100", layout)
        h100.until(lambda: states(h100, "h100") == ["failed"] * 2)
    flip(h100, "h100", "all-disabled")
    h100.until(lambda: [one[GPU] for one in offered(h100, "h100")] == ["8"] * 2)


def test_stuck_and_cured(h100):
    h100.control({"faults": [{"kind": "stuck_pending", "nodes": "eks.amazonaws.com/nodegroup=h100", "times": 1}]})
    flip(h100, "h100", "all-1g.10gb")
    h100.until(lambda: [one[GPU] for one in offered(h100, "h100")] == ["0"] * 2)
    assert states(h100, "h100") == ["pending"] * 2
    flip(h100, "h100", "all-3g.40gb")
    h100.until(lambda: [one.get("nvidia.com/mig-3g.40gb") for one in offered(h100, "h100")] == ["16"] * 2)
    h100.control({"faults": []})
    flip(h100, "h100", "all-disabled")
    h100.until(lambda: [one[GPU] for one in offered(h100, "h100")] == ["8"] * 2)


def test_time_slicing_and_the_restart_that_an_edit_needs(h100):
    for name in names(h100, "h100"):
        h100.label(name, **{"nvidia.com/device-plugin.config": "three"})
    h100.until(lambda: [one[GPU] for one in offered(h100, "h100")] == ["24"] * 2)
    h100.until(lambda: h100.nodes("h100")[0]["metadata"]["labels"]["nvidia.com/gpu.replicas"] == "3")
    path = "/api/v1/namespaces/gpu-operator/configmaps/sharing"
    h100.patch(path, {"data": {"three": sharing(4)}})
    time.sleep(1)
    assert [one[GPU] for one in offered(h100, "h100")] == ["24"] * 2, "the operator does not watch the ConfigMap"
    restart = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
    h100.patch("/apis/apps/v1/namespaces/gpu-operator/daemonsets/nvidia-device-plugin-daemonset", restart)
    h100.until(lambda: [one[GPU] for one in offered(h100, "h100")] == ["32"] * 2)


def test_a_request_for_two_replicas_is_refused_where_the_configuration_says_so(h100):
    for name in names(h100, "h100"):
        h100.label(name, **{"nvidia.com/device-plugin.config": "strict"})
    h100.until(lambda: [one[GPU] for one in offered(h100, "h100")] == ["16"] * 2)
    gpu_pod(h100, "one", GPU)
    gpu_pod(h100, "two", GPU, 2)
    h100.until(lambda: phase(h100, "two") == "Failed")
    status = h100.get(f"/api/v1/namespaces/{NAMESPACE}/pods/two")["status"]
    assert status["reason"] == "UnexpectedAdmissionError"
    assert "maximum request size for shared resources is 1; found 2" in status["message"]
    h100.until(lambda: phase(h100, "one") == "Running")
    for name in ("one", "two"):
        h100.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/{name}")
    for name in names(h100, "h100"):
        h100.label(name, **{"nvidia.com/device-plugin.config": "three"})
    h100.until(lambda: [one[GPU] for one in offered(h100, "h100")] == ["32"] * 2)


def test_a_missing_key_takes_the_gpus_away_and_the_policy_says_why(h100):
    (first, second) = names(h100, "h100")
    h100.label(first, **{"nvidia.com/device-plugin.config": "nothing"})
    h100.until(lambda: sorted(one[GPU] for one in offered(h100, "h100")) == ["0", "32"])
    path = "/apis/nvidia.com/v1/clusterpolicies/cluster-policy"
    h100.until(lambda: h100.get(path)["status"]["state"] == "notReady")
    assert "Cannot find configuration named 'nothing'" in h100.get(path)["status"]["conditions"][0]["message"]
    for name in (first, second):
        h100.label(name, **{"nvidia.com/device-plugin.config": None})
    h100.until(lambda: [one[GPU] for one in offered(h100, "h100")] == ["8"] * 2)
    h100.until(lambda: h100.get(path)["status"]["state"] == "ready")


def test_a_taint_that_the_operator_does_not_tolerate_leaves_the_node_without_gpus(h100):
    h100.eks.put("a100", "p4de.24xlarge", 1, taints=(Taint("dedicated", "x", "NoSchedule"),))
    h100.until(lambda: len(h100.ready("a100")) == 1)
    h100.until(lambda: h100.nodes("a100")[0]["metadata"]["labels"].get("nvidia.com/gpu.deploy.device-plugin") == "true")
    assert offered(h100, "a100") == [{}]
    tolerations = {"spec": {"daemonsets": {"tolerations": [{"key": "dedicated", "operator": "Exists"}]}}}
    h100.patch("/apis/nvidia.com/v1/clusterpolicies/cluster-policy", tolerations)
    h100.until(lambda: offered(h100, "a100") == [{GPU: "8"}])


def test_an_a100_needs_a_reboot(h100):
    flip(h100, "a100", "all-1g.10gb")
    h100.until(lambda: states(h100, "a100") == ["failed"])
    environment = {"spec": {"migManager": {"env": [{"name": "WITH_REBOOT", "value": "true"}]}}}
    h100.patch("/apis/nvidia.com/v1/clusterpolicies/cluster-policy", environment)
    h100.until(lambda: offered(h100, "a100") == [{GPU: "8"}])
    flip(h100, "a100", "all-3g.40gb")
    h100.until(lambda: states(h100, "a100") == ["rebooting"])
    h100.until(lambda: not h100.ready("a100"))
    h100.until(lambda: offered(h100, "a100") == [{GPU: "0", "nvidia.com/mig-3g.40gb": "16"}])
    h100.until(lambda: len(h100.ready("a100")) == 1)
    assert states(h100, "a100") == ["success"]
