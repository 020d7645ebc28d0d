"""What moto lacks and the emulator has, called through boto3; and a plain moto, which must still lack it.

When the last test fails, moto has begun to do something itself: look whether the emulator's part can go.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import typing as t
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from emulator_fixture import Emulator


def test_quotas_of_ec2_and_eks_let_a_rehearsal_through_and_can_be_set(emulator: Emulator) -> None:
    quotas = emulator.client("service-quotas")
    ask = {"ServiceCode": "ec2", "QuotaCode": "L-417A185B"}
    assert quotas.get_service_quota(**ask)["Quota"]["Value"] >= 192
    emulator.control(quotas={"ec2/L-417A185B": 96})
    assert quotas.get_service_quota(**ask)["Quota"]["Value"] == 96
    rows = quotas.list_service_quotas(ServiceCode="eks")["Quotas"]
    assert {row["QuotaName"] for row in rows} >= {"Clusters", "Managed node groups per cluster"}
    with pytest.raises(ClientError) as error:
        quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-00000000")
    assert error.value.response["Error"]["Code"] == "NoSuchResourceException"


def test_images_are_public_parameters(emulator: Emulator) -> None:
    ssm = emulator.client("ssm")
    prefix = "/aws/service/eks/optimized-ami/1.36/amazon-linux-2023/x86_64/nvidia/recommended"
    image = ssm.get_parameter(Name=f"{prefix}/image_id")["Parameter"]["Value"]
    assert image.startswith("ami-")
    assert json.loads(ssm.get_parameter(Name=prefix)["Parameter"]["Value"])["image_id"] == image
    emulator.cluster()
    group = emulator.node_group("gpu", amiType="AL2023_x86_64_NVIDIA")
    assert ssm.get_parameter(Name=f"{prefix}/release_version")["Parameter"]["Value"] == group["releaseVersion"]
    ssm.put_parameter(Name="/own", Value="mine", Type="String")
    bottlerocket = "/aws/service/bottlerocket/aws-k8s-1.36-nvidia/arm64/latest/image_id"
    answer = ssm.get_parameters(Names=[bottlerocket, "/own", "/aws/service/eks/nothing"])
    assert {row["Name"] for row in answer["Parameters"]} == {bottlerocket, "/own"}
    assert answer["InvalidParameters"] == ["/aws/service/eks/nothing"]
    for missing in (prefix.replace("1.36", "1.99"), "/none"):
        with pytest.raises(ssm.exceptions.ParameterNotFound):
            ssm.get_parameter(Name=missing)


def test_prices_come_from_the_projects_table_or_the_switch(emulator: Emulator) -> None:
    pricing = emulator.client("pricing")

    def price(name: str) -> list[float]:
        filters = [{"Type": "TERM_MATCH", "Field": "instanceType", "Value": name}]
        rows = pricing.get_products(ServiceCode="AmazonEC2", Filters=filters)["PriceList"]
        terms = [term for row in rows for term in json.loads(row)["terms"]["OnDemand"].values()]
        return [float(one["pricePerUnit"]["USD"]) for term in terms for one in term["priceDimensions"].values()]

    assert price("p3.2xlarge") == [3.06]
    assert price("none.large") == []
    emulator.control(prices={"none.large": 1.5})
    assert price("none.large") == [1.5]


def test_capacity_reservations_live_and_blocks_are_bought_not_cancelled(emulator: Emulator) -> None:
    ec2 = emulator.client("ec2")
    tags = [{"ResourceType": "capacity-reservation", "Tags": [{"Key": "pool", "Value": "gpu"}]}]
    made = ec2.create_capacity_reservation(
        InstanceType="p5.48xlarge",
        InstancePlatform="Linux/UNIX",
        AvailabilityZone="us-east-1a",
        InstanceCount=2,
        TagSpecifications=tags,
    )["CapacityReservation"]
    key = made["CapacityReservationId"]
    assert (made["State"], made["TotalInstanceCount"], made["AvailableInstanceCount"]) == ("active", 2, 2)
    ec2.modify_capacity_reservation(CapacityReservationId=key, InstanceCount=3)
    found = ec2.describe_capacity_reservations(Filters=[{"Name": "tag:pool", "Values": ["gpu"]}])
    assert [row["TotalInstanceCount"] for row in found["CapacityReservations"]] == [3]
    ec2.cancel_capacity_reservation(CapacityReservationId=key)
    assert (
        ec2.describe_capacity_reservations(CapacityReservationIds=[key])["CapacityReservations"][0]["State"]
        == "cancelled"
    )
    offers = ec2.describe_capacity_block_offerings(
        InstanceType="p5.48xlarge", InstanceCount=4, CapacityDurationHours=24
    )["CapacityBlockOfferings"]
    assert float(offers[0]["UpfrontFee"]) > 0
    block = ec2.purchase_capacity_block(
        CapacityBlockOfferingId=offers[0]["CapacityBlockOfferingId"], InstancePlatform="Linux/UNIX"
    )["CapacityReservation"]
    assert (block["InstanceType"], block["TotalInstanceCount"], block["ReservationType"]) == (
        "p5.48xlarge",
        4,
        "capacity-block",
    )
    with pytest.raises(ClientError, match="cannot be cancelled"):
        ec2.cancel_capacity_reservation(CapacityReservationId=block["CapacityReservationId"])
    with pytest.raises(ClientError) as error:
        ec2.describe_capacity_reservations(CapacityReservationIds=["cr-none"])
    assert error.value.response["Error"]["Code"] == "InvalidCapacityReservationId.NotFound"


def test_placement_groups(emulator: Emulator) -> None:
    ec2 = emulator.client("ec2")
    ec2.create_placement_group(GroupName="efa", Strategy="cluster")
    assert [row["State"] for row in ec2.describe_placement_groups(GroupNames=["efa"])["PlacementGroups"]] == [
        "available"
    ]
    with pytest.raises(ClientError, match=r"InvalidPlacementGroup\.Duplicate"):
        ec2.create_placement_group(GroupName="efa", Strategy="cluster")
    ec2.delete_placement_group(GroupName="efa")
    assert ec2.describe_placement_groups()["PlacementGroups"] == []


def test_versions_of_launch_templates_can_go_except_the_default_one(emulator: Emulator) -> None:
    ec2 = emulator.client("ec2")
    ec2.create_launch_template(LaunchTemplateName="pool", LaunchTemplateData={"InstanceType": "m7i.large"})
    for size in ("xlarge", "2xlarge"):
        ec2.create_launch_template_version(
            LaunchTemplateName="pool", LaunchTemplateData={"InstanceType": f"m7i.{size}"}
        )
    answer = ec2.delete_launch_template_versions(LaunchTemplateName="pool", Versions=["1", "2"])
    assert [row["VersionNumber"] for row in answer["SuccessfullyDeletedLaunchTemplateVersions"]] == [2]
    assert [row["VersionNumber"] for row in answer["UnsuccessfullyDeletedLaunchTemplateVersions"]] == [1]
    rows = ec2.describe_launch_template_versions(LaunchTemplateName="pool")["LaunchTemplateVersions"]
    found = {row["VersionNumber"]: row["LaunchTemplateData"]["InstanceType"] for row in rows}
    assert found == {1: "m7i.large", 3: "m7i.2xlarge"}


def test_file_systems_are_available_and_bound_to_s3(emulator: Emulator) -> None:
    fsx = emulator.client("fsx")
    made = fsx.create_file_system(
        FileSystemType="LUSTRE",
        StorageCapacity=1200,
        SubnetIds=emulator.subnets(1),
        LustreConfiguration={"DeploymentType": "PERSISTENT_2", "PerUnitStorageThroughput": 125},
    )["FileSystem"]
    key = made["FileSystemId"]
    assert made["LustreConfiguration"]["MountName"]
    found = fsx.describe_file_systems(FileSystemIds=[key])["FileSystems"][0]
    assert (found["Lifecycle"], found["LustreConfiguration"]["DeploymentType"]) == ("AVAILABLE", "PERSISTENT_2")
    fsx.update_file_system(FileSystemId=key, StorageCapacity=2400)
    assert fsx.describe_file_systems()["FileSystems"][0]["StorageCapacity"] == 2400
    link = fsx.create_data_repository_association(
        FileSystemId=key, FileSystemPath="/models", DataRepositoryPath="s3://models"
    )["Association"]
    ask = {"Filters": [{"Name": "file-system-id", "Values": [key]}]}
    assert [row["FileSystemPath"] for row in fsx.describe_data_repository_associations(**ask)["Associations"]] == [
        "/models"
    ]
    fsx.delete_data_repository_association(AssociationId=link["AssociationId"])
    assert fsx.describe_data_repository_associations(**ask)["Associations"] == []


def test_a_missing_bucket_is_404_and_a_tls_only_bucket_takes_our_calls(emulator: Emulator) -> None:
    s3 = emulator.client("s3")
    with pytest.raises(ClientError) as missing:
        s3.head_bucket(Bucket="nowhere")
    assert missing.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    s3.create_bucket(Bucket="secret")
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::secret/*"}
    for condition, allowed in (({"Bool": {"aws:SecureTransport": "false"}}, True), ({}, False)):
        policy = {"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]}
        s3.put_bucket_policy(Bucket="secret", Policy=json.dumps(policy))
        if allowed:
            s3.put_object(Bucket="secret", Key="a", Body=b"a")
        else:
            with pytest.raises(ClientError):
                s3.put_object(Bucket="secret", Key="a", Body=b"a")


def test_efs_has_a_backup_policy_and_can_be_made_faster(emulator: Emulator) -> None:
    efs = emulator.client("efs")
    key = efs.create_file_system(CreationToken="one")["FileSystemId"]
    efs.put_backup_policy(FileSystemId=key, BackupPolicy={"Status": "ENABLED"})
    assert efs.describe_backup_policy(FileSystemId=key)["BackupPolicy"]["Status"] == "ENABLED"
    assert efs.update_file_system(FileSystemId=key, ThroughputMode="elastic")["ThroughputMode"] == "elastic"
    assert efs.describe_file_systems(FileSystemId=key)["FileSystems"][0]["ThroughputMode"] == "elastic"
    with pytest.raises(efs.exceptions.FileSystemNotFound):
        efs.update_file_system(FileSystemId="fs-0", ThroughputMode="elastic")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """moto without us."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-p", str(port)], stdout=output, stderr=output, env=dict(os.environ)
        )
    endpoint = f"http://127.0.0.1:{port}"
    _wait(endpoint, process, log)
    yield Emulator(endpoint)
    process.terminate()
    process.wait(timeout=10)


