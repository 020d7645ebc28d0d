"""CloudFormation of the emulator over HTTP: what a stack makes in moto is there, what it deletes is gone."""

from __future__ import annotations

import json
import typing as t

import botocore.session
import pytest
from botocore.exceptions import ClientError
from emulator_fixture import Emulator

TEMPLATE = """
Parameters:
  Name: {Type: String, Default: demo}
  Retention: {Type: Number, Default: 30}
Resources:
  Network:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.5.0.0/16, Tags: [{Key: Name, Value: !Ref Name}]}
  Gateway: {Type: AWS::EC2::InternetGateway}
  Attachment:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {VpcId: !Ref Network, InternetGatewayId: !Ref Gateway}
  Public:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Network
      AvailabilityZone: !Select [0, !GetAZs ""]
      CidrBlock: !Select [1, !Cidr [!GetAtt Network.CidrBlock, 4, 12]]
  Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Network}}
  Out:
    Type: AWS::EC2::Route
    DependsOn: Attachment
    Properties: {RouteTableId: !Ref Table, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Gateway}
  PublicTable:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {RouteTableId: !Ref Table, SubnetId: !Ref Public}
  Address: {Type: AWS::EC2::EIP, DependsOn: Attachment, Properties: {Domain: vpc}}
  Nat:
    Type: AWS::EC2::NatGateway
    Properties: {AllocationId: !GetAtt Address.AllocationId, SubnetId: !Ref Public}
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcId: !Ref Network, ServiceName: !Sub "com.amazonaws.${AWS::Region}.s3", RouteTableIds: [!Ref Table]}
  Nodes:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: nodes, VpcId: !Ref Network}
  Key:
    Type: AWS::KMS::Key
    Properties: {Description: !Sub "key of ${Name}", KeyPolicy: {Version: "2012-10-17", Statement: []}}
  Alias: {Type: AWS::KMS::Alias, Properties: {AliasName: !Sub "alias/${Name}", TargetKeyId: !Ref Key}}
  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "${Name}-models"}}
  BucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Deny, Principal: "*", Action: "s3:*", Resource: !GetAtt Bucket.Arn}]
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Name}}
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: "*"}]}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.ec2]}
      Targets: [{Id: queue, Arn: !GetAtt Queue.Arn}]
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub "${Name}-nodes"
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: "sts:AssumeRole"}]
      ManagedPolicyArns: ["arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"]
  Logs:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: !Sub "/aiplatform/${Name}", RetentionInDays: !Ref Retention}
  Rare: {Type: AWS::GroundStation::Config, Properties: {Name: unknown to moto}}
Outputs:
  NetworkId: {Value: !Ref Network}
  RareArn: {Value: !GetAtt Rare.Arn}
"""
OPTIONS = {"Capabilities": ["CAPABILITY_NAMED_IAM"], "Tags": [{"Key": "team", "Value": "ml"}]}


@pytest.fixture
def cloud(emulator: Emulator) -> t.Any:
    return emulator.client("cloudformation")


def stack(cloud: t.Any, name: str = "net") -> dict[str, t.Any]:
    return t.cast(dict[str, t.Any], cloud.describe_stacks(StackName=name)["Stacks"][0])


def reasons(cloud: t.Any, name: str = "net") -> list[str]:
    rows = cloud.describe_stack_events(StackName=name)["StackEvents"]
    return [
        f"{row['LogicalResourceId']}: {row['ResourceStatusReason']}"
        for row in rows
        if "FAILED" in row["ResourceStatus"]
    ]


