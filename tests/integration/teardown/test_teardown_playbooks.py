"""The playbooks preflight, plan and teardown on a local cloud of their own."""

from __future__ import annotations

import threading
import time
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.apply_set import (
    PART_OF,
    ApplySet,
    Record,
    parent_document,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.errors import KubeApiError
from emulator_fixture import Emulator
from role_play import ROOT, Played, run_playbook

CLUSTER = "passing"
GIVEN: dict[str, t.Any] = {
    "aiplatform_cluster": CLUSTER,
    "aiplatform_components": [],
    "aiplatform_poll_interval": 0.1,
    "aiplatform_node_pools": [
        {"name": "system", "instance_types": ["m7i.2xlarge"], "scaling": {"min": 1, "max": 2}},
        {
            "name": "a100-mig",
            "instance_types": ["p4de.24xlarge"],
            "scaling": {"min": 1, "max": 1},
            "gpu_sharing": {"mode": "mig", "layout": {"3g.40gb": 2}},
        },
    ],
    "governance_quotas": {},
    "foundation_efs": True,
}
BALANCER = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "door", "namespace": "shop", "finalizers": ["service.k8s.aws/resources"]},
    "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
}
VOLUME = {
    "apiVersion": "v1",
    "kind": "PersistentVolume",
    "metadata": {"name": "pvc-1", "annotations": {"pv.kubernetes.io/provisioned-by": "ebs.csi.aws.com"}},
    "spec": {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Delete",
        "storageClassName": "gp3",
        "csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "vol-1"},
        "claimRef": {"namespace": "shop", "name": "data"},
    },
}
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data", "namespace": "shop"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "gp3",
        "volumeName": "pvc-1",
        "resources": {"requests": {"storage": "1Gi"}},
    },
}
HOLDER = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "db", "namespace": "shop"},
    "spec": {
        "selector": {"matchLabels": {"app": "db"}},
        "serviceName": "db",
        "template": {
            "metadata": {"labels": {"app": "db"}},
            "spec": {
                "containers": [{"name": "db", "image": "db"}],
                "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
            },
        },
    },
}


class Cloud:
    """A local cloud, and those of AWS's controllers that it has not."""

    def __init__(self, run_dir: Path, result: dict[str, t.Any], scratch: Path) -> None:
        self.run_dir = run_dir
        self.aws = Emulator(str(result["aws_endpoint"]))
        self.kube = KubeClient({"kubeconfig": str(result["kubeconfig"])})
        self._scratch = scratch
        self.released: list[str] = []

    def play(self, *steps: str | tuple[str, dict[str, t.Any]], **more: t.Any) -> list[Played]:
        """Run playbooks, or pairs of one and its own variables, one after the other in one run."""
        given, book = self._scratch / "given.yml", self._scratch / "book.yml"
        given.write_text(yaml.safe_dump({**GIVEN, "local_cloud_run_dir": str(self.run_dir), **more}), encoding="utf-8")
        pairs = [(step, {}) if isinstance(step, str) else step for step in steps]
        plays = [{"import_playbook": str(ROOT / f"playbooks/{name}.yml"), "vars": own} for name, own in pairs]
        book.write_text(yaml.safe_dump(plays), encoding="utf-8")
        return run_playbook(book, environment={}, arguments=["-i", str(ROOT / "inventories/local"), "-e", f"@{given}"])

    def writes(self) -> list[str]:
        return [f"{row['service']}:{row['operation']}" for row in self.aws.calls(writes=True)]

    def names(self, path: str) -> set[str]:
        return {item["metadata"]["name"] for item in self.kube.request("GET", path).body["items"]}

    def post(self, path: str, document: dict[str, t.Any]) -> None:
        self.kube.request("POST", path, body=document)

    def control(self, ending: threading.Event) -> None:
        """Let go of balancers and volumes that are to go, after a while, as AWS's controllers do."""
        while not ending.wait(0.3):
            try:
                self._release()
            except KubeApiError:
                continue  # it went between two looks

    def _release(self) -> None:
        for item in self.kube.request("GET", "/api/v1/services").body["items"]:
            if item["metadata"].get("deletionTimestamp"):
                time.sleep(1)
                path = f"/api/v1/namespaces/{item['metadata']['namespace']}/services/{item['metadata']['name']}"
                patch = {"metadata": {"finalizers": None}}
                self.kube.request("PATCH", path, body=patch, content_type="application/merge-patch+json")
                self.released.append("balancer")
        for item in self.kube.request("GET", "/api/v1/persistentvolumes").body["items"]:
            policy = item["spec"]["persistentVolumeReclaimPolicy"]
            if item.get("status", {}).get("phase") in ("Released", "Failed") and policy == "Delete":
                self.kube.request("DELETE", f"/api/v1/persistentvolumes/{item['metadata']['name']}")
                self.released.append("volume")


@pytest.fixture(scope="module")
def cloud(
    tmp_path_factory: pytest.TempPathFactory, converge_local_cloud: Callable[..., dict[str, t.Any]]
) -> Iterator[Cloud]:
    run_dir = tmp_path_factory.mktemp("teardown-cloud")
    try:
        result = converge_local_cloud(run_dir, aws=True, simulator=True)
        yield Cloud(run_dir, result, tmp_path_factory.mktemp("given"))
    finally:
        converge_local_cloud(run_dir, state="stopped")


