"""Managed node groups of the emulated EKS: defaults, refusals, updates as deltas, rolls, failures, scaling groups."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._local.emulator.eks.errors import EksError
from eks_world import PLACE, World, refused

ROLE = "arn:aws:iam::123456789012:role/nodes"
TAINT = {"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}
BLOCK = {
    "InstanceMarketOptions": {"MarketType": "capacity-block"},
    "CapacityReservationSpecification": {"CapacityReservationTarget": {"CapacityReservationId": "cr-1"}},
}


@pytest.fixture
def world() -> World:
    found = World()
    found.cluster()
    found.beside.template("lt-plain", InstanceType="p5.48xlarge")
    found.beside.template("lt-plain", "2", InstanceType="p5.48xlarge")
    found.beside.template("lt-empty")
    found.beside.template("lt-image", ImageId="ami-1", InstanceType="g6.xlarge")
    found.beside.template("lt-image", "2", ImageId="ami-2", InstanceType="g6.xlarge")
    found.beside.template("lt-block", InstanceType="p5.48xlarge", **BLOCK)
    return found


def test_eks_fills_what_is_left_out(world: World) -> None:
    group = world.node_group()
    assert group["status"] == "ACTIVE"
    assert group["scalingConfig"] == {"minSize": 1, "maxSize": 2, "desiredSize": 2}
    assert group["updateConfig"] == {"maxUnavailable": 1, "updateStrategy": "DEFAULT"}
    assert (group["amiType"], group["capacityType"]) == ("AL2023_x86_64_STANDARD", "ON_DEMAND")
    assert (group["instanceTypes"], group["diskSize"]) == (["t3.medium"], 20)
    assert (group["version"], group["releaseVersion"]) == ("1.36", "1.36.3-20260714")
    scaling = world.beside.scaling[group["resources"]["autoScalingGroups"][0]["name"]]
    assert scaling.sizes == group["scalingConfig"]
    assert scaling.tags["eks:nodegroup-name"] == "pool"
    assert scaling.tags["k8s.io/cluster-autoscaler/demo"] == "owned"


def test_a_launch_template_brings_type_and_image(world: World) -> None:
    plain = world.node_group("plain", launchTemplate={"name": "name-of-lt-plain", "version": "2"})
    assert plain["launchTemplate"] == {"id": "lt-plain", "name": "name-of-lt-plain", "version": "2"}
    assert "instanceTypes" not in plain
    assert "diskSize" not in plain
    image = world.node_group("image", launchTemplate={"id": "lt-image"})
    assert (image["amiType"], image["releaseVersion"]) == ("CUSTOM", "ami-1")
    both = world.node_group("both", launchTemplate={"id": "lt-empty"}, instanceTypes=["g6.xlarge", "g6.2xlarge"])
    assert both["instanceTypes"] == ["g6.xlarge", "g6.2xlarge"]
    names = {group.instance_type for group in world.beside.scaling.values()}
    assert names == {"p5.48xlarge", "g6.xlarge"}


INVALID = "InvalidParameterException"
REFUSALS: list[tuple[dict[str, t.Any], str, str]] = [
    (
        {"scalingConfig": {"minSize": 8, "maxSize": 9, "desiredSize": 4}},
        INVALID,
        "Minimum capacity 8 can't be greater than desired size 4",
    ),
    (
        {"scalingConfig": {"minSize": 1, "maxSize": 2, "desiredSize": 3}},
        INVALID,
        "Desired capacity 3 can't be greater than max size 2",
    ),
    (
        {"scalingConfig": {"minSize": 5, "maxSize": 2, "desiredSize": 5}},
        INVALID,
        "can't be greater than maximum size 2",
    ),
    (
        {"launchTemplate": {"id": "lt-plain"}, "diskSize": 50},
        INVALID,
        "Disk size must be specified within the launch template.",
    ),
    (
        {"launchTemplate": {"id": "lt-plain"}, "remoteAccess": {"ec2SshKey": "k"}},
        INVALID,
        "Remote access configuration cannot be specified",
    ),
    (
        {"launchTemplate": {"id": "lt-plain"}, "instanceTypes": ["p4d.24xlarge"]},
        "InvalidRequestException",
        "Cannot specify instance types in launch template and API request",
    ),
    (
        {"launchTemplate": {"id": "lt-plain", "name": "name-of-lt-plain"}},
        INVALID,
        "Either provide launch template ID or launch template name",
    ),
    (
        {"launchTemplate": {"id": "lt-no"}},
        "InvalidRequestException",
        "Launch template lt-no with version $Default was not found",
    ),
    ({"launchTemplate": {"id": "lt-plain", "version": "7"}}, "InvalidRequestException", "version 7 was not found"),
    (
        {"launchTemplate": {"id": "lt-image"}, "amiType": "AL2023_x86_64_NVIDIA"},
        INVALID,
        "You cannot specify an AMI Type other than CUSTOM",
    ),
    ({"launchTemplate": {"id": "lt-image"}, "version": "1.36"}, INVALID, "You cannot specify a kubernetes version"),
    ({"launchTemplate": {"id": "lt-image"}, "releaseVersion": "x"}, INVALID, "releaseVersion when using custom AMIs"),
    ({"amiType": "CUSTOM"}, INVALID, "Launch template details can't be null for Custom ami type node group"),
    ({"amiType": "AL2_x86_64"}, INVALID, "only supported for kubernetes versions 1.32 or earlier"),
    ({"capacityType": "CAPACITY_BLOCK"}, INVALID, "Launch template is required for capacity type CAPACITY_BLOCK."),
    ({"capacityType": "CAPACITY_BLOCK", "launchTemplate": {"id": "lt-plain"}}, INVALID, "market type capacity-block"),
    ({"subnets": ["subnet-a", "subnet-no"]}, INVALID, "The subnet ID 'subnet-no' does not exist"),
    ({"version": "1.32"}, INVALID, "at most three minor versions behind"),
    ({"releaseVersion": "1.35.1-20260101"}, INVALID, "Allowed release version is 1.36.3-20260714"),
    ({"updateConfig": {"maxUnavailable": 1, "maxUnavailablePercentage": 10}}, INVALID, "not both"),
    ({"updateConfig": {"maxUnavailable": 3}}, INVALID, "max-unavailable must be within the range 1 and max size"),
    ({"labels": {"kubernetes.io/x": "y"}}, INVALID, "reserved prefixes"),
    ({"taints": [TAINT, TAINT | {"value": "other"}]}, INVALID, "Duplicate taints"),
    ({"taints": [TAINT | {"key": f"k{n}"} for n in range(51)]}, INVALID, "maximum is 50"),
    ({"instanceTypes": [f"t{n}.x" for n in range(21)]}, INVALID, "At most 20 instance types"),
]


@pytest.mark.parametrize(("options", "code", "message"), REFUSALS)
def test_a_wrong_node_group_is_refused_and_not_made(
    world: World, options: dict[str, t.Any], code: str, message: str
) -> None:
    with refused(code, message) as error:
        world.node_group(**options)
    assert error.value.members == {"clusterName": "demo", "nodegroupName": "pool"}
    assert world("ListNodegroups", clusterName="demo")["nodegroups"] == []
    assert world.beside.scaling == {}


def test_a_capacity_block_with_its_launch_template(world: World) -> None:
    assert world.node_group(capacityType="CAPACITY_BLOCK", launchTemplate={"id": "lt-block"})["status"] == "ACTIVE"


def test_names_are_unique_and_clusters_must_exist(world: World) -> None:
    world.node_group()
    with refused("ResourceInUseException", "NodeGroup already exists with name pool and cluster name demo"):
        world.node_group()
    for operation in ("ListNodegroups", "ListAddons", "ListFargateProfiles", "ListPodIdentityAssociations"):
        with refused("ResourceNotFoundException", "No cluster found for name: none."):
            world(operation, clusterName="none")
    with refused("ResourceNotFoundException", "No node group found for name: other."):
        world("DescribeNodegroup", clusterName="demo", nodegroupName="other")


def update(world: World, operation: str = "UpdateNodegroupConfig", **change: t.Any) -> dict[str, t.Any]:
    answer = world(operation, clusterName="demo", nodegroupName="pool", **change)
    return t.cast(dict[str, t.Any], answer["update"])


def test_labels_and_taints_are_deltas_and_a_taint_is_its_key_and_effect(world: World) -> None:
    world.node_group(labels={"a": "1", "b": "2"}, taints=[TAINT, TAINT | {"effect": "NO_EXECUTE"}])
    update(
        world,
        labels={"addOrUpdateLabels": {"b": "3", "c": "4"}, "removeLabels": ["a", "unknown"]},
        taints={
            "addOrUpdateTaints": [TAINT | {"value": "shared"}],
            "removeTaints": [{"key": TAINT["key"], "effect": "NO_EXECUTE"}],
        },
    )
    group = world.described()
    assert group["labels"] == {"b": "3", "c": "4"}
    assert group["taints"] == [TAINT | {"value": "shared"}]
    with refused(INVALID, "cannot be added and removed in one request"):
        update(world, labels={"addOrUpdateLabels": {"b": "1"}, "removeLabels": ["b"]})
    with refused(INVALID, "No changes were requested"):
        update(world)


def test_sizes_merge_reach_the_scaling_group_and_follow_an_autoscaler(world: World) -> None:
    group = world.node_group(scalingConfig={"minSize": 1, "maxSize": 9, "desiredSize": 2})
    name = group["resources"]["autoScalingGroups"][0]["name"]
    world.beside.resize_scaling_group(PLACE, name, {"minSize": 1, "maxSize": 9, "desiredSize": 6})
    assert world.described()["scalingConfig"]["desiredSize"] == 6
    with refused(INVALID, "Minimum capacity 7 can't be greater than desired size 6"):
        update(world, scalingConfig={"minSize": 7})
    update(world, scalingConfig={"minSize": 3})
    world.eks.settle()
    assert world.beside.scaling[name].sizes == {"minSize": 3, "maxSize": 9, "desiredSize": 6}


def test_other_sections_merge_but_update_config_is_replaced(world: World) -> None:
    world.node_group(updateConfig={"maxUnavailable": 2}, warmPoolConfig={"enabled": True, "minSize": 1})
    update(world, updateConfig={"maxUnavailablePercentage": 50}, warmPoolConfig={"poolState": "STOPPED"})
    group = world.described()
    assert group["updateConfig"] == {"maxUnavailablePercentage": 50, "updateStrategy": "DEFAULT"}
    assert group["warmPoolConfig"] == {"enabled": True, "minSize": 1, "poolState": "STOPPED"}


def test_a_second_update_is_refused_while_one_runs_and_others_go_on(world: World) -> None:
    world.switch(delays={"nodegroup.update": 10})
    world.node_group()
    world.node_group("other")
    running = update(world, labels={"addOrUpdateLabels": {"a": "1"}})
    assert world.described()["status"] == "UPDATING"
    assert world.described()["labels"] == {}
    message = f"Cannot VersionUpdate because nodegroup pool currently has update {running['id']} in progress"
    with refused("ResourceInUseException", message) as error:
        update(world, "UpdateNodegroupVersion", force=True)
    assert error.value.members == {"clusterName": "demo", "nodegroupName": "pool"}
    with refused("ResourceInUseException", "Cannot delete"):
        world("DeleteNodegroup", clusterName="demo", nodegroupName="pool")
    world("UpdateNodegroupConfig", clusterName="demo", nodegroupName="other", labels={"addOrUpdateLabels": {"x": "y"}})
    world.clock.sleep(10)
    assert world.described()["labels"] == {"a": "1"}
    ask = {"name": "demo", "updateId": running["id"]}
    assert world("DescribeUpdate", nodegroupName="pool", **ask)["update"]["status"] == "Successful"
    with refused("ResourceNotFoundException", "No update found for ID"):
        world("DescribeUpdate", **ask)
    assert world("ListUpdates", name="demo", nodegroupName="pool")["updateIds"] == [running["id"]]
    assert world("ListUpdates", name="demo")["updateIds"] == []


def test_versions_roll_up_never_down_and_never_above_the_cluster(world: World) -> None:
    world.node_group(version="1.35")
    assert world.described()["releaseVersion"] == "1.35.6-20260714"
    with refused(INVALID, "downgrade from 1.35 to 1.34"):
        update(world, "UpdateNodegroupVersion", version="1.34")
    with refused(INVALID, "must be equal to the cluster version 1.36"):
        update(world, "UpdateNodegroupVersion", version="1.37")
    with refused(INVALID, "already at that version"):
        update(world, "UpdateNodegroupVersion", version="1.35")
    found = update(world, "UpdateNodegroupVersion", version="1.36")
    assert {(one["type"], one["value"]) for one in found["params"]} == {
        ("Version", "1.36"),
        ("ReleaseVersion", "1.36.3-20260714"),
    }
    assert world.described()["version"] == "1.36"


def test_a_launch_template_changes_its_version_only(world: World) -> None:
    world.node_group(launchTemplate={"id": "lt-plain", "version": "1"})
    with refused(INVALID, "You cannot change the launch template of a node group, only its version"):
        update(world, "UpdateNodegroupVersion", launchTemplate={"id": "lt-empty"})
    update(world, "UpdateNodegroupVersion", launchTemplate={"id": "lt-plain", "version": "2"})
    assert world.described()["launchTemplate"]["version"] == "2"
    world.node_group("bare")
    with refused("InvalidRequestException", "was not created with a launch template"):
        world("UpdateNodegroupVersion", clusterName="demo", nodegroupName="bare", launchTemplate={"id": "lt-plain"})


def test_an_image_of_ones_own_rolls_by_the_launch_template_alone(world: World) -> None:
    world.node_group(launchTemplate={"id": "lt-image", "version": "1"})
    with refused(INVALID, "You cannot specify the field kubernetesVersion when using custom AMIs"):
        update(world, "UpdateNodegroupVersion", version="1.36", launchTemplate={"id": "lt-image", "version": "2"})
    update(world, "UpdateNodegroupVersion", launchTemplate={"id": "lt-image", "version": "2"})
    assert world.described()["releaseVersion"] == "ami-2"


def test_a_creation_that_fails_has_its_issue_and_stays(world: World) -> None:
    failure = {"kind": "nodegroup", "name": "gpu-*", "code": "NodeCreationFailure", "message": "did not join"}
    world.switch(create_failures=[failure, failure | {"name": "half", "status": "DEGRADED"}], delays={"nodegroup": 5})
    for name in ("gpu-a", "half", "good"):
        assert world.node_group(name)["status"] == "CREATING"
    world.clock.sleep(5)
    broken = world.described("gpu-a")
    assert broken["status"] == "CREATE_FAILED"
    assert broken["health"]["issues"] == [
        {
            "code": "NodeCreationFailure",
            "message": "did not join",
            "resourceIds": [broken["resources"]["autoScalingGroups"][0]["name"]],
        }
    ]
    assert world.described("half")["status"] == "DEGRADED"
    assert world.described("good")["status"] == "ACTIVE"
    with refused("InvalidRequestException", "Nodegroup cannot be updated as it is currently not in Active State"):
        world("UpdateNodegroupConfig", clusterName="demo", nodegroupName="gpu-a", scalingConfig={"maxSize": 3})
    world("DeleteNodegroup", clusterName="demo", nodegroupName="gpu-a")
    world.clock.sleep(5)
    assert world("ListNodegroups", clusterName="demo")["nodegroups"] == ["good", "half"]


def test_no_capacity_fails_groups_whose_types_are_all_out(world: World) -> None:
    world.switch(no_capacity=["p5.48xlarge"])
    assert world.node_group("a", launchTemplate={"id": "lt-plain"})["status"] == "CREATE_FAILED"
    issue = world.described("a")["health"]["issues"][0]
    assert issue["code"] == "AsgInstanceLaunchFailures"
    assert "InsufficientInstanceCapacity" in issue["message"]
    assert world.node_group("b", instanceTypes=["p5.48xlarge", "p4d.24xlarge"])["status"] == "ACTIVE"
    empty = {"minSize": 0, "maxSize": 2, "desiredSize": 0}
    assert world.node_group("c", launchTemplate={"id": "lt-plain"}, scalingConfig=empty)["status"] == "ACTIVE"


def test_a_failed_update_leaves_the_group_as_it_was(world: World) -> None:
    world.node_group(version="1.35")
    world.switch(update_failures=[{"kind": "nodegroup", "code": "PodEvictionFailure", "message": "a budget"}])
    found = update(world, "UpdateNodegroupVersion", version="1.36")
    ended = world("DescribeUpdate", name="demo", nodegroupName="pool", updateId=found["id"])["update"]
    assert (ended["status"], ended["errors"][0]["errorCode"]) == ("Failed", "PodEvictionFailure")
    assert (world.described()["status"], world.described()["version"]) == ("ACTIVE", "1.35")


def test_nodes_are_let_in_by_eks_itself_until_the_last_group_of_the_role_goes(world: World) -> None:
    world.node_group("a")
    world.node_group("b", amiType="BOTTLEROCKET_x86_64")
    entry = world("DescribeAccessEntry", clusterName="demo", principalArn=ROLE)["accessEntry"]
    assert (entry["type"], entry["kubernetesGroups"]) == ("EC2_LINUX", ["system:nodes"])
    with refused("ResourceInUseException", "The specified access entry resource is already in use on this cluster."):
        world("CreateAccessEntry", clusterName="demo", principalArn=ROLE, type="EC2_LINUX")
    world("DeleteNodegroup", clusterName="demo", nodegroupName="a")
    assert ROLE in world("ListAccessEntries", clusterName="demo")["accessEntries"]
    world("DeleteNodegroup", clusterName="demo", nodegroupName="b")
    assert ROLE not in world("ListAccessEntries", clusterName="demo")["accessEntries"]


def test_a_group_that_is_deleted_holds_its_name_until_it_is_gone(world: World) -> None:
    world.node_group()
    world.switch(delays={"nodegroup.delete": 5})
    world("DeleteNodegroup", clusterName="demo", nodegroupName="pool")
    assert world.described()["status"] == "DELETING"
    with pytest.raises(EksError, match="already exists"):
        world.node_group()
    world.clock.sleep(5)
    world.eks.settle()
    assert world.beside.scaling == {}
    world.node_group()
