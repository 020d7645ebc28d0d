"""The role monitoring on a real API server: check says what the run does, a second run does nothing, absent ends it."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.apply_use_case import USE_CASE
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from role_play import Played, play_states

PASSWORD = "correct-horse-battery-staple"
VARIABLES: dict[str, t.Any] = {
    "monitoring_cluster": "local",
    "monitoring_namespace": "monitoring-test",
    "monitoring_node_namespace": "monitoring-test-nodes",
    "monitoring_stand_in": True,
    "monitoring_storage_class": "monitoring-test",
    "monitoring_timeout": 90,
    "monitoring_grafana_password": PASSWORD,
    "monitoring_mesh": True,
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
API = "/apis/apiextensions.k8s.io/v1"
DEFINITIONS = Path(__file__).resolve().parents[4] / "shared/upstream/crds/kube-prometheus-stack.yaml"
RULES = "/apis/monitoring.coreos.com/v1/namespaces/monitoring-test/prometheusrules"


class Rounds(t.NamedTuple):
    """What the plays gave."""

    check: Played
    first: Played
    second: Played
    made: list[dict[str, t.Any]]
    left: set[str]


@pytest.fixture(scope="module")
def client(cluster: t.Any) -> t.Iterator[KubeClient]:
    found = KubeClient({"kubeconfig": str(cluster.kubeconfig)})
    found.request("POST", "/api/v1/nodes", body=NODE)
    found.request("POST", "/apis/storage.k8s.io/v1/storageclasses", body=CLASS)
    yield found
    found.request("DELETE", "/api/v1/nodes/monitoring-test")
    found.request("DELETE", "/apis/storage.k8s.io/v1/storageclasses/monitoring-test")


def play(cluster: t.Any, scratch: Path, *states: str, check: bool = False) -> list[Played]:
    """Play the role once for each state, in one run; the password is never in what it says."""
    return play_states(
        "monitoring", states, variables=VARIABLES, cluster=cluster, scratch=scratch, check=check, secret=PASSWORD
    )


def everything(client: KubeClient) -> set[str]:
    """Names of what is there, of the kinds that outlive a namespace, and the namespaces."""
    paths = (
        "/api/v1/namespaces",
        "/api/v1/persistentvolumes",
        "/api/v1/namespaces/kube-system/configmaps",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        f"{API}/customresourcedefinitions",
    )
    found = {f"{path}/{one['metadata']['name']}" for path in paths for one in client.request("GET", path).body["items"]}
    return {path for path in found if not path.endswith("/kube-root-ca.crt")}  # the controller manager's, in its time


@pytest.fixture(scope="module")
def rounds(cluster: t.Any, client: KubeClient, tmp_path_factory: pytest.TempPathFactory) -> Rounds:
    """A check, the run that it spoke of, a second run, and the end."""
    scratch = tmp_path_factory.mktemp("monitoring")
    before = everything(client)
    (check,) = play(cluster, scratch, "present", check=True)
    first, second = play(cluster, scratch, "present", "present")
    paths = {"PrometheusRule": RULES, "PodMonitor": RULES.replace("prometheusrules", "podmonitors")}
    made = [
        {**one, "apiVersion": "monitoring.coreos.com/v1", "kind": kind}
        for kind, path in paths.items()
        for one in client.request("GET", path).body["items"]
    ]
    look(client)
    play(cluster, scratch, "absent")
    return Rounds(check=check, first=first, second=second, made=made, left=everything(client) - before)


def test_check_says_what_the_run_does(rounds: Rounds) -> None:
    assert told(rounds.check) == told(rounds.first)
    assert len(rounds.first.changed) == 3


def test_a_second_run_changes_nothing(rounds: Rounds) -> None:
    assert rounds.second.changed == []


def test_absent_leaves_nothing(rounds: Rounds) -> None:
    assert rounds.left == set()


@pytest.mark.skipif(not DEFINITIONS.exists(), reason=f"{DEFINITIONS} is not here")
def test_prometheus_operator_s_own_schemas_take_the_objects(rounds: Rounds, cluster: t.Any) -> None:
    wanted = {one["kind"] for one in rounds.made}
    assert wanted == {"PrometheusRule", "PodMonitor"}
    kinds = [
        one for one in yaml.safe_load_all(DEFINITIONS.read_text("utf-8")) if one["spec"]["names"]["kind"] in wanted
    ]
    made = [{**one, "metadata": {"name": one["metadata"]["name"]}} for one in rounds.made]
    options = {name: option.get("default") for name, option in USE_CASE.spec.options.items()}
    options |= {"kubeconfig": str(cluster.kubeconfig), "name": "monitoring-schema", "objects": [*kinds, *made]}
    try:
        done = USE_CASE.run(options, Context(check_mode=False, diff_mode=False))
        assert done.facts["counts"] == {"created": 2 + len(made)}
    finally:
        options |= {"state": "absent", "deletable_kinds": ["CustomResourceDefinition"], "objects": None}
        USE_CASE.run(options, Context(check_mode=False, diff_mode=False))


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
