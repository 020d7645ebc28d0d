# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventories say what they promise: production in full, the others its shape at less size."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.manager import VariableManager
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import sharing_policies
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy_nodes import allocatable, quota_keys
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.tenants import tenants

ROOT = Path(__file__).resolve().parents[3]
HOSTS = {"local": "local", "dev": "dev-us-east-1", "staging": "staging-us-east-1", "production": "prod-us-east-1"}


def variables(environment: str) -> dict[str, t.Any]:
    """All variables of the inventory's one host, templated."""
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[str(ROOT / "inventories" / environment)])
    assert [host.name for host in inventory.get_hosts("clusters")] == [HOSTS[environment]]
    found = VariableManager(loader=loader, inventory=inventory).get_vars(host=inventory.get_host(HOSTS[environment]))
    own = {name: value for name, value in found.items() if not name.startswith(("ansible_", "group"))}
    return t.cast("dict[str, t.Any]", Templar(loader=loader, variables=found).template(own))


@pytest.fixture(scope="module")
def production() -> dict[str, t.Any]:
    return variables("production")


def test_production_is_the_platform_of_the_brief(production: dict[str, t.Any]) -> None:
    assert production["aiplatform_cloud"] == "aws"
    assert production["aiplatform_components"] == ["linkerd", "monitoring", "mlflow", "vllm"]
    assert len(set(production["foundation_zones"])) == 3
    assert production["cluster_endpoint"] == {"public": False, "private": True}
    assert len(production["cluster_logging"]) == 5
    pools = {pool["name"]: pool for pool in production["aiplatform_node_pools"]}
    assert list(pools) == ["system", "a100-shared", "a100-mig", "h100-shared", "training-spot"]
    assert pools["a100-shared"]["gpu_sharing"] == {"mode": "time_slicing", "replicas": 3}
    assert pools["a100-mig"]["gpu_sharing"] == {"mode": "mig", "layout": {"3g.40gb": 2}}
    assert pools["h100-shared"]["gpu_sharing"] == {"mode": "time_slicing", "replicas": 3}
    assert pools["training-spot"]["capacity_type"] == "spot"
    assert [name for name, pool in pools.items() if pool["scaling"]["min"] == 0] == [
        "a100-shared",
        "h100-shared",
        "training-spot",
    ]


@pytest.mark.parametrize(
    ("pool", "offered"),
    [
        ("a100-shared", {"nvidia.com/gpu.shared": 24}),
        ("a100-mig", {"nvidia.com/mig-3g.40gb": 16}),
        ("h100-shared", {"nvidia.com/gpu.shared": 24}),
        ("training-spot", {"nvidia.com/gpu": 8}),
    ],
)
def test_what_a_node_of_each_pool_offers(production: dict[str, t.Any], pool: str, offered: dict[str, int]) -> None:
    policy = next(one for one in sharing_policies(production["aiplatform_node_pools"]) if one.pool == pool)
    assert {tuple(allocatable(policy, one).items()) for one in policy.types} == {tuple(offered.items())}


@pytest.mark.parametrize("environment", ["dev", "staging"])
def test_a_smaller_environment_has_the_same_shape(production: dict[str, t.Any], environment: str) -> None:
    smaller = variables(environment)

    def shape(found: dict[str, t.Any]) -> list[dict[str, t.Any]]:
        return [{**pool, "scaling": None} for pool in found["aiplatform_node_pools"]]

    assert shape(smaller) == shape(production)
    for name, wanted in production["aiplatform_pool_scaling"].items():
        found = smaller["aiplatform_pool_scaling"][name]
        assert found["min"] <= wanted["min"]
        assert found["max"] < wanted["max"]
    assert smaller["aiplatform_cluster"] == HOSTS[environment]
    assert smaller["aiplatform_tags"]["environment"] == environment
    assert smaller["aiplatform_components"] == production["aiplatform_components"]


def defaults_of_governance() -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", yaml.safe_load((ROOT / "roles/governance/defaults/main.yml").read_text("utf-8")))


@pytest.mark.parametrize("environment", [*HOSTS])
def test_the_quotas_fit_the_pools_and_hold_every_gpu_resource(environment: str) -> None:
    found, role = variables(environment), defaults_of_governance()
    namespaces = tenants(
        role["governance_namespaces"],
        pools=found["aiplatform_node_pools"],
        quotas=found["governance_quotas"],
        priority_classes=[one["name"] for one in role["governance_priority_classes"]],
        exceptions=role["governance_pod_security_exceptions"],
    )
    published = {key for one in sharing_policies(found["aiplatform_node_pools"]) for key in quota_keys(one)}
    bounded = [one for one in namespaces if "gpus" in found["governance_quotas"].get(one["name"], {})]
    assert bounded
    assert all(published <= set(one["hard"]) for one in bounded)


def test_the_quotas_and_priorities_of_the_brief(production: dict[str, t.Any]) -> None:
    quotas = production["governance_quotas"]
    said = {
        name: (sum((one["gpus"] or {}).values()), one["cpu"], one["memory"])
        for name, one in quotas.items()
        if "cpu" in one
    }
    assert said == {
        "training": (20, "160", "640Gi"),
        "inference": (10, "80", "800Gi"),
        "agentic": (8, "64", "320Gi"),
        "mlops": (0, "32", "64Gi"),
    }
    classes = {one["name"]: one["value"] for one in defaults_of_governance()["governance_priority_classes"]}
    assert classes == {
        "production-inference": 1000,
        "critical-agents": 900,
        "training": 500,
        "research": 100,
        "development": 50,
    }


def test_every_pool_of_every_inventory_can_be_shared_as_it_says() -> None:
    for environment in HOSTS:
        assert sharing_policies(variables(environment)["aiplatform_node_pools"])
