# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role vllm against a real control plane, whose scheduler and Pod Security take its pods or do not."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Iterator, Sequence

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from role_play import Played, play_roles

Play: t.TypeAlias = Callable[..., list[Played]]
TOKEN = "canary-hub-token-6b1f"
NAMESPACE = "vllm-test"
TASK = "Model servers"
HALVES = {"mode": "mig", "layout": {"3g.40gb": 2}}
MODELS: list[dict[str, t.Any]] = [
    {"name": "small", "model": "meta-llama/Llama-3.1-8B-Instruct", "replicas": 2, "revision": "0e9e39f"},
    {"name": "large", "model": "meta-llama/Llama-3.1-70B-Instruct", "source": "pvc://models/llama-70b"},
]
VARIABLES: dict[str, t.Any] = {
    "aiplatform_cluster": "test",
    "aiplatform_region": "us-east-1",
    "aiplatform_node_pools": [
        {"name": "mig", "instance_types": ["p4de.24xlarge"], "scaling": {"max": 1}, "gpu_sharing": HALVES},
        {"name": "whole", "instance_types": ["p5.48xlarge"], "scaling": {"max": 1}},
    ],
    "vllm_namespace": NAMESPACE,
    "vllm_priority_class": "vllm-test",
    "vllm_models": MODELS,
    "vllm_hub_token_secret": {"name": "hub", "key": "token"},
    "vllm_timeout": 30,
}
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def node(pool: str, resource: str, count: int) -> dict[str, t.Any]:
    """A node of a pool, as kwok plays it."""
    room = {"cpu": "96", "memory": "1000Gi", "ephemeral-storage": "7Ti", "pods": "100", resource: str(count)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": f"vllm-test-{pool}",
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {"aiplatform.eks/pool": pool},
        },
        "spec": {"taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]},
        "status": {"allocatable": room, "capacity": room},
    }


CLAIMED = {"accessModes": ["ReadOnlyMany"], "storageClassName": ""}
VOLUME = {
    "metadata": {"name": "vllm-test-models"},
    "spec": {
        **CLAIMED,
        "capacity": {"storage": "1Ti"},
        "claimRef": {"namespace": NAMESPACE, "name": "models"},
        "csi": {"driver": "s3.csi.aws.com", "volumeHandle": "vllm-test-models"},
    },
}
CLAIM = {
    "metadata": {"name": "models"},
    "spec": {**CLAIMED, "volumeName": "vllm-test-models", "resources": {"requests": {"storage": "1Ti"}}},
}


@pytest.fixture(scope="module")
def ground(kubernetes: KubeClient) -> Iterator[KubeClient]:
    """What the role finds: nodes, a restricted namespace, a priority class, the hub's token."""
    objects = {
        "/api/v1/nodes": [node("mig", "nvidia.com/mig-3g.40gb", 16), node("whole", "nvidia.com/gpu", 8)],
        "/api/v1/namespaces": [{"metadata": {"name": NAMESPACE, "labels": RESTRICTED}}],
        "/apis/scheduling.k8s.io/v1/priorityclasses": [{"metadata": {"name": "vllm-test"}, "value": 1000}],
        "/api/v1/persistentvolumes": [VOLUME],
        f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims": [CLAIM],
        f"/api/v1/namespaces/{NAMESPACE}/secrets": [{"metadata": {"name": "hub"}, "stringData": {"token": TOKEN}}],
    }
    for path, wanted in objects.items():
        for one in wanted:
            kubernetes.request("POST", path, body=one)
    yield kubernetes
    for path in reversed(objects):
        for one in objects[path]:
            kubernetes.request("DELETE", f"{path}/{one['metadata']['name']}")


