"""The session's control plane plays nodes, pods, jobs, claims and load balancers."""

from __future__ import annotations

import json
import subprocess
import time
import typing as t

NODES = [
    {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "stage-gpu-0", "labels": {"kubernetes.io/hostname": "stage-gpu-0"}},
        "status": {
            "capacity": {"cpu": "8", "memory": "64Gi", "pods": "50", "nvidia.com/gpu": "2"},
            "allocatable": {"cpu": "8", "memory": "64Gi", "pods": "50", "nvidia.com/gpu": "2"},
        },
    },
]


def kubectl(cluster: t.Any, *arguments: str, objects: list[dict[str, t.Any]] | None = None, who: str = "kubeconfig"):
    command = [cluster.bin / "kubectl", "--kubeconfig", getattr(cluster, who), *arguments]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}) if objects else ""
    return subprocess.run(command, input=text, capture_output=True, check=False, text=True)


def until(look: t.Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_a_node_is_ready_and_keeps_its_capacity(cluster):
    assert kubectl(cluster, "apply", "--server-side", "-f", "-", objects=NODES).returncode == 0
    ready = kubectl(cluster, "wait", "--for=condition=Ready", "node/stage-gpu-0", "--timeout=20s")
    assert ready.returncode == 0, ready.stderr
    node = json.loads(kubectl(cluster, "get", "node", "stage-gpu-0", "-o", "json").stdout)
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "2"


def test_readonly_reads_nodes_and_writes_nothing(cluster):
    assert kubectl(cluster, "get", "nodes", who="kubeconfig_readonly").returncode == 0
    refused = kubectl(cluster, "create", "namespace", "never", who="kubeconfig_readonly")
    assert refused.returncode != 0
    assert "forbidden" in refused.stderr.lower()


def test_user_is_admin_by_rbac(cluster):
    groups = kubectl(cluster, "auth", "whoami", "-o", "json", who="kubeconfig_user").stdout
    assert "system:masters" not in groups
    assert kubectl(cluster, "auth", "can-i", "*", "*", who="kubeconfig_user").stdout.strip() == "yes"
