"""The role gpu_operator, played whole against a control plane and the simulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from sharing_world import Gpus

ROOT = Path(__file__).resolve().parents[3]
POOLS: list[dict[str, t.Any]] = [
    {"name": "cpu", "instance_types": ["m7i.2xlarge"]},
    {"name": "shared", "instance_types": ["p4de.24xlarge"], "gpu_sharing": {"mode": "time_slicing", "replicas": 3}},
    {"name": "mig", "instance_types": ["p5.48xlarge"], "gpu_sharing": {"mode": "mig", "layout": {"3g.40gb": 2}}},
]


def play(gpus: Gpus, cluster: t.Any, scratch: Path, **variables: t.Any) -> dict[str, t.Any]:
    """Play the role and return its tasks' results by name."""
    book = [{"hosts": "localhost", "gather_facts": False, "roles": ["aiplatform.eks.gpu_operator"], "vars": variables}]
    path = scratch / "role.yml"
    path.write_text(json.dumps(book), encoding="utf-8")
    environment = {
        **os.environ,
        "PATH": f"{cluster.bin}:{os.environ['PATH']}",
        "KUBECONFIG": str(cluster.kubeconfig),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"),
    }
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local", str(path)]
    command += ["-e", f"ansible_python_interpreter={sys.executable}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=180)
    report = json.loads(done.stdout[done.stdout.index("{") :])
    tasks = report["plays"][0]["tasks"]
    results = {task["task"]["name"].removeprefix("aiplatform.eks.gpu_operator : "): task["hosts"] for task in tasks}
    failed = {name: one["localhost"]["msg"] for name, one in results.items() if one["localhost"].get("failed")}
    assert not failed, failed
    return {name: one["localhost"] for name, one in results.items()}


@pytest.fixture(scope="module")
def nodes(gpus: Gpus) -> Gpus:
    for pool in POOLS[1:]:
        gpus.pool(pool, 2)
    return gpus


def test_the_role_makes_what_the_inventory_says(nodes: Gpus, cluster: t.Any, tmp_path: Path) -> None:
    variables = {
        "aiplatform_node_pools": POOLS, "gpu_operator_stand_in": True, "gpu_operator_timeout": 60,
        "gpu_operator_max_unavailable": "50%", "gpu_operator_namespace": "gpu-role",
    }  # fmt: skip
    first = play(nodes, cluster, tmp_path, **variables)
    assert first["Prove what the nodes offer"]["ready"]
    assert nodes.allocatable("shared", "nvidia.com/gpu.shared") == {"24"}
    assert nodes.allocatable("mig", "nvidia.com/mig-3g.40gb") == {"16"}
    namespace = nodes.client.request("GET", "/api/v1/namespaces/gpu-role").body
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "privileged"
    again = play(nodes, cluster, tmp_path, **variables)
    assert [name for name, one in again.items() if one.get("changed")] == []
    changed = [
        *POOLS[:1],
        {**POOLS[1], "gpu_sharing": {"mode": "time_slicing", "replicas": 4}},
        {**POOLS[2], "gpu_sharing": {"mode": "mig", "layout": "all-balanced"}},
    ]
    play(nodes, cluster, tmp_path, **{**variables, "aiplatform_node_pools": changed})
    assert nodes.allocatable("shared", "nvidia.com/gpu.shared") == {"32"}
    assert nodes.allocatable("mig", "nvidia.com/mig-1g.10gb") == {"16"}
    play(nodes, cluster, tmp_path, **variables, gpu_operator_state="absent")
    nodes.until(lambda: not nodes.exists("/apis/nvidia.com/v1/clusterpolicies/cluster-policy"), "the policy stays")
