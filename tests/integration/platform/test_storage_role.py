# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role storage on a whole local cloud: drivers in the emulated EKS, classes and claims in a real API server."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import boto3
import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._aws.leftovers.scope import Scope
from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import Pace, SystemClock, wait_until
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from platform_play import Played, Playing

ROLE = "arn:aws:iam::123456789012:role/storage-csi"
VARIABLES: dict[str, t.Any] = {
    "aiplatform_cluster": "storage",
    "aiplatform_region": "us-east-1",
    "aiplatform_poll_interval": 0.2,
    "storage_foundation": {
        "key_arn": "arn:aws:kms:us-east-1:123456789012:key/one",
        "role_arns": {"ebs_csi": ROLE, "efs_csi": ROLE, "fsx_csi": ROLE, "s3_csi": ROLE},
        "buckets": {"models": "storage-models"},
        "network": {"gpu_subnet_ids": ["subnet-0a1b2c3d4e5f60718"]},
        "efs": {"file_system_id": "fs-0a1b2c3d"},
        "fsx": {"file_system_id": "fs-0f", "dns_name": "fs-0f.fsx", "mount_name": "abcdefgh", "storage_gib": 1200},
    },
    "storage_shared_volumes": [
        {"name": "models", "namespaces": ["default"], "source": "s3", "bucket": "models", "read_only": True},
        {"name": "fast", "namespaces": ["default"], "source": "fsx"},
        {"name": "results", "namespaces": ["default"], "source": "s3", "bucket": "models"},
    ],
}


@pytest.fixture(scope="module")
def client(whole_local_cloud: dict[str, t.Any]) -> KubeClient:
    return KubeClient({"kubeconfig": whole_local_cloud["kubeconfig"]})


