# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role verify: what roles contribute, the verdict as a file and as the outcome of the play."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from platform_play import Playing

VARIABLES: dict[str, t.Any] = {
    "aiplatform_cluster": "verified",
    "aiplatform_node_pools": [{"name": "none", "instance_types": ["m7i.2xlarge"], "scaling": {"min": 0, "max": 1}}],
    "governance_namespaces": [
        {"name": "verified-models", "workload_type": "inference"},
        {"name": "verified-agents", "workload_type": "agentic", "calls": ["verified-models"]},
    ],
    "verify_roles": ["governance", "no_such_role"],
}
OPEN = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "open"},
    "spec": {"podSelector": {}, "ingress": [{}]},
}


@pytest.fixture(scope="module")
def tenants(playing: Playing) -> t.Iterator[None]:
    """Two tenants, of which one may call the other."""
    playing.play("governance", **VARIABLES)
    yield
    playing.play("governance", governance_state="absent", **VARIABLES)


def test_the_verdict_names_what_is_not_so(tenants: None, playing: Playing, kubernetes: KubeClient) -> None:
    report = playing.scratch / "verdict.json"
    asked = {**VARIABLES, "verify_report": str(report)}
    # Others who share this control plane may leave namespaces without a level: they are not ours to judge.
    areas = {"verify_require": False}
    playing.play("verify", **asked, **areas)
    verdict = json.loads(report.read_text("utf-8"))
    ours = [one for one in verdict["checks"] if "verified-" in one["name"]]
    assert len(ours) == 6
    assert [one for one in ours if not one["passed"]] == []
    assert verdict["counts"]["passed"] + verdict["counts"]["failed"] == len(verdict["checks"])

    path = "/apis/networking.k8s.io/v1/namespaces/verified-models/networkpolicies"
    kubernetes.request("POST", path, body=OPEN)
    said = playing.play("verify", fails=True, **asked).failure
    assert "default/any pod to verified-models/any pod port 8000/TCP is allowed by the network policies" in said
    verdict = json.loads(report.read_text("utf-8"))
    assert verdict["passed"] is False
    failed = {one["name"] for one in verdict["checks"] if not one["passed"]}
    assert "tenant verified-models is closed but for what is said" in failed
    kubernetes.request("DELETE", f"{path}/open")


def test_check_mode_looks_and_never_fails(tenants: None, playing: Playing) -> None:
    played = playing.play("verify", check=True, **VARIABLES, verify_checks=[
        {"name": "never", "objects": {"api_version": "v1", "kind": "Namespace", "names": ["nowhere"]}},
    ])  # fmt: skip
    never = next(one for one in played.tasks["Check the cluster"]["checks"] if one["name"] == "never")
    assert never["found"] == ["Namespace nowhere is not there"]
