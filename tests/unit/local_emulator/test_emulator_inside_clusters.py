"""Add-ons, access entries, pod identities, Fargate profiles, identity providers and tags of the emulated EKS."""

from __future__ import annotations

import json
import typing as t

import pytest
from eks_world import World, refused

PREFIX = "arn:aws:iam::123456789012:role/"
POLICIES = "arn:aws:eks::aws:cluster-access-policy/"
INVALID = "InvalidParameterException"


@pytest.fixture
def world() -> World:
    found = World()
    found.cluster()
    return found


def addon(world: World, name: str = "vpc-cni") -> dict[str, t.Any]:
    return t.cast(dict[str, t.Any], world("DescribeAddon", clusterName="demo", addonName=name)["addon"])


def test_an_addon_gets_the_default_version_and_its_namespace(world: World) -> None:
    world.switch(delays={"addon": 4})
    first = world("CreateAddon", clusterName="demo", addonName="vpc-cni")["addon"]
    assert first["status"] == "CREATING"
    world.clock.sleep(4)
    found = addon(world)
    assert (found["status"], found["addonVersion"]) == ("ACTIVE", "v1.23.0-eksbuild.1")
    assert found["namespaceConfig"] == {"namespace": "kube-system"}
    offered = world("DescribeAddonVersions", addonName="vpc-cni", kubernetesVersion="1.36")["addons"][0]
    default = [one["addonVersion"] for one in offered["addonVersions"] if one["compatibilities"][0]["defaultVersion"]]
    assert default == [found["addonVersion"]]
    with refused("ResourceInUseException", "Addon already exists."):
        world("CreateAddon", clusterName="demo", addonName="vpc-cni")


def test_kube_proxy_follows_the_kubernetes_version(world: World) -> None:
    rows = world("DescribeAddonVersions", addonName="kube-proxy", kubernetesVersion="1.35")["addons"][0]
    assert [one["addonVersion"] for one in rows["addonVersions"]] == ["v1.35.3-eksbuild.2", "v1.35.0-eksbuild.2"]
    with refused(INVALID, "Addon version specified is not supported"):
        world("CreateAddon", clusterName="demo", addonName="kube-proxy", addonVersion="v1.35.3-eksbuild.2")


def test_every_addon_can_be_looked_up_and_its_schema_is_one(world: World) -> None:
    rows = world("DescribeAddonVersions")["addons"]
    assert len(rows) >= 15
    for row in rows:
        version = row["addonVersions"][0]["addonVersion"]
        found = world("DescribeAddonConfiguration", addonName=row["addonName"], addonVersion=version)
        assert json.loads(found["configurationSchema"])["type"] == "object"
    storage = world("DescribeAddonVersions", types=["storage"])["addons"]
    assert {row["addonName"] for row in storage} >= {"aws-ebs-csi-driver", "aws-fsx-csi-driver"}
    community = world("DescribeAddonVersions", owners=["community"])["addons"]
    assert "metrics-server" in {row["addonName"] for row in community}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"addonName": "nonsense"}, "Addon specified is not supported"),
        ({"addonVersion": "v0.0.1"}, "Addon version specified is not supported"),
        ({"configurationValues": "{"}, "not in valid JSON"),
        (
            {"configurationValues": '{"enableNetworkPolicies": "true"}'},
            "[$.enableNetworkPolicies: is not defined in the schema",
        ),
        (
            {"configurationValues": '{"enableNetworkPolicy": true}'},
            "$.enableNetworkPolicy: bool found, string expected",
        ),
        (
            {"podIdentityAssociations": [{"serviceAccount": "other", "roleArn": f"{PREFIX}cni"}]},
            "Service account other is not supported for addon vpc-cni",
        ),
    ],
)
def test_a_wrong_addon_is_refused_and_not_made(world: World, options: dict[str, t.Any], message: str) -> None:
    with refused(INVALID, message):
        world("CreateAddon", clusterName="demo", **({"addonName": "vpc-cni"} | options))
    assert world("ListAddons", clusterName="demo")["addons"] == []
    assert world("ListPodIdentityAssociations", clusterName="demo")["associations"] == []


