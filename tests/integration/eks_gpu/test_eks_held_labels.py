"""A changed MIG layout never reaches a node that GPU pods run on, though EKS labels all nodes of a group at once."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from dataclasses import replace

import pytest
from ansible_collections.aiplatform.eks.plugins.filter.node_pool_settings import node_pool_settings
from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import SystemClock
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools import use_case
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy_nodes import MIG_CONFIG
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.mirror import Mirror
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.model import NodeGroup
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.service import Paces, Service
from ansible_collections.aiplatform.eks.plugins.module_utils._sharing import mig_profiles
from eks_flow import Flow
from emulator_fixture import Emulator
from sharing_world import Gpus, defaults

POOL, SPACE, SLICE = "held", "held-layouts", "nvidia.com/mig-3g.40gb"
HALVES, MIXED = {"3g.40gb": 2}, {"1g.10gb": 2, "2g.20gb": 1, "3g.40gb": 1}


class EksGpus(Gpus):
    """GPU nodes whose labels are those of the node group in EKS."""

    def __init__(self, client: KubeClient, options: dict[str, t.Any], emulator: Emulator) -> None:
        super().__init__(client, options)
        self._eks = emulator.client("eks", retries=True)
        self.service = Service(client=client, read_groups=self._labelled, paces=Paces(0.1, 0.2))

    def _labelled(self) -> dict[str, NodeGroup]:
        return {key: replace(group, labels=self._labels(group.name)) for key, group in dict(self.groups).items()}

    def _labels(self, name: str) -> dict[str, str]:
        answer = self._eks.describe_nodegroup(clusterName="demo", nodegroupName=name)
        return t.cast("dict[str, str]", answer["nodegroup"]["labels"])


class Witness:
    """Sees each change of a node's layout, and who was on the node then."""

    def __init__(self, gpus: Gpus) -> None:
        self.changed: list[str] = []
        self.hurt: list[str] = []
        self._gpus, self._known = gpus, {}
        self._nodes: Mirror[str] = Mirror(
            gpus.client, "/api/v1/nodes", clock=SystemClock(), changed=self._look,
            reduce=lambda node: str(node["metadata"]["labels"].get(MIG_CONFIG)),
            query={"labelSelector": f"aiplatform.eks/pool={POOL}"},
        )  # fmt: skip

    def __enter__(self) -> Witness:
        self._nodes.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._nodes.stop()
        self._nodes.check()

    def _look(self, name: str) -> None:
        layout = self._nodes.get(name)
        before = self._known.setdefault(name, layout)
        if layout != before:
            self._known[name] = layout
            self.changed.append(name)
            self.hurt += [
                pod["metadata"]["name"] for pod in self._gpus.running(SPACE) if pod["spec"]["nodeName"] == name
            ]


def pool(layout: dict[str, int]) -> dict[str, t.Any]:
    return {
        "name": POOL,
        "instance_types": ["p5.48xlarge"],
        "scaling": {"min": 2, "max": 2},
        "gpu_sharing": {"mode": "mig", "layout": layout},
    }


@pytest.fixture
def flow(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Flow:
    for name, value in emulator.env.items():
        monkeypatch.setenv(name, value)
    emulator.cluster("demo")
    return Flow(emulator, clients={}, cluster="demo")


@pytest.fixture
def gpus(cluster: t.Any, flow: Flow) -> Iterator[EksGpus]:
    flow.pools(*node_pool_settings([pool(HALVES)]), use_case=use_case)
    options = {"kubeconfig": str(cluster.kubeconfig)}
    found = EksGpus(KubeClient(options), options, flow.emulator)
    found.service.start()
    found.operator([pool(HALVES)])
    roll(found, HALVES)
    found.pool(pool(HALVES), 2)
    found.until(lambda: found.allocatable(POOL, SLICE) == {"16"}, "first layout")
    found.deployment(SPACE, "models", POOL, SLICE, replicas=6, budget=3)
    yield found
    found.clear(SPACE)
    found.drop(POOL)
    found.delete("/apis/nvidia.com/v1/clusterpolicies/cluster-policy")
    found.service.stop()


def roll(gpus: Gpus, layout: dict[str, int]) -> None:
    quick = {"drain": {"timeout": 20}, "node_timeout": 15, "verify_timeout": 15, "max_unavailable": "1"}
    values = defaults(mig_profiles.SPEC, **{**gpus.options, **quick, "node_pools": [pool(layout)]})
    mig_profiles.run(values, Context())


def test_the_roll_comes_before_the_label_of_the_group(gpus: EksGpus, flow: Flow) -> None:
    wanted = node_pool_settings([pool(MIXED)])
    with Witness(gpus) as witness:
        held = flow.pools(*wanted, use_case=use_case, hold_labels=[MIG_CONFIG])
        assert not any(f"labels.{MIG_CONFIG}" in step for step in held.facts["steps"])
        assert [(one["pool"], one["label"]) for one in held.facts["held"]] == [(POOL, MIG_CONFIG)]
        roll(gpus, MIXED)
        settled = flow.pools(*wanted, use_case=use_case)
        assert any(f"labels.{MIG_CONFIG}" in step for step in settled.facts["steps"])
        gpus.until(lambda: gpus.allocatable(POOL, SLICE) == {"8"}, "second layout")
    assert (len(set(witness.changed)), witness.hurt) == (2, [])
    assert flow.pools(*wanted, use_case=use_case, hold_labels=[MIG_CONFIG]).facts["held"] == []


def test_without_it_running_pods_would_lose_their_gpus(gpus: EksGpus, flow: Flow) -> None:
    with Witness(gpus) as witness:
        flow.pools(*node_pool_settings([pool(MIXED)]), use_case=use_case)
        gpus.until(lambda: len(set(witness.changed)) == 2, "EKS labels no node")
    assert witness.hurt
