"""The module's face of the planner: what it refuses, and that what it returns is right and usable as it is."""

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.boards import board
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.creation_order import HIGHEST, LOWEST, succeeds
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.instances import instance_type
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.plan_use_case import USE_CASE
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import sharing_policies
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy_nodes import allocatable
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.program import (
    OutOfTimeError,
    Program,
    Solved,
    Stop,
    Terms,
)


def validated(**options: t.Any) -> dict[str, t.Any]:
    """The module's arguments."""
    found = ArgumentSpecValidator(dict(USE_CASE.spec.options), **USE_CASE.spec.constraints()).validate(options)
    assert not found.error_messages
    return dict(found.validated_parameters)


def planned(**options: t.Any) -> dict[str, t.Any]:
    """What the module returns."""
    return dict(USE_CASE.run(validated(**options), Context()).facts)


NOTEBOOKS = {"name": "notebooks", "count": 9, "profile": "1g.10gb"}
REFUSED: list[tuple[dict[str, t.Any], str]] = [
    (
        {"demands": [{"name": "x", "profile": "3g.40gb"}], "instance_types": ["p4d.24xlarge"]},
        "demand x: 3g.40gb does not exist on p4d.24xlarge, whose A100 has 40 GB: 3g.20gb is the same share; or choose "
        "p4de or p5",
    ),
    ({"demands": [NOTEBOOKS], "instance_types": ["g6.xlarge"]}, "g6.xlarge (NVIDIA L4) cannot do MIG"),
    ({"demands": [NOTEBOOKS], "instance_types": ["p6e-gb200.36xlarge"]}, "say it: prices: {p6e-gb200.36xlarge: 12.34}"),
    (
        {"demands": [NOTEBOOKS], "instance_types": ["p6e-gb200.36xlarge"], "prices": {"p6e-gb200.36xlarge": 1}},
        "coherent driver memory (CDMM), which does not support MIG",
    ),
    ({"demands": [NOTEBOOKS], "instance_types": ["m7i.large"]}, "m7i.large has no NVIDIA GPU"),
    ({"demands": [NOTEBOOKS, NOTEBOOKS]}, "demands: notebooks stand twice"),
    ({"demands": [{"name": "x", "count": -1}]}, "demand x: count is -1; it must be 0 or more"),
    ({"demands": [{"name": "x"}]}, "it says nothing about its size"),
    ({"demands": [{**NOTEBOOKS, "memory_gb": 3}]}, "the profile 1g.10gb and a minimum as well"),
    ({"demands": [{"name": "x", "memory_gb": 9, "boards": ["h100"]}]}, "unknown board 'h100'"),
    (
        {"demands": [{"name": "x", "memory_gb": 999}], "instance_types": ["p5.4xlarge"]},
        "no GPU or MIG instance of p5.4xlarge has 999 GB",
    ),
    (
        {
            "demands": [NOTEBOOKS],
            "node_pools": [{"name": "a", "instance_types": ["p5.4xlarge"], "scaling": {"max": 1}}],
        },
        "9 x notebooks do not fit on 0 live GPUs and at most 1 x p5.4xlarge",
    ),
    (
        {"demands": [NOTEBOOKS], "node_pools": [{"name": "a", "instance_types": ["m7i.large"]}]},
        "no pool's GPUs can be planned (a: it has no NVIDIA GPU)",
    ),
    (
        {"demands": [NOTEBOOKS], "nodes": [{"name": "n", "instance_type": "p5.48xlarge", "gpus": [{"count": 7}]}]},
        "node n: gpus describes 7 GPUs, but p5.48xlarge has 8",
    ),
    (
        {
            "demands": [NOTEBOOKS],
            "nodes": [{"name": "n", "instance_type": "p5.4xlarge", "gpus": [{"layout": {"3g.40gb": 3}}]}],
        },
        "node n: no GPU can have the layout {3g.40gb: 3}",
    ),
    (
        {
            "demands": [NOTEBOOKS],
            "nodes": [{"name": "n", "instance_type": "p5.4xlarge", "gpus": [{"used": {"notebooks": {"gpu": 2}}}]}],
        },
        "node n: 2 x gpu are in use on a GPU that has 1",
    ),
    (
        {
            "demands": [NOTEBOOKS],
            "nodes": [{"name": "n", "instance_type": "p5.4xlarge", "gpus": [{"used": {"notebooks": 2}}]}],
        },
        "node n: used.notebooks is 2; wanted is a mapping of profiles to counts",
    ),
]


