"""Every operation of EKS that the emulator has, called through boto3 over HTTP: shapes of AWS, meaning of AWS.

The rules of EKS are tested without HTTP in tests/unit/local_emulator; here is what only the whole server can show.
"""

from __future__ import annotations

import sys
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._local.emulator.eks.api import OPERATIONS
from botocore import xform_name
from botocore.exceptions import ClientError
from emulator_fixture import Emulator, wait_for

sys.path.insert(0, str(Path(__file__).parents[2] / "unit/local_emulator"))
from eks_world import hold, model

VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
OIDC = {"identityProviderConfigName": "sso", "issuerUrl": "https://id.example.org", "clientId": "kubernetes"}


class Caller:
    """Calls operations and holds each answer against the model; remembers which."""

    def __init__(self, emulator: Emulator) -> None:
        self.client = emulator.client("eks")
        self.called: set[str] = set()

    def __call__(self, operation: str, **parameters: t.Any) -> dict[str, t.Any]:
        answer = getattr(self.client, xform_name(operation))(**parameters)
        assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 200
        hold(model().operation_model(operation).output_shape, answer, operation)
        self.called.add(operation)
        return t.cast(dict[str, t.Any], answer)


def test_every_operation_over_http(emulator: Emulator) -> None:
    call = Caller(emulator)
    subnets, role = emulator.subnets(), emulator.role("any")
    made = call("CreateCluster", name="demo", version="1.35", roleArn=role, resourcesVpcConfig={"subnetIds": subnets})
    assert made["cluster"]["status"] == "CREATING"
    found = call("DescribeCluster", name="demo")["cluster"]
    assert {"arn", "endpoint", "certificateAuthority", "identity", "platformVersion", "version"} <= set(found)
    assert call("ListClusters")["clusters"] == ["demo"]
    for mode in ("API_AND_CONFIG_MAP", "API"):
        update = call("UpdateClusterConfig", name="demo", accessConfig={"authenticationMode": mode})["update"]
        assert call("DescribeUpdate", name="demo", updateId=update["id"])["update"]["status"] == "Successful"
    assert len(call("ListUpdates", name="demo")["updateIds"]) == 2
    key = {"keyArn": "arn:aws:kms:us-east-1:123456789012:key/one"}
    call(
        "AssociateEncryptionConfig", clusterName="demo", encryptionConfig=[{"resources": ["secrets"], "provider": key}]
    )
    _insights(call)
    _node_groups(call, subnets, role)
    _addons(call)
    _access(call, emulator.role("team"))
    _pod_identities(call, role)
    _fargate(call, subnets, role)
    _identity_providers(call)
    _versions(call)
    call("DeleteCluster", name="demo")
    assert call("ListClusters")["clusters"] == []
    assert call.called == set(OPERATIONS)


def _insights(call: Caller) -> None:
    call("StartInsightsRefresh", clusterName="demo")
    assert call("DescribeInsightsRefresh", clusterName="demo")["status"] == "COMPLETED"
    rows = call("ListInsights", clusterName="demo", filter={"categories": ["UPGRADE_READINESS"]})["insights"]
    assert rows
    assert call("DescribeInsight", clusterName="demo", id=rows[0]["id"])["insight"]["name"] == rows[0]["name"]


def _node_groups(call: Caller, subnets: list[str], role: str) -> None:
    own = {"clusterName": "demo", "nodegroupName": "pool"}
    made = call("CreateNodegroup", **own, subnets=subnets, nodeRole=role, labels={"a": "b"})["nodegroup"]
    call("TagResource", resourceArn=made["nodegroupArn"], tags={"team": "ml"})
    assert call("ListTagsForResource", resourceArn=made["nodegroupArn"])["tags"] == {"team": "ml"}
    call("UntagResource", resourceArn=made["nodegroupArn"], tagKeys=["team"])
    call("UpdateNodegroupConfig", **own, scalingConfig={"maxSize": 5}, labels={"removeLabels": ["a"]})
    found = call("DescribeNodegroup", **own)["nodegroup"]
    assert found["scalingConfig"] == {"minSize": 1, "maxSize": 5, "desiredSize": 2}
    assert found["labels"] == {}
    call("UpdateClusterVersion", name="demo", version="1.36")
    call("DescribeCluster", name="demo")
    call("UpdateNodegroupVersion", **own, version="1.36")
    assert call("DescribeNodegroup", **own)["nodegroup"]["version"] == "1.36"
    assert len(call("ListUpdates", name="demo", nodegroupName="pool")["updateIds"]) == 2
    call("DeleteNodegroup", **own)
    assert call("ListNodegroups", clusterName="demo")["nodegroups"] == []
    rollback = call("UpdateClusterVersion", name="demo", version="1.35")["update"]
    with pytest.raises(ClientError, match="InvalidStateException"):
        call("CancelUpdate", name="demo", updateId=rollback["id"])
    call.called.add("CancelUpdate")  # its success needs a delay: tests/unit/local_emulator