def test_an_addon_owns_its_pod_identities(world: World) -> None:
    mine = [{"serviceAccount": "aws-node", "roleArn": f"{PREFIX}cni"}]
    world("CreateAddon", clusterName="demo", addonName="vpc-cni", podIdentityAssociations=mine)
    (row,) = world("ListPodIdentityAssociations", clusterName="demo")["associations"]
    assert row["ownerArn"] == addon(world)["addonArn"]
    assert addon(world)["podIdentityAssociations"] == [row["associationArn"]]
    with refused("InvalidRequestException", "is owned by"):
        world("DeletePodIdentityAssociation", clusterName="demo", associationId=row["associationId"])
    changed = [{"serviceAccount": "aws-node", "roleArn": f"{PREFIX}other"}]
    world("UpdateAddon", clusterName="demo", addonName="vpc-cni", podIdentityAssociations=changed)
    found = world("DescribePodIdentityAssociation", clusterName="demo", associationId=row["associationId"])
    assert found["association"]["roleArn"] == f"{PREFIX}other"
    world("UpdateAddon", clusterName="demo", addonName="vpc-cni", podIdentityAssociations=[])
    assert addon(world)["podIdentityAssociations"] == []


def test_an_addon_is_updated_and_deleted(world: World) -> None:
    world.switch(delays={"addon.update": 3, "addon.delete": 3})
    world("CreateAddon", clusterName="demo", addonName="vpc-cni", addonVersion="v1.22.4-eksbuild.1")
    values = '{"enableNetworkPolicy": "true"}'
    found = world(
        "UpdateAddon",
        clusterName="demo",
        addonName="vpc-cni",
        addonVersion="v1.23.0-eksbuild.1",
        configurationValues=values,
        resolveConflicts="OVERWRITE",
    )["update"]
    assert addon(world)["status"] == "UPDATING"
    with refused("ResourceInUseException", "Cannot AddonUpdate because addon vpc-cni currently has update"):
        world("UpdateAddon", clusterName="demo", addonName="vpc-cni", resolveConflicts="NONE")
    world.clock.sleep(3)
    ended = world("DescribeUpdate", name="demo", addonName="vpc-cni", updateId=found["id"])["update"]
    assert ended["status"] == "Successful"
    assert (addon(world)["addonVersion"], addon(world)["configurationValues"]) == ("v1.23.0-eksbuild.1", values)
    world("DeleteAddon", clusterName="demo", addonName="vpc-cni")
    assert addon(world)["status"] == "DELETING"
    world.clock.sleep(3)
    with refused("ResourceNotFoundException", "No addon: vpc-cni found in cluster: demo"):
        addon(world)


def test_a_failed_addon_update_says_so(world: World) -> None:
    world("CreateAddon", clusterName="demo", addonName="coredns")
    world.switch(
        update_failures=[{"kind": "addon", "name": "coredns", "code": "ConfigurationConflict", "message": "x"}]
    )
    world("UpdateAddon", clusterName="demo", addonName="coredns", resolveConflicts="NONE")
    assert addon(world, "coredns")["status"] == "UPDATE_FAILED"
    world.switch()
    world("UpdateAddon", clusterName="demo", addonName="coredns", resolveConflicts="OVERWRITE")
    assert addon(world, "coredns")["status"] == "ACTIVE"


def test_the_creator_is_administrator_unless_the_cluster_says_no() -> None:
    world = World()
    world.cluster()
    (creator,) = world("ListAccessEntries", clusterName="demo")["accessEntries"]
    policies = world("ListAssociatedAccessPolicies", clusterName="demo", principalArn=creator)
    assert [one["policyArn"] for one in policies["associatedAccessPolicies"]] == [
        f"{POLICIES}AmazonEKSClusterAdminPolicy"
    ]
    world.cluster("b", accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False})
    assert world("ListAccessEntries", clusterName="b")["accessEntries"] == []


