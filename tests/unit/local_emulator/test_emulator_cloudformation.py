"""CloudFormation of the emulated AWS: functions, order, change sets, updates, rollbacks, deletion."""

from __future__ import annotations

import typing as t

import pytest
from stack_world import NETWORK, World, edited, refused


@pytest.fixture
def world() -> World:
    found = World()
    found.put("CreateStack", NETWORK)
    return found


def test_resources_are_made_after_what_they_need_and_deleted_in_the_reverse_order(world: World) -> None:
    made = list(world.maker.done)
    assert world.stack()["StackStatus"] == "CREATE_COMPLETE"
    place = {name: made.index(f"create {name}") for name in ("Route", "Table", "Attachment", "Gateway", "Network")}
    assert place["Network"] < place["Table"] < place["Route"]
    assert max(place["Network"], place["Gateway"]) < place["Attachment"] < place["Route"]
    assert "create Alarm" not in made
    world("DeleteStack", StackName="net")
    assert world.maker.done[len(made) :] == [one.replace("create", "delete") for one in made[::-1]]
    assert world.maker.there == {}
    with refused("ValidationError", "Stack with id net does not exist"):
        world.stack()


def test_functions_are_worked_out(world: World) -> None:
    attachment = next(one for one in world.maker.there.values() if one.logical_id == "Attachment")
    network = next(key for key, one in world.maker.there.items() if one.logical_id == "Network")
    gateway = next(key for key, one in world.maker.there.items() if one.logical_id == "Gateway")
    assert attachment.properties == {"Network": f"arn:{network}", "Gateway": f"x-{gateway}"}
    assert world.stack()["Outputs"] == [{"OutputKey": "NetworkId", "OutputValue": network, "ExportName": "net-network"}]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Fn::Select": [1, {"Fn::Cidr": ["10.0.0.0/16", 3, 13]}]}, "10.0.32.0/19"),
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}]]}, "a-us-east-1"),
        ({"Fn::Split": [",", "a,b"]}, ["a", "b"]),
        ({"Fn::If": ["Production", "big", "small"]}, "small"),
        ({"Fn::Sub": ["${x}-${!y}-${AWS::AccountId}", {"x": {"Ref": "Stage"}}]}, "dev-${y}-123456789012"),
        ({"Fn::Base64": "a"}, "YQ=="),
        ({"Fn::GetAZs": ""}, ["us-east-1a", "us-east-1b"]),
        ({"Fn::ToJsonString": {"a": 1}}, '{"a": 1}'),
        ([{"Ref": "AWS::NoValue"}, 1], [1]),
        ({"Fn::If": ["Production", "x", {"Ref": "AWS::NoValue"}]}, None),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "Nodes"]}, 3),
        ({"Fn::ImportValue": "net-network"}, "network"),
        ({"Ref": "Image"}, "value of /aws/image"),
        ({"Ref": "Names"}, ["a", "b"]),
    ],
)
def test_every_function(world: World, value: t.Any, expected: t.Any) -> None:
    template = {
        "Parameters": {
            "Stage": {"Type": "String", "Default": "dev"},
            "Image": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/aws/image"},
            "Names": {"Type": "CommaDelimitedList", "Default": "a, b"},
        },
        "Mappings": {"Sizes": {"dev": {"Nodes": 3}}},
        "Conditions": {"Production": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Stage"}, "dev"]}]}},
        "Resources": {"One": {"Type": "T::One", "Properties": {"Value": value}}},
    }
    world.put("CreateStack", template, name="other")
    assert world.stack("other")["StackStatus"] == "CREATE_COMPLETE"
    found = next(one for one in world.maker.there.values() if one.logical_id == "One").properties.get("Value")
    assert found == expected or str(found).startswith(f"{expected}-")


def test_the_same_again_is_no_update(world: World) -> None:
    with refused("ValidationError", "No updates are to be performed."):
        world.put("UpdateStack", NETWORK)
    with refused("ValidationError", "No updates are to be performed."):
        world("UpdateStack", StackName="net", UsePreviousTemplate=True)
    world.put("CreateChangeSet", NETWORK, ChangeSetName="empty")
    found = world("DescribeChangeSet", ChangeSetName="empty", StackName="net")
    assert (found["Status"], found["ExecutionStatus"], found["Changes"]) == ("FAILED", "UNAVAILABLE", [])
    assert found["StatusReason"].startswith("The submitted information didn't contain changes.")
    with refused("InvalidChangeSetStatus", "cannot be executed"):
        world("ExecuteChangeSet", ChangeSetName="empty", StackName="net")


def test_a_change_set_says_what_really_changes(world: World) -> None:
    assert world.changes(edited(Alarm=None)) == []
    assert world.changes(edited(Route=None)) == [("Remove", "Route", "")]
    assert world.changes(edited(Extra={"Type": "T::Extra"})) == [("Add", "Extra", "")]
    assert world.changes(NETWORK, parameters={"Cidr": "10.1.0.0/16"}) == [("Modify", "Network", "False")]
    assert world.changes(NETWORK, parameters={"Stage": "prod"}) == [("Add", "Alarm", "")]
    fixed = {"Type": "T::Network", "Properties": {"Range": "10.0.0.0/16", "Fixed": "new"}}
    replaced = world.changes(edited(Network=fixed))
    assert ("Modify", "Network", "True") in replaced
    assert {name for _other, name, _other in replaced} == {"Network", "Table", "Attachment"}
    tagged = world.changes(NETWORK, Tags=[{"Key": "a", "Value": "b"}])
    assert {name for _other, name, _other in tagged} == {"Route", "Table", "Attachment", "Gateway", "Network"}


def test_a_change_set_of_what_is_to_be_and_its_execution() -> None:
    world = World()
    world.put("CreateChangeSet", NETWORK, ChangeSetName="first", ChangeSetType="CREATE")
    assert world.stack()["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert world.maker.done == []
    assert [one["Status"] for one in world("ListChangeSets", StackName="net")["Summaries"]] == ["CREATE_COMPLETE"]
    world("ExecuteChangeSet", ChangeSetName="first", StackName="net")
    assert world.stack()["StackStatus"] == "CREATE_COMPLETE"
    assert world("ListChangeSets", StackName="net")["Summaries"] == []


def test_a_replaced_resource_goes_after_its_dependents_have_moved(world: World) -> None:
    before = len(world.maker.done)
    fixed = {"Type": "T::Network", "Properties": {"Range": "10.0.0.0/16", "Fixed": "new"}}
    world.put("UpdateStack", edited(Network=fixed))
    assert world.stack()["StackStatus"] == "UPDATE_COMPLETE"
    done = world.maker.done[before:]
    assert done[0] == "create Network"
    assert set(done[1:-1]) == {"update Table", "update Attachment"}
    assert done[-1] == "delete Network"
    assert world.stack()["Outputs"][0]["OutputValue"] in world.maker.there


def test_a_creation_that_fails_is_rolled_back_and_says_why() -> None:
    world = World(create_failures=[{"kind": "stackresource", "name": "net/Route", "message": "no route"}])
    world.put("CreateStack", NETWORK)
    assert world.stack()["StackStatus"] == "ROLLBACK_COMPLETE"
    assert world.maker.there == {}
    events = world("DescribeStackEvents", StackName="net")["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"] == "CREATE_FAILED"]
    assert [(one["LogicalResourceId"], one["ResourceStatusReason"]) for one in failed] == [("Route", "no route")]
    assert events[0]["ResourceStatus"] == "ROLLBACK_COMPLETE"
    with refused("ValidationError", "is in ROLLBACK_COMPLETE state and can not be updated."):
        world.put("UpdateStack", NETWORK)


def test_a_creation_that_fails_keeps_only_what_is_retained_in_any_case() -> None:
    world = World(create_failures=[{"kind": "stackresource", "name": "half/Late", "message": "no"}])
    resources = {
        "Kept": {"Type": "T::Gateway", "DeletionPolicy": "Retain"},
        "Whole": {"Type": "T::Gateway", "DeletionPolicy": "RetainExceptOnCreate"},
        "Late": {"Type": "T::Gateway", "DependsOn": ["Kept", "Whole"]},
    }
    world.put("CreateStack", {"Resources": resources}, name="half")
    assert {one.logical_id for one in world.maker.there.values()} == {"Kept"}
    world.put("CreateStack", {"Resources": {"Whole": resources["Whole"]}}, name="whole")
    world("DeleteStack", StackName="whole")
    assert {one.logical_id for one in world.maker.there.values()} == {"Kept", "Whole"}


def test_an_update_that_fails_goes_back(world: World) -> None:
    world.maker.refusing = {"update Table"}
    outputs = world.stack()["Outputs"]
    new = {"Type": "T::Table", "Properties": {"Network": {"Ref": "Network"}, "Name": "new"}}
    world.put("UpdateStack", edited(Table=new, Extra={"Type": "T::Extra"}), parameters={"Cidr": "10.9.0.0/16"})
    assert world.stack()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert world.stack()["Outputs"] == outputs
    assert {one.logical_id for one in world.maker.there.values()} == set(NETWORK["Resources"]) - {"Alarm"}
    network = next(one for one in world.maker.there.values() if one.logical_id == "Network")
    assert network.properties == {"Range": "10.0.0.0/16"}


def test_a_deletion_that_fails_keeps_what_it_could_not_delete(world: World) -> None:
    world.maker.refusing = {"delete Network"}
    world("DeleteStack", StackName="net")
    assert world.stack()["StackStatus"] == "DELETE_FAILED"
    assert "[Network]" in world.stack()["StackStatusReason"]
    rows = {
        one["LogicalResourceId"]: one["ResourceStatus"]
        for one in world("ListStackResources", StackName="net")["StackResourceSummaries"]
    }
    assert rows["Network"] == "DELETE_FAILED"
    assert rows["Route"] == "DELETE_COMPLETE"
    world("DeleteStack", StackName="net", RetainResources=["Network"])
    with refused("ValidationError", "does not exist"):
        world.stack()


def test_retained_and_protected_things_stay(world: World) -> None:
    kept = {"Type": "T::Gateway", "DeletionPolicy": "Retain"}
    world.put("CreateStack", {"Resources": {"Kept": kept}}, name="kept", EnableTerminationProtection=True)
    with refused("ValidationError", "cannot be deleted while TerminationProtection is enabled"):
        world("DeleteStack", StackName="kept")
    world("UpdateTerminationProtection", StackName="kept", EnableTerminationProtection=False)
    world("DeleteStack", StackName="kept")
    assert "Kept" in {one.logical_id for one in world.maker.there.values()}


def test_stacks_take_their_time() -> None:
    world = World(delays={"stack": 10})
    world.put("CreateStack", NETWORK)
    assert world.stack()["StackStatus"] == "CREATE_IN_PROGRESS"
    with refused("ValidationError", "is in CREATE_IN_PROGRESS state"):
        world.put("UpdateStack", edited(Route=None))
    world.clock.sleep(10)
    assert world.stack()["StackStatus"] == "CREATE_COMPLETE"
    identity = world.stack()["StackId"]
    world("DeleteStack", StackName="net")
    assert world.stack()["StackStatus"] == "DELETE_IN_PROGRESS"
    world.clock.sleep(10)
    assert world.stack(identity)["StackStatus"] == "DELETE_COMPLETE"
    assert world("DescribeStacks")["Stacks"] == []


@pytest.mark.parametrize(
    ("template", "options", "code", "message"),
    [
        ({}, {}, "ValidationError", "At least one Resources member must be defined."),
        ({"Resources": {"A": {}}}, {}, "ValidationError", "must contain a Type member"),
        (
            {"Resources": {"A": {"Type": "T::A", "Properties": {"x": {"Ref": "B"}}}}},
            {},
            "ValidationError",
            "Unresolved resource dependencies [B] in the Resources block of the template",
        ),
        (
            {"Resources": {"A": {"Type": "T::A", "DependsOn": "B"}, "B": {"Type": "T::B", "DependsOn": ["A"]}}},
            {},
            "ValidationError",
            "Circular dependency between resources: [A, B]",
        ),
        (
            NETWORK,
            {"parameters": {"Cidre": "x"}},
            "ValidationError",
            "Parameters: [Cidre] do not exist in the template",
        ),
        (
            {"Parameters": {"A": {"Type": "String"}}, "Resources": {"B": {"Type": "T::B"}}},
            {},
            "ValidationError",
            "Parameters: [A] must have values",
        ),
        (
            {
                "Parameters": {"A": {"Type": "String", "AllowedValues": ["x"], "Default": "y"}},
                "Resources": {"B": {"Type": "T"}},
            },
            {},
            "ValidationError",
            "must be one of AllowedValues",
        ),
        (
            {"Resources": {"A": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "x"}}}},
            {"Capabilities": ["CAPABILITY_IAM"]},
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_NAMED_IAM]",
        ),
    ],
)
def test_a_wrong_template_is_refused_and_makes_nothing(
    template: dict[str, t.Any], options: dict[str, t.Any], code: str, message: str
) -> None:
    world = World()
    with refused(code, message):
        world.put("CreateStack", template, **options)
    assert world("ListStacks")["StackSummaries"] == []
    assert world.maker.done == []


def test_names_and_exports_are_unique(world: World) -> None:
    with refused("AlreadyExistsException", "Stack [net] already exists"):
        world.put("CreateStack", NETWORK)
    same = edited() | {"Outputs": {"X": {"Value": "v", "Export": {"Name": "net-network"}}}}
    world.put("CreateStack", same, name="thief")
    assert world.stack("thief")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert [one["Name"] for one in world("ListExports")["Exports"]] == ["net-network"]
