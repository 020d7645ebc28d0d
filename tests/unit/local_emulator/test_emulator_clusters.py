"""Clusters of the emulated EKS: lives, updates, versions, access mode, deletion."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._local.emulator.eks.errors import EksError
from eks_world import World, refused


def test_a_cluster_is_creating_until_its_delay_is_over() -> None:
    world = World(delays={"cluster.create": 30})
    first = world.cluster()
    assert first["status"] == "CREATING"
    assert "endpoint" not in first
    assert "clusterSecurityGroupId" not in first["resourcesVpcConfig"]
    world.clock.sleep(29.9)
    assert world("DescribeCluster", name="demo")["cluster"]["status"] == "CREATING"
    world.clock.sleep(0.2)
    done = world("DescribeCluster", name="demo")["cluster"]
    assert done["status"] == "ACTIVE"
    assert done["endpoint"].startswith("https://")
    assert done["identity"]["oidc"]["issuer"].startswith("https://oidc.eks.eu-west-1.amazonaws.com/id/")
    assert done["resourcesVpcConfig"]["vpcId"] == "vpc-1"
    assert done["resourcesVpcConfig"]["clusterSecurityGroupId"] in world.beside.groups


def test_every_cluster_has_its_own_issuer_and_the_same_seed_gives_the_same_one() -> None:
    def issuers() -> list[str]:
        world = World(seed=5)
        return [world.cluster(name)["identity"]["oidc"]["issuer"] for name in ("a", "b")]

    assert len(set(issuers())) == 2
    assert issuers() == issuers()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ({"resourcesVpcConfig": {"subnetIds": ["subnet-a", "subnet-no"]}}, "InvalidParameterException", "'subnet-no'"),
        (
            {"resourcesVpcConfig": {"subnetIds": ["subnet-a", "subnet-a2"]}},
            "InvalidParameterException",
            "Subnets specified must be in at least two different AZs",
        ),
        (
            {"resourcesVpcConfig": {"subnetIds": ["subnet-a", "subnet-far"]}},
            "InvalidParameterException",
            "different VPCs",
        ),
        ({"resourcesVpcConfig": {"securityGroupIds": ["sg-no"]}}, "InvalidParameterException", "'sg-no'"),
        ({"version": "1.30"}, "InvalidParameterException", "unsupported Kubernetes version"),
        ({"version": "1.99"}, "InvalidParameterException", "unsupported Kubernetes version"),
        ({"computeConfig": {"enabled": True}}, "InvalidParameterException", "For EKS Auto Mode"),
        ({"tags": {"aws:x": "y"}}, "InvalidParameterException", "reserved prefix aws:"),
        ({"tags": {f"k{number}": "" for number in range(51)}}, "InvalidParameterException", "at most 50"),
    ],
)
def test_a_wrong_cluster_is_refused_and_not_made(options: dict[str, t.Any], code: str, message: str) -> None:
    world = World()
    with refused(code, message):
        world.cluster(**options)
    assert world("ListClusters")["clusters"] == []


def test_a_second_cluster_of_the_name_is_refused_with_the_name_as_a_member() -> None:
    world = World()
    world.cluster()
    with refused("ResourceInUseException", "Cluster already exists with name: demo") as error:
        world.cluster()
    assert error.value.members == {"clusterName": "demo"}


def test_a_repeated_token_gives_the_first_answer_and_refuses_other_parameters() -> None:
    world = World()
    network = {"subnetIds": ["subnet-a", "subnet-b"]}
    ask = {"name": "demo", "roleArn": "arn:aws:iam::123456789012:role/x", "resourcesVpcConfig": network}
    first = world("CreateCluster", clientRequestToken="one", **ask)
    assert world("CreateCluster", clientRequestToken="one", **ask) == first
    with refused("InvalidParameterException", "already used with different parameters"):
        world("CreateCluster", clientRequestToken="one", **ask, version="1.35")
    with refused("ResourceInUseException", "already exists"):
        world("CreateCluster", clientRequestToken="two", **ask)


CHANGES: dict[str, dict[str, t.Any]] = {
    "VpcConfigUpdate": {"resourcesVpcConfig": {"subnetIds": ["subnet-a", "subnet-c"]}},
    "EndpointAccessUpdate": {"resourcesVpcConfig": {"endpointPrivateAccess": True}},
    "ControlPlaneEgressUpdate": {"resourcesVpcConfig": {"controlPlaneEgressMode": "CUSTOMER_ROUTED"}},
    "LoggingUpdate": {"logging": {"clusterLogging": [{"types": ["api", "audit"], "enabled": True}]}},
    "UpgradePolicyUpdate": {"upgradePolicy": {"supportType": "STANDARD"}},
    "ZonalShiftConfigUpdate": {"zonalShiftConfig": {"enabled": True}},
    "RemoteNetworkConfigUpdate": {"remoteNetworkConfig": {"remoteNodeNetworks": [{"cidrs": ["10.200.0.0/16"]}]}},
    "DeletionProtectionUpdate": {"deletionProtection": True},
    "ControlPlaneScalingConfigUpdate": {"controlPlaneScalingConfig": {"tier": "tier-xl"}},
    "ControlPlaneComponentConfigUpdate": {"kubeApiServerConfig": {"eventTtl": "2h"}},
    "AutoModeUpdate": {
        "computeConfig": {"enabled": True, "nodePools": ["system"]},
        "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": True}},
        "storageConfig": {"blockStorage": {"enabled": True}},
    },
}


@pytest.mark.parametrize("kind", sorted(CHANGES))
def test_each_kind_of_change_is_an_update_and_refused_when_nothing_changes(kind: str) -> None:
    world = World(delays={"cluster.update": 10})
    world.cluster()
    update = world("UpdateClusterConfig", name="demo", **CHANGES[kind])["update"]
    assert (update["type"], update["status"]) == (kind, "InProgress")
    assert update["params"]
    assert world("DescribeCluster", name="demo")["cluster"]["status"] == "UPDATING"
    world.clock.sleep(11)
    assert world("DescribeUpdate", name="demo", updateId=update["id"])["update"]["status"] == "Successful"
    cluster = world("DescribeCluster", name="demo")["cluster"]
    assert cluster["status"] == "ACTIVE"
    for section, wanted in CHANGES[kind].items():
        if isinstance(wanted, dict) and section != "logging":
            assert wanted.items() <= cluster[section].items()
        elif section != "logging":
            assert cluster[section] == wanted
    with pytest.raises(EksError) as error:
        world("UpdateClusterConfig", name="demo", **CHANGES[kind])
    assert error.value.code == "InvalidParameterException"
    assert "No changes needed" in error.value.message or "already at the desired configuration" in error.value.message


def test_logging_keeps_what_is_not_named_and_lists_what_is_off() -> None:
    world = World()
    world.cluster(logging={"clusterLogging": [{"types": ["api"], "enabled": True}]})
    world(
        "UpdateClusterConfig",
        name="demo",
        logging={"clusterLogging": [{"types": ["audit"], "enabled": True}, {"types": ["api"], "enabled": False}]},
    )
    assert world("DescribeCluster", name="demo")["cluster"]["logging"]["clusterLogging"] == [
        {"types": ["audit"], "enabled": True},
        {"types": ["api", "authenticator", "controllerManager", "scheduler"], "enabled": False},
    ]


@pytest.mark.parametrize(
    "change",
    [
        CHANGES["LoggingUpdate"] | CHANGES["DeletionProtectionUpdate"],
        {"resourcesVpcConfig": {"endpointPrivateAccess": True, "subnetIds": ["subnet-a", "subnet-c"]}},
    ],
)
def test_only_one_kind_of_change_a_call(change: dict[str, t.Any]) -> None:
    world = World()
    before = world.cluster()
    with refused("InvalidParameterException", "Only one type of update can be allowed."):
        world("UpdateClusterConfig", name="demo", **change)
    with refused("InvalidParameterException", "The type for cluster update was not provided."):
        world("UpdateClusterConfig", name="demo")
    assert world("DescribeCluster", name="demo")["cluster"] == before


def test_a_second_update_while_one_runs_is_refused_as_aws_says_it() -> None:
    world = World(delays={"cluster.update": 10})
    world.cluster()
    update = world("UpdateClusterConfig", name="demo", **CHANGES["LoggingUpdate"])["update"]
    message = f"Cannot EndpointAccessUpdate because cluster demo currently has update {update['id']} in progress"
    with refused("ResourceInUseException", message):
        world("UpdateClusterConfig", name="demo", **CHANGES["EndpointAccessUpdate"])
    with refused("ResourceInUseException", "Cannot delete because cluster demo currently has an update in progress"):
        world("DeleteCluster", name="demo")
    with refused("ResourceInUseException", "in progress"):
        world.node_group()
    world.clock.sleep(10)
    world("UpdateClusterConfig", name="demo", **CHANGES["EndpointAccessUpdate"])


def test_a_failed_update_has_its_error_and_changes_nothing() -> None:
    world = World(update_failures=[{"kind": "cluster", "code": "IpNotAvailable", "message": "no address left"}])
    world.cluster()
    update = world("UpdateClusterConfig", name="demo", **CHANGES["VpcConfigUpdate"])["update"]
    found = world("DescribeUpdate", name="demo", updateId=update["id"])["update"]
    assert found["status"] == "Failed"
    assert found["errors"] == [
        {"errorCode": "IpNotAvailable", "errorMessage": "no address left", "resourceIds": ["demo"]}
    ]
    cluster = world("DescribeCluster", name="demo")["cluster"]
    assert cluster["status"] == "ACTIVE"
    assert cluster["resourcesVpcConfig"]["subnetIds"] == ["subnet-a", "subnet-b"]


@pytest.mark.parametrize(
    ("start", "wanted", "message"),
    [
        ("1.34", "1.36", "Unsupported Kubernetes minor version update from 1.34 to 1.36"),
        ("1.35", "1.34", "Unsupported Kubernetes minor version update from 1.35 to 1.34"),
        ("1.35", "1.35", "already at the desired Kubernetes version 1.35"),
        ("1.36", "1.37", "unsupported Kubernetes version"),
    ],
)
def test_versions_go_up_one_by_one(start: str, wanted: str, message: str) -> None:
    world = World()
    world.cluster(version=start)
    with refused("InvalidParameterException", message):
        world("UpdateClusterVersion", name="demo", version=wanted)


def test_a_version_update_and_its_rollback() -> None:
    world = World(delays={"cluster.update": 5})
    world.cluster(version="1.35")
    update = world("UpdateClusterVersion", name="demo", version="1.36")["update"]
    assert update["type"] == "VersionUpdate"
    assert world("DescribeCluster", name="demo")["cluster"]["version"] == "1.35"
    world.clock.sleep(5)
    assert world("DescribeCluster", name="demo")["cluster"]["version"] == "1.36"
    back = world("UpdateClusterVersion", name="demo", version="1.35")["update"]
    assert back["type"] == "VersionRollback"
    cancelled = world("CancelUpdate", name="demo", updateId=back["id"])["update"]
    assert cancelled["status"] == "Cancelled"
    world.clock.sleep(5)
    assert world("DescribeCluster", name="demo")["cluster"]["status"] == "ACTIVE"
    assert world("DescribeCluster", name="demo")["cluster"]["version"] == "1.36"
    with refused("InvalidStateException", "cannot be cancelled"):
        world("CancelUpdate", name="demo", updateId=back["id"])
    assert world("ListUpdates", name="demo")["updateIds"] == [update["id"], back["id"]]


def test_insights_in_error_hold_an_upgrade_back_until_it_is_forced() -> None:
    rule = {"name": "Deprecated APIs", "status": "ERROR", "reason": "flowcontrol v1beta3 is used"}
    world = World(insights=[rule])
    world.cluster(version="1.35")
    found = world("ListInsights", clusterName="demo", filter={"statuses": ["ERROR"], "kubernetesVersions": ["1.36"]})
    assert [one["name"] for one in found["insights"]] == ["Deprecated APIs"]
    detail = world("DescribeInsight", clusterName="demo", id=found["insights"][0]["id"])["insight"]
    assert detail["insightStatus"] == {"status": "ERROR", "reason": "flowcontrol v1beta3 is used"}
    with refused("InvalidRequestException", "Deprecated APIs"):
        world("UpdateClusterVersion", name="demo", version="1.36")
    world("UpdateClusterVersion", name="demo", version="1.36", force=True)
    assert world("DescribeCluster", name="demo")["cluster"]["version"] == "1.36"


def test_the_access_mode_goes_forward_only() -> None:
    world = World()
    world.cluster(accessConfig={"authenticationMode": "CONFIG_MAP"})
    with refused("InvalidRequestException", "must be set to one of [API, API_AND_CONFIG_MAP]"):
        world("ListAccessEntries", clusterName="demo")
    with refused("InvalidParameterException", "Unsupported authentication mode update from CONFIG_MAP to API"):
        world("UpdateClusterConfig", name="demo", accessConfig={"authenticationMode": "API"})
    for mode in ("API_AND_CONFIG_MAP", "API"):
        world("UpdateClusterConfig", name="demo", accessConfig={"authenticationMode": mode})
        assert world("DescribeCluster", name="demo")["cluster"]["accessConfig"]["authenticationMode"] == mode
    with refused("InvalidParameterException", "from API to API_AND_CONFIG_MAP"):
        world("UpdateClusterConfig", name="demo", accessConfig={"authenticationMode": "API_AND_CONFIG_MAP"})


def test_a_cluster_is_deleted_when_nothing_holds_it() -> None:
    world = World(delays={"cluster.delete": 7})
    world.cluster(deletionProtection=True)
    world.node_group()
    with refused("InvalidRequestException", "deletion protection"):
        world("DeleteCluster", name="demo")
    world("UpdateClusterConfig", name="demo", deletionProtection=False)
    with refused("ResourceInUseException", "Cluster has nodegroups attached"):
        world("DeleteCluster", name="demo")
    world("DeleteNodegroup", clusterName="demo", nodegroupName="pool")
    assert world("DeleteCluster", name="demo")["cluster"]["status"] == "DELETING"
    world.clock.sleep(7)
    with refused("ResourceNotFoundException", "No cluster found for name: demo."):
        world("DescribeCluster", name="demo")
    assert world.beside.groups == {"sg-own"}


def test_encryption_comes_once() -> None:
    world = World()
    world.cluster()
    wanted = [{"resources": ["secrets"], "provider": {"keyArn": "arn:aws:kms:eu-west-1:123456789012:key/k"}}]
    world("AssociateEncryptionConfig", clusterName="demo", encryptionConfig=wanted)
    assert world("DescribeCluster", name="demo")["cluster"]["encryptionConfig"] == wanted
    with refused("InvalidRequestException", "already enabled"):
        world("AssociateEncryptionConfig", clusterName="demo", encryptionConfig=wanted)


def test_roles_count_when_they_are_asked_to() -> None:
    world = World(check_roles=True)
    with refused("InvalidParameterException", "could not be assumed because it does not exist"):
        world.cluster()
    world.beside.roles.add("arn:aws:iam::123456789012:role/cluster")
    assert world.cluster()["status"] == "ACTIVE"


def test_lists_come_in_pages_and_strange_tokens_are_refused() -> None:
    world = World()
    for number in range(5):
        world.cluster(f"c{number}")
    names: list[str] = []
    token: dict[str, str] = {}
    while True:
        answer = world("ListClusters", maxResults=2, **token)
        names += answer["clusters"]
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}
    assert names == [f"c{number}" for number in range(5)]
    with refused("InvalidParameterException", "Invalid nextToken"):
        world("ListClusters", nextToken="???")


def test_answers_are_copies() -> None:
    world = World()
    world.cluster()["tags"]["x"] = "y"
    assert world("DescribeCluster", name="demo")["cluster"]["tags"] == {}


def test_versions_know_their_support() -> None:
    world = World()
    rows = world("DescribeClusterVersions")["clusterVersions"]
    assert [row["clusterVersion"] for row in rows if row["defaultVersion"]] == ["1.36"]
    assert {row["versionStatus"] for row in rows} == {"STANDARD_SUPPORT", "EXTENDED_SUPPORT"}
    assert "1.30" in [
        row["clusterVersion"] for row in world("DescribeClusterVersions", includeAll=True)["clusterVersions"]
    ]
    only = world("DescribeClusterVersions", clusterVersions=["1.35"])["clusterVersions"]
    assert [row["clusterVersion"] for row in only] == ["1.35"]
    assert len(world("DescribeClusterVersions", defaultOnly=True)["clusterVersions"]) == 1
