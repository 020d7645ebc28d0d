# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role mlflow on a whole local cloud, in a restricted namespace; its passwords are looked for everywhere."""

from __future__ import annotations

import base64
import json
import typing as t
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from role_play import Played, play_roles

NAMESPACE = "mlflow-test"
ROLE = "arn:aws:iam::123456789012:role/mlflow-test"
VARIABLES: dict[str, t.Any] = {
    "aiplatform_cluster": "mlflow-test",
    "aiplatform_region": "us-east-1",
    "aiplatform_stand_in_charts": True,
    "mlflow_namespace": NAMESPACE,
    "mlflow_bucket": "mlflow-test-artefacts",
    "mlflow_role_arn": ROLE,
    "mlflow_postgres_storage_class": "mlflow-test",
    "mlflow_timeout": 60,
}
ROOM = {"cpu": "8", "memory": "64Gi", "pods": "50"}
GROUND: dict[str, list[dict[str, t.Any]]] = {
    "/api/v1/nodes": [
        {
            "metadata": {"name": "mlflow-test", "annotations": {"kwok.x-k8s.io/node": "fake"}},
            "status": {"allocatable": ROOM, "capacity": ROOM},
        }
    ],
    "/apis/storage.k8s.io/v1/storageclasses": [
        {
            "metadata": {"name": "mlflow-test"},
            "provisioner": "ebs.csi.aws.com",
            "volumeBindingMode": "WaitForFirstConsumer",
        }
    ],
    "/api/v1/namespaces": [
        {"metadata": {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    ],
}


@pytest.fixture(scope="module")
def client(whole_local_cloud: dict[str, t.Any]) -> Iterator[KubeClient]:
    found = KubeClient({"kubeconfig": whole_local_cloud["kubeconfig"]})
    for path, wanted in GROUND.items():
        for one in wanted:
            found.request("POST", path, body=one)
    yield found
    for path in reversed(GROUND):
        for one in GROUND[path]:
            found.request("DELETE", f"{path}/{one['metadata']['name']}")


@pytest.fixture(scope="module")
def eks(whole_local_cloud: dict[str, t.Any]) -> t.Any:
    """The emulated EKS with a cluster and the identity agent."""
    environment = whole_local_cloud["environment"]
    login = {
        "endpoint_url": whole_local_cloud["aws_endpoint"],
        "region_name": whole_local_cloud["region"],
        "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
    }
    boto3.client("iam", **login).create_role(
        RoleName="mlflow-test", AssumeRolePolicyDocument='{"Version": "2012-10-17"}'
    )
    subnets = [one["SubnetId"] for one in boto3.client("ec2", **login).describe_subnets()["Subnets"]][:2]
    found = boto3.client("eks", **login)
    found.create_cluster(name="mlflow-test", roleArn=ROLE, resourcesVpcConfig={"subnetIds": subnets})
    found.get_waiter("cluster_active").wait(name="mlflow-test", WaiterConfig={"Delay": 1})
    return found


def names(client: KubeClient, kind: str) -> set[str]:
    return {one["metadata"]["name"] for one in client.request("GET", kind.format(NAMESPACE)).body["items"]}


def passwords(client: KubeClient) -> set[str]:
    """Every generated value, as text and as it stands in the Secret."""
    found = set()
    for name in ("mlflow-postgres", "mlflow-flask-server-secret-key"):
        data = client.request("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets/{name}").body["data"]
        for key, value in data.items():
            found |= {value, base64.b64decode(value).decode()} if key != "username" else set()
    return found


@pytest.fixture
def play(whole_local_cloud: dict[str, t.Any], tmp_path: Path) -> t.Callable[..., list[Played]]:
    """Plays the role with each wish."""

    def played(*wishes: dict[str, t.Any], arguments: t.Sequence[str] = ()) -> list[Played]:
        found = play_roles(
            [("mlflow", {**VARIABLES, **wish}) for wish in wishes],
            scratch=tmp_path,
            environment={
                **whole_local_cloud["environment"],
                "KUBECONFIG": str(whole_local_cloud["kubeconfig"]),
                "PATH": f"{whole_local_cloud['binaries']}:/usr/local/bin:/usr/bin:/bin",
                "XDG_CACHE_HOME": str(tmp_path / "cache"),
            },
            arguments=["--diff", *arguments],
        )
        assert [one.failures for one in found] == [{}] * len(wishes)
        return found

    return played


def test_the_role_from_nothing_to_nothing(client: KubeClient, eks: t.Any, play: t.Callable[..., list[Played]]) -> None:
    (check,) = play({}, arguments=["--check"])
    first, second = play({}, {})
    told = {name: task.get("steps") for name, task in check.tasks.items()}
    assert told == {name: task.get("steps") for name, task in first.tasks.items()}
    assert second.changed == []
    kept = passwords(client)
    assert len(kept) == 4
    everything = json.dumps([one.tasks for one in (check, first, second)], default=dict)
    assert not [word for word in kept if word in everything]
    (database,) = client.request("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets").body["items"]
    assert database["status"]["readyReplicas"] == 1
    hosts = client.request("GET", f"/api/v1/namespaces/{NAMESPACE}/configmaps/mlflow-env-configmap").body["data"]
    assert f"mlflow.{NAMESPACE}.svc.cluster.local:*" in hosts["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    (identity,) = eks.list_pod_identity_associations(clusterName="mlflow-test")["associations"]
    assert (identity["namespace"], identity["serviceAccount"]) == (NAMESPACE, "mlflow")

    away = {"mlflow_state": "absent"}
    _gone, again, back = play(away, away, {})
    assert again.changed == []
    assert back.changed
    after = client.request("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets/mlflow-postgres").body["data"]["password"]
    assert after in kept  # the volume stayed, so its password did
    play({**away, "mlflow_delete_data": True})
    assert_nothing_is_left(client, eks)


def assert_nothing_is_left(client: KubeClient, eks: t.Any) -> None:
    kinds = [
        "/api/v1/namespaces/{}/secrets",
        "/api/v1/namespaces/{}/services",
        "/apis/apps/v1/namespaces/{}/deployments",
        "/apis/apps/v1/namespaces/{}/statefulsets",
        "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    ]
    assert [names(client, kind) for kind in kinds] == [set()] * len(kinds)
    claims = client.request("GET", f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims").body["items"]
    assert [one["metadata"]["name"] for one in claims if not one["metadata"].get("deletionTimestamp")] == []
    assert eks.list_pod_identity_associations(clusterName="mlflow-test")["associations"] == []