def test_an_access_entry_and_its_policies(world: World) -> None:
    ask = {"clusterName": "demo", "principalArn": f"{PREFIX}team"}
    entry = world("CreateAccessEntry", **ask, kubernetesGroups=["team"], tags={"a": "b"})["accessEntry"]
    assert entry["username"] == "arn:aws:sts::123456789012:assumed-role/team/{{SessionName}}"
    updated = world("UpdateAccessEntry", **ask, kubernetesGroups=["team", "ops"])["accessEntry"]
    assert (updated["kubernetesGroups"], updated["username"]) == (["team", "ops"], entry["username"])
    edit, scope = f"{POLICIES}AmazonEKSEditPolicy", {"type": "namespace", "namespaces": ["team-*"]}
    first = world("AssociateAccessPolicy", **ask, policyArn=edit, accessScope=scope)["associatedAccessPolicy"]
    again = world("AssociateAccessPolicy", **ask, policyArn=edit, accessScope={"type": "cluster"})
    assert again["associatedAccessPolicy"]["associatedAt"] == first["associatedAt"]
    assert again["associatedAccessPolicy"]["accessScope"] == {"type": "cluster", "namespaces": []}
    found = world("ListAccessEntries", clusterName="demo", associatedPolicyArn=edit)["accessEntries"]
    assert found == [ask["principalArn"]]
    world("DisassociateAccessPolicy", **ask, policyArn=edit)
    with refused("ResourceNotFoundException", "is not associated"):
        world("DisassociateAccessPolicy", **ask, policyArn=edit)
    world("DeleteAccessEntry", **ask)
    with refused("ResourceNotFoundException", "The specified principalArn could not be found."):
        world("DescribeAccessEntry", **ask)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ({"principalArn": "team"}, INVALID, "principalArn parameter format is not valid"),
        ({"principalArn": "arn:aws:sts::123456789012:assumed-role/a/b"}, INVALID, "format is not valid"),
        ({"kubernetesGroups": ["system:masters"]}, INVALID, "reserved prefix"),
        (
            {"type": "EC2_LINUX", "kubernetesGroups": ["x"]},
            "InvalidRequestException",
            "cannot be specified for type EC2_LINUX",
        ),
    ],
)
def test_a_wrong_access_entry_is_refused(world: World, options: dict[str, t.Any], code: str, message: str) -> None:
    with refused(code, message):
        world("CreateAccessEntry", **({"clusterName": "demo", "principalArn": f"{PREFIX}team"} | options))


def test_policies_are_known_and_fit_the_entry(world: World) -> None:
    arns = {one["name"]: one["arn"] for one in world("ListAccessPolicies")["accessPolicies"]}
    assert arns["AmazonEKSViewPolicy"] == f"{POLICIES}AmazonEKSViewPolicy"
    ask = {"clusterName": "demo", "principalArn": f"{PREFIX}nodes"}
    world("CreateAccessEntry", **ask, type="EC2_LINUX")
    everywhere = {"type": "cluster"}
    with refused("InvalidRequestException", "access entry of type EC2_LINUX"):
        world("AssociateAccessPolicy", **ask, policyArn=arns["AmazonEKSViewPolicy"], accessScope=everywhere)
    with refused(INVALID, "policyArn parameter format is not valid"):
        world("AssociateAccessPolicy", **ask, policyArn=f"{POLICIES}None", accessScope=everywhere)


def test_a_pod_identity_lives_by_its_id(world: World) -> None:
    ask = {"clusterName": "demo", "namespace": "mlflow", "serviceAccount": "mlflow", "roleArn": f"{PREFIX}mlflow"}
    made = world("CreatePodIdentityAssociation", **ask, tags={"a": "b"})["association"]
    with refused("ResourceInUseException", f"Association already exists: {made['associationId']}"):
        world("CreatePodIdentityAssociation", **ask)
    (row,) = world("ListPodIdentityAssociations", clusterName="demo", namespace="mlflow")["associations"]
    assert "roleArn" not in row
    assert world("ListPodIdentityAssociations", clusterName="demo", namespace="other")["associations"] == []
    one = {"clusterName": "demo", "associationId": made["associationId"]}
    changed = world("UpdatePodIdentityAssociation", **one, targetRoleArn=f"{PREFIX}far", disableSessionTags=True)
    assert changed["association"]["targetRoleArn"] == f"{PREFIX}far"
    assert changed["association"]["externalId"]
    changed = world("UpdatePodIdentityAssociation", **one, targetRoleArn="", roleArn=f"{PREFIX}new")["association"]
    assert "targetRoleArn" not in changed
    assert changed["roleArn"] == f"{PREFIX}new"
    world("DeletePodIdentityAssociation", **one)
    with refused("ResourceNotFoundException", made["associationId"]):
        world("DescribePodIdentityAssociation", **one)


