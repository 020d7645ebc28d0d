"""The session's control plane plays nodes, pods, jobs, claims, load balancers and custom resources."""

from __future__ import annotations

import json
import subprocess
import time
import typing as t
import uuid
from collections.abc import Callable

import pytest


class Kubectl:
    """kubectl for one identity and one namespace."""

    def __init__(self, cluster: t.Any, namespace: str, who: str = "kubeconfig") -> None:
        self.command = [
            str(cluster.bin / "kubectl"),
            f"--kubeconfig={getattr(cluster, who)}",
            f"--namespace={namespace}",
        ]
        self.namespace = namespace

    def __call__(self, *arguments: str, objects: list[dict[str, t.Any]] | None = None, ok: bool = True) -> str:
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}) if objects else ""
        ended = subprocess.run([*self.command, *arguments], input=text, capture_output=True, check=False, text=True)
        assert (ended.returncode == 0) is ok, ended.stderr
        return ended.stdout if ok else ended.stderr

    def apply(self, *objects: dict[str, t.Any]) -> None:
        self("apply", "--server-side", "-f", "-", objects=list(objects))

    def get(self, kind: str, name: str) -> dict[str, t.Any]:
        return json.loads(self("get", kind, name, "-o", "json"))


def until(look: Callable[[], t.Any], seconds: float = 120) -> t.Any:
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.1)
    return seen


@pytest.fixture(scope="module")
def node(cluster):
    kubectl = Kubectl(cluster, "default")
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "stage-0", "labels": {"kubernetes.io/hostname": "stage-0", "stages": "yes"}},
            "status": {
                "capacity": {"cpu": "8", "memory": "64Gi", "pods": "50", "nvidia.com/gpu": "2"},
                "allocatable": {"cpu": "8", "memory": "64Gi", "pods": "50", "nvidia.com/gpu": "2"},
            },
        }
    )
    kubectl("wait", "--for=condition=Ready", "node/stage-0", "--timeout=20s")
    yield "stage-0"
    kubectl("delete", "node", "stage-0")


@pytest.fixture
def kubectl(cluster):
    made = Kubectl(cluster, f"stages-{uuid.uuid4().hex[:8]}")
    made("create", "namespace", made.namespace)
    yield made
    made("delete", "namespace", made.namespace, "--wait=false")


def pod(name: str, *, gpus: int = 0, **spec: t.Any) -> dict[str, t.Any]:
    limits = {"nvidia.com/gpu": str(gpus)} if gpus else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "nodeSelector": {"stages": "yes"},
            "containers": [{"name": "main", "image": "example.com/main", "resources": {"limits": limits}}],
            **spec,
        },
    }


def test_a_node_keeps_the_capacity_that_it_was_given(kubectl, node):
    status = kubectl.get("node", node)["status"]
    assert status["allocatable"]["nvidia.com/gpu"] == "2"
    assert {"type": "Hostname", "address": node} in status["addresses"]


def test_a_pod_runs_with_its_gates_init_containers_and_sidecars(kubectl, node):
    init = [
        {"name": "once", "image": "example.com/once"},
        {"name": "sidecar", "image": "example.com/sidecar", "restartPolicy": "Always"},
    ]
    kubectl.apply(pod("one", initContainers=init, readinessGates=[{"conditionType": "example.com/gate"}]))
    kubectl("wait", "--for=condition=Ready", "pod/one", "--timeout=20s")
    status = kubectl.get("pod", "one")["status"]
    assert status["phase"] == "Running"
    assert status["podIP"]
    assert {one["type"]: one["status"] for one in status["conditions"]}["example.com/gate"] == "True"
    states = {one["name"]: set(one["state"]) for one in status["initContainerStatuses"]}
    assert states == {"once": {"terminated"}, "sidecar": {"running"}}
    kubectl("delete", "pod", "one", "--timeout=20s")


def test_a_pod_that_fits_nowhere_stays_pending(kubectl, node):
    kubectl.apply(pod("too-big", gpus=3), pod("fits", gpus=2))
    kubectl("wait", "--for=condition=Ready", "pod/fits", "--timeout=20s")
    status = until(lambda: (s := kubectl.get("pod", "too-big")["status"]).get("conditions") and s)
    assert status["phase"] == "Pending"
    assert "Insufficient nvidia.com/gpu" in status["conditions"][0]["message"]
    kubectl("delete", "pod", "--all", "--timeout=20s")


