"""The emulated AWS for tests: one server a session, everything forgotten before each test.

Use it in a conftest.py of your own: ``from emulator_fixture import emulator, emulator_server``, with an C(__all__).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import typing as t
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).resolve().parent.parent
MODULE = "ansible_collections.aiplatform.eks.plugins.module_utils._local.emulator.program"
REGION = "us-east-1"
ACCOUNT = "123456789012"
START_SECONDS = 60
# One attempt: a test sees the error that the emulator gave.
ONCE = Config(retries={"total_max_attempts": 1, "mode": "standard"}, parameter_validation=True)


class Emulator:
    """The emulated AWS.

    :param endpoint: its URL: give it as C(endpoint_url), or use the environment of C(env).
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._session = boto3.Session("testing", "testing", region_name=REGION)
        self._clients: dict[str, t.Any] = {}

    @property
    def env(self) -> dict[str, str]:
        """Environment variables by which any AWS client finds it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_RETRY_MODE": "standard",
        }

    def client(self, service: str, *, retries: bool = False) -> t.Any:
        """A boto3 client.

        :param retries: whether it repeats throttled calls, as a user's would.
        """
        key = f"{service}/{retries}"
        if key not in self._clients:
            config = Config(retries={"total_max_attempts": 10, "mode": "standard"}) if retries else ONCE
            self._clients[key] = self._session.client(service, endpoint_url=self.endpoint, config=config)
        return self._clients[key]

    def control(self, **faults: t.Any) -> dict[str, t.Any]:
        """Set switches (see _local/emulator/faults.py); those not named stay. Returns all that are set."""
        return t.cast(dict[str, t.Any], self._ask("POST", "", faults)["faults"])

    def calls(self, service: str | None = None, *, writes: bool | None = None) -> list[dict[str, t.Any]]:
        """The calls since the test began: service, operation, write, parameters, at, seconds, status."""
        return [
            row
            for row in self._ask("GET", "calls")["calls"]
            if service in (None, row["service"]) and writes in (None, row["write"])
        ]

    def clear_calls(self) -> None:
        """Forget the calls so far."""
        self._ask("DELETE", "calls")

    def state(self) -> list[dict[str, t.Any]]:
        """All clusters with all that is in them, without a call in the log."""
        return t.cast(list[dict[str, t.Any]], self._ask("GET", "state")["clusters"])

    def reset(self) -> None:
        """Forget everything: resources of all services, switches, calls."""
        self._send("POST", "/moto-api/reset")

    def subnets(self, count: int = 3) -> list[str]:
        """Subnets of the default network, each in another zone."""
        rows = self.client("ec2").describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
        return [row["SubnetId"] for row in sorted(rows, key=lambda row: row["AvailabilityZone"])][:count]

    def role(self, name: str) -> str:
        """The ARN of a role of that name; it need not exist unless C(check_roles) is set."""
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"

    def cluster(self, name: str = "demo", **options: t.Any) -> dict[str, t.Any]:
        """Make a cluster and wait until it is ACTIVE; its description."""
        eks = self.client("eks")
        network = {"subnetIds": self.subnets(), **options.pop("resourcesVpcConfig", {})}
        options = {"accessConfig": {"authenticationMode": "API"}} | options
        eks.create_cluster(name=name, roleArn=self.role("cluster"), resourcesVpcConfig=network, **options)
        return wait_for(lambda: eks.describe_cluster(name=name)["cluster"], "ACTIVE")

    def node_group(self, name: str, *, cluster: str = "demo", **options: t.Any) -> dict[str, t.Any]:
        """Make a node group and wait until it is ACTIVE; its description."""
        eks = self.client("eks")
        options = {"subnets": self.subnets(), "nodeRole": self.role("nodes")} | options
        eks.create_nodegroup(clusterName=cluster, nodegroupName=name, **options)
        return wait_for(lambda: eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"], "ACTIVE")

    def _ask(self, method: str, topic: str, document: t.Any = None) -> t.Any:
        return json.loads(self._send(method, f"/aiplatform-control/{topic}", document))

    def _send(self, method: str, path: str, document: t.Any = None) -> bytes:
        data = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self.endpoint + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return t.cast(bytes, answer.read())


def wait_for(look: t.Callable[[], dict[str, t.Any]], status: str, seconds: float = 60) -> dict[str, t.Any]:
    """Look until the status is there."""
    end = time.monotonic() + seconds
    while (found := look())["status"] != status:
        assert time.monotonic() < end, f"still {found['status']}, wanted {status}: {found.get('health')}"
        time.sleep(0.02)
    return found


def start_emulator(
    log: Path, *, arguments: tuple[str, ...] = (), faults: str = "{}"
) -> tuple[subprocess.Popen[str], str]:
    """Start a server on a free port; the process and its URL."""
    path = os.pathsep.join([str(ROOT / "build/collections"), os.environ.get("PYTHONPATH", "")])
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", MODULE, "--port", "0", *arguments],
            env={**os.environ, "PYTHONPATH": path, "AIPLATFORM_EMULATOR_FAULTS": faults},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("listening on "), log.read_text()
    return process, line.removeprefix("listening on ").strip()


def stop_emulator(process: subprocess.Popen[str]) -> None:
    """End the server."""
    process.terminate()
    process.wait(timeout=10)
    if process.stdout is not None:
        process.stdout.close()


@pytest.fixture(scope="session")
def emulator_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The server of this session (each worker of pytest-xdist has its own)."""
    process, endpoint = start_emulator(tmp_path_factory.mktemp("emulator") / "emulator.log")
    yield Emulator(endpoint)
    stop_emulator(process)


@pytest.fixture
def emulator(emulator_server: Emulator) -> Emulator:
    """The server, with everything forgotten."""
    emulator_server.reset()
    return emulator_server
