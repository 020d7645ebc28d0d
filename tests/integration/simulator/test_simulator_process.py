"""The simulator as its own process, between the emulated AWS and the real control plane."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from emulator_fixture import REGION, emulator, emulator_server

__all__ = ("emulator", "emulator_server")
pytestmark = pytest.mark.cluster
MODULE = "ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.program"
COLLECTIONS = Path(__file__).resolve().parents[3] / "build/collections"


def command(*arguments):
    return [sys.executable, "-m", MODULE, "--region", REGION, *arguments]


ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(COLLECTIONS), os.environ.get("PYTHONPATH", "")])}


def until(look, seconds=30):
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_from_an_aws_call_to_a_ready_node_and_to_a_clean_end(cluster, emulator):
    client = KubeClient({"kubeconfig": str(cluster.kubeconfig)})

    def nodes():
        query = {"labelSelector": "eks.amazonaws.com/nodegroup=process"}
        return client.request("GET", "/api/v1/nodes", query=query).body["items"]

    def ready():
        conditions = [one for node in nodes() for one in node["status"].get("conditions") or []]
        return sum(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    def kubelets():
        return {node["status"]["nodeInfo"]["kubeletVersion"].partition("-")[0] for node in nodes()}

    process = subprocess.Popen(
        command("--kubeconfig", str(cluster.kubeconfig), "--aws-endpoint", emulator.endpoint),
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        url = process.stdout.readline().strip().rpartition(" ")[2]
        emulator.cluster()
        scaling = {"minSize": 0, "maxSize": 3, "desiredSize": 2}
        emulator.node_group("process", instanceTypes=["m7i.large"], scalingConfig=scaling, version="1.35")
        until(lambda: ready() == 2)
        assert kubelets() == {"v1.35.0"}
        health = json.load(urllib.request.urlopen(f"{url}/healthz", timeout=5))
        assert (health["ready"], health["node_groups"], health["last_complaint"]) == (True, 1, "")
        emulator.client("eks").update_nodegroup_version(clusterName="demo", nodegroupName="process", version="1.36")
        until(lambda: kubelets() == {"v1.36.0"} and ready() == 2)
        emulator.client("eks").update_nodegroup_config(
            clusterName="demo", nodegroupName="process", scalingConfig={"desiredSize": 1}
        )
        until(lambda: ready() == 1)
        emulator.client("eks").delete_nodegroup(clusterName="demo", nodegroupName="process")
        until(lambda: ready() == 0)
    finally:
        process.send_signal(signal.SIGTERM)
        _out, errors = process.communicate(timeout=15)
    assert (process.returncode, errors) == (0, "")


def test_a_port_that_is_taken_is_said_in_a_sentence(cluster, emulator):
    port = emulator.endpoint.rpartition(":")[2].strip("/")
    arguments = ("--kubeconfig", str(cluster.kubeconfig), "--aws-endpoint", emulator.endpoint, "--port", port)
    done = subprocess.run(command(*arguments), env=ENVIRONMENT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert f"port {port} of 127.0.0.1 cannot be taken" in done.stderr
    assert "Traceback" not in done.stderr
