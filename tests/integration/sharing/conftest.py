"""Fixtures of the sharing tests."""

from __future__ import annotations

import random
import typing as t
from collections.abc import Iterator

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from sharing_world import POLICIES, Gpus


@pytest.fixture(scope="module")
def gpus(cluster: t.Any) -> Iterator[Gpus]:
    options = {"kubeconfig": str(cluster.kubeconfig)}
    found = Gpus(KubeClient(options), options)
    found.service.start()
    yield found
    found.unblock()
    for name in [group.name for group in found.groups.values()]:
        found.drop(name)
    if found.exists("/apis/nvidia.com/v1"):
        found.delete(f"{POLICIES}/cluster-policy")
    found.service.stop()


@pytest.fixture
def dice() -> random.Random:
    return random.Random(11)