@pytest.fixture(scope="module")
def clients(whole_local_cloud: dict[str, t.Any]) -> t.Any:
    """Makes boto3 clients of the cloud's AWS."""
    environment = whole_local_cloud["environment"]
    return lambda service: boto3.client(
        service,
        endpoint_url=whole_local_cloud["aws_endpoint"],
        region_name=whole_local_cloud["region"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


@pytest.fixture(scope="module")
def cloud(whole_local_cloud: dict[str, t.Any], clients: t.Any, tmp_path_factory: t.Any) -> Playing:
    """A cluster in the emulated EKS, and what plays roles on it."""
    eks = clients("eks")
    clients("iam").create_role(
        RoleName="storage-csi", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}'
    )
    subnets = [one["SubnetId"] for one in clients("ec2").describe_subnets()["Subnets"]][:2]
    eks.create_cluster(name="storage", roleArn=ROLE, resourcesVpcConfig={"subnetIds": subnets})
    wait_until(
        lambda: (eks.describe_cluster(name="storage")["cluster"]["status"] == "ACTIVE", None),
        clock=SystemClock(),
        timeout=30,
        pace=Pace(first=0.2, factor=1, longest=0.2),
        describe=lambda _state, elapsed: f"the cluster is not active after {elapsed:.0f} s",
    )
    eks.create_addon(clusterName="storage", addonName="eks-pod-identity-agent")
    return Playing(
        scratch=Path(tmp_path_factory.mktemp("storage")),
        kubeconfig=Path(whole_local_cloud["kubeconfig"]),
        binaries=Path(whole_local_cloud["binaries"]),
        environment=whole_local_cloud["environment"],
    )


@pytest.fixture(scope="module")
def rounds(cloud: Playing) -> dict[str, Played]:
    """A check, the run that it spoke of, and a second run."""
    return {
        "check": cloud.play("storage", check=True, **VARIABLES),
        "run": cloud.play("storage", **VARIABLES),
        "again": cloud.play("storage", **VARIABLES),
    }


def test_check_says_what_the_run_does_and_a_second_run_does_nothing(rounds: dict[str, Played]) -> None:
    for task in ("Drivers", "Classes and shared volumes"):
        assert rounds["check"].tasks[task]["steps"] == rounds["run"].tasks[task]["steps"]
    assert rounds["run"].changed == ["Drivers", "Classes and shared volumes"]
    assert rounds["again"].changed == []


def test_the_drivers_have_their_identities(rounds: dict[str, Played], clients: t.Any) -> None:
    eks = clients("eks")
    assert set(eks.list_addons(clusterName="storage")["addons"]) == {
        "aws-ebs-csi-driver",
        "aws-efs-csi-driver",
        "aws-fsx-csi-driver",
        "aws-mountpoint-s3-csi-driver",
        "eks-pod-identity-agent",
        "snapshot-controller",
    }
    found = eks.list_pod_identity_associations(clusterName="storage")["associations"]
    assert {one["serviceAccount"] for one in found} == {
        "ebs-csi-controller-sa",
        "efs-csi-controller-sa",
        "efs-csi-node-sa",
        "fsx-csi-controller-sa",
        "s3-csi-driver-sa",
    }
    ebs = eks.describe_addon(clusterName="storage", addonName="aws-ebs-csi-driver")["addon"]
    tags = json.loads(ebs["configurationValues"])["controller"]["extraVolumeTags"]
    assert Scope("storage").marked(tags)


def test_the_one_default_class_is_encrypted_with_the_platform_s_key(
    rounds: dict[str, Played], client: KubeClient
) -> None:
    classes = client.request("GET", "/apis/storage.k8s.io/v1/storageclasses").body["items"]
    mark = "storageclass.kubernetes.io/is-default-class"
    default = [one for one in classes if one["metadata"].get("annotations", {}).get(mark) == "true"]
    assert [one["metadata"]["name"] for one in default] == ["gp3"]
    key = VARIABLES["storage_foundation"]["key_arn"]
    assert default[0]["parameters"] == {"type": "gp3", "encrypted": "true", "kmsKeyId": key}
    assert {one["metadata"]["name"] for one in classes} == {"gp3", "gp3-retain", "efs", "fsx-scratch"}
    snapshots = client.request("GET", "/apis/snapshot.storage.k8s.io/v1/volumesnapshotclasses/ebs").body
    assert (snapshots["driver"], snapshots["deletionPolicy"]) == ("ebs.csi.aws.com", "Retain")


def test_shared_volumes_are_bound_claims(rounds: dict[str, Played], client: KubeClient) -> None:
    claims = client.request("GET", "/api/v1/namespaces/default/persistentvolumeclaims").body["items"]
    found = {one["metadata"]["name"]: (one["status"]["phase"], one["spec"]["accessModes"]) for one in claims}
    assert found == {
        "models": ("Bound", ["ReadOnlyMany"]),
        "fast": ("Bound", ["ReadWriteMany"]),
        "results": ("Bound", ["ReadWriteMany"]),
    }
    volumes = {name: client.request("GET", f"/api/v1/persistentvolumes/default-{name}").body["spec"] for name in found}
    assert volumes["models"]["csi"]["volumeAttributes"]["bucketName"] == "storage-models"
    assert volumes["models"]["persistentVolumeReclaimPolicy"] == "Retain"
    # The platform's pods are not root, and Mountpoint shows nobody else what it mounts unless told to.
    assert volumes["models"]["mountOptions"] == ["allow-other", "read-only", "region us-east-1"]
    modes = ["dir-mode=777", "file-mode=666"]
    writing = ["allow-other", "allow-delete", "allow-overwrite", *modes, "region us-east-1"]
    assert volumes["results"]["mountOptions"] == writing


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"storage_fsx": False}, "fast is on FSx for Lustre, and the foundation made no such file system"),
        (
            {"storage_shared_volumes": [{"name": "x", "namespaces": ["a"], "source": "s3", "bucket": "logs"}]},
            "x names no bucket of the foundation, whose buckets are models",
        ),
    ],
)
def test_a_volume_of_nothing_is_refused_before_any_write(
    rounds: dict[str, Played], cloud: Playing, wish: dict[str, t.Any], sentence: str
) -> None:
    played = cloud.play("storage", fails=True, **{**VARIABLES, **wish})
    assert sentence in played.failure
    assert played.changed == []


def test_absent_takes_away_what_present_made(
    rounds: dict[str, Played], cloud: Playing, client: KubeClient, clients: t.Any
) -> None:
    cloud.play("storage", storage_state="absent", **VARIABLES)
    assert clients("eks").list_addons(clusterName="storage")["addons"] == ["eks-pod-identity-agent"]
    assert client.request("GET", "/apis/storage.k8s.io/v1/storageclasses").body["items"] == []
    assert client.request("GET", "/api/v1/namespaces/default/persistentvolumeclaims").body["items"] == []
    assert cloud.play("storage", storage_state="absent", **VARIABLES).changed == []
    clients("eks").delete_cluster(name="storage")
