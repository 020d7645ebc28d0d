# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The templates of the role vllm, rendered with its own defaults: what is optional, held against the CRDs' schemas."""

from __future__ import annotations

import typing as t
from pathlib import Path

import jsonschema
import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from role_data import ROLES, role_data

CRDS = Path(__file__).resolve().parents[4] / "shared/upstream/crds"
GIVEN: dict[str, t.Any] = {
    "aiplatform_cluster": "test",
    "aiplatform_region": "us-east-1",
    "aiplatform_components": ["monitoring", "keda"],
    "aiplatform_node_pools": [
        {
            "name": "halves",
            "instance_types": ["p4de.24xlarge"],
            "scaling": {"max": 2},
            "gpu_sharing": {"mode": "mig", "layout": {"3g.40gb": 2}},
        }
    ],
    "vllm_models": [{"name": "small", "model": "meta-llama/Llama-3.1-8B-Instruct", "max_replicas": 3}],
    "vllm_cache_storage_class": "efs",
}


def trusted(value: t.Any) -> t.Any:
    """The value with its strings as templates, as Ansible takes a role's own files."""
    if isinstance(value, dict):
        return {key: trusted(one) for key, one in value.items()}
    if isinstance(value, list):
        return [trusted(one) for one in value]
    return trust_as_template(value) if isinstance(value, str) else value


def rendered(**more: t.Any) -> dict[str, dict[str, t.Any]]:
    """Every object of the role, by kind."""
    variables = {**trusted(role_data("vllm", "defaults/main.yml")), **trusted(role_data("vllm", "vars/main.yml"))}
    templar = Templar(loader=DataLoader(), variables={**variables, **GIVEN, **more})
    folder = ROLES / "vllm/templates"
    texts = [templar.template(trust_as_template(path.read_text(encoding="utf-8"))) for path in sorted(folder.iterdir())]
    return {one["kind"]: one for text in texts for one in yaml.safe_load_all(text or "") if one}


def schema(file: str, kind: str) -> dict[str, t.Any]:
    """The schema of a kind from the upstream CRDs, closed: a field that it does not name is an error."""
    if not CRDS.is_dir():
        pytest.skip("../shared is not here")
    found = next(
        one
        for one in yaml.load_all((CRDS / file).read_text(encoding="utf-8"), yaml.CSafeLoader)
        if one and one["spec"]["names"]["kind"] == kind
    )
    return t.cast("dict[str, t.Any]", closed(found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]))


def closed(part: t.Any) -> t.Any:
    if isinstance(part, list):
        return [closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    found = {key: closed(one) for key, one in part.items()}
    if isinstance(part.get("properties"), dict) and part["properties"] and part.get("type") == "object":
        found.setdefault("additionalProperties", False)
    if part.get("type") == "object" and "metadata" in part.get("properties", {}) and "spec" in part["properties"]:
        found["properties"]["metadata"] = {"type": "object"}
    return found


@pytest.mark.parametrize(
    ("kind", "file"), [("ServiceMonitor", "kube-prometheus-stack.yaml"), ("ScaledObject", "keda.yaml")]
)
def test_custom_resources_are_what_their_crds_know(kind: str, file: str) -> None:
    validator = jsonschema.Draft202012Validator(schema(file, kind))
    assert [error.message for error in validator.iter_errors(rendered()[kind])] == []
    wrong = {**rendered()[kind], "spec": {**rendered()[kind]["spec"], "nosuchfield": 1}}
    assert not validator.is_valid(wrong)


def test_who_is_scaled_has_no_fixed_number_of_replicas() -> None:
    found = rendered()
    assert "replicas" not in found["Deployment"]["spec"]
    assert found["ScaledObject"]["spec"]["scaleTargetRef"] == {"name": "small"}
    query = found["ScaledObject"]["spec"]["triggers"][0]["metadata"]["query"]
    assert query == 'sum(vllm:num_requests_waiting{namespace="inference", service="small"})'
    assert found["ScaledObject"]["spec"]["cooldownPeriod"] >= 300


def test_the_monitor_finds_the_services_and_nothing_else() -> None:
    found = rendered()
    assert (
        found["ServiceMonitor"]["spec"]["selector"]["matchLabels"].items()
        <= found["Service"]["metadata"]["labels"].items()
    )
    assert (
        found["Service"]["spec"]["selector"].items()
        <= found["Deployment"]["spec"]["template"]["metadata"]["labels"].items()
    )


def test_a_shared_cache_is_one_claim() -> None:
    volumes = {one["name"]: one for one in rendered()["Deployment"]["spec"]["template"]["spec"]["volumes"]}
    assert volumes["cache"] == {"name": "cache", "persistentVolumeClaim": {"claimName": "vllm-cache"}}
    assert rendered()["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteMany"]
    assert "PersistentVolumeClaim" not in rendered(vllm_cache_storage_class="")


def test_without_models_there_is_nothing() -> None:
    assert rendered(vllm_models=[]) == {}
