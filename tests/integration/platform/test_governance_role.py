# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role governance against a real API server, which enforces what it says."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.errors import KubeApiError
from platform_play import ROOT, Played, Playing

HALVES = {"mode": "mig", "layout": {"3g.40gb": 2}}
VARIABLES: dict[str, t.Any] = {
    "aiplatform_node_pools": [
        {"name": "mig", "instance_types": ["p4de.24xlarge"], "scaling": {"max": 4}, "gpu_sharing": HALVES},
        {"name": "whole", "instance_types": ["p5.48xlarge"], "scaling": {"max": 4}},
    ],
    "aiplatform_components": ["linkerd"],
    "governance_quotas": {"training": {"cpu": "160", "gpus": {"whole": 20}}, "inference": {"gpus": {"mig": 10}}},
}
DATABASE = {"name": "records", "workload_type": "mlops", "egress": [{"cidr": "10.1.2.0/24", "ports": [5432]}]}
TASK = "Namespaces with their quotas, limits, priorities, budgets and network policies"


@pytest.fixture(scope="module")
def rounds(playing: Playing) -> dict[str, Played]:
    """A check, the run that it spoke of, and a second run."""
    return {
        "check": playing.play("governance", check=True, **VARIABLES),
        "run": playing.play("governance", **VARIABLES),
        "again": playing.play("governance", **VARIABLES),
    }


def test_check_says_what_the_run_does_and_a_second_run_does_nothing(rounds: dict[str, Played]) -> None:
    said, done = rounds["check"].tasks[TASK], rounds["run"].tasks[TASK]
    assert said["steps"] == done["steps"]
    assert done["counts"]["created"] > 50
    assert rounds["again"].changed == []


def test_namespaces_say_what_they_are_for(rounds: dict[str, Played], kubernetes: KubeClient) -> None:
    labels = kubernetes.request("GET", "/api/v1/namespaces/training").body["metadata"]["labels"]
    assert labels["aiplatform.eks/workload-type"] == "training"
    assert labels["aiplatform.eks/cost-center"] == "ai-platform"
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_gpu_quotas_count_slices(rounds: dict[str, Played], kubernetes: KubeClient) -> None:
    hard = kubernetes.request("GET", "/api/v1/namespaces/inference/resourcequotas/share").body["spec"]["hard"]
    assert hard == {"requests.nvidia.com/mig-3g.40gb": "20", "requests.nvidia.com/gpu": "0"}


def pod(*, priority: str | None = None, resources: dict[str, str] | None = None, **spec: t.Any) -> dict[str, t.Any]:
    """A pod that the restricted level takes, changed by the caller."""
    container = {
        "name": "one",
        "image": "registry.k8s.io/pause:3.10",
        "resources": {"requests": resources or {}, "limits": resources or {}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
    named = {"priorityClassName": priority} if priority else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "try-"},
        "spec": {"securityContext": security, "containers": [container], **named, **spec},
    }


@pytest.mark.parametrize(
    ("namespace", "wish", "refusal"),
    [
        ("training", {"priority": "training", "resources": {"nvidia.com/gpu": "8"}}, ""),
        ("training", {"priority": "production-inference"}, "exceeded quota: foreign-priorities"),
        ("training", {"priority": "system-node-critical"}, "exceeded quota: foreign-priorities"),
        ("training", {"resources": {"nvidia.com/mig-3g.40gb": "1"}}, "exceeded quota: share"),
        ("training", {"resources": {"nvidia.com/gpu": "21"}}, "exceeded quota: share"),
        ("inference", {"priority": "production-inference", "resources": {"nvidia.com/mig-3g.40gb": "1"}}, ""),
        ("agentic", {"hostNetwork": True}, "violates PodSecurity"),
    ],
)
def test_the_api_server_holds_tenants_to_it(
    rounds: dict[str, Played], kubernetes: KubeClient, namespace: str, wish: dict[str, t.Any], refusal: str
) -> None:
    def create() -> None:
        kubernetes.request("POST", f"/api/v1/namespaces/{namespace}/pods", body=pod(**wish), query={"dryRun": "All"})

    if not refusal:
        create()
        return
    with pytest.raises(KubeApiError) as caught:
        create()
    assert refusal in str(caught.value)


def test_policies_deny_first_and_open_what_is_needed(rounds: dict[str, Played], kubernetes: KubeClient) -> None:
    path = "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies"
    found = {
        one["metadata"]["name"]: one["spec"]
        for one in kubernetes.request("GET", path.format("inference")).body["items"]
    }
    assert found["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert set(found) == {"default-deny", "dns", "pod-identity", "tenants", "scraping", "mesh", "https"}
    callers = [one.get("namespaceSelector", {}).get("matchLabels") for one in found["tenants"]["ingress"][0]["from"]]
    assert {"kubernetes.io/metadata.name": "agentic"} in callers
    training = {one["metadata"]["name"] for one in kubernetes.request("GET", path.format("training")).body["items"]}
    assert "mesh" not in training
    inbound = {
        name: kubernetes.request("GET", f"/api/v1/namespaces/{name}")
        .body["metadata"]["annotations"]
        .get("config.linkerd.io/default-inbound-policy")
        for name in ("mlops", "inference", "training")
    }
    assert inbound == {"mlops": "cluster-unauthenticated", "inference": None, "training": None}


def test_a_database_outside_is_reached_by_its_port(rounds: dict[str, Played], playing: Playing) -> None:
    known = yaml.safe_load((ROOT / "roles/governance/defaults/main.yml").read_text("utf-8"))["governance_namespaces"]
    wish = {**VARIABLES, "governance_namespaces": [*known, DATABASE]}
    said = playing.play("governance", check=True, **wish).tasks[TASK]["steps"]
    assert "created NetworkPolicy records/egress" in said
    assert [one for one in said if "records" not in one] == []


def test_a_quota_above_the_pools_is_refused_before_any_write(rounds: dict[str, Played], playing: Playing) -> None:
    wish = {**VARIABLES, "governance_quotas": {"training": {"gpus": {"whole": 33}}}}
    assert "33 GPUs of whole, which has 32 at its largest" in playing.play("governance", fails=True, **wish).failure
    assert playing.play("governance", check=True, **VARIABLES).changed == []


def test_absent_takes_away_what_present_made(
    rounds: dict[str, Played], playing: Playing, kubernetes: KubeClient
) -> None:
    playing.play("governance", governance_state="absent", **VARIABLES)
    left = kubernetes.request("GET", "/api/v1/namespaces", query={"labelSelector": "aiplatform.eks/workload-type"}).body
    assert [one["metadata"]["name"] for one in left["items"]] == []
    classes = kubernetes.request("GET", "/apis/scheduling.k8s.io/v1/priorityclasses").body["items"]
    assert {one["metadata"]["name"] for one in classes} <= {"system-cluster-critical", "system-node-critical"}
    assert playing.play("governance", governance_state="absent", **VARIABLES).changed == []