def _addons(call: Caller) -> None:
    own = {"clusterName": "demo", "addonName": "metrics-server"}
    version = call("DescribeAddonVersions", addonName="metrics-server")["addons"][0]["addonVersions"][0]["addonVersion"]
    call("DescribeAddonConfiguration", addonName="metrics-server", addonVersion=version)
    call("CreateAddon", **own, addonVersion=version, tags={"a": "b"})
    call("UpdateAddon", **own, configurationValues='{"replicas": 2}', resolveConflicts="OVERWRITE")
    assert call("DescribeAddon", **own)["addon"]["configurationValues"] == '{"replicas": 2}'
    assert call("ListAddons", clusterName="demo")["addons"] == ["metrics-server"]
    call("DeleteAddon", **own)


def _access(call: Caller, principal: str) -> None:
    own = {"clusterName": "demo", "principalArn": principal}
    call("CreateAccessEntry", **own, kubernetesGroups=["team"])
    call("UpdateAccessEntry", **own, kubernetesGroups=["team", "ops"])
    assert call("DescribeAccessEntry", **own)["accessEntry"]["kubernetesGroups"] == ["team", "ops"]
    assert principal in call("ListAccessEntries", clusterName="demo")["accessEntries"]
    assert VIEW in [one["arn"] for one in call("ListAccessPolicies")["accessPolicies"]]
    call("AssociateAccessPolicy", **own, policyArn=VIEW, accessScope={"type": "cluster"})
    associated = call("ListAssociatedAccessPolicies", **own)["associatedAccessPolicies"]
    assert [one["policyArn"] for one in associated] == [VIEW]
    call("DisassociateAccessPolicy", **own, policyArn=VIEW)
    call("DeleteAccessEntry", **own)


def _pod_identities(call: Caller, role: str) -> None:
    made = call("CreatePodIdentityAssociation", clusterName="demo", namespace="a", serviceAccount="b", roleArn=role)[
        "association"
    ]
    own = {"clusterName": "demo", "associationId": made["associationId"]}
    call("UpdatePodIdentityAssociation", **own, roleArn=f"{role}2")
    assert call("DescribePodIdentityAssociation", **own)["association"]["roleArn"] == f"{role}2"
    assert len(call("ListPodIdentityAssociations", clusterName="demo", serviceAccount="b")["associations"]) == 1
    call("DeletePodIdentityAssociation", **own)


def _fargate(call: Caller, subnets: list[str], role: str) -> None:
    own = {"clusterName": "demo", "fargateProfileName": "karpenter"}
    selectors = [{"namespace": "karpenter"}]
    call("CreateFargateProfile", **own, podExecutionRoleArn=role, subnets=subnets, selectors=selectors)
    assert call("DescribeFargateProfile", **own)["fargateProfile"]["status"] == "ACTIVE"
    assert call("ListFargateProfiles", clusterName="demo")["fargateProfileNames"] == ["karpenter"]
    call("DeleteFargateProfile", **own)


def _identity_providers(call: Caller) -> None:
    own = {"clusterName": "demo", "identityProviderConfig": {"type": "oidc", "name": "sso"}}
    call("AssociateIdentityProviderConfig", clusterName="demo", oidc=OIDC)
    assert call("DescribeIdentityProviderConfig", **own)["identityProviderConfig"]["oidc"]["status"] == "ACTIVE"
    assert call("ListIdentityProviderConfigs", clusterName="demo")["identityProviderConfigs"] == [
        {"type": "oidc", "name": "sso"}
    ]
    call("DisassociateIdentityProviderConfig", **own)


def _versions(call: Caller) -> None:
    rows = call("DescribeClusterVersions", clusterVersions=["1.36"])["clusterVersions"]
    assert [(row["clusterVersion"], row["versionStatus"]) for row in rows] == [("1.36", "STANDARD_SUPPORT")]


def test_lives_follow_the_delays_and_waiters_see_them(emulator: Emulator) -> None:
    emulator.control(delays={"nodegroup.create": 0.5})
    emulator.cluster()
    eks = emulator.client("eks")
    own = {"clusterName": "demo", "nodegroupName": "pool"}
    eks.create_nodegroup(**own, subnets=emulator.subnets(), nodeRole=emulator.role("nodes"))
    assert eks.describe_nodegroup(**own)["nodegroup"]["status"] == "CREATING"
    eks.get_waiter("nodegroup_active").wait(**own, WaiterConfig={"Delay": 0.1, "MaxAttempts": 30})
    eks.delete_nodegroup(**own)
    eks.get_waiter("nodegroup_deleted").wait(**own, WaiterConfig={"Delay": 0.1, "MaxAttempts": 3})


