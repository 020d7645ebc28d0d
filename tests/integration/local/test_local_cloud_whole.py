"""The whole local cloud: a cluster and a node group asked of its AWS become nodes of its Kubernetes."""

from __future__ import annotations

import functools
import time

import boto3
import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from ansible_collections.aiplatform.eks.plugins.module_utils._local.processes import Process, memory


@pytest.fixture
def client_of(whole_local_cloud):
    """Makes boto3 clients of the cloud's AWS."""
    environment = whole_local_cloud["environment"]
    return functools.partial(
        boto3.client,
        endpoint_url=whole_local_cloud["aws_endpoint"],
        region_name=whole_local_cloud["region"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def until(look, seconds: float = 120):
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.2)
    return seen


def test_all_of_it_fits_into_its_memory(whole_local_cloud):
    used = {one["name"]: memory(Process(one["pid"], "")) >> 20 for one in whole_local_cloud["components"]}
    assert set(used) >= {"aws", "simulator"}
    assert sum(used.values()) < 1200, used


def test_a_node_group_becomes_ready_nodes_and_goes_again(whole_local_cloud, client_of):
    eks, ec2, iam = map(client_of, ("eks", "ec2", "iam"))
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]][:2]
    trust = '{"Version": "2012-10-17", "Statement": []}'
    role = iam.create_role(RoleName="whole", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    client = KubeClient({"kubeconfig": whole_local_cloud["kubeconfig"]})
    eks.create_cluster(name="whole", roleArn=role, resourcesVpcConfig={"subnetIds": subnets})
    cluster = until(lambda: (c := eks.describe_cluster(name="whole")["cluster"])["status"] == "ACTIVE" and c)
    assert cluster["endpoint"] == whole_local_cloud["kubernetes_endpoint"]
    eks.create_nodegroup(
        clusterName="whole",
        nodegroupName="gpu",
        nodeRole=role,
        subnets=subnets,
        instanceTypes=["p4d.24xlarge"],
        scalingConfig={"minSize": 0, "desiredSize": 2, "maxSize": 2},
    )

    def nodes(ready: bool) -> list[dict]:
        query = {"labelSelector": "eks.amazonaws.com/nodegroup=gpu"}
        return [
            node
            for node in client.request("GET", "/api/v1/nodes", query=query).body["items"]
            if not ready
            or {"Ready": "True"}.items()
            <= {one["type"]: one["status"] for one in node["status"].get("conditions", [])}.items()
        ]

    until(lambda: len(nodes(ready=True)) == 2)
    assert {node["metadata"]["labels"]["node.kubernetes.io/instance-type"] for node in nodes(ready=True)} == {
        "p4d.24xlarge"
    }
    eks.delete_nodegroup(clusterName="whole", nodegroupName="gpu")
    until(lambda: not nodes(ready=False))
