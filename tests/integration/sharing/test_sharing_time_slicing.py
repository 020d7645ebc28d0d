"""Time-slicing on a real control plane: promised shares really run pods, and the plugin restarts only where it must."""

from __future__ import annotations

import random
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._sharing import gpu_time_slicing
from sharing_world import Gpus, KilledError, defaults

POOL, OTHER = "l4-shared", "l4-whole"
CONFIG = "/api/v1/namespaces/gpu-operator/configmaps/aiplatform-device-plugin"


def pools(replicas: int | None, **more: t.Any) -> list[dict[str, t.Any]]:
    sharing = {"mode": "time_slicing", "replicas": replicas, **more} if replicas else {"mode": "exclusive"}
    return [
        {"name": POOL, "instance_types": ["g6.12xlarge"], "gpu_sharing": sharing},
        {"name": OTHER, "instance_types": ["g6.12xlarge"]},
    ]


def share(gpus: Gpus, replicas: int | None, *, check: bool = False, timeout: int = 20, **more: t.Any) -> t.Any:
    options = {**gpus.options, "node_pools": pools(replicas, **more), "wait_timeout": timeout}
    context = Context(check_mode=check, diff_mode=True)
    return gpu_time_slicing.run(defaults(gpu_time_slicing.SPEC, **options), context).to_result(context)


def plugins(gpus: Gpus) -> dict[str, str]:
    """Node -> uid of its device plugin's pod."""
    query = {"labelSelector": "app=nvidia-device-plugin-daemonset"}
    items = gpus.client.request("GET", "/api/v1/namespaces/gpu-operator/pods", query=query).body["items"]
    return {
        pod["spec"]["nodeName"]: pod["metadata"]["uid"]
        for pod in items
        if "deletionTimestamp" not in pod["metadata"] and pod["spec"].get("nodeName")
    }


@pytest.fixture(scope="module")
def four(gpus: Gpus) -> Gpus:
    """Two nodes that are shared by three, and two with whole GPUs."""
    gpus.operator(pools(3))
    for pool in pools(3):
        gpus.pool(pool, 2)
    gpus.until(lambda: gpus.allocatable(POOL, "nvidia.com/gpu.shared") == {"12"}, "first shares")
    share(gpus, 3)
    return gpus


def restarted(gpus: Gpus, before: dict[str, str]) -> set[str]:
    gpus.until(lambda: len(plugins(gpus)) == len(before), "a plugin is missing")
    after = plugins(gpus)
    return {name for name, uid in before.items() if after.get(name) != uid}


def names(gpus: Gpus, pool: str) -> set[str]:
    return {node["metadata"]["name"] for node in gpus.nodes(pool)}


def test_nothing_restarts_when_nothing_changed(four: Gpus) -> None:
    before = plugins(four)
    assert not share(four, 3)["changed"]
    assert restarted(four, before) == set()


def test_as_many_pods_run_as_were_promised_and_the_next_one_waits(four: Gpus) -> None:
    four.deployment("slices", "users", POOL, "nvidia.com/gpu.shared", replicas=24, budget=24)
    path = "/apis/apps/v1/namespaces/slices/deployments/users/scale"
    four.client.request("PATCH", path, body={"spec": {"replicas": 25}}, content_type="application/merge-patch+json")
    pods = "/api/v1/namespaces/slices/pods"
    four.until(lambda: len(four.client.request("GET", pods).body["items"]) == 25, "the 25th pod is not there")
    waiting = [pod for pod in four.client.request("GET", pods).body["items"] if not pod["spec"].get("nodeName")]
    assert len(waiting) == 1
    four.clear("slices")


@pytest.mark.parametrize(
    ("replicas", "more", "resource", "count"),
    [
        (4, {}, "nvidia.com/gpu.shared", "16"),
        (4, {"rename": False}, "nvidia.com/gpu", "16"),
        (None, {}, "nvidia.com/gpu", "4"),
        (3, {}, "nvidia.com/gpu.shared", "12"),
    ],
)
def test_changes_restart_the_plugins_of_that_pool_only(
    four: Gpus, replicas: int | None, more: dict[str, t.Any], resource: str, count: str
) -> None:
    planned, before = share(four, replicas, check=True, **more), plugins(four)
    assert restarted(four, before) == set()
    done = share(four, replicas, **more)
    assert planned["diff"] == done["diff"]
    assert set(planned) == set(done)
    assert done["changed"]
    assert four.allocatable(POOL, resource) == {count}
    assert four.allocatable(OTHER, "nvidia.com/gpu") == {"4"}
    assert restarted(four, before) == set(done["restarted"])
    assert restarted(four, before) <= names(four, POOL)
    assert not share(four, replicas, **more)["changed"]


def test_a_foreign_edit_is_put_right_and_the_plugin_restarts(four: Gpus) -> None:
    key = next(iter(four.nodes(POOL)))["metadata"]["labels"]["nvidia.com/device-plugin.config"]
    text = four.client.request("GET", CONFIG).body["data"][key].replace("replicas: 3", "replicas: 9")
    body = {"data": {key: text}}
    four.client.request("PATCH", CONFIG, body=body, content_type="application/merge-patch+json")
    before = plugins(four)
    assert set(share(four, 3)["restarted"]) == names(four, POOL)
    assert restarted(four, before) == names(four, POOL)
    assert four.allocatable(POOL, "nvidia.com/gpu.shared") == {"12"}


def test_killed_at_any_step_it_goes_on(four: Gpus, monkeypatch: pytest.MonkeyPatch, dice: random.Random) -> None:
    killed = 0
    for replicas in (5, 3):
        for writes in dice.sample(range(6), 3):
            mortal = four.killed_after(writes)
            monkeypatch.setattr(gpu_time_slicing, "connect", lambda *_options, client=mortal: client)
            try:
                share(four, replicas)
            except KilledError:
                killed += 1
            monkeypatch.undo()
        share(four, replicas)
        assert four.allocatable(POOL, "nvidia.com/gpu.shared") == {str(4 * replicas)}
        assert not share(four, replicas)["changed"]
    assert killed >= 3
    assert "annotations" not in four.client.request("GET", CONFIG).body["metadata"]


def test_shares_that_do_not_come_are_named(four: Gpus) -> None:
    four.control(faults=[{"kind": "plugin_down", "nodes": f"aiplatform.eks/pool={POOL}"}])
    with pytest.raises(PlatformError, match="2 of 2 nodes do not share as they should"):
        share(four, 6, timeout=2)
    four.control()
    assert share(four, 3)["changed"]
