# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the namespaces of the inventory, and which of them are refused."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.tenants import tenants

NAMESPACES: list[dict[str, t.Any]] = [
    {"name": "agentic", "calls": ["inference"], "priority_classes": ["critical"]},
    {"name": "research", "calls": ["inference"]},
    {"name": "inference"},
]
POOLS = [{"name": "gpu", "instance_types": ["p5.48xlarge"], "scaling": {"max": 1}}]


def test_a_call_opens_both_sides() -> None:
    found = {one["name"]: one for one in tenants(NAMESPACES, priority_classes=["critical"])}
    assert found["inference"]["callers"] == ["agentic", "research"]
    assert found["agentic"]["callers"] == []
    assert found["agentic"]["pod_security"] == "restricted"


def test_who_is_called_from_outside_the_mesh_is_known() -> None:
    jobs = {"name": "jobs", "calls": ["inference"], "mesh": False}
    front = {"name": "front", "ingress_cidrs": ["10.0.0.0/16"]}
    found = {one["name"]: one for one in tenants([*NAMESPACES, jobs, front], priority_classes=["critical"])}
    assert [name for name, one in found.items() if one["called_from_outside_mesh"]] == ["inference", "front"]
    assert not any(one["called_from_outside_mesh"] for one in tenants(NAMESPACES, priority_classes=["critical"]))


def test_nobody_may_use_the_priority_of_others() -> None:
    found = {one["name"]: one["foreign_priorities"] for one in tenants(NAMESPACES, priority_classes=["critical"])}
    assert "critical" not in found["agentic"]
    assert found["research"] == ["critical", "system-cluster-critical", "system-node-critical"]


def test_quotas_come_in_the_names_that_the_pools_publish() -> None:
    found = tenants(NAMESPACES[1:], quotas={"inference": {"gpus": 2}}, pools=POOLS)
    assert [one["hard"] for one in found] == [{}, {"requests.nvidia.com/gpu": "2"}]


@pytest.mark.parametrize(
    ("namespaces", "settings", "sentence"),
    [
        ([{"name": "a"}, {"name": "a"}], {}, "a stand twice; names of namespaces are unique"),
        ([{"name": "a", "calls": ["inferense"]}, {"name": "inference"}], {}, "did you mean 'inference'?"),
        (
            [{"name": "a", "priority_classes": ["critcal"]}],
            {"priority_classes": ["critical"]},
            "unknown priority class",
        ),
        ([{"name": "a"}], {"quotas": {"b": {}}}, "governance_quotas: unknown namespace 'b'; known are a"),
        (
            [{"name": "a"}],
            {"quotas": {"a": {"gpus": 9}}, "pools": POOLS},
            "governance_quotas.a.gpus is 9, but all pools",
        ),
        ([{"name": "a", "pod_security": "baseline"}], {}, "list the namespace there with its level and the reason"),
        ([{"name": "a", "pod_security": "strict"}], {}, "unknown Pod Security level 'strict'"),
        (
            [{"name": "a", "pod_security": "privileged"}],
            {"exceptions": [{"namespace": "a", "level": "baseline", "reason": "x"}]},
            "its Pod Security is privileged, and governance_pod_security_exceptions allows baseline",
        ),
    ],
)
def test_what_means_nothing_is_refused(namespaces: t.Any, settings: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(PlatformError) as caught:
        tenants(namespaces, **settings)
    assert sentence in caught.value.message


def test_a_namespace_of_others_may_be_called_when_it_is_named() -> None:
    found = tenants([{"name": "a", "calls": ["gateway"]}], other_namespaces=["gateway"])
    assert found[0]["calls"] == ["gateway"]


def test_a_listed_exception_is_taken() -> None:
    exception = {"namespace": "a", "level": "baseline", "reason": "its vendor says so"}
    assert tenants([{"name": "a", "pod_security": "baseline"}], exceptions=[exception])[0]["pod_security"] == "baseline"


def test_the_filter_gives_the_same() -> None:
    templar = Templar(loader=DataLoader(), variables={"namespaces": NAMESPACES})
    wish = trust_as_template("{{ namespaces | aiplatform.eks.tenants(priority_classes=['critical']) }}")
    assert [one["callers"] for one in templar.template(wish)] == [[], [], ["agentic", "research"]]
    with pytest.raises(AnsibleError, match="unknown priority class 'critical'"):
        templar.template(trust_as_template("{{ namespaces | aiplatform.eks.tenants }}"))