def inventory(emulator: Emulator) -> dict[str, set[str]]:
    """What is there, by kind."""
    ec2 = emulator.client("ec2")
    buckets = emulator.client("s3").list_buckets()["Buckets"]
    return {
        "networks": {row["VpcId"] for row in ec2.describe_vpcs()["Vpcs"]},
        "subnets": {row["SubnetId"] for row in ec2.describe_subnets()["Subnets"]},
        "gateways": {row["InternetGatewayId"] for row in ec2.describe_internet_gateways()["InternetGateways"]},
        "tables": {row["RouteTableId"] for row in ec2.describe_route_tables()["RouteTables"]},
        "groups": {row["GroupId"] for row in ec2.describe_security_groups()["SecurityGroups"]},
        "addresses": {row["PublicIp"] for row in ec2.describe_addresses()["Addresses"]},
        "endpoints": {
            row["VpcEndpointId"] for row in ec2.describe_vpc_endpoints()["VpcEndpoints"] if row["State"] != "deleted"
        },
        "nats": {
            row["NatGatewayId"] for row in ec2.describe_nat_gateways()["NatGateways"] if row["State"] != "deleted"
        },
        "buckets": {row["Name"] for row in buckets},
        "interfaces": {row["NetworkInterfaceId"] for row in ec2.describe_network_interfaces()["NetworkInterfaces"]},
        "queues": set(emulator.client("sqs").list_queues().get("QueueUrls", [])),
        "rules": {row["Name"] for row in emulator.client("events").list_rules()["Rules"]},
        "roles": {row["RoleName"] for row in emulator.client("iam").list_roles()["Roles"]},
        "logs": {row["logGroupName"] for row in emulator.client("logs").describe_log_groups()["logGroups"]},
        "aliases": {
            row["AliasName"]
            for row in emulator.client("kms").list_aliases()["Aliases"]
            if not row["AliasName"].startswith("alias/aws/")
        },
    }


def test_a_stack_is_made_unchanged_changed_and_really_deleted(emulator: Emulator, cloud: t.Any) -> None:
    before = inventory(emulator)
    cloud.create_stack(StackName="net", TemplateBody=TEMPLATE, **OPTIONS)
    cloud.get_waiter("stack_create_complete").wait(StackName="net", WaiterConfig={"Delay": 0.1, "MaxAttempts": 20})
    made = stack(cloud)
    assert (made["StackStatus"], reasons(cloud)) == ("CREATE_COMPLETE", [])
    after = inventory(emulator)
    assert all(after[kind] > before[kind] for kind in before), {kind: after[kind] - before[kind] for kind in before}
    outputs = {row["OutputKey"]: row["OutputValue"] for row in made["Outputs"]}
    key = emulator.client("kms").describe_key(KeyId="alias/demo")["KeyMetadata"]
    assert key["Description"] == "key of demo"
    network = emulator.client("ec2").describe_vpcs(VpcIds=[outputs["NetworkId"]])["Vpcs"][0]
    tags = {row["Key"]: row["Value"] for row in network["Tags"]}
    assert (tags["Name"], tags["team"], tags["aws:cloudformation:stack-name"]) == ("demo", "ml", "net")
    policy = emulator.client("s3").get_bucket_policy(Bucket="demo-models")["Policy"]
    assert json.loads(policy)["Statement"][0]["Effect"] == "Deny"
    assert outputs["RareArn"].startswith("arn:aws:groundstation:us-east-1:")
    with pytest.raises(ClientError) as error:
        cloud.update_stack(StackName="net", TemplateBody=TEMPLATE, **OPTIONS)
    assert error.value.response["Error"] == {
        "Type": "Sender",
        "Code": "ValidationError",
        "Message": "No updates are to be performed.",
    }
    _change(emulator, cloud)
    cloud.delete_stack(StackName="net")
    cloud.get_waiter("stack_delete_complete").wait(
        StackName=made["StackId"], WaiterConfig={"Delay": 0.1, "MaxAttempts": 20}
    )
    assert reasons(cloud, made["StackId"]) == []
    assert inventory(emulator) == before


