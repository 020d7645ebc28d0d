"""Cordon, evict within budgets, uncordon: on two hundred nodes of the real control plane."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import SystemClock
from ansible_collections.aiplatform.eks.plugins.module_utils._core.concurrency import map_concurrently
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.eviction import PodState, evict, pod_state, to_evict
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.mirror import Mirror
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.nodes import (
    NodeState,
    cordon_patch,
    node_state,
    patch_node,
    uncordon_patch,
)

NODES, BUDGET, RESOURCE = 200, 2, "ops.example.com/gpu"
CLOCK = SystemClock()


def node(index: int) -> dict[str, t.Any]:
    capacity = {"cpu": "8", "memory": "32Gi", "pods": "20", RESOURCE: "2"}
    return {
        "metadata": {"name": f"ops-{index:03}", "labels": {"ops": "true", "kubernetes.io/hostname": f"ops-{index:03}"}},
        "status": {"capacity": capacity, "allocatable": capacity},
    }


def deployment(name: str, replicas: int, resources: dict[str, t.Any]) -> dict[str, t.Any]:
    labels = {"app": name}
    spread = {
        "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": labels},
    }  # fmt: skip
    spec = {
        "nodeSelector": {"ops": "true"},
        "containers": [{"name": "c", "image": "c", "resources": resources}],
        "topologySpreadConstraints": [spread],
    }
    template = {"metadata": {"labels": labels}, "spec": spec}
    return {
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def until(look: t.Callable[[], bool], what: str, seconds: float = 180) -> None:
    start = time.monotonic()
    while not look():
        assert time.monotonic() - start < seconds, what
        time.sleep(0.05)


def test_half_of_two_hundred_nodes_is_emptied_within_a_budget(cluster: t.Any) -> None:
    client = KubeClient({"kubeconfig": str(cluster.kubeconfig)})
    client.request("POST", "/api/v1/namespaces", body={"metadata": {"name": "ops"}})
    map_concurrently(lambda one: client.request("POST", "/api/v1/nodes", body=node(one)), range(NODES))
    nodes: Mirror[NodeState] = Mirror(
        client,
        "/api/v1/nodes",
        clock=CLOCK,
        reduce=node_state,
        changed=lambda _key: None,
        query={"labelSelector": "ops"},
    )
    pods: Mirror[PodState] = Mirror(
        client, "/api/v1/namespaces/ops/pods", clock=CLOCK, reduce=pod_state, changed=lambda _key: None
    )
    nodes.start()
    pods.start()
    try:
        until(lambda: sum(one.available for one in nodes.values()) == NODES, "nodes are not ready")
        folder = "/apis/apps/v1/namespaces/ops/deployments"
        client.request("POST", folder, body=deployment("users", 100, {"limits": {RESOURCE: "1"}}))
        client.request("POST", folder, body=deployment("others", 60, {}))
        budget = {"maxUnavailable": BUDGET, "selector": {"matchLabels": {"app": "users"}}}
        client.request(
            "POST", "/apis/policy/v1/namespaces/ops/poddisruptionbudgets",
            body={"metadata": {"name": "users"}, "spec": budget},
        )  # fmt: skip
        until(lambda: sum(pod.running for pod in pods.values()) == 160, "pods do not run")
        _empty_half(client, nodes, pods)
    finally:
        nodes.stop()
        pods.stop()
        client.request("DELETE", "/api/v1/namespaces/ops")
        map_concurrently(lambda one: client.request("DELETE", f"/api/v1/nodes/ops-{one:03}"), range(NODES))


def _empty_half(client: KubeClient, nodes: Mirror[NodeState], pods: Mirror[PodState]) -> None:
    others = {pod.uid for pod in pods.values() if not pod.resources}
    half = sorted(nodes.values(), key=lambda one: one.name)[: NODES // 2]
    out = {one.name for one in half}
    map_concurrently(lambda one: nodes.put(patch_node(client, one.name, cordon_patch("ops", one), clock=CLOCK)), half)
    left = [pod for pod in to_evict(pods.values(), prefixes=(RESOURCE,)) if pod.node in out]
    assert left
    refused, fewest = 0, 100

    def users() -> list[PodState]:
        return to_evict(pods.values(), prefixes=(RESOURCE,))

    start = time.monotonic()
    while left := [pod for pod in users() if pod.node in out]:
        assert time.monotonic() - start < 180, f"{len(left)} pods stay"
        answers = map_concurrently(lambda pod: evict(client, pod), [pod for pod in left if not pod.deleting])
        refused += sum(one.by_budget for one in answers)
        fewest = min(fewest, sum(pod.running for pod in users() if not pod.deleting))
        time.sleep(0.1)
    until(lambda: sum(pod.running for pod in users()) == 100, "the pods do not run elsewhere")
    assert refused > 0
    assert fewest >= 100 - BUDGET
    assert {pod.uid for pod in pods.values() if not pod.resources} == others
    held = [one for one in nodes.values() if one.operation]
    assert {one.name for one in held} == out
    map_concurrently(lambda one: nodes.put(patch_node(client, one.name, uncordon_patch(one), clock=CLOCK)), held)
    assert all(one.schedulable and not one.operation for one in nodes.values())