@pytest.mark.parametrize(("options", "sentence"), REFUSED, ids=[sentence for _options, sentence in REFUSED])
def test_what_cannot_be_planned_is_refused_with_its_reason(options: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(PlatformError) as caught:
        planned(**options)
    assert sentence in str(caught.value)


def test_every_layout_comes_with_its_proof() -> None:
    demands = [NOTEBOOKS, {"name": "servers", "count": 11, "memory_gb": 35, "compute_slices": 3}]
    found = planned(demands=demands, instance_types=["p5.4xlarge", "p4de.24xlarge"])
    assert found["proved"]
    assert found["price"] == found["bound"] > 0
    for layout in found["layouts"]:
        target = board(layout["board"])
        taken = [
            slot for place in layout["placements"] for slot in range(place["start"], place["start"] + place["size"])
        ]
        assert len(taken) == len(set(taken)) == (target.memory_slices or 0) - layout["free_memory_slices"]
        for choice in (LOWEST, HIGHEST):
            assert succeeds(target, layout["creation_order"], choice) or not layout["survives_every_driver"]
    assert sum(place["count"] for place in found["placed"]["servers"]) == 11


def test_the_pools_of_a_plan_are_pools_of_an_inventory() -> None:
    """What the planned pools really offer, by the sharing policy, is what the plan counts on."""
    demands = [
        {"name": "a", "count": 30, "profile": "1g.10gb"},
        {"name": "b", "count": 9, "profile": "3g.40gb"},
        {"name": "c", "count": 3, "profile": "gpu"},
    ]
    found = planned(demands=demands, instance_types=["p5.48xlarge"])
    offered: dict[str, int] = {}
    for pool, policy in zip(found["node_pools"], sharing_policies(found["node_pools"]), strict=True):
        for name, count in allocatable(policy, instance_type(pool["instance_types"][0])).items():
            offered[name] = offered.get(name, 0) + count * pool["scaling"]["min"]
    assert offered["nvidia.com/mig-1g.10gb"] >= 30
    assert offered["nvidia.com/mig-3g.40gb"] >= 9
    assert offered["nvidia.com/gpu"] >= 3
    assert sum(pool["scaling"]["min"] for pool in found["node_pools"]) == found["bought"]["p5.48xlarge"]
    assert len({pool["name"] for pool in found["node_pools"]}) == len(found["node_pools"])


def test_pools_keep_their_names_and_limits() -> None:
    pools = [
        {"name": "cheap", "instance_types": ["p4de.24xlarge"], "scaling": {"max": 1}},
        {"name": "dear", "instance_types": ["p5.48xlarge"], "scaling": {"min": 0, "max": 4}},
        {"name": "train", "instance_types": ["p5.48xlarge"], "purpose": "training"},
        {"name": "sliced", "instance_types": ["p5.48xlarge"], "gpu_sharing": {"mode": "time_slicing", "replicas": 2}},
        {"name": "system", "instance_types": ["m7i.large"]},
    ]
    found = planned(demands=[{"name": "x", "count": 100, "profile": "1g.10gb"}], node_pools=pools)
    assert found["bought"] == {"p4de.24xlarge": 1, "p5.48xlarge": 1}
    assert {pool["name"].partition("-")[0] for pool in found["node_pools"]} == {"cheap", "dear"}
    assert set(found["left_out"]) == {"train", "sliced", "system"}


def limited(**limits: int) -> list[dict[str, t.Any]]:
    """Pools of p5.4xlarge, which has one GPU, so that every layout is a pool of its own."""
    return [{"name": name, "instance_types": ["p5.4xlarge"], "scaling": {"max": most}} for name, most in limits.items()]


def sizes(found: dict[str, t.Any]) -> dict[str, int]:
    """Planned pool -> its nodes."""
    assert len({pool["name"] for pool in found["node_pools"]}) == len(found["node_pools"])
    return {pool["name"]: pool["scaling"]["max"] for pool in found["node_pools"]}


def test_no_pool_gets_more_nodes_than_it_may_have() -> None:
    whole = {"name": "x", "count": 5, "profile": "gpu"}
    assert sizes(planned(demands=[whole], node_pools=limited(a=2, b=4))) == {"a": 2, "b": 3}
    silent = [{"name": "c", "instance_types": ["p5.4xlarge"]}]
    assert sizes(planned(demands=[whole], node_pools=[*silent, *limited(d=4)])) == {"c": 1, "d": 4}
    cut = [{"name": "x", "count": 1, "profile": "gpu"}, {"name": "y", "count": 3, "profile": "7g.80gb"}]
    pools = [*limited(a=4), {"name": "a-2", "instance_types": ["m7i.large"]}]
    assert sizes(planned(demands=cut, node_pools=pools)) == {"a": 1, "a-3": 3}


def test_live_nodes_take_their_part_of_the_limit() -> None:
    nodes = [{"name": f"n{number}", "instance_type": "p5.4xlarge"} for number in range(2)]
    wanted = {"name": "x", "profile": "gpu"}
    found = planned(demands=[{**wanted, "count": 3}], node_pools=limited(a=1, b=2), nodes=nodes)
    assert (found["bought"], sizes(found)) == ({"p5.4xlarge": 1}, {"b": 1})
    with pytest.raises(PlatformError, match=r"do not fit on 2 live GPUs and at most 1 x p5\.4xlarge"):
        planned(demands=[{**wanted, "count": 4}], node_pools=limited(a=1, b=2), nodes=nodes)


def test_a_goal_that_ran_out_of_time_is_named_and_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    solve = Program.solve

    def impatient(self: Program, goal: Terms, stop: Stop, **options: t.Any) -> Solved | None:
        """No time for what counts instances that stay."""
        if any(cost < 0 for cost in goal.values()):
            raise OutOfTimeError("no time")
        return solve(self, goal, stop, **options)

    monkeypatch.setattr(Program, "solve", impatient)
    node = {"name": "n", "instance_type": "p5.4xlarge", "gpus": [{"used": {"x": {"gpu": 1}}}]}
    options = {"demands": [{"name": "x", "count": 1, "profile": "gpu"}], "nodes": [node]}
    outcome = USE_CASE.run(validated(**options), Context())
    assert outcome.facts["unproved"] == ["moved"]
    assert outcome.facts["proved"]
    assert outcome.facts["placed"]["x"] == [{"instance_type": "p5.4xlarge", "profile": "gpu", "count": 1}]
    (warning,) = outcome.warnings
    assert warning == (
        "the time was over before every other plan was ruled out: fewer than 0 running instances might have to move; "
        "raise time_limit to know"
    )


def test_a_live_state_is_kept_where_it_can_be() -> None:
    node = {
        "name": "n",
        "instance_type": "p5.4xlarge",
        "gpus": [{"layout": {"3g.40gb": 2}, "used": {"servers": {"3g.40gb": 1}}}],
    }
    demands = [{"name": "servers", "count": 1, "memory_gb": 35}, {"name": "more", "count": 1, "profile": "mig-3g.40gb"}]
    found = planned(demands=demands, nodes=[node])
    assert found["changes"] == {"repartitioned": 0, "repartitioned_bound": 0, "moved": 0, "ended": 0}
    assert found["nodes"] == [
        {
            "name": "n",
            "instance_type": "p5.4xlarge",
            "changed": False,
            "gpus": [
                {
                    "layout": {"3g.40gb": 2},
                    "changed": False,
                    "used": {"more": {"3g.40gb": 1}, "servers": {"3g.40gb": 1}},
                }
            ],
        }
    ]
    assert found["bought"] == {}


def test_waste_is_counted() -> None:
    found = planned(demands=[{"name": "x", "count": 1, "profile": "3g.40gb"}], instance_types=["p4de.24xlarge"])
    assert found["waste"]["gpus"] == 7
    assert (found["waste"]["compute_slices"], found["waste"]["memory_slices"]) == (4, 4)
    assert found["waste"]["memory_gib"] == 40.0


def test_prices_may_be_said() -> None:
    options = {"demands": [NOTEBOOKS], "instance_types": ["p5.4xlarge", "p4de.24xlarge"]}
    assert planned(**options)["bought"] == {"p5.4xlarge": 2}
    assert planned(**options, prices={"p4de.24xlarge": 1.5})["bought"] == {"p4de.24xlarge": 1}


def test_without_a_choice_every_type_with_a_price_is_weighed() -> None:
    found = planned(demands=[{"name": "x", "count": 1, "memory_gb": 20}])
    assert found["bought"] == {"g6.xlarge": 1}
    assert found["node_pools"][0]["gpu_sharing"] == {"mode": "exclusive"}
