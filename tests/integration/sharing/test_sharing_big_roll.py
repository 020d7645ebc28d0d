"""A hundred nodes between four layouts, with pods, budgets, faults, and a process that is killed ten times."""

from __future__ import annotations

import random
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._sharing import mig_profiles
from sharing_world import Gpus, KilledError, Watchman, defaults

POOL, NODES, OUT, KILLS, PODS = "h100-hundred", 100, 34, 10, 30
SHARE = "nvidia.com/mig-1g.10gb"
LAYOUTS: list[tuple[dict[str, int], int]] = [
    ({"1g.10gb": 7}, 56),
    ({"3g.40gb": 1, "1g.10gb": 4}, 32),
    ({"3g.40gb": 1, "2g.20gb": 1, "1g.10gb": 2}, 16),
    ({"2g.20gb": 3, "1g.10gb": 1}, 8),
]


def pool(layout: dict[str, int]) -> dict[str, t.Any]:
    sharing = {"mode": "mig", "layout": layout}
    return {"name": POOL, "instance_types": ["p5.48xlarge"], "gpu_sharing": sharing}


def roll(gpus: Gpus, layout: dict[str, int]) -> dict[str, t.Any]:
    quick = {"drain": {"timeout": 180}, "node_timeout": 15, "verify_timeout": 60, "max_unavailable": str(OUT)}
    context = Context()
    options = defaults(mig_profiles.SPEC, **gpus.options, **quick, node_pools=[pool(layout)])
    return mig_profiles.run(options, context).to_result(context)


@pytest.fixture(scope="module")
def hundred(gpus: Gpus) -> t.Iterator[Gpus]:
    layout, share = LAYOUTS[0]
    gpus.control(delays={"mig": 0.2, "mode": 0.1})
    gpus.operator([pool(layout)])
    roll(gpus, layout)
    gpus.pool(pool(layout), NODES)
    gpus.until(lambda: gpus.allocatable(POOL, SHARE) == {str(share)}, "first layout", 90)
    yield gpus
    gpus.clear("hundred")
    gpus.control()


def test_a_hundred_nodes_go_through_four_layouts(
    hundred: Gpus, monkeypatch: pytest.MonkeyPatch, dice: random.Random
) -> None:
    hundred.deployment("hundred", "users", POOL, SHARE, replicas=PODS, budget=PODS // 2)
    names = sorted(node["metadata"]["name"] for node in hundred.nodes(POOL))
    fails, stuck = dice.sample(names, 2)
    faults = [{"kind": "failed", "nodes": fails, "times": 1}, {"kind": "stuck_pending", "nodes": stuck, "times": 1}]
    hundred.control(delays={"mig": 0.2, "mode": 0.1}, faults=faults)
    hundred.service.disruptions.clear()
    kills, recoveries = 0, 0
    for (layout, share), killers in zip(LAYOUTS[1:], (4, 3, 3), strict=True):
        with Watchman(hundred, POOL) as watchman:
            for _attempt in range(killers):
                mortal = hundred.killed_after(dice.randint(1, 60))
                with monkeypatch.context() as patched:
                    patched.setattr(mig_profiles, "connect", lambda *_options, client=mortal: client)
                    with pytest.raises(KilledError):
                        roll(hundred, layout)
                kills += 1
            done = roll(hundred, layout)
        assert watchman.most <= OUT
        assert done["counts"]["changed"] + done["counts"]["unchanged"] == NODES
        assert hundred.allocatable(POOL, SHARE) == {str(share)}
        recoveries += sum(node["recoveries"] for node in done["nodes"].values())
    assert kills == KILLS
    assert recoveries >= 1
    assert hundred.service.disruptions.entries() == []
    hundred.until(lambda: len(hundred.running("hundred")) == PODS, "the pods do not run again")
    assert not any(node["spec"].get("unschedulable") for node in hundred.nodes(POOL))
    assert not any("aiplatform.eks/operation" in node["metadata"]["annotations"] for node in hundred.nodes(POOL))
    assert not roll(hundred, LAYOUTS[-1][0])["changed"]
