"""The role foundation against the emulated AWS: file systems when they are wanted, data that stays, nothing left."""

from __future__ import annotations

import typing as t
from pathlib import Path

from emulator_fixture import Emulator
from role_play import Played, play_roles

GIVEN: dict[str, t.Any] = {
    "aiplatform_cluster": "files",
    "aiplatform_region": "us-east-1",
    "foundation_efs": True,
    "foundation_fsx": True,
    "foundation_fsx_zone": "us-east-1b",
}
GONE = {"foundation_state": "absent"}
MODELS = "files-123456789012-models"


def played(emulator: Emulator, scratch: Path, *plays: dict[str, t.Any], check: bool = False) -> list[Played]:
    done = play_roles(
        [("foundation", {**GIVEN, **one}) for one in plays],
        scratch=scratch,
        environment=emulator.env,
        arguments=["--check"] if check else (),
    )
    assert [one.failures for one in done] == [{} for _one in plays]
    return done


def stacks(emulator: Emulator) -> set[str]:
    rows = emulator.client("cloudformation").describe_stacks()["Stacks"]
    return {row["StackName"].removeprefix("files-") for row in rows}


def mount_zones(emulator: Emulator, key: str) -> set[str]:
    rows = emulator.client("efs").describe_mount_targets(FileSystemId=key)["MountTargets"]
    return {row["AvailabilityZoneName"] for row in rows}


def test_file_systems_come_stay_and_go(emulator: Emulator, tmp_path: Path) -> None:
    first, again = played(emulator, tmp_path, {}, {})
    outputs = again.tasks["Tell the other roles"]["ansible_facts"]["foundation_outputs"]
    assert outputs == first.tasks["Tell the other roles"]["ansible_facts"]["foundation_outputs"]
    assert (len(first.changed), again.changed) == (6, [])
    assert "known-after-the-run" not in str(emulator.client("cloudformation").describe_stacks())
    efs, fsx = outputs["efs"], outputs["fsx"]
    system = emulator.client("efs").describe_file_systems(FileSystemId=efs["file_system_id"])["FileSystems"][0]
    assert (system["Encrypted"], system["KmsKeyId"], system["ThroughputMode"]) == (True, outputs["key_arn"], "elastic")
    assert mount_zones(emulator, efs["file_system_id"]) == {"us-east-1a", "us-east-1b", "us-east-1c"}
    lustre = emulator.client("fsx").describe_file_systems(FileSystemIds=[fsx["file_system_id"]])["FileSystems"][0]
    assert (lustre["StorageCapacity"], lustre["SubnetIds"]) == (1200, outputs["network"]["gpu_subnet_ids"][1:2])
    assert (lustre["DNSName"], lustre["LustreConfiguration"]["MountName"]) == (fsx["dns_name"], fsx["mount_name"])
    links = emulator.client("fsx").describe_data_repository_associations()["Associations"]
    assert [(row["FileSystemPath"], row["DataRepositoryPath"]) for row in links] == [("/data", f"s3://{MODELS}/")]
    services = {row["ServiceName"] for row in emulator.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]}
    assert {"com.amazonaws.us-east-1.elasticfilesystem", "com.amazonaws.us-east-1.fsx"} <= services

    (off,) = played(emulator, tmp_path, {"foundation_efs": False, "foundation_fsx": False})
    assert off.changed[-2:] == [
        "Fast file system (what is on it is in its bucket)",
        "Shared file system (it stays with its data, unmounted)",
    ]
    assert emulator.client("fsx").describe_file_systems()["FileSystems"] == []
    assert mount_zones(emulator, efs["file_system_id"]) == set()

    emulator.client("s3").put_object(Bucket=MODELS, Key="a/model", Body=b"weights")
    kept, gone, back = played(emulator, tmp_path, GONE, GONE, {"foundation_fsx": False})
    assert kept.changed == [  # the shared file system is unmounted already
        "Interruption queue", "Network", "Roles of the control plane, the nodes and the components",
    ]  # fmt: skip
    assert gone.changed == []
    assert back.tasks["Tell the other roles"]["ansible_facts"]["foundation_outputs"]["efs"] == efs

    _emptied, empty = played(emulator, tmp_path, *[{**GONE, "foundation_delete_data": True}] * 2)
    assert (empty.changed, stacks(emulator)) == ([], set())
    assert emulator.client("efs").describe_file_systems()["FileSystems"] == []
    assert emulator.client("s3").list_buckets()["Buckets"] == []