def test_a_job_completes(kubectl, node):
    template = {"spec": {**pod("x")["spec"], "restartPolicy": "Never"}}
    kubectl.apply(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "job"},
            "spec": {"completions": 2, "parallelism": 2, "template": template},
        }
    )
    kubectl("wait", "--for=condition=Complete", "job/job", "--timeout=20s")
    assert kubectl.get("job", "job")["status"]["succeeded"] == 2


@pytest.mark.parametrize(
    ("provisioner", "handle"),
    [("ebs.csi.aws.com", "vol-"), ("efs.csi.aws.com", "fs-"), ("fsx.csi.aws.com", "fs-"), ("s3.csi.aws.com", "s3-")],
)
def test_a_claim_is_bound_and_its_volume_goes_with_it(kubectl, node, provisioner, handle):
    klass = f"{kubectl.namespace}-{provisioner.split('.')[0]}"
    kubectl.apply(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": klass},
            "provisioner": provisioner,
        },
        claim("data", klass),
    )
    kubectl("wait", "--for=jsonpath={.status.phase}=Bound", "pvc/data", "--timeout=20s")
    volume = kubectl.get("pvc", "data")["spec"]["volumeName"]
    source = kubectl.get("pv", volume)["spec"]["csi"]
    assert source["driver"] == provisioner
    assert source["volumeHandle"].startswith(handle)
    kubectl("delete", "pvc", "data", "--timeout=20s")
    kubectl("wait", "--for=delete", f"pv/{volume}", "--timeout=20s")


def test_a_static_volume_is_left_alone(kubectl):
    name = f"{kubectl.namespace}-static"
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "capacity": {"storage": "1Gi"},
                "storageClassName": "",
                "csi": {"driver": "s3.csi.aws.com", "volumeHandle": "bucket"},
                "persistentVolumeReclaimPolicy": "Delete",
            },
        },
        claim("static", "", volumeName=name),
    )
    kubectl("wait", "--for=jsonpath={.status.phase}=Bound", "pvc/static", "--timeout=20s")
    kubectl("delete", "pvc", "static", "--timeout=20s")
    until(lambda: kubectl.get("pv", name)["status"]["phase"] in ("Released", "Failed"))
    kubectl("delete", "pv", name, "--timeout=20s")


def claim(name: str, klass: str, **spec: t.Any) -> dict[str, t.Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": klass,
            "resources": {"requests": {"storage": "1Gi"}},
            **spec,
        },
    }


def test_a_load_balancer_gets_a_hostname(kubectl):
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"app": "web"}},
        }
    )
    ingress = until(lambda: kubectl.get("service", "web")["status"]["loadBalancer"].get("ingress"))
    assert ingress[0]["hostname"].startswith(f"k8s-{kubectl.namespace}-web.")


def test_a_kind_that_comes_later_is_played(kubectl):
    kubectl.apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "clusterpolicies.nvidia.com"},
            "spec": {
                "group": "nvidia.com",
                "scope": "Cluster",
                "names": {"kind": "ClusterPolicy", "plural": "clusterpolicies", "singular": "clusterpolicy"},
                "versions": [
                    {
                        "name": "v1",
                        "served": True,
                        "storage": True,
                        "subresources": {"status": {}},
                        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                    }
                ],
            },
        }
    )
    try:
        kubectl("wait", "--for=condition=Established", "crd/clusterpolicies.nvidia.com", "--timeout=20s")
        kubectl.apply(
            {"apiVersion": "nvidia.com/v1", "kind": "ClusterPolicy", "metadata": {"name": "later"}, "spec": {}}
        )
        kubectl("wait", "--for=jsonpath={.status.state}=ready", "clusterpolicy/later", "--timeout=20s")
    finally:
        kubectl("delete", "crd", "clusterpolicies.nvidia.com", "--timeout=20s")


def test_readonly_reads_nodes_and_writes_nothing(cluster):
    readonly = Kubectl(cluster, "default", "kubeconfig_readonly")
    readonly("get", "nodes")
    assert "forbidden" in readonly("create", "namespace", "never", ok=False).lower()
    assert "forbidden" in readonly("get", "secrets", ok=False).lower()


def test_user_is_admin_by_rbac_only(cluster):
    user = Kubectl(cluster, "default", "kubeconfig_user")
    assert "system:masters" not in user("auth", "whoami", "-o", "json")
    assert user("auth", "can-i", "*", "*").strip() == "yes"
