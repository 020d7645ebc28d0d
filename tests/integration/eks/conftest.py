"""Flows against the emulated AWS. Each test has a cluster of its own; forgetting everything would cost seconds."""

from __future__ import annotations

import itertools
import typing as t
from collections.abc import Iterator

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._aws.session import AwsSession
from eks_flow import Flow
from emulator_fixture import Emulator, emulator_server

__all__ = ("emulator_server",)
NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def clients(emulator_server: Emulator) -> dict[str, t.Any]:
    """Clients with our own retries, made once."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in emulator_server.env.items():
            patch.setenv(name, value)
        session = AwsSession({})
        return {service: session.client(service) for service in ("eks", "ec2", "autoscaling")}


@pytest.fixture
def empty_flow(emulator_server: Emulator, clients: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Flow]:
    """The way to run use cases where there is no cluster yet."""
    for name, value in emulator_server.env.items():
        monkeypatch.setenv(name, value)
    emulator_server._ask("DELETE", "")
    yield Flow(emulator_server, clients=clients, cluster=f"demo-{next(NUMBERS)}")
    emulator_server._ask("DELETE", "")


@pytest.fixture
def flow(empty_flow: Flow) -> Flow:
    """The same with an active cluster."""
    empty_flow.emulator.cluster(empty_flow.cluster)
    empty_flow.emulator.clear_calls()
    return empty_flow