def test_an_existing_network_gets_one_mount_target_a_zone(emulator: Emulator, tmp_path: Path) -> None:
    ec2 = emulator.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{index}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for index, zone in enumerate("aabd")
    ]
    network = {"vpc_id": vpc, "private_subnet_ids": subnets}
    (wrong,) = play_roles(
        [("foundation", {**GIVEN, "foundation_existing_network": network, "foundation_fsx_zone": "us-east-1c"})],
        scratch=tmp_path,
        environment=emulator.env,
    )
    assert "us-east-1a, us-east-1b, us-east-1d" in wrong.failures["Refuse a fast file system that cannot be"]
    assert emulator.calls("cloudformation", writes=True) == []
    (done,) = played(emulator, tmp_path, {"foundation_existing_network": network, "foundation_fsx_zone": "us-east-1d"})
    outputs = done.tasks["Tell the other roles"]["ansible_facts"]["foundation_outputs"]
    assert mount_zones(emulator, outputs["efs"]["file_system_id"]) == {"us-east-1a", "us-east-1b", "us-east-1d"}
    lustre = emulator.client("fsx").describe_file_systems()["FileSystems"][0]
    assert lustre["SubnetIds"] == subnets[3:]


def test_a_first_run_that_failed_leaves_nothing_and_can_be_repeated(emulator: Emulator, tmp_path: Path) -> None:
    plain = {**GIVEN, "foundation_efs": False, "foundation_fsx": False}
    emulator.client("s3").create_bucket(Bucket=MODELS)
    (failed,) = play_roles([("foundation", plain)], scratch=tmp_path, environment=emulator.env)
    assert list(failed.failures) == ["Keys and buckets"]
    assert [row["Name"] for row in emulator.client("s3").list_buckets()["Buckets"]] == [MODELS]
    emulator.client("s3").delete_bucket(Bucket=MODELS)
    (plan,) = played(emulator, tmp_path, plain, check=True)
    assert plan.changed[:2] == ["Clear away empty stacks of a first run that failed", "Foresee what is made anew"]
    (again,) = play_roles([("foundation", plain)], scratch=tmp_path, environment=emulator.env)
    assert again.failures == {}
    assert again.changed[0] == "Clear away empty stacks of a first run that failed"
    assert stacks(emulator) == {"data", "roles", "network", "interruptions"}


IMPOSSIBLE = """{"Resources": {"Taken": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "%s"}}}}"""


def test_a_file_system_that_failed_at_first_is_in_nobodys_way(emulator: Emulator, tmp_path: Path) -> None:
    plain = {"foundation_efs": False, "foundation_fsx": False}
    played(emulator, tmp_path, plain)
    emulator.client("s3").create_bucket(Bucket="taken")
    for wish in (plain, GONE):
        emulator.client("cloudformation").create_stack(StackName="files-efs", TemplateBody=IMPOSSIBLE % "taken")
        (looked,) = played(emulator, tmp_path, wish, check=True)
        assert looked.changed[0] == "Clear away empty stacks of a first run that failed"
        (done,) = played(emulator, tmp_path, wish)
        assert done.changed[0] == "Clear away empty stacks of a first run that failed"
        assert "efs" not in stacks(emulator)
    assert emulator.client("efs").describe_file_systems()["FileSystems"] == []


def test_data_that_never_came_to_be_can_be_deleted(emulator: Emulator, tmp_path: Path) -> None:
    emulator.client("s3").create_bucket(Bucket="taken")
    emulator.client("cloudformation").create_stack(StackName="files-data", TemplateBody=IMPOSSIBLE % "taken")
    (gone,) = played(emulator, tmp_path, {**GONE, "foundation_delete_data": True})
    assert gone.changed == ["Clear away empty stacks of a first run that failed"]
    assert stacks(emulator) == set()
