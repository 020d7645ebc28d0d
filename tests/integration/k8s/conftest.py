"""Fixtures of the Kubernetes engine's tests."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from k8s_apply_harness import Sets, namespace_object

_NUMBERS = itertools.count()


@pytest.fixture
def sets(cluster: t.Any) -> Sets:
    """Apply sets as a user to whom RBAC and fair queueing apply."""
    return Sets(cluster.kubeconfig_user, cluster.bin / "kubectl")


@pytest.fixture
def space(sets: Sets) -> str:
    """A fresh namespace."""
    name = f"engine-{next(_NUMBERS)}"
    sets.kubectl("create", "namespace", name)
    return name


@pytest.fixture
def fresh() -> t.Any:
    """A namespace object that nobody made yet."""
    return namespace_object(f"engine-fresh-{next(_NUMBERS)}")
