"""Starting, repairing and stopping a local cloud of one's own, beside the session's."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.concurrency import map_concurrently
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import APPLY_PATCH, KubeClient
from ansible_collections.aiplatform.eks.plugins.module_utils._local.processes import (
    Process,
    memory,
    port_is_free,
    start_time,
    strays,
)

NAMES = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"]


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory, converge_local_cloud):
    path = tmp_path_factory.mktemp("cloud") / "inner"
    yield path
    converge_local_cloud(path, state="stopped")
    assert strays(path) == []


def pids(result) -> dict[str, int]:
    return {one["name"]: one["pid"] for one in result["components"]}


def kill(pid: int) -> None:
    started = start_time(pid)
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while start_time(pid) == started:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_started_complete_private_and_then_left_alone(cluster, run_dir, converge_local_cloud):
    planned = converge_local_cloud(run_dir, check_mode=True)
    assert not run_dir.exists(), "check mode wrote something"
    first = converge_local_cloud(run_dir)
    assert first["steps"] == planned["steps"] == [f"create {name}" for name in NAMES]
    assert first["diff"] == planned["diff"]
    assert set(first) == set(planned)
    again = converge_local_cloud(run_dir)
    assert again["changed"] is False
    assert {**again, "steps": first["steps"], "changed": True, "diff": first["diff"]} == first
    assert stat.S_IMODE(run_dir.stat().st_mode) == 0o700
    for secret in ("kubeconfig", "kubeconfig-user", "tokens.csv", "state.json", "pki/server.key"):
        assert stat.S_IMODE((run_dir / secret).stat().st_mode) == 0o600, secret
    server = json.loads(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    assert first["kubernetes_endpoint"] != server, "two clouds side by side"


def test_a_hundred_nodes_are_ready_in_time_and_memory(run_dir, converge_local_cloud):
    cloud = converge_local_cloud(run_dir)
    client = KubeClient({"kubeconfig": cloud["kubeconfig"]})
    begun = time.monotonic()

    def create(number: int) -> None:
        name = f"many-{number}"
        body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"many": "yes"}}}
        query = {"fieldManager": "test"}
        client.request("PATCH", f"/api/v1/nodes/{name}", query=query, body=body, content_type=APPLY_PATCH)

    def ready() -> int:
        nodes = client.request("GET", "/api/v1/nodes", query={"labelSelector": "many=yes"}).body["items"]
        return sum(
            one["type"] == "Ready" and one["status"] == "True"
            for node in nodes
            for one in node.get("status", {}).get("conditions", [])
        )

    map_concurrently(create, range(100))
    while ready() < 100:
        assert time.monotonic() - begun < 120, f"{ready()} of 100 nodes"
        time.sleep(0.1)
    used = sum(memory(Process(pid, "")) for pid in pids(cloud).values())
    assert used < 1200 << 20


@pytest.mark.parametrize(
    "dead", [["kwok"], ["kube-scheduler", "kube-controller-manager"], ["etcd"], ["kube-apiserver"]]
)
def test_what_died_is_started_again_and_the_rest_kept(run_dir, converge_local_cloud, dead):
    before = converge_local_cloud(run_dir)
    client = KubeClient({"kubeconfig": before["kubeconfig"]})
    name = "-".join(["kept", *dead])
    client.request("POST", "/api/v1/namespaces", body={"metadata": {"name": name}})
    for component in dead:
        kill(pids(before)[component])
    planned = converge_local_cloud(run_dir, check_mode=True)
    assert {f"recreate {one} (state): its process has ended" for one in dead} <= set(planned["steps"])
    after = converge_local_cloud(run_dir)
    assert after["changed"] is True
    assert after["kubernetes_endpoint"] == before["kubernetes_endpoint"]
    assert all(pids(after)[one] != pids(before)[one] for one in dead)
    assert pids(after)["kwok"] == pids(before)["kwok"] or "kwok" in dead
    assert client.request("GET", f"/api/v1/namespaces/{name}").status == 200
    assert converge_local_cloud(run_dir)["changed"] is False


def test_more_stages_are_played_and_taken_away_again(run_dir, tmp_path, converge_local_cloud):
    stage = {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": "mark"},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": "ConfigMap"},
            "selector": {"matchLabels": {"mark": "me"}},
            "weight": 1,
            "steps": [{"patch": {"root": "metadata", "type": "merge", "template": "labels: {mark: done}"}}],
        },
    }
    (tmp_path / "mark.yaml").write_text(json.dumps(stage))
    cloud = converge_local_cloud(run_dir, stages=[str(tmp_path)])
    assert cloud["steps"] == ["create kwok stage mark"]
    client = KubeClient({"kubeconfig": cloud["kubeconfig"]})
    path = "/api/v1/namespaces/default/configmaps"
    client.request("POST", path, body={"metadata": {"name": "marked", "labels": {"mark": "me"}}})
    deadline = time.monotonic() + 10
    while client.request("GET", f"{path}/marked").body["metadata"]["labels"]["mark"] != "done":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert converge_local_cloud(run_dir)["steps"] == ["delete kwok stage mark"]


def test_a_lost_state_file_loses_no_process(run_dir, converge_local_cloud):
    before = converge_local_cloud(run_dir)
    (run_dir / "state.json").unlink()
    after = converge_local_cloud(run_dir)
    left = set(pids(before).values())
    assert {f"delete process {pid}: left by an earlier start that its state file does not know" for pid in left} <= set(
        after["steps"]
    )
    assert not left & set(pids(after).values())
    assert {process.pid for process in strays(run_dir)} == set(pids(after).values())


def test_stopping_leaves_no_process_no_port_and_no_data(run_dir, converge_local_cloud):
    cloud = converge_local_cloud(run_dir)
    ports = [one["port"] for one in cloud["components"]]
    planned = converge_local_cloud(run_dir, state="stopped", check_mode=True)
    assert strays(run_dir), "check mode stopped something"
    stopped = converge_local_cloud(run_dir, state="stopped")
    assert stopped == planned
    assert stopped["changed"] is True
    assert set(stopped) == set(cloud)
    assert strays(run_dir) == []
    assert all(map(port_is_free, ports))
    assert {path.name for path in run_dir.iterdir()} == {"lock", "logs"}
    assert converge_local_cloud(run_dir, state="stopped")["changed"] is False


def test_a_taken_port_is_said_before_anything_starts(tmp_path, converge_local_cloud):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PlatformError, match=f"port {port} of 127.0.0.1 is taken by another program"):
            converge_local_cloud(tmp_path / "taken", api_port=port)
    assert not (tmp_path / "taken").exists()


def test_a_program_that_dies_is_said_with_its_log_and_nothing_stays(
    cluster, tmp_path, monkeypatch, converge_local_cloud
):
    binaries = tmp_path / "bin"
    binaries.mkdir()
    for program in cluster.bin.iterdir():
        (binaries / program.name).symlink_to(program)
    broken = binaries / "kube-scheduler"
    broken.unlink()
    broken.write_text("#!/bin/sh\necho 'no such thing as a schedule' >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(binaries))
    with pytest.raises(PlatformError) as failure:
        converge_local_cloud(tmp_path / "dies")
    log = tmp_path / "dies/logs/kube-scheduler.log"
    assert failure.value.message == (
        f"kube-scheduler ended while the local cloud was starting; its log {log} ends with: no such thing as a schedule"
    )
    assert strays(tmp_path / "dies") == []
    assert {path.name for path in (tmp_path / "dies").iterdir()} == {"lock", "logs"}


def test_a_program_that_hangs_is_given_up_with_its_log(tmp_path, monkeypatch, converge_local_cloud, cluster):
    binaries = tmp_path / "bin"
    binaries.mkdir()
    for program in cluster.bin.iterdir():
        (binaries / program.name).symlink_to(program)
    (binaries / "etcd").unlink()
    (binaries / "etcd").write_text("#!/bin/sh\necho waiting for a friend\nsleep 60\n")
    (binaries / "etcd").chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(binaries))
    with pytest.raises(PlatformError, match=r"etcd was not ready after 1 s; .* ends with: waiting for a friend"):
        converge_local_cloud(tmp_path / "hangs", timeout=1)
    assert strays(Path(tmp_path / "hangs")) == []


def test_a_killed_test_session_leaves_no_process(tmp_path):
    test = tmp_path / "test_forever.py"
    test.write_text(
        "import pathlib, time\n"
        f"def test_forever(cluster):\n    pathlib.Path({str(tmp_path / 'up')!r}).write_text(str(cluster.kubeconfig))\n"
        "    time.sleep(120)\n"
    )
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += [f"--rootdir={root}", f"--confcutdir={root}", f"--basetemp={tmp_path / 'base'}"]
    command += ["-p", "tests.conftest", "-p", "tests.integration.conftest", str(test)]
    environment = {**os.environ, "PYTHONPATH": str(root / "tests")}
    session = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (tmp_path / "up").exists():
        assert session.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    run_dir = Path((tmp_path / "up").read_text()).parent
    assert len(strays(run_dir)) == len(NAMES)
    session.kill()
    session.wait()
    deadline = time.monotonic() + 20
    while strays(run_dir):
        assert time.monotonic() < deadline
        time.sleep(0.1)
