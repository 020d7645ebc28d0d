"""The filters, through Ansible's own templating."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.preflight.plan import pool_demand
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.quotas import largest

POOLS: list[dict[str, t.Any]] = [
    {"name": "shared", "instance_types": ["p5.48xlarge"], "gpu_sharing": {"mode": "time_slicing", "replicas": 3}},
    {"name": "mig", "instance_types": ["p5.48xlarge"], "gpu_sharing": {"mode": "mig", "layout": "all-balanced"}},
    {"name": "cpu", "instance_types": ["m7i.2xlarge"]},
]
AT_BOOT: dict[str, t.Any] = {
    "name": "boot",
    "instance_types": ["p5.48xlarge"],
    "gpu_sharing": {"mode": "mig", "layout": {"3g.40gb": 2}, "applied_by": "user_data"},
}


def templated(expression: str, pools: list[dict[str, t.Any]] | None = None) -> t.Any:
    templar = Templar(loader=DataLoader(), variables={"pools": POOLS if pools is None else pools})
    return templar.template(trust_as_template("{{ pools | aiplatform.eks." + expression + " }}"))


def test_gpu_resource() -> None:
    assert templated("gpu_resource('shared')") == "nvidia.com/gpu.shared"
    assert templated("gpu_resource('mig', profile='2g.20gb')") == "nvidia.com/mig-2g.20gb"


@pytest.mark.parametrize(
    ("scaling", "sizes"),
    [
        (None, (1, 1, 1)),
        ({"min": None, "max": 4}, (1, 4, 1)),
        ({"min": 0}, (0, 1, 0)),
        ({"min": 0, "max": 4, "desired": 2}, (0, 4, 2)),
        ({"desired": 3}, (1, 3, 3)),
    ],
)
def test_pool_sizes_are_those_that_every_part_reckons_with(
    scaling: dict[str, int | None] | None, sizes: tuple[int, int, int]
) -> None:
    pool = {"name": "cpu", "instance_types": ["m7i.2xlarge"], "scaling": scaling}
    assert templated("pool_sizes", [pool]) == {"cpu": dict(zip(("min", "max", "desired"), sizes, strict=True))}
    least, most, first = sizes
    assert pool_demand(pool).nodes == (least, first, most)
    assert largest(pool) == most


def test_the_operator_s_pods_tolerate_what_the_inventory_taints_gpu_pools_with() -> None:
    team = {"key": "team", "value": "vision", "effect": "NoSchedule"}
    starting = {"key": "starting", "effect": "NoExecute"}
    pools = [
        {**POOLS[0], "taints": [team], "startup_taints": [starting]},
        {**POOLS[2], "taints": [{**team, "key": "x"}]},
    ]
    values = templated("gpu_operator_values", pools)
    usual = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    own = [{"key": one["key"], "operator": "Exists", "effect": one["effect"]} for one in (team, starting)]
    assert values["daemonsets"]["tolerations"] == [usual, *own]
    assert values["node-feature-discovery"]["worker"]["tolerations"] == [usual, *own]


def test_gpu_placement() -> None:
    found = templated("gpu_placement('shared')")
    assert found["resources"]["limits"] == {"nvidia.com/gpu.shared": "1"}
    assert found["nodeSelector"] == {"aiplatform.eks/pool": "shared"}
    assert found["tolerations"][0]["key"] == "nvidia.com/gpu"


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("gpu_resource('sahred')", "did you mean 'shared'"),
        ("gpu_resource('cpu')", "it has no accelerators"),
        ("gpu_placement('shared', count=2)", "gives no more than one"),
    ],
)
def test_a_wrong_wish_is_a_sentence(expression: str, sentence: str) -> None:
    with pytest.raises(AnsibleError) as caught:
        templated(expression)
    assert sentence in str(caught.value)


def test_node_pool_settings_carry_what_nodes_need_at_boot() -> None:
    shared, mig, cpu, boot = templated("node_pool_settings", [*POOLS, AT_BOOT])
    assert boot["boot_script"].startswith("#!/bin/bash")
    assert "--create-gpu-instance=3g.40gb:0,3g.40gb:4" in boot["boot_script"]
    assert "nvidia.com/mig.config" not in boot["labels"]
    assert mig["labels"]["nvidia.com/mig.config"]
    assert not any("boot_script" in pool for pool in (shared, mig, cpu))


@pytest.mark.parametrize("own", [{"user_data": "x"}, {"launch_template": {"id": "lt-1"}}, {"boot_script": "x"}])
def test_a_pool_with_an_own_answer_is_refused(own: dict[str, t.Any]) -> None:
    with pytest.raises(AnsibleError) as caught:
        templated("node_pool_settings", [{**AT_BOOT, **own}])
    sentence = "node pool boot: its GPUs are shared by what stands in the nodes' user data, but the pool brings"
    assert f"{sentence} {next(iter(own))}" in str(caught.value)
