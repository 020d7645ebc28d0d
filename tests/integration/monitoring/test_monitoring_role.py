"""The role monitoring on a real API server: check says what the run does, a second run does nothing, absent ends it."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from role_play import Played, play_roles

PASSWORD = "correct-horse-battery-staple"
VARIABLES: dict[str, t.Any] = {
    "monitoring_cluster": "local",
    "monitoring_namespace": "monitoring-test",
    "monitoring_node_namespace": "monitoring-test-nodes",
    "monitoring_stand_in": True,
    "monitoring_storage_class": "monitoring-test",
    "monitoring_timeout": 90,
    "monitoring_grafana_password": PASSWORD,
    "monitoring_disabled_alerts": ["GpuHot"],
    "monitoring_alert_receivers": [
        {"name": "team", "slack": {"channel": "#ai", "secret": {"name": "alerts", "key": "slack"}}}
    ],
    "monitoring_alert_routes": [{"receiver": "team", "match": ["severity = critical"]}],
}
NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {
        "name": "monitoring-test",
        "annotations": {"kwok.x-k8s.io/node": "fake"},
        "labels": {"kubernetes.io/os": "linux"},
    },
    "status": {
        "allocatable": {"cpu": "64", "memory": "256Gi", "pods": "100"},
        "capacity": {"cpu": "64", "memory": "256Gi", "pods": "100"},
    },
}
CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "monitoring-test"},
    "provisioner": "ebs.csi.aws.com",
    "volumeBindingMode": "WaitForFirstConsumer",
}
RULES = "/apis/monitoring.coreos.com/v1/namespaces/monitoring-test/prometheusrules"


@pytest.fixture(scope="module")
def client(cluster: t.Any) -> t.Iterator[KubeClient]:
    found = KubeClient({"kubeconfig": str(cluster.kubeconfig)})
    found.request("POST", "/api/v1/nodes", body=NODE)
    found.request("POST", "/apis/storage.k8s.io/v1/storageclasses", body=CLASS)
    yield found
    found.request("DELETE", "/api/v1/nodes/monitoring-test")
    found.request("DELETE", "/apis/storage.k8s.io/v1/storageclasses/monitoring-test")


def play(cluster: t.Any, scratch: Path, *states: str, check: bool = False) -> list[Played]:
    """Play the role once for each state, in one run."""
    found = play_roles(
        [("monitoring", {**VARIABLES, "monitoring_state": state}) for state in states],
        scratch=scratch,
        environment={
            "KUBECONFIG": str(cluster.kubeconfig),
            "PATH": f"{cluster.bin}:/usr/local/bin:/usr/bin:/bin",
            "XDG_CACHE_HOME": str(scratch / "cache"),
        },
        arguments=["--diff", *(["--check"] if check else [])],
    )
    assert [one.failures for one in found] == [{}] * len(states)
    assert PASSWORD not in json.dumps([dict(one.tasks) for one in found], default=dict)
    return found


def names(client: KubeClient, path: str) -> set[str]:
    items: list[dict[str, t.Any]] = client.request("GET", path).body["items"]
    return {item["metadata"]["name"] for item in items}


def test_the_role_from_nothing_to_nothing(cluster: t.Any, client: KubeClient, tmp_path: Path) -> None:
    before = {
        kind: names(client, kind) for kind in ("/api/v1/namespaces", "/apis/rbac.authorization.k8s.io/v1/clusterroles")
    }
    (foretold,) = play(cluster, tmp_path, "present", check=True)
    first, second = play(cluster, tmp_path, "present", "present")
    assert told(foretold) == told(first)
    assert second.changed == []
    look(client)
    play(cluster, tmp_path, "absent")
    assert {kind: names(client, kind) for kind in before} == before


def told(played: Played) -> dict[str, t.Any]:
    """What each task says that it changes."""
    return {name: (task.get("changed"), task.get("steps"), task.get("counts")) for name, task in played.tasks.items()}


def look(client: KubeClient) -> None:
    """What is there after a run."""
    levels = {
        name: client.request("GET", f"/api/v1/namespaces/{name}").body["metadata"]["labels"][
            "pod-security.kubernetes.io/enforce"
        ]
        for name in ("monitoring-test", "monitoring-test-nodes")
    }
    assert levels == {"monitoring-test": "restricted", "monitoring-test-nodes": "privileged"}
    rules = client.request("GET", RULES).body["items"]
    alerts = {rule["alert"] for one in rules for group in one["spec"]["groups"] for rule in group["rules"]}
    assert "GpuAllocatedButIdle" in alerts
    assert "GpuHot" not in alerts
    boards = client.request("GET", "/api/v1/namespaces/monitoring-test/configmaps?labelSelector=grafana_dashboard").body
    fleet = next(one for one in boards["items"] if one["metadata"]["name"] == "dashboard-aiplatform-gpu-fleet")
    assert json.loads(fleet["data"]["aiplatform-gpu-fleet.json"])["title"] == "GPU fleet"
    sets = client.request("GET", "/apis/apps/v1/namespaces/monitoring-test/statefulsets").body["items"]
    assert {one["metadata"]["name"]: one["status"]["readyReplicas"] for one in sets} == {
        "prometheus-kube-prometheus-stack-prometheus": 2,
        "alertmanager-kube-prometheus-stack-alertmanager": 2,
    }