def test_a_session_policy_needs_session_tags_off(world: World) -> None:
    ask = {"clusterName": "demo", "namespace": "a", "serviceAccount": "b", "roleArn": f"{PREFIX}x", "policy": "{}"}
    with refused(INVALID, "disableSessionTags"):
        world("CreatePodIdentityAssociation", **ask)
    assert world("CreatePodIdentityAssociation", **ask, disableSessionTags=True)["association"]["policy"] == "{}"


def test_fargate_profiles_come_one_at_a_time_and_hold_the_cluster(world: World) -> None:
    world.switch(delays={"fargateprofile": 5})
    ask = {"clusterName": "demo", "podExecutionRoleArn": f"{PREFIX}fargate", "selectors": [{"namespace": "karpenter"}]}
    world("CreateFargateProfile", **ask, fargateProfileName="a")
    with refused("ResourceInUseException", "Fargate profile a in status CREATING"):
        world("CreateFargateProfile", **ask, fargateProfileName="b")
    world.clock.sleep(5)
    found = world("DescribeFargateProfile", clusterName="demo", fargateProfileName="a")["fargateProfile"]
    assert (found["status"], found["subnets"]) == ("ACTIVE", ["subnet-a", "subnet-b"])
    with refused("ResourceInUseException", "Cluster has Fargate profiles attached"):
        world("DeleteCluster", name="demo")
    world("DeleteFargateProfile", clusterName="demo", fargateProfileName="a")
    world.clock.sleep(5)
    assert world("ListFargateProfiles", clusterName="demo")["fargateProfileNames"] == []
    with refused(INVALID, "at least one selector"):
        world("CreateFargateProfile", **(ask | {"selectors": []}), fargateProfileName="c")


def test_one_identity_provider_a_cluster(world: World) -> None:
    oidc = {"identityProviderConfigName": "keycloak", "issuerUrl": "https://id.example.org", "clientId": "kubernetes"}
    world("AssociateIdentityProviderConfig", clusterName="demo", oidc=oidc, tags={"a": "b"})
    ask = {"clusterName": "demo", "identityProviderConfig": {"type": "oidc", "name": "keycloak"}}
    found = world("DescribeIdentityProviderConfig", **ask)["identityProviderConfig"]["oidc"]
    assert (found["status"], found["clientId"], found["tags"]) == ("ACTIVE", "kubernetes", {"a": "b"})
    with refused("InvalidRequestException", "Only one identity provider"):
        world("AssociateIdentityProviderConfig", clusterName="demo", oidc=oidc)
    world("DisassociateIdentityProviderConfig", **ask)
    assert world("ListIdentityProviderConfigs", clusterName="demo")["identityProviderConfigs"] == []


def test_everything_with_an_arn_can_be_tagged(world: World) -> None:
    world.node_group()
    world("CreateAddon", clusterName="demo", addonName="coredns")
    role = f"{PREFIX}team"
    identity = {"clusterName": "demo", "namespace": "a", "serviceAccount": "b", "roleArn": role}
    arns = [
        world("DescribeCluster", name="demo")["cluster"]["arn"],
        world.described()["nodegroupArn"],
        addon(world, "coredns")["addonArn"],
        world("CreateAccessEntry", clusterName="demo", principalArn=role)["accessEntry"]["accessEntryArn"],
        world("CreatePodIdentityAssociation", **identity)["association"]["associationArn"],
    ]
    for arn in arns:
        world("TagResource", resourceArn=arn, tags={"team": "ml", "stage": "dev"})
        world("UntagResource", resourceArn=arn, tagKeys=["stage", "unknown"])
        assert world("ListTagsForResource", resourceArn=arn)["tags"] == {"team": "ml"}
    assert world.described()["tags"] == {"team": "ml"}
    with refused("NotFoundException", "Resource was not found"):
        world("ListTagsForResource", resourceArn=arns[0] + "x")
    with refused("BadRequestException", "reserved prefix"):
        world("TagResource", resourceArn=arns[0], tags={"aws:x": "y"})
