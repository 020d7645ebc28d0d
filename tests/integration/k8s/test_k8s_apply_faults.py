"""What goes wrong on the way: nothing is lost, nothing is done twice, every object is named, a rerun converges."""

from __future__ import annotations

import base64
import json
import threading
import time
import typing as t
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from k8s_apply_harness import Sets, actions, config_map, namespace_object
from k8s_fault_proxy import RESET, Fault, FaultProxy, fault_proxy, status_fault

pytestmark = pytest.mark.cluster


@pytest.fixture
def proxy(sets: Sets, cluster: t.Any) -> Iterator[FaultProxy]:
    with fault_proxy(cluster.bin / "kubectl", sets.kubeconfig) as running:
        yield running


def many(count: int = 12) -> list[dict[str, t.Any]]:
    return [config_map(f"c{i}", x="1") for i in range(count)]


def test_too_many_requests_are_sent_again_when_the_server_says(sets: Sets, space: str, proxy: FaultProxy) -> None:
    def fault(method: str, path: str, number: int) -> Fault | None:
        first = method == "PATCH" and "/configmaps/c" in path and number == 1
        return status_fault(429, "TooManyRequests", "slow down", **{"Retry-After": "1"}) if first else None

    proxy.fault = fault
    start = time.monotonic()
    done = sets.apply("busy", many(), namespace=space, host=proxy.url)
    assert done.facts["counts"] == {"created": 12}
    assert time.monotonic() - start >= 1.0
    assert set(
        Counter(path for method, path in proxy.seen if method == "PATCH" and "/configmaps/c" in path).values()
    ) == {2}


def test_an_outage_in_the_middle_loses_nothing(sets: Sets, space: str, proxy: FaultProxy) -> None:
    """The API server goes away after the fifth write and is back two seconds later."""
    lock = threading.Lock()
    writes = 0

    def fault(method: str, path: str, _number: int) -> Fault | None:
        nonlocal writes
        with lock:
            writes += method == "PATCH" and "/configmaps/c" in path
            if writes == 5 and not proxy.down_until:
                proxy.down_until = time.monotonic() + 2
                return RESET
        return None

    proxy.fault = fault
    done = sets.apply("outage", many(30), namespace=space, host=proxy.url, connections=4)
    assert done.facts["counts"] == {"created": 30}
    assert sets.apply("outage", many(30), namespace=space).facts["counts"] == {"unchanged": 30}


def test_failed_objects_are_named_and_a_rerun_converges(sets: Sets, space: str, proxy: FaultProxy) -> None:
    proxy.fault = lambda method, path, _number: (
        status_fault(500, "InternalError", "something broke") if method == "PATCH" and path.endswith("/c3") else None
    )
    sets.apply("partial", [config_map("old")], namespace=space)
    error = sets.refused("partial", many(), namespace=space, host=proxy.url)
    assert error.message == f"1 of 12 objects failed: ConfigMap {space}/c3: something broke"
    assert error.details["counts"] == {"created": 11, "failed": 1}
    assert sets.get("configmap", "old", space) is not None  # nothing is pruned after a failure
    done = sets.apply("partial", many(), namespace=space)
    assert done.facts["counts"] == {"created": 1, "pruned": 1, "unchanged": 11}


def test_a_webhook_that_timed_out_is_asked_again(sets: Sets, space: str, proxy: FaultProxy) -> None:
    words = 'Internal error occurred: failed calling webhook "a.b": context deadline exceeded'
    proxy.fault = lambda method, path, number: (
        status_fault(500, "InternalError", words) if path.endswith("/c1") and method == "PATCH" and number < 3 else None
    )
    assert sets.apply("hooked", many(2), namespace=space, host=proxy.url).facts["counts"] == {"created": 2}


def test_a_kind_that_may_not_be_written(sets: Sets, space: str, tmp_path: Path) -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": f"limited-{space}"},
        "rules": [
            {"apiGroups": [""], "resources": ["configmaps", "namespaces"], "verbs": ["*"]},
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]},
        ],
    }
    sets.kubectl("apply", "-f", "-", text=json.dumps(role))
    sets.kubectl("-n", space, "create", "serviceaccount", "limited")
    binding = [f"--clusterrole=limited-{space}", f"--serviceaccount={space}:limited"]
    sets.kubectl("create", "clusterrolebinding", f"limited-{space}", *binding)
    token = sets.kubectl("-n", space, "create", "token", "limited").strip()
    config = json.loads(sets.kubectl("config", "view", "--raw", "--flatten", "-o", "json"))["clusters"][0]["cluster"]
    authority = tmp_path / "ca.pem"
    authority.write_bytes(base64.b64decode(config["certificate-authority-data"]))
    login = {"host": config["server"], "ca_cert": str(authority), "api_key": token}

    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {}}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}}
    error = sets.refused("limited", [config_map("a"), secret], namespace=space, **login)
    assert error.details["counts"] == {"created": 1, "failed": 1}
    assert f'Secret {space}/s: secrets "s" is forbidden' in error.message
    assert token not in json.dumps(error.details)
    error = sets.refused("limited", [config_map("b"), account], namespace=space, **login)
    assert "serviceaccounts" in error.message
    assert sets.get("configmap", "b", space) is None
    assert sets.apply("limited", [config_map("a"), secret], namespace=space).facts["counts"] == {
        "created": 1,
        "unchanged": 1,
    }


def test_a_namespace_that_is_being_deleted(sets: Sets) -> None:
    sets.kubectl("create", "namespace", "engine-going")
    held = config_map("held", "engine-going")
    held["metadata"]["finalizers"] = ["test.aiplatform/hold"]
    sets.kubectl("apply", "-f", "-", text=json.dumps(held))
    sets.kubectl("delete", "namespace", "engine-going", "--wait=false")
    try:
        error = sets.refused("going", [config_map("a")], namespace="engine-going")
        assert error.message == "nothing was changed: namespace engine-going is being deleted; wait until it is gone"
        error = sets.refused("going", [namespace_object("engine-going"), config_map("a")], namespace="engine-going")
        assert "is being" in error.message
    finally:
        patch = json.dumps({"metadata": {"finalizers": None}})
        sets.kubectl("-n", "engine-going", "patch", "configmap", "held", "--type=merge", "-p", patch)


def test_an_object_that_is_held_by_a_finalizer_is_said(sets: Sets, space: str) -> None:
    held = config_map("held")
    held["metadata"]["finalizers"] = ["test.aiplatform/hold"]
    sets.apply("held", [held], namespace=space)
    error = sets.refused("held", [], namespace=space, state="absent", wait=True, wait_timeout=1)
    assert f"ConfigMap {space}/held is still there" in error.message
    assert "test.aiplatform/hold" in error.message
    patch = json.dumps({"metadata": {"finalizers": None}})
    sets.kubectl("-n", space, "patch", "configmap", "held", "--type=merge", "-p", patch)
    assert actions(sets.apply("held", [], namespace=space, state="absent", wait=True)) == {}


def test_no_answer_at_all_is_a_sentence(sets: Sets) -> None:
    error = sets.refused("nobody", [config_map("a")], host="https://127.0.0.1:1", validate_certs=False)
    assert "no answer from https://127.0.0.1:1" in error.message


def test_a_certificate_that_nobody_signed_is_refused(sets: Sets) -> None:
    config = json.loads(sets.kubectl("config", "view", "--raw", "-o", "json"))["clusters"][0]["cluster"]
    error = sets.refused("unsigned", [config_map("a")], host=config["server"], api_key="x")
    assert "certificate verify failed" in error.message
