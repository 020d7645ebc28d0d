"""The local cloud: time to a complete one, to a hundred ready nodes, of a call that changes nothing; memory."""

from __future__ import annotations

import tempfile
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Row, seconds

HOME = Path(__file__).resolve().parent.parent / "roles/local_cloud/files"
NO_PEER = "none: no other tool starts Kubernetes, AWS and nodes together"
NODES = 100


def rows() -> Iterator[Row]:
    """Start a cloud in a folder of its own, measure, stop it."""
    from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
    from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
    from ansible_collections.aiplatform.eks.plugins.module_utils._local.local_cloud import USE_CASE
    from ansible_collections.aiplatform.eks.plugins.module_utils._local.processes import Process, memory

    with tempfile.TemporaryDirectory() as folder:
        defaults = {name: option.get("default") for name, option in USE_CASE.spec.options.items()}
        options = {**defaults, "home": str(HOME), "run_dir": f"{folder}/run"}

        def converge(**changed: t.Any) -> dict[str, t.Any]:
            return USE_CASE.run({**options, **changed}, Context()).to_result(Context())

        def row(work: str, ours: float, unit: str, budget: float | None = None) -> Row:
            return Row("local", work, ours, unit, NO_PEER, figure="value", budget=budget)

        try:
            bare = seconds(lambda: converge(aws=False, simulator=False))
            yield row("start Kubernetes, to complete", bare, "s", 6)
            converge(state="stopped")
            yield row("start the whole local cloud, warm", seconds(converge), "s")
            cloud = converge()
            client = KubeClient({"kubeconfig": cloud["kubeconfig"]})
            yield row(f"{NODES} nodes, created and ready", seconds(lambda: _nodes(client)), "s", 4)
            yield row("a start that changes nothing", seconds(converge), "s")
            used = sum(memory(Process(one["pid"], "")) for one in cloud["components"])
            yield row(f"memory of it all, with {NODES} nodes", used / (1 << 20), "MiB", 1200)
            yield row("stop", seconds(lambda: converge(state="stopped")), "s")
        finally:
            converge(state="stopped")


def _nodes(client: t.Any) -> None:
    from ansible_collections.aiplatform.eks.plugins.module_utils._core.concurrency import map_concurrently

    def create(number: int) -> None:
        body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"bench-{number}", "labels": {"bench": "yes"}}}
        client.request("POST", "/api/v1/nodes", body=body)

    map_concurrently(create, range(NODES))
    while _ready(client) < NODES:
        time.sleep(0.05)


def _ready(client: t.Any) -> int:
    nodes = client.request("GET", "/api/v1/nodes", query={"labelSelector": "bench=yes"}).body["items"]
    conditions = (one for node in nodes for one in node.get("status", {}).get("conditions", []))
    return sum(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