@pytest.fixture(scope="module")
def play(cluster: t.Any, ground: KubeClient, tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Plays the role, once for each set of further variables, in one run."""
    environment = {"KUBECONFIG": str(cluster.kubeconfig), "PATH": f"{cluster.bin}:/usr/local/bin:/usr/bin:/bin"}

    def run(*wishes: dict[str, t.Any], arguments: Sequence[str] = ()) -> list[Played]:
        plays = [("vllm", {**VARIABLES, **wish}) for wish in wishes]
        scratch = tmp_path_factory.mktemp("vllm")
        return play_roles(plays, scratch=scratch, environment=environment, arguments=["--diff", *arguments])

    return run


@pytest.fixture(scope="module")
def rounds(play: Play) -> dict[str, Played]:
    """A check, the run that it spoke of, and a second run."""
    (check,) = play({}, arguments=["--check"])
    run, again = play({}, {})
    return {"check": check, "run": run, "again": again}


def pods(client: KubeClient, name: str) -> list[dict[str, t.Any]]:
    query = {"labelSelector": f"app.kubernetes.io/instance={name}"}
    return list(client.request("GET", f"/api/v1/namespaces/{NAMESPACE}/pods", query=query).body["items"])


def test_check_says_what_the_run_does_and_a_second_run_does_nothing(rounds: dict[str, Played]) -> None:
    assert rounds["check"].tasks[TASK]["steps"] == rounds["run"].tasks[TASK]["steps"]
    assert rounds["run"].changed == [TASK]
    assert rounds["again"].changed == []


def test_each_server_gets_its_share_of_the_pool_that_holds_it(rounds: dict[str, Played], ground: KubeClient) -> None:
    small, large = pods(ground, "small"), pods(ground, "large")
    assert [one["spec"]["nodeName"] for one in small] == ["vllm-test-mig"] * 2
    assert [one["spec"]["nodeName"] for one in large] == ["vllm-test-whole"]
    assert small[0]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/mig-3g.40gb"] == "1"
    assert small[0]["spec"]["priority"] == 1000
    (container,) = large[0]["spec"]["containers"]
    count = int(container["resources"]["limits"]["nvidia.com/gpu"])
    assert f"--tensor-parallel-size={count}" in container["args"]
    probe = container["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 1646
    assert large[0]["spec"]["terminationGracePeriodSeconds"] == 315


def test_the_hub_token_is_named_and_never_seen(rounds: dict[str, Played], ground: KubeClient) -> None:
    environment = {one["name"]: one for one in pods(ground, "small")[0]["spec"]["containers"][0]["env"]}
    assert environment["HF_TOKEN"]["valueFrom"] == {"secretKeyRef": {"name": "hub", "key": "token"}}
    offline = {one["name"]: one for one in pods(ground, "large")[0]["spec"]["containers"][0]["env"]}
    assert "HF_TOKEN" not in offline
    assert offline["HF_HUB_OFFLINE"]["value"] == "1"
    assert TOKEN not in json.dumps([dict(one.tasks) for one in rounds.values()], default=dict)


def test_one_budget_guards_each_server(rounds: dict[str, Played], ground: KubeClient) -> None:
    found = ground.request("GET", f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets").body["items"]
    assert {one["metadata"]["name"]: one["status"]["disruptionsAllowed"] for one in found} == {"small": 1, "large": 1}


def test_absent_leaves_nothing_and_a_model_that_fits_nowhere_makes_nothing(
    rounds: dict[str, Played], play: Play, ground: KubeClient
) -> None:
    absent = {"vllm_state": "absent"}
    huge = {"name": "huge", "model": "meta-llama/Llama-3.1-405B-FP8", "pool": "mig"}
    taken, again, refused = play(absent, absent, {"vllm_models": [*MODELS, huge]})
    assert taken.failures == again.failures == {}
    assert again.changed == []
    assert "vllm_models: huge: Llama-3.1-405B-FP8 with 4 requests of 8192 tokens fits nowhere" in str(refused.failures)
    kinds = ["apis/apps/v1/{}/deployments", "api/v1/{}/services", "apis/policy/v1/{}/poddisruptionbudgets"]
    left = [ground.request("GET", "/" + kind.format(f"namespaces/{NAMESPACE}")).body["items"] for kind in kinds]
    assert left == [[]] * len(kinds)
