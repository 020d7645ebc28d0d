"""What a roll does next with a node: every state that a node can be found in."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.eviction import PodState, pod_state, to_evict
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.nodes import (
    NodeState,
    cordon_patch,
    node_state,
    uncordon_patch,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._sharing.roll import (
    Progress,
    RollSettings,
    Target,
    decide,
    node_slots,
    recover_patch,
    relabel_patch,
)

CONFIG, STATE = "nvidia.com/mig.config", "nvidia.com/mig.config.state"
TARGET = Target(pool="p", layout="new", allocatable={"nvidia.com/mig-1g.10gb": 7})
SETTINGS = RollSettings()


def node(layout: str = "old", state: str | None = "success", **more: t.Any) -> NodeState:
    labels = {CONFIG: layout, **({STATE: state} if state else {})}
    return NodeState("n", **{"labels": labels, "allocatable": {"nvidia.com/gpu": 8}, **more})


def ours(layout: str = "old", state: str | None = "success", **more: t.Any) -> NodeState:
    return node(layout, state, schedulable=False, operation="mig-profiles", **more)


def pod(**more: t.Any) -> PodState:
    fields = {
        "key": "a/b", "uid": "u", "node": "n", "resources": frozenset({"nvidia.com/gpu"}), "owner": "ReplicaSet",
        "daemon": "", "running": True, "deleting": False,
    }  # fmt: skip
    return PodState(**{**fields, **more})


RIGHT = {"allocatable": dict(TARGET.allocatable)}
CONFIRMED = {"confirmed": True, "taken": 0.0}
CASES: list[tuple[str, NodeState, list[PodState], dict[str, t.Any], str]] = [
    ("right", node("new", "success", **RIGHT), [], {}, "done"),
    ("right, but held by an earlier run", ours("new", "success", **RIGHT), [], {}, "give_back"),
    ("old layout", node(), [], {}, "take"),
    ("right label, but the state says so for another layout", node("new", "success"), [], {}, "take"),
    ("not ready", node(ready=False), [], {"started": 0.0}, "wait"),
    ("not ready for too long", node(ready=False), [], {"started": -1000.0}, "fail"),
    ("cordoned, a pod is there", ours(), [pod()], {}, "evict"),
    ("cordoned, a pod was asked to go", ours(), [pod()], {"asked": 99.0}, "wait"),
    ("cordoned, the pod is going", ours(), [pod(deleting=True)], {}, "wait"),
    ("cordoned, nobody would make the pod again", ours(), [pod(owner="")], {}, "put_back"),
    ("cordoned, drain took too long", ours(), [pod()], {"drained_from": -1000.0}, "put_back"),
    ("cordoned, only daemons and pods without GPUs", ours(), [pod(daemon="d"), pod(resources=frozenset())], {}, "wait"),
    ("empty for a while", ours(), [], {"taken": 0.0}, "confirm"),
    ("looked twice", ours(), [], CONFIRMED, "relabel"),
    ("at work", ours("new", "pending"), [], {"phase_from": 50.0}, "wait"),
    ("restarting", ours("new", "rebooting", ready=False), [], {"phase_from": 50.0}, "wait"),
    ("nothing said yet", ours("new", None), [], {"phase_from": 50.0}, "wait"),
    ("stuck", ours("new", "pending"), [], {"phase_from": -1000.0, **CONFIRMED}, "recover"),
    ("failed", ours("new", "failed"), [], CONFIRMED, "recover"),
    ("failed, a pod came meanwhile", ours("new", "failed"), [pod()], CONFIRMED, "evict"),
    ("failed, not looked twice", ours("new", "failed"), [], {"taken": 0.0}, "confirm"),
    ("failed for good", ours("new", "failed"), [], {"recoveries": 2}, "fail"),
    ("success that does not show yet", ours("new", "success"), [], {"phase_from": 50.0}, "wait"),
    ("success that never shows", ours("new", "success"), [], {"phase_from": -1000.0, **CONFIRMED}, "recover"),
]


@pytest.mark.parametrize(("state", "pods", "memory", "kind"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_the_next_action(state: NodeState, pods: list[PodState], memory: dict[str, t.Any], kind: str) -> None:
    progress = Progress(**{"phase_from": 100.0, "taken": 100.0, **memory})
    assert decide(state, pods, TARGET, progress=progress, settings=SETTINGS, now=100.0).kind == kind


@pytest.mark.parametrize(
    ("policy", "kind", "outcome"),
    [("wait", "wait", ""), ("skip", "put_back", "skipped"), ("fail", "put_back", "failed")],
)
def test_a_budget_that_refuses(policy: str, kind: str, outcome: str) -> None:
    progress = Progress(by_budget=True, refused="the budget b needs 1", asked=99.5, drained_from=99.0)
    action = decide(ours(), [pod()], TARGET, progress=progress, settings=RollSettings(on_blocked=policy), now=100.0)
    assert (action.kind, action.outcome) == (kind, outcome)


def test_layout_and_old_state_change_in_one_patch() -> None:
    assert relabel_patch(ours(), TARGET) == {"metadata": {"labels": {CONFIG: "new", STATE: None}}}
    assert relabel_patch(ours("new", "failed"), TARGET) == {"metadata": {"labels": {CONFIG: "new"}}}
    wedged = ours("new", "pending")
    paused = {**wedged.labels, "nvidia.com/gpu.deploy.dcgm": "paused-for-mig-change"}
    freed = recover_patch(ours("new", labels=paused), TARGET)["metadata"]["labels"]
    assert freed == {"nvidia.com/gpu.deploy.dcgm": "true", STATE: None}


def test_who_cordoned_decides_about_uncordoning() -> None:
    mine = cordon_patch("op", node())
    theirs = cordon_patch("op", node(schedulable=False))
    assert mine["metadata"]["annotations"] == {"aiplatform.eks/operation": "op"}
    held = NodeState("n", operation=theirs["metadata"]["annotations"]["aiplatform.eks/operation"], schedulable=False)
    assert "spec" not in uncordon_patch(held)
    assert cordon_patch("op", held)["metadata"]["annotations"]["aiplatform.eks/operation"] == "op"
    assert uncordon_patch(NodeState("n", operation="op"))["spec"] == {"unschedulable": None}


@pytest.mark.parametrize(
    ("text", "nodes", "places"), [("1", 10, 1), ("10%", 1000, 100), ("10%", 5, 1), ("100%", 7, 7), ("20", 3, 20)]
)
def test_max_unavailable(text: str, nodes: int, places: int) -> None:
    assert node_slots(text, nodes) == places


@pytest.mark.parametrize("text", ["0", "-1", "101%", "0%", "ten", ""])
def test_max_unavailable_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        node_slots(text, 10)


def test_records_of_objects() -> None:
    live = {
        "metadata": {
            "namespace": "a",
            "name": "b",
            "uid": "u",
            "ownerReferences": [{"kind": "Job", "controller": True, "name": "j"}],
        },
        "spec": {"nodeName": "n", "containers": [{"resources": {"limits": {"nvidia.com/gpu": "1", "cpu": "1"}}}]},
        "status": {"phase": "Running"},
    }
    found = pod_state(live)
    assert found is not None
    assert found.resources == {"nvidia.com/gpu"}
    assert to_evict([found], prefixes=("nvidia.com/",)) == [found]
    assert to_evict([found], prefixes=("amd.com/",)) == []
    assert pod_state({**live, "status": {"phase": "Succeeded"}}) is None
    allocatable = {"cpu": "96", "nvidia.com/gpu": "8", "nvidia.com/gpu.shared": "0", "hugepages-2Mi": "0"}
    assert node_state({"metadata": {"name": "n"}, "status": {"allocatable": allocatable}}).allocatable == {
        "nvidia.com/gpu": 8
    }
