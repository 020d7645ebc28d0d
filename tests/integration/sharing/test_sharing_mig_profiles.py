"""Rolls of MIG layouts on a real control plane: pods, budgets, faults, and a process that is killed."""

from __future__ import annotations

import random
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._sharing import mig_profiles
from sharing_world import Gpus, KilledError, Watchman, defaults

POOL, NODES = "h100-mig", 6
BALANCED = {"1g.10gb": 2, "2g.20gb": 1, "3g.40gb": 1}


def pool(layout: t.Any) -> dict[str, t.Any]:
    sharing = {"mode": "mig", "layout": layout} if layout else {"mode": "exclusive"}
    return {"name": POOL, "instance_types": ["p5.48xlarge"], "gpu_sharing": sharing}


def roll(gpus: Gpus, layout: t.Any, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    quick = {"drain": {"timeout": 15}, "node_timeout": 8, "verify_timeout": 8, "max_unavailable": "2"}
    given = {**gpus.options, **quick, "node_pools": [pool(layout)], **options}
    values = defaults(mig_profiles.SPEC, **given)
    context = Context(check_mode=check, diff_mode=True)
    return mig_profiles.run(values, context).to_result(context)


@pytest.fixture(scope="module")
def six(gpus: Gpus) -> Gpus:
    """Six nodes in the layout 2 x 3g.40gb."""
    gpus.operator([pool({"3g.40gb": 2})])
    start = roll(gpus, {"3g.40gb": 2})
    assert start["changed"]
    gpus.pool(pool({"3g.40gb": 2}), NODES)
    gpus.until(lambda: gpus.allocatable(POOL, "nvidia.com/mig-3g.40gb") == {"16"}, "first layout")
    return gpus


@pytest.fixture(autouse=True)
def calm(gpus: Gpus) -> t.Iterator[None]:
    gpus.control()
    gpus.service.disruptions.clear()
    yield
    gpus.control()


def test_check_mode_says_what_the_run_does_and_a_second_run_changes_nothing(six: Gpus) -> None:
    assert not roll(six, {"3g.40gb": 2})["changed"]
    planned = roll(six, BALANCED, check=True)
    assert six.allocatable(POOL, "nvidia.com/mig-3g.40gb") == {"16"}
    with Watchman(six, POOL) as watchman:
        done = roll(six, BALANCED)
    assert watchman.most <= 2
    assert planned["diff"] == done["diff"]
    assert set(planned) == set(done)
    assert planned["counts"] == done["counts"] == {**dict.fromkeys(planned["counts"], 0), "changed": NODES}
    assert six.allocatable(POOL, "nvidia.com/mig-1g.10gb") == {"16"}
    assert not any(node["spec"].get("unschedulable") for node in six.nodes(POOL))
    assert not roll(six, BALANCED)["changed"]
    (data,) = (
        six.client.request("GET", "/api/v1/namespaces/gpu-operator/configmaps/aiplatform-mig-layouts")
        .body["data"]
        .values()
    )
    assert "3g.40gb-x2:" not in data


def test_pods_leave_within_their_budget_and_never_see_a_change(six: Gpus) -> None:
    six.deployment("roll-a", "server", POOL, "nvidia.com/mig-1g.10gb", replicas=12, budget=3)
    with Watchman(six, POOL) as watchman:
        done = roll(six, {"1g.10gb": 7}, max_unavailable="34%")
    assert done["counts"]["changed"] == NODES
    assert watchman.most <= 2
    assert six.service.disruptions.entries() == []
    assert sum(len(node["evicted"]) for node in done["nodes"].values()) >= 12
    six.until(lambda: len(six.running("roll-a")) == 12, "the pods do not run again")
    six.clear("roll-a")


def test_what_happens_when_a_budget_blocks(six: Gpus) -> None:
    six.deployment("roll-b", "stubborn", POOL, "nvidia.com/mig-1g.10gb", replicas=1, budget=0)
    (home,) = {pod["spec"]["nodeName"] for pod in six.running("roll-b")}
    skipped = roll(six, BALANCED, drain={"on_blocked": "skip"}, max_unavailable="8")
    assert skipped["nodes"][home]["result"] == "skipped"
    assert "budget" in skipped["nodes"][home]["message"]
    assert skipped["counts"]["changed"] == NODES - 1
    with pytest.raises(PlatformError, match="GPU pods are still on it") as waited:
        roll(six, BALANCED, drain={"on_blocked": "wait", "timeout": 3})
    assert waited.value.details["nodes"][home]["result"] == "failed"
    with pytest.raises(PlatformError, match="a disruption budget keeps"):
        roll(six, BALANCED, drain={"on_blocked": "fail"})
    node = next(node for node in six.nodes(POOL) if node["metadata"]["name"] == home)
    assert not node["spec"].get("unschedulable")
    assert node["metadata"]["labels"]["nvidia.com/mig.config"] == "1g.10gb-x7"
    six.unblock()
    assert roll(six, BALANCED)["counts"]["changed"] == 1
    assert six.service.disruptions.entries() == []
    six.clear("roll-b")


@pytest.mark.parametrize("kind", ["failed", "stuck_pending", "plugin_down"])
def test_wedged_nodes_are_recovered(six: Gpus, kind: str) -> None:
    first, second = sorted(node["metadata"]["name"] for node in six.nodes(POOL))[:2]
    six.control(faults=[{"kind": kind, "nodes": name, "times": 1} for name in (first, second)])
    wish: t.Any = {"failed": {"2g.20gb": 3}, "stuck_pending": {"7g.80gb": 1}}.get(kind, {"1g.20gb": 4})
    if kind == "plugin_down":
        with pytest.raises(PlatformError, match="instead of"):
            roll(six, wish, max_unavailable="8", max_failures=8, verify_timeout=1, retries=1)
        six.control()
        assert roll(six, wish)["counts"]["failed"] == 0
    else:
        done = roll(six, wish, max_unavailable="8", node_timeout=4)
        assert done["nodes"][first]["recoveries"] == done["nodes"][second]["recoveries"] == 1
        assert done["counts"]["changed"] == NODES
    assert not roll(six, wish)["changed"]
    paused = [
        name
        for node in six.nodes(POOL)
        for name, value in node["metadata"]["labels"].items()
        if value == "paused-for-mig-change"
    ]
    assert not paused


def test_a_node_that_always_fails_stops_the_roll_and_is_named(six: Gpus) -> None:
    broken = min(node["metadata"]["name"] for node in six.nodes(POOL))
    six.control(faults=[{"kind": "failed", "nodes": broken}])
    with pytest.raises(PlatformError) as caught:
        roll(six, {"3g.40gb": 2}, max_unavailable="1", retries=1)
    assert f"node {broken}: mig-manager failed for 3g.40gb-x2 after 1 recoveries" in str(caught.value)
    assert "were not begun after these failures" in str(caught.value)
    six.control()
    assert roll(six, {"3g.40gb": 2}, max_unavailable="4")["counts"]["failed"] == 0
    assert six.allocatable(POOL, "nvidia.com/mig-3g.40gb") == {"16"}


def test_a_node_that_an_admin_cordoned_stays_cordoned(six: Gpus) -> None:
    name = six.nodes(POOL)[3]["metadata"]["name"]
    six.client.request(
        "PATCH", f"/api/v1/nodes/{name}", body={"spec": {"unschedulable": True}},
        content_type="application/merge-patch+json",
    )  # fmt: skip
    assert roll(six, {"1g.10gb": 7}, max_unavailable="4")["counts"]["changed"] == NODES
    assert [node["metadata"]["name"] for node in six.nodes(POOL) if node["spec"].get("unschedulable")] == [name]
    six.client.request(
        "PATCH", f"/api/v1/nodes/{name}", body={"spec": {"unschedulable": None}},
        content_type="application/merge-patch+json",
    )  # fmt: skip


def test_killed_at_random_steps_it_goes_on(six: Gpus, monkeypatch: pytest.MonkeyPatch, dice: random.Random) -> None:
    wishes: list[t.Any] = [BALANCED, {"3g.40gb": 2}, {"1g.10gb": 7}]
    kills = 0
    for wish in wishes:
        with Watchman(six, POOL) as watchman:
            for _attempt in range(4):
                mortal = six.killed_after(dice.randint(0, 9))
                monkeypatch.setattr(mig_profiles, "connect", lambda *_options, client=mortal: client)
                try:
                    roll(six, wish, max_unavailable="3")
                except KilledError:
                    kills += 1
                monkeypatch.undo()
            done = roll(six, wish, max_unavailable="3")
        assert watchman.most <= 3
        assert done["counts"]["failed"] == done["counts"]["waiting"] == 0
        assert not roll(six, wish)["changed"]
    assert kills >= 4
    assert six.service.disruptions.entries() == []
    assert not any(node["spec"].get("unschedulable") for node in six.nodes(POOL))
    assert not any("aiplatform.eks/operation" in node["metadata"]["annotations"] for node in six.nodes(POOL))


def test_mig_can_be_turned_off(six: Gpus) -> None:
    assert roll(six, None, max_unavailable="8")["counts"]["changed"] == NODES
    assert six.allocatable(POOL, "nvidia.com/gpu") == {"8"}
    assert not roll(six, None)["changed"]