BROKEN: dict[str, t.Any] = {
    "foundation_nat_gateway": "one",
    "aiplatform_node_pools": [{**GIVEN["aiplatform_node_pools"][1], "instance_types": ["p4d.24xlarge"]}],
    "aiplatform_tags": {"team": "{{ nobody }}"},
}
SAYS = (
    "did you mean 'foundation_nat_gateways'",
    "3g.40gb does not exist on p4d.24xlarge",
    "3g.20gb is the same share",
    "aiplatform_tags cannot be worked out: 'nobody' is undefined",
)


def test_a_broken_inventory_is_refused_before_any_write(cloud: Cloud) -> None:
    before = len(cloud.writes())
    (played, *_never) = cloud.play("preflight", **BROKEN)
    message = played.failures["Check the whole inventory"]
    assert [part for part in SAYS if part not in message] == [], message
    assert len(cloud.writes()) == before


def test_nothing_is_started_without_the_cluster_s_name(cloud: Cloud, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    (refused,) = cloud.play("teardown", teardown_confirm="another", local_cloud_run_dir=str(nowhere))
    assert f"-e teardown_confirm={CLUSTER}" in refused.failures["Refuse without the cluster's name"]
    assert not nowhere.exists()


def test_a_layer_alone_refuses_a_wrong_name_before_anything_starts(cloud: Cloud, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    (refused,) = cloud.play("storage", local_cloud_run_dir=str(nowhere), storage_tag={})
    assert "did you mean 'storage_tags'" in refused.failures["Check the whole inventory"]
    assert not nowhere.exists()


def test_a_platform_is_planned_made_and_taken_away(cloud: Cloud) -> None:
    before, namespaces = len(cloud.writes()), cloud.names("/api/v1/namespaces")
    planned = cloud.play("plan")
    assert [one.failures for one in planned] == [{} for _one in planned]
    assert {"Control plane", "Node pools", "Network"} <= set(planned[-1].changed)
    assert (cloud.writes()[before:], cloud.names("/api/v1/namespaces")) == ([], namespaces)

    assert [one.failures for one in cloud.play("foundation", "cluster", "node_pools")] == [{}, {}, {}]
    _leave_the_list(cloud)
    cloud.post("/api/v1/namespaces", {"metadata": {"name": "shop"}})
    cloud.post("/api/v1/namespaces/shop/services", BALANCER)
    cloud.post("/api/v1/persistentvolumes", VOLUME)
    cloud.post("/api/v1/namespaces/shop/persistentvolumeclaims", CLAIM)
    cloud.post("/apis/apps/v1/namespaces/shop/statefulsets", HOLDER)

    ending = threading.Event()
    controllers = threading.Thread(target=cloud.control, args=(ending,))
    controllers.start()
    try:
        (kept,) = cloud.play("teardown", teardown_confirm=CLUSTER)
    finally:
        ending.set()
        controllers.join()
    assert kept.failures == {}
    assert "balancer" in cloud.released
    assert cloud.names("/api/v1/persistentvolumes") == set()
    assert cloud.names("/api/v1/namespaces") == namespaces
    assert cloud.names("/api/v1/nodes") == set()
    assert cloud.aws.client("eks").list_clusters()["clusters"] == []
    kinds = {one["kind"] for one in kept.tasks["Prove that nothing is left"]["allowed"]}
    assert kinds == {"EFS file system", "bucket", "key", "stack"}

    gone, again = (cloud.play("teardown", teardown_confirm=CLUSTER, teardown_delete_data=True)[0] for _run in range(2))
    assert (gone.failures, again.failures, again.changed) == ({}, {}, [])
    assert cloud.aws.client("cloudformation").describe_stacks()["Stacks"] == []
    assert cloud.aws.client("s3").list_buckets()["Buckets"] == []
    assert cloud.aws.client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"] == []
    assert cloud.aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert cloud.aws.client("ec2").describe_launch_templates()["LaunchTemplates"] == []


def _leave_the_list(cloud: Cloud) -> None:
    """A component that the inventory lists no more is told, and goes when that is wanted."""
    servers = ApplySet("vllm", "inference")
    record = parent_document(servers, Record(group_kinds=frozenset({"ServiceAccount"})))
    cloud.post("/api/v1/namespaces", {"metadata": {"name": "inference"}})
    cloud.post("/api/v1/namespaces/inference/configmaps", record)
    member = {"metadata": {"name": "vllm", "labels": {PART_OF: servers.id}}}
    cloud.post("/api/v1/namespaces/inference/serviceaccounts", member)
    wanted, away = {"components_listed": ["vllm"]}, {"components_remove_unlisted": True}
    steps = [("components", own) for own in (wanted, {}, away, away)]
    listed, told, gone, again = cloud.play(*steps)
    fact = "Tell what the inventory does not list"
    found = [one.tasks[fact]["ansible_facts"]["components_unlisted"] for one in (listed, told, gone)]
    assert found == [[], ["vllm"], []]
    assert (listed.changed, told.changed, again.changed) == ([], [], [])
    assert gone.changed == ["Model servers, with their cache"]
    assert "vllm" not in cloud.names("/api/v1/namespaces/inference/serviceaccounts")
