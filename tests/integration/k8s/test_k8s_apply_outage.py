"""A real API server, killed while a set is applied: the result names each object, a rerun converges."""

from __future__ import annotations

import os
import signal
import threading
import time
import typing as t
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import SystemClock
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s import apply_use_case
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from ansible_collections.aiplatform.eks.plugins.module_utils._local.run_folder import RunFolder
from k8s_apply_harness import Sets, config_map, deployment, namespace_object, requests_counted, validated

SERVER = "kube-apiserver"
OBJECTS = 200
Converge = Callable[..., dict[str, t.Any]]


class Hurried(SystemClock):
    """A clock on which a minute takes three seconds."""

    def now(self) -> float:
        return time.monotonic() * 20

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 20)


class Cloud:
    """A control plane of our own, whose API server may be killed."""

    def __init__(self, run_dir: Path, converge: Converge) -> None:
        self._converge, self._run_dir = converge, run_dir
        found = converge(run_dir)
        self.sets = Sets(Path(found["kubeconfig"]), Path(found["binaries"]) / "kubectl")

    def kill(self) -> None:
        os.kill(RunFolder(self._run_dir).read().processes[SERVER].pid, signal.SIGKILL)

    def mend(self) -> None:
        assert SERVER in str(self._converge(self._run_dir)["steps"])

    def apply(self, name: str, clock: t.Any = None) -> t.Any:
        given = {"name": name, "objects": objects(name), "wait": False, "kubeconfig": str(self.sets.kubeconfig)}
        context = Context(clock=clock) if clock else Context()
        return apply_use_case.run(validated(apply_use_case.USE_CASE, given), context)

    def live(self, name: str) -> int:
        found = self.sets.kubectl("-n", name, "get", "configmaps,deployments", "-o", "name").split()
        return sum(f"/{name}-" in one for one in found)


def objects(name: str) -> list[dict[str, t.Any]]:
    maps = [config_map(f"{name}-{number}", name, x="1") for number in range(OBJECTS - 40)]
    workloads = [deployment(f"{name}-{number}", replicas=0) for number in range(40)]
    for one in workloads:
        one["metadata"]["namespace"] = name
    return [namespace_object(name), *maps, *workloads]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, converge_local_cloud: Converge) -> Iterator[Cloud]:
    run_dir = tmp_path_factory.mktemp("killed")
    try:
        yield Cloud(run_dir, converge_local_cloud)
    finally:
        converge_local_cloud(run_dir, state="stopped")


@contextmanager
def after_writes(count: int, work: Callable[[], None]) -> Iterator[None]:
    """Do something once, when that many writes were answered."""
    lock, send, done = threading.Lock(), KubeClient.request, Counter[str]()

    def counted(self: KubeClient, method: str, path: str, **rest: t.Any) -> t.Any:
        answer = send(self, method, path, **rest)
        with lock:
            done[method] += 1
            if method == "PATCH" and done[method] == count:
                work()
        return answer

    KubeClient.request = counted  # type: ignore[method-assign]
    try:
        yield
    finally:
        KubeClient.request = send  # type: ignore[method-assign]
    assert done["PATCH"] >= count


def test_a_server_that_stays_down_is_said_of_each_object_and_a_rerun_converges(cloud: Cloud) -> None:
    with after_writes(60, cloud.kill), pytest.raises(PlatformError) as caught:
        cloud.apply("down", clock=Hurried())
    details = caught.value.details
    outcomes = Counter(entry["action"] for entry in details["objects"])
    assert sum(outcomes.values()) == OBJECTS + 1
    assert outcomes["failed"] > 0
    assert outcomes["skipped"] == 40
    assert outcomes["created"] >= 59
    assert all(entry["reason"] for entry in details["objects"] if entry["action"] != "created")
    assert "no answer from" in caught.value.message

    cloud.mend()
    stored = cloud.live("down")
    assert stored + 1 >= outcomes["created"]
    with requests_counted() as seen:
        again = cloud.apply("down")
    writes = [path for method, path in seen if method == "PATCH" and "/down/" in path]
    assert len(writes) == len(set(writes)) == OBJECTS - stored
    assert again.facts["counts"] == {"created": OBJECTS - stored, "unchanged": stored + 1}
    assert cloud.live("down") == OBJECTS


def test_a_server_that_comes_back_is_waited_for(cloud: Cloud) -> None:
    back: list[threading.Thread] = []

    def restart() -> None:
        cloud.kill()
        back.append(threading.Thread(target=cloud.mend))
        back[0].start()

    with after_writes(60, restart):
        done = cloud.apply("back")
    back[0].join()
    made = Counter(entry["action"] for entry in done.facts["objects"])
    assert sum(made.values()) == OBJECTS + 1
    assert set(made) <= {"created", "configured"}  # of a write whose answer was lost, the second says "configured"
    assert made["configured"] <= 32
    assert cloud.live("back") == OBJECTS
    assert cloud.apply("back").facts["counts"] == {"unchanged": OBJECTS + 1}