def test_what_eks_makes_beside_itself_really_is_there(emulator: Emulator) -> None:
    cluster = emulator.cluster()
    group = emulator.node_group("pool", scalingConfig={"minSize": 1, "maxSize": 4, "desiredSize": 3})
    security_group = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
    found = emulator.client("ec2").describe_security_groups(GroupIds=[security_group])["SecurityGroups"][0]
    assert {tag["Key"]: tag["Value"] for tag in found["Tags"]}["kubernetes.io/cluster/demo"] == "owned"
    scaling = emulator.client("autoscaling")
    name = group["resources"]["autoScalingGroups"][0]["name"]
    own = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]
    assert (own["MinSize"], own["DesiredCapacity"], len(own["Instances"])) == (1, 3, 3)
    tag = {"ResourceId": name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    key = "k8s.io/cluster-autoscaler/node-template/resources/nvidia.com/gpu"
    scaling.create_or_update_tags(Tags=[tag | {"Key": key, "Value": "8"}])
    rows = scaling.describe_tags(Filters=[{"Name": "key", "Values": [key]}])["Tags"]
    assert [(row["ResourceId"], row["Value"]) for row in rows] == [(name, "8")]
    scaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=4)
    eks = emulator.client("eks")
    described = eks.describe_nodegroup(clusterName="demo", nodegroupName="pool")["nodegroup"]
    assert described["scalingConfig"]["desiredSize"] == 4
    eks.delete_nodegroup(clusterName="demo", nodegroupName="pool")
    assert scaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    eks.delete_cluster(name="demo")
    groups = emulator.client("ec2").describe_security_groups()["SecurityGroups"]
    assert security_group not in [one["GroupId"] for one in groups]


def test_launch_templates_are_those_of_ec2(emulator: Emulator) -> None:
    emulator.cluster()
    ec2 = emulator.client("ec2")
    data = {"InstanceType": "p5.48xlarge"}
    template = ec2.create_launch_template(LaunchTemplateName="pool", LaunchTemplateData=data)["LaunchTemplate"]
    ec2.create_launch_template_version(LaunchTemplateName="pool", LaunchTemplateData=data | {"EbsOptimized": True})
    identity = {"id": template["LaunchTemplateId"]}
    group = emulator.node_group("pool", launchTemplate=identity)
    assert group["launchTemplate"] == identity | {"name": "pool", "version": "1"}
    eks = emulator.client("eks")
    ask = {"clusterName": "demo", "nodegroupName": "pool"}
    with pytest.raises(ClientError, match="version 3 was not found"):
        eks.update_nodegroup_version(**ask, launchTemplate=identity | {"version": "3"})
    eks.update_nodegroup_version(**ask, launchTemplate=identity | {"version": "$Latest"})
    assert eks.describe_nodegroup(**ask)["nodegroup"]["launchTemplate"]["version"] == "2"


def test_errors_carry_their_members(emulator: Emulator) -> None:
    emulator.cluster()
    emulator.node_group("pool")
    with pytest.raises(emulator.client("eks").exceptions.ResourceInUseException) as error:
        emulator.node_group("pool")
    response = error.value.response
    assert (response["clusterName"], response["nodegroupName"]) == ("demo", "pool")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 409


def test_accounts_and_regions_are_apart(emulator: Emulator) -> None:
    emulator.cluster()
    far = emulator._session.client("eks", endpoint_url=emulator.endpoint, region_name="eu-central-1")
    assert far.list_clusters()["clusters"] == []


def test_many_at_once(emulator: Emulator) -> None:
    emulator.cluster()
    emulator.control(delays={"nodegroup": 0.3})
    failures: list[BaseException] = []

    def make(name: str) -> None:
        try:
            emulator.node_group(name)
        except BaseException as error:  # noqa: BLE001  # a thread's failure must reach the test
            failures.append(error)

    threads = [threading.Thread(target=make, args=(f"pool-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(emulator.client("eks").list_nodegroups(clusterName="demo")["nodegroups"]) == 8


def test_pages_of_boto3(emulator: Emulator) -> None:
    emulator.cluster()
    for number in range(3):
        emulator.node_group(f"pool-{number}")
    pages = (
        emulator.client("eks")
        .get_paginator("list_nodegroups")
        .paginate(clusterName="demo", PaginationConfig={"PageSize": 2})
    )
    assert [page["nodegroups"] for page in pages] == [["pool-0", "pool-1"], ["pool-2"]]


def test_a_failed_node_group_over_http(emulator: Emulator) -> None:
    emulator.cluster()
    emulator.control(create_failures=[{"kind": "nodegroup", "code": "NodeCreationFailure", "message": "no join"}])
    eks = emulator.client("eks")
    own = {"clusterName": "demo", "nodegroupName": "pool"}
    eks.create_nodegroup(**own, subnets=emulator.subnets(), nodeRole=emulator.role("nodes"))
    found = wait_for(lambda: eks.describe_nodegroup(**own)["nodegroup"], "CREATE_FAILED")
    assert found["health"]["issues"][0]["message"] == "no join"
