# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role report on a whole local cloud, with a record of the run beside it."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import boto3
import pytest
from role_play import Played, play_roles

SECRET = "canary-report-3f9c"
POOL = {
    "name": "report-mig",
    "instance_types": ["p4de.24xlarge"],
    "gpu_sharing": {"mode": "mig", "layout": {"3g.40gb": 2}},
}
ROLE = "arn:aws:iam::123456789012:role/report"


@pytest.fixture(scope="module")
def named(whole_local_cloud: dict[str, t.Any]) -> dict[str, t.Any]:
    """Variables of a cluster in the emulated EKS that has the cloud's API server."""
    environment = whole_local_cloud["environment"]
    login = {
        "endpoint_url": whole_local_cloud["aws_endpoint"],
        "region_name": whole_local_cloud["region"],
        "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
    }
    boto3.client("iam", **login).create_role(RoleName="report", AssumeRolePolicyDocument='{"Version": "2012-10-17"}')
    subnets = [one["SubnetId"] for one in boto3.client("ec2", **login).describe_subnets()["Subnets"]][:2]
    boto3.client("eks", **login).create_cluster(name="report", roleArn=ROLE, resourcesVpcConfig={"subnetIds": subnets})
    return {"aiplatform_cluster": "report", "aiplatform_region": "us-east-1", "aiplatform_cloud": "local"}


@pytest.fixture(scope="module")
def node(whole_local_cloud: dict[str, t.Any]) -> t.Iterator[str]:
    """A node of the pool, and on it a pod with a secret that nobody shall read."""
    from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient

    client = KubeClient({"kubeconfig": whole_local_cloud["kubeconfig"]})
    room = {"cpu": "8", "memory": "64Gi", "pods": "10", "nvidia.com/mig-3g.40gb": "16"}
    labels = {"aiplatform.eks/pool": "report-mig", "node.kubernetes.io/instance-type": "p4de.24xlarge"}
    metadata = {"name": "report-node", "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}}
    one = {"nvidia.com/mig-3g.40gb": "1"}
    container = {"name": "one", "image": "registry.k8s.io/pause:3.10", "resources": {"requests": one, "limits": one}}
    container["env"] = [{"name": "TOKEN", "value": SECRET}]
    pod = {"metadata": {"name": "report-pod"}, "spec": {"nodeName": "report-node", "containers": [container]}}
    client.request(
        "POST", "/api/v1/nodes", body={"metadata": metadata, "status": {"allocatable": room, "capacity": room}}
    )
    client.request("POST", "/api/v1/namespaces/default/pods", body=pod)
    yield "report-node"
    client.request("DELETE", "/api/v1/namespaces/default/pods/report-pod")
    client.request("DELETE", "/api/v1/nodes/report-node")


def test_the_report_of_a_run(
    whole_local_cloud: dict[str, t.Any], named: dict[str, t.Any], node: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    variables = {**named, "aiplatform_node_pools": [POOL], "report_path": str(path)}

    def play(*states: str, arguments: t.Sequence[str] = ()) -> list[Played]:
        found = play_roles(
            [("report", {**variables, "report_state": state}) for state in states],
            scratch=tmp_path,
            environment={
                **whole_local_cloud["environment"],
                "KUBECONFIG": str(whole_local_cloud["kubeconfig"]),
                "PATH": f"{whole_local_cloud['binaries']}:/usr/local/bin:/usr/bin:/bin",
                "ANSIBLE_CALLBACKS_ENABLED": "aiplatform.eks.run_record",
                "AIPLATFORM_RUN_RECORD": str(tmp_path / "run.json"),
            },
            arguments=["--diff", *arguments],
        )
        assert [one.failures for one in found] == [{}] * len(states)
        return found

    (check,) = play("present", arguments=["--check"])
    assert not path.exists()
    first, second = play("present", "present")
    assert check.tasks["Write the report"]["diff"] == first.tasks["Write the report"]["diff"]
    text = path.read_text(encoding="utf-8")
    assert "default/report-pod</code>" in text
    assert text.count('<svg viewBox="') == 8
    assert SECRET not in text + json.dumps([dict(first.tasks), dict(second.tasks)], default=dict)
    # Its own writing is the one change that the second play of the run finds in the record.
    assert second.changed == ["Write the report"]
    assert "Write the report" in text
    (third,) = play("present")
    assert third.changed == []
    play("absent")
    assert not path.exists()
