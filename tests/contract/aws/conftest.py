"""Sessions whose clients are stubbed: botocore checks names and shapes of every call and answer."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator

import boto3
import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._aws.session import AwsSession
from botocore.stub import Stubber
from emulator_fixture import emulator, emulator_server

Stubs = dict[str, Stubber]


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[AwsSession, Stubs]]]:
    """Make a session with stubbed clients of the named services; asserts at the end that all answers were used."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "a-long-value-that-is-no-secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    made: list[Stubber] = []

    def make(*services: str) -> tuple[AwsSession, Stubs]:
        clients: dict[str, t.Any] = {name: boto3.client(name, region_name="us-east-1") for name in services}
        stubs = {name: Stubber(client) for name, client in clients.items()}
        for stub in stubs.values():
            stub.activate()
        made.extend(stubs.values())
        return AwsSession({"region": "us-east-1"}, clients), stubs

    yield make
    for stub in made:
        stub.assert_no_pending_responses()


__all__ = ("emulator", "emulator_server", "stubbed")
