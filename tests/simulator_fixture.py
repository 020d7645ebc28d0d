"""The simulator in a thread of the test process, with a fake EKS, against the session's real control plane.

Use it in a conftest.py of your own under tests/integration: ``from simulator_fixture import gpu_world, world``, with
an C(__all__). C(world.eks.put(group, instance_type, count)) makes nodes; C(gpu_world) adds a ClusterPolicy (strategy
mixed) with MIG layouts (simulator_layouts.yaml) and device-plugin keys C(whole), C(three), C(strict) in the namespace
gpu-operator;
C(world.control({"faults": [...]})) sets faults; C(world.disruptions()) lists the pods that were hurt.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import MERGE_PATCH, KubeClient
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.errors import KubeApiError
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.catalogue import Catalogue
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.model import NodeGroup, Subnet
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.service import Paces, Service

SUBNETS = tuple(Subnet(f"s-{zone}", f"us-east-1{zone}", f"10.{index}.0.0/16") for index, zone in enumerate("abc"))
POLICY_CRD = {
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


class FakeEks:
    """Node groups that a test sets at will."""

    def __init__(self) -> None:
        self.groups: dict[str, NodeGroup] = {}

    def read(self) -> dict[str, NodeGroup]:
        return dict(self.groups)

    def put(self, name: str, instance_type: str, desired: int, **more: object) -> NodeGroup:
        machine = Catalogue().machine(instance_type)
        assert machine is not None
        group = NodeGroup(
            cluster="test", name=name, status="ACTIVE", version="1.36", release="1.36.0-1", region="us-east-1",
            machine=machine, desired=desired, subnets=SUBNETS,
        )  # fmt: skip
        self.groups[group.key] = replace(group, **more)
        return self.groups[group.key]

    def change(self, name: str, **changes: object) -> None:
        self.groups[f"test/{name}"] = replace(self.groups[f"test/{name}"], **changes)


class World:
    """What a test does and sees."""

    def __init__(self, client: KubeClient, service: Service, eks: FakeEks) -> None:
        self.client, self.service, self.eks = client, service, eks

    def get(self, path: str) -> dict:
        return self.client.request("GET", path).body

    def make(self, path: str, document: dict) -> None:
        try:
            self.client.request("POST", path, body=document)
        except KubeApiError as error:
            if error.status != 409:
                raise

    def patch(self, path: str, body: dict) -> dict:
        return self.client.request("PATCH", path, body=body, content_type=MERGE_PATCH).body

    def delete(self, path: str) -> None:
        try:
            self.client.request("DELETE", path)
        except KubeApiError as error:
            if error.status != 404:
                raise

    def nodes(self, group: str) -> list[dict]:
        query = {"labelSelector": f"eks.amazonaws.com/nodegroup={group}"}
        return self.client.request("GET", "/api/v1/nodes", query=query).body["items"]

    def ready(self, group: str) -> list[dict]:
        return [
            node
            for node in self.nodes(group)
            if any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"].get("conditions") or [])
        ]

    def label(self, node: str, **labels: str | None) -> None:
        names = {"mig_config": "nvidia.com/mig.config", "mig_state": "nvidia.com/mig.config.state"}
        named = {names.get(name, name): value for name, value in labels.items()}
        self.patch(f"/api/v1/nodes/{node}", {"metadata": {"labels": named}})

    def control(self, document: dict | None = None, path: str = "/control", method: str | None = None) -> dict:
        url = f"http://127.0.0.1:{self.service.port}{path}"
        data = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(url, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return {"status": error.code, **json.load(error)}

    def disruptions(self) -> list[dict]:
        return self.control(path="/disruptions")["disruptions"]

    def until(self, look: Callable[[], object], seconds: float = 120) -> float:
        start = time.monotonic()
        while not look():
            assert time.monotonic() - start < seconds, f"not reached after {seconds} s; {self.control(path='/healthz')}"
            time.sleep(0.05)
        return time.monotonic() - start


@pytest.fixture(scope="module")
def world(cluster: object) -> Iterator[World]:
    client = KubeClient({"kubeconfig": str(cluster.kubeconfig)})
    eks = FakeEks()
    service = Service(client=client, read_groups=eks.read, paces=Paces(moving=0.1, resting=0.2))
    service.start()
    found = World(client, service, eks)
    found.until(lambda: found.control(path="/healthz").get("ready"))
    yield found
    eks.groups.clear()
    found.until(lambda: not service.store.fleet())
    service.stop()


@pytest.fixture(scope="module")
def gpu_world(world: World) -> Iterator[World]:
    """The world with a ClusterPolicy that names two ConfigMaps."""
    world.make("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", POLICY_CRD)
    world.make("/api/v1/namespaces", {"metadata": {"name": "gpu-operator"}})
    layouts = (Path(__file__).parent / "simulator_layouts.yaml").read_text()
    world.make(
        "/api/v1/namespaces/gpu-operator/configmaps",
        {"metadata": {"name": "layouts"}, "data": {"config.yaml": layouts}},
    )
    world.make(
        "/api/v1/namespaces/gpu-operator/configmaps",
        {
            "metadata": {"name": "sharing"},
            "data": {"whole": "version: v1\n", "three": sharing(3), "strict": sharing(2, strict=True)},
        },
    )
    policy = {
        "apiVersion": "nvidia.com/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": "cluster-policy", "annotations": {"meta.helm.sh/release-namespace": "gpu-operator"}},
        "spec": {
            "mig": {"strategy": "mixed"},
            "migManager": {"config": {"name": "layouts", "default": "all-disabled"}},
            "devicePlugin": {"config": {"name": "sharing", "default": "whole"}},
            "daemonsets": {"rollingUpdate": {"maxUnavailable": "100%"}},
        },
    }
    path = "/apis/nvidia.com/v1/clusterpolicies"

    def made() -> bool:
        try:
            world.make(path, policy)
        except KubeApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    world.until(made)
    yield world
    world.delete(f"{path}/cluster-policy")


def sharing(replicas: int, *, strict: bool = False) -> str:
    resources = f"[{{name: nvidia.com/gpu, replicas: {replicas}}}]"
    block = f"{{failRequestsGreaterThanOne: {str(strict).lower()}, resources: {resources}}}"
    return f"version: v1\nsharing: {{timeSlicing: {block}}}\n"
