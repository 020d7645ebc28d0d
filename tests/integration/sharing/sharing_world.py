"""GPU nodes on the session's real control plane, with the simulator as driver, plugin and mig-manager."""

from __future__ import annotations

import itertools
import threading
import time
import typing as t
from collections.abc import Callable
from dataclasses import replace

import yaml
from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import SystemClock
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import sharing_policies
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy_cluster import (
    PLUGIN_CONFIG_MAP,
    operator_values,
    plugin_documents,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy_nodes import labels as policy_labels
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import MERGE_PATCH, Answer, KubeClient
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.errors import KubeApiError
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.mirror import Mirror
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.catalogue import Catalogue
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.controls import Controls
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.model import NodeGroup, Subnet
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.service import Paces, Service

SUBNETS = (Subnet("s-a", "us-east-1a", "10.0.0.0/16"), Subnet("s-b", "us-east-1b", "10.1.0.0/16"))
NAMESPACE = "gpu-operator"
POLICIES = "/apis/nvidia.com/v1/clusterpolicies"
CRD = {
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


class KilledError(BaseException):
    """The process was killed, as far as the code under test can see."""


class Gpus:
    """GPU nodes, pods on them, and the record of what hurt."""

    def __init__(self, client: KubeClient, options: dict[str, t.Any]) -> None:
        self.client, self.options = client, options
        self.groups: dict[str, NodeGroup] = {}
        self.service = Service(client=client, read_groups=lambda: dict(self.groups), paces=Paces(0.1, 0.2))
        self.numbers = itertools.count()

    def make(self, path: str, document: dict[str, t.Any]) -> dict[str, t.Any]:
        try:
            return self.client.request("POST", path, body=document).body
        except KubeApiError as error:
            if error.status != 409:
                raise
            return {}

    def until(self, look: Callable[[], t.Any], what: str, seconds: float = 120) -> None:
        start, pause = time.monotonic(), 0.05
        while not look():
            assert time.monotonic() - start < seconds, what
            time.sleep(pause)
            pause = min(0.5, pause * 1.3)

    def operator(self, pools: list[dict[str, t.Any]]) -> None:
        """The ClusterPolicy that the role's chart would make of these pools."""
        values = operator_values(sharing_policies(pools))
        spec = {key: values[key] for key in ("mig", "devicePlugin", "migManager", "daemonsets")}
        spec["daemonsets"] = {**spec["daemonsets"], "rollingUpdate": {"maxUnavailable": "100%"}}
        document = {
            "apiVersion": "nvidia.com/v1",
            "kind": "ClusterPolicy",
            "metadata": {"name": "cluster-policy", "annotations": {"meta.helm.sh/release-namespace": NAMESPACE}},
            "spec": spec,
        }
        self.make("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", CRD)
        self.make("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        data = {key: yaml.safe_dump(one) for key, one in plugin_documents(sharing_policies(pools)).items()}
        config = {"metadata": {"name": PLUGIN_CONFIG_MAP}, "data": data}
        folder = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
        self.delete(f"{folder}/{PLUGIN_CONFIG_MAP}")
        self.make(folder, config)
        served = "/apis/nvidia.com/v1"
        self.until(lambda: self.exists(served), "the CRD is not served")
        if not self.make(POLICIES, document):
            path = f"{POLICIES}/cluster-policy"
            self.client.request("PATCH", path, body={"spec": spec}, content_type=MERGE_PATCH)

    def delete(self, path: str) -> None:
        try:
            self.client.request("DELETE", path)
        except KubeApiError as error:
            if error.status != 404:
                raise

    def exists(self, path: str) -> bool:
        try:
            self.client.request("GET", path)
        except KubeApiError as error:
            if error.status != 404:
                raise
            return False
        return True

    def pool(self, pool: dict[str, t.Any], count: int) -> None:
        """That many nodes of an inventory's pool, with the labels that it gives them."""
        (policy,) = sharing_policies([pool])
        machine = Catalogue().machine(pool["instance_types"][0])
        assert machine is not None
        group = NodeGroup(
            cluster="test", name=pool["name"], status="ACTIVE", version="1.36", release="1.36.0-1",
            region="us-east-1", machine=machine, desired=count, subnets=SUBNETS,
        )  # fmt: skip
        self.groups[group.key] = replace(group, labels=policy_labels(policy))
        self.until(lambda: len(self.nodes(pool["name"], ready=True)) == count, f"{count} nodes of {pool['name']}", 90)

    def drop(self, name: str) -> None:
        self.groups[f"test/{name}"] = replace(self.groups[f"test/{name}"], desired=0)
        self.until(lambda: not self.nodes(name), f"nodes of {name} are not gone", 90)
        self.groups.pop(f"test/{name}")

    def nodes(self, pool: str, *, ready: bool = False) -> list[dict[str, t.Any]]:
        query = {"labelSelector": f"aiplatform.eks/pool={pool}"}
        found = self.client.request("GET", "/api/v1/nodes", query=query).body["items"]
        return [node for node in found if not ready or is_ready(node)]

    def allocatable(self, pool: str, resource: str) -> set[str]:
        return {node["status"]["allocatable"].get(resource, "0") for node in self.nodes(pool)}

    def deployment(self, namespace: str, name: str, pool: str, resource: str, *, replicas: int, budget: int) -> None:
        """GPU pods with a budget of that many that may be missing."""
        self.make("/api/v1/namespaces", {"metadata": {"name": namespace}})
        labels = {"app": name}
        container = {"name": "c", "image": "c", "resources": {"limits": {resource: "1"}}}
        spec = {
            "containers": [container],
            "nodeSelector": {"aiplatform.eks/pool": pool},
            "tolerations": [{"operator": "Exists", "effect": "NoSchedule", "key": "nvidia.com/gpu"}],
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": "kubernetes.io/hostname",
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": labels},
                }
            ],
        }
        self.make(
            f"/apis/apps/v1/namespaces/{namespace}/deployments",
            {
                "metadata": {"name": name},
                "spec": {
                    "replicas": replicas,
                    "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": spec},
                },
            },
        )
        self.make(
            f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets",
            {"metadata": {"name": name}, "spec": {"maxUnavailable": budget, "selector": {"matchLabels": labels}}},
        )
        self.until(lambda: len(self.running(namespace)) >= replicas, f"pods of {name} do not run")

    def unblock(self) -> None:
        """Take all budgets away."""
        for budget in self.client.request("GET", "/apis/policy/v1/poddisruptionbudgets").body["items"]:
            namespace, name = budget["metadata"]["namespace"], budget["metadata"]["name"]
            self.client.request("DELETE", f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets/{name}")

    def clear(self, namespace: str) -> None:
        """Take the budgets and the pods of a namespace away."""
        self.unblock()
        self.client.request("DELETE", f"/apis/apps/v1/namespaces/{namespace}/deployments")
        self.until(lambda: not self.running(namespace), f"pods of {namespace} stay")

    def running(self, namespace: str) -> list[dict[str, t.Any]]:
        pods = self.client.request("GET", f"/api/v1/namespaces/{namespace}/pods").body["items"]
        return [pod for pod in pods if pod["status"].get("phase") == "Running"]

    def control(self, **switches: t.Any) -> None:
        self.service.engine.world.controls = Controls().changed(switches)
        self.service.engine.look_at_everything()

    def killed_after(self, writes: int) -> KubeClient:
        """A client whose process dies before one of its next writes."""
        return _MortalClient(self.options, writes)


class _MortalClient(KubeClient):
    def __init__(self, options: dict[str, t.Any], writes: int) -> None:
        super().__init__(options)
        self.left, self.lock = writes, threading.Lock()

    def request(self, method: str, path: str, **more: t.Any) -> Answer:
        if method != "GET":
            with self.lock:
                self.left -= 1
                if self.left < 0:
                    raise KilledError
        return super().request(method, path, **more)


class Watchman:
    """Watches from outside how many nodes of a pool are out at once; no event falls between two looks."""

    def __init__(self, gpus: Gpus, pool: str) -> None:
        self.most = 0
        self._out: set[str] = set()
        self._nodes: Mirror[bool] = Mirror(
            gpus.client, "/api/v1/nodes", clock=SystemClock(), changed=self._changed,
            reduce=lambda node: bool(node["spec"].get("unschedulable")),
            query={"labelSelector": f"aiplatform.eks/pool={pool}"},
        )  # fmt: skip

    def __enter__(self) -> Watchman:
        self._nodes.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._nodes.stop()
        self._nodes.check()

    def _changed(self, name: str) -> None:
        (self._out.add if self._nodes.get(name) else self._out.discard)(name)
        self.most = max(self.most, len(self._out))


def is_ready(node: dict[str, t.Any]) -> bool:
    conditions = node["status"].get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def defaults(spec: t.Any, **options: t.Any) -> dict[str, t.Any]:
    """Options with the spec's defaults, one level deep."""
    found: dict[str, t.Any] = {}
    for name, entry in spec.options.items():
        inner = {key: one.get("default") for key, one in (entry.get("options") or {}).items()}
        given = options.get(name)
        found[name] = {**inner, **(given or {})} if inner else options.get(name, entry.get("default"))
    return found
