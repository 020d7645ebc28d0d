from __future__ import annotations

import json
import threading
import time
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import TimedOutError
from k8s_apply_harness import Sets, config_map, custom_kind, deployment, requests_counted

pytestmark = pytest.mark.cluster


@pytest.fixture(autouse=True)
def nodes(sets: Sets) -> None:
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "engine-node", "labels": {"kubernetes.io/os": "linux"}},
        "status": {key: {"cpu": "64", "memory": "256Gi", "pods": "250"} for key in ("capacity", "allocatable")},
    }
    sets.kubectl("apply", "--server-side", "-f", "-", text=json.dumps(node))


def test_twenty_deployments_become_ready_by_one_watch(sets: Sets, space: str) -> None:
    objects = [deployment(f"web-{i}") for i in range(20)]
    with requests_counted() as requests:
        done = sets.apply("ready", objects, namespace=space, wait=True, wait_timeout=600)
    assert done.facts["counts"] == {"created": 20}
    lists = [path for method, path in requests if method == "GET" and path.endswith("/deployments")]
    assert len(lists) <= 4  # members, strangers, the wait's own list, and at most one more when its watch ended
    with requests_counted() as requests:
        assert not sets.apply("ready", objects, namespace=space, wait=True).changed
    assert len(requests) == 4  # all are ready by what the LIST says


def test_a_time_out_says_which_pod_and_why(sets: Sets, space: str) -> None:
    nowhere = deployment("nowhere", nodeSelector={"no": "such"})
    with pytest.raises(TimedOutError) as caught:
        sets.apply("late", [config_map("a"), nowhere], namespace=space, wait=True, wait_timeout=3)
    message = caught.value.message
    assert f"1 of 2 objects are not ready after 3 s: Deployment {space}/nowhere: 0 of 2 replicas available" in message
    assert "pod nowhere-" in message
    assert "Unschedulable" in message
    assert caught.value.details["counts"] == {"created": 2}
    assert caught.value.details["changed"] is True


def test_a_job_that_fails_ends_the_wait_at_once(sets: Sets, space: str) -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "doomed"},
        "spec": {
            "suspend": False,
            "activeDeadlineSeconds": 1,
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "nodeSelector": {"no": "such"},
                    "containers": [{"name": "a", "image": "a:1"}],
                }
            },
        },
    }
    start = time.monotonic()
    error = sets.refused("doomed", [job], namespace=space, wait=True, wait_timeout=600)
    assert time.monotonic() - start < 300
    assert f"Job {space}/doomed: the job failed (DeadlineExceeded" in error.message


def test_a_pod_that_cannot_start_ends_the_wait(sets: Sets, space: str) -> None:
    """The simulated kubelet says InvalidImageName for this pod, as a real one would."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "bad"},
        "spec": {"schedulerName": "nobody", "containers": [{"name": "app", "image": "A B"}]},
    }
    waiting = {"waiting": {"reason": "InvalidImageName", "message": "couldn't parse image name"}}
    status = {"status": {"phase": "Pending", "containerStatuses": [{
        "name": "app", "image": "A B", "imageID": "", "ready": False, "restartCount": 0, "state": waiting,
    }]}}  # fmt: skip

    def kubelet() -> None:
        while sets.get("pod", "bad", space) is None:
            time.sleep(0.1)
        patch = json.dumps(status)
        sets.kubectl("-n", space, "patch", "pod", "bad", "--subresource=status", "--type=merge", "-p", patch)

    thread = threading.Thread(target=kubelet)
    thread.start()
    start = time.monotonic()
    error = sets.refused("bad", [pod], namespace=space, wait=True, wait_timeout=600)
    thread.join()
    assert time.monotonic() - start < 300
    assert "pod bad, container app: InvalidImageName: couldn't parse image name" in error.message


def test_custom_resources_are_ready_when_the_user_says(sets: Sets, space: str) -> None:
    def thing(name: str) -> dict[str, t.Any]:
        return {"apiVersion": "test.aiplatform/v1", "kind": "Widget", "metadata": {"name": name}, "spec": {"size": 1}}

    sets.apply("widget-kind", [custom_kind("widgets", "Widget")], namespace=space)
    rules = [
        {"kind": "Widget", "name": "one", "query": "status.phase", "value": "Up"},
        {"kind": "Widget", "name": "two", "condition": "Online"},
        {"kind": "Widget", "skip": True},
    ]

    def controller() -> None:
        for name, status in (
            ("one", {"phase": "Up"}),
            ("two", {"conditions": [{"type": "Online", "status": "True"}]}),
        ):
            while sets.get("widget", name, space) is None:
                time.sleep(0.1)
            patch = json.dumps({"status": status})
            sets.kubectl("-n", space, "patch", "widget", name, "--subresource=status", "--type=merge", "-p", patch)

    thread = threading.Thread(target=controller)
    thread.start()
    objects = [thing("one"), thing("two"), thing("three")]
    sets.apply("widgets", objects, namespace=space, wait=True, wait_conditions=rules)
    thread.join()
    rules = [{"kind": "Widget", "name": "three", "query": "status.phase", "value": "Up"}]
    error = sets.refused("widgets", objects, namespace=space, wait=True, wait_timeout=1, wait_conditions=rules)
    assert "status.phase is None, wanted is 'Up'" in error.message


def test_a_claim_that_binds_with_its_first_pod_is_not_waited_for(sets: Sets, space: str) -> None:
    storage = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": f"late-{space}"},
        "provisioner": "none",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": f"late-{space}",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    assert sets.apply("late-claim", [storage, claim], namespace=space, wait=True, wait_timeout=5).changed