def _change(emulator: Emulator, cloud: t.Any) -> None:
    options = OPTIONS | {"Parameters": [{"ParameterKey": "Retention", "ParameterValue": "90"}]}
    cloud.create_change_set(StackName="net", ChangeSetName="longer", TemplateBody=TEMPLATE, **options)
    cloud.get_waiter("change_set_create_complete").wait(
        StackName="net", ChangeSetName="longer", WaiterConfig={"Delay": 0.1, "MaxAttempts": 5}
    )
    found = cloud.describe_change_set(StackName="net", ChangeSetName="longer")
    rows = [row["ResourceChange"] for row in found["Changes"]]
    assert [(row["Action"], row["LogicalResourceId"], row["ResourceType"], row["Replacement"]) for row in rows] == [
        ("Modify", "Logs", "AWS::Logs::LogGroup", "False")
    ]
    group = emulator.client("logs").describe_log_groups(logGroupNamePrefix="/aiplatform/")["logGroups"][0]
    assert group["retentionInDays"] == 30
    cloud.execute_change_set(StackName="net", ChangeSetName="longer")
    assert stack(cloud)["StackStatus"] == "UPDATE_COMPLETE"
    group = emulator.client("logs").describe_log_groups(logGroupNamePrefix="/aiplatform/")["logGroups"][0]
    assert group["retentionInDays"] == 90


def test_an_empty_change_set_has_failed_as_aws_says_it(cloud: t.Any) -> None:
    cloud.create_stack(StackName="net", TemplateBody=TEMPLATE, **OPTIONS)
    cloud.create_change_set(StackName="net", ChangeSetName="none", TemplateBody=TEMPLATE, **OPTIONS)
    found = cloud.describe_change_set(StackName="net", ChangeSetName="none")
    assert (found["Status"], found["Changes"]) == ("FAILED", [])
    assert found["StatusReason"].startswith("The submitted information didn't contain changes.")


def test_a_bucket_with_objects_keeps_the_stack(emulator: Emulator, cloud: t.Any) -> None:
    template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "full"}}}}
    cloud.create_stack(StackName="net", TemplateBody=json.dumps(template))
    emulator.client("s3").put_object(Bucket="full", Key="a", Body=b"b")
    cloud.delete_stack(StackName="net")
    assert stack(cloud)["StackStatus"] == "DELETE_FAILED"
    assert reasons(cloud)[-1] == "Bucket: The bucket you tried to delete is not empty"


def test_a_stack_that_cannot_be_made_leaves_nothing(emulator: Emulator, cloud: t.Any) -> None:
    before = inventory(emulator)
    emulator.control(create_failures=[{"kind": "stackresource", "name": "net/Logs", "message": "no more logs"}])
    cloud.create_stack(StackName="net", TemplateBody=TEMPLATE, **OPTIONS)
    assert stack(cloud)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert reasons(cloud) == ["Logs: no more logs"]
    assert inventory(emulator) == before


def test_every_answer_has_its_shape(cloud: t.Any) -> None:
    cloud.create_stack(StackName="net", TemplateBody=TEMPLATE, **OPTIONS)
    model = botocore.session.get_session().get_service_model("cloudformation")
    calls: dict[str, dict[str, t.Any]] = {
        "DescribeStacks": {},
        "ListStacks": {"StackStatusFilter": ["CREATE_COMPLETE"]},
        "DescribeStackEvents": {"StackName": "net"},
        "ListStackResources": {"StackName": "net"},
        "DescribeStackResources": {"StackName": "net"},
        "DescribeStackResource": {"StackName": "net", "LogicalResourceId": "Network"},
        "GetTemplate": {"StackName": "net"},
        "GetTemplateSummary": {"TemplateBody": TEMPLATE},
        "ValidateTemplate": {"TemplateBody": TEMPLATE},
        "ListExports": {},
        "GetStackPolicy": {"StackName": "net"},
        "ListChangeSets": {"StackName": "net"},
    }
    for operation, parameters in calls.items():
        answer = getattr(cloud, botocore.xform_name(operation))(**parameters)
        answer.pop("ResponseMetadata")
        assert set(answer) <= set(model.operation_model(operation).output_shape.members), operation
    assert len(cloud.list_stack_resources(StackName="net")["StackResourceSummaries"]) == 21
    assert cloud.get_template(StackName="net")["TemplateBody"] == TEMPLATE