def _wait(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _other in range(600):
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{endpoint}/moto-api/", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"moto did not start: {log.read_text()}")


# Service, operation, parameters: what plain moto cannot answer.
CLUSTER = {"clusterName": "demo"}
ABSENT: list[tuple[str, str, dict[str, t.Any]]] = [
    ("eks", "list_addons", CLUSTER),
    ("eks", "list_access_entries", CLUSTER),
    ("eks", "list_access_policies", {}),
    ("eks", "list_pod_identity_associations", CLUSTER),
    ("eks", "list_updates", {"name": "demo"}),
    ("eks", "update_nodegroup_version", CLUSTER | {"nodegroupName": "pool"}),
    ("eks", "update_cluster_version", {"name": "demo", "version": "1.36"}),
    ("eks", "list_identity_provider_configs", CLUSTER),
    ("eks", "list_insights", CLUSTER),
    ("eks", "describe_cluster_versions", {}),
    ("eks", "describe_addon_versions", {}),
    ("ec2", "describe_placement_groups", {}),
    ("ec2", "describe_capacity_reservations", {}),
    ("ec2", "describe_capacity_block_offerings", {"CapacityDurationHours": 24}),
    ("ec2", "delete_launch_template_versions", {"LaunchTemplateName": "pool", "Versions": ["1"]}),
    ("efs", "put_backup_policy", {"FileSystemId": "fs-1", "BackupPolicy": {"Status": "ENABLED"}}),
    ("efs", "update_file_system", {"FileSystemId": "fs-1"}),
    ("fsx", "update_file_system", {"FileSystemId": "fs-0123456789abcdef0"}),
    ("fsx", "describe_data_repository_associations", {}),
    ("pricing", "get_products", {"ServiceCode": "AmazonEC2"}),
    ("service-quotas", "get_service_quota", {"ServiceCode": "ec2", "QuotaCode": "L-417A185B"}),
    (
        "ssm",
        "get_parameter",
        {"Name": "/aws/service/eks/optimized-ami/1.36/amazon-linux-2023/x86_64/standard/recommended/image_id"},
    ),
]
NOT_THERE = ("404", "500", "NoSuchResourceException", "ParameterNotFound", "InternalFailure")


@pytest.mark.parametrize(("service", "operation", "parameters"), ABSENT, ids=[f"{row[0]}-{row[1]}" for row in ABSENT])
def test_plain_moto_still_lacks_it(plain: Emulator, service: str, operation: str, parameters: dict[str, t.Any]) -> None:
    with pytest.raises((ClientError, ResponseParserError)) as error:
        getattr(plain.client(service), operation)(**parameters)
    if isinstance(error.value, ClientError):
        assert error.value.response["Error"]["Code"] in NOT_THERE


def test_plain_moto_still_has_no_lives_and_no_rules(plain: Emulator) -> None:
    eks = plain.client("eks")
    network = {"subnetIds": ["subnet-none"]}
    made = eks.create_cluster(name="x", roleArn=plain.role("x"), resourcesVpcConfig=network, deletionProtection=True)
    assert made["cluster"]["status"] == "ACTIVE"
    sizes = {"minSize": 8, "maxSize": 9, "desiredSize": 4}
    group = eks.create_nodegroup(
        clusterName="x", nodegroupName="y", subnets=["subnet-none"], nodeRole=plain.role("x"), scalingConfig=sizes
    )["nodegroup"]
    assert group["status"] == "ACTIVE"
    assert "updateConfig" not in group


def test_plain_moto_still_has_no_fn_cidr(plain: Emulator) -> None:
    network = {
        "Type": "AWS::EC2::VPC",
        "Properties": {"CidrBlock": {"Fn::Select": [0, {"Fn::Cidr": ["10.0.0.0/8", 1, 16]}]}},
    }
    with pytest.raises((ClientError, ResponseParserError)):
        plain.client("cloudformation").create_stack(
            StackName="x", TemplateBody=json.dumps({"Resources": {"Network": network}})
        )
