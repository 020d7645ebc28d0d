from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._aws.leftovers import kinds, lookups, use_case
from ansible_collections.aiplatform.eks.plugins.module_utils._aws.leftovers.scope import Scope
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context

SCOPE = Scope("prod", "vpc-1")
ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/a/0123456789abcdef"


def kind(operation: str) -> kinds.Kind:
    return next(entry for entry in kinds.KINDS if entry.operation == operation)


@pytest.mark.parametrize(
    ("operation", "answer", "found"),
    [
        (
            "DescribeVolumes",
            {
                "Volumes": [
                    {
                        "VolumeId": "vol-1",
                        "Size": 100,
                        "VolumeType": "gp3",
                        "Tags": [{"Key": "kubernetes.io/cluster/prod", "Value": "owned"}],
                    },
                    {"VolumeId": "vol-2", "Tags": [{"Key": "kubernetes.io/cluster/dev", "Value": "owned"}]},
                ]
            },
            [("volume", "vol-1", "tag kubernetes.io/cluster/prod=owned", 8.0)],
        ),
        (
            "DescribeNatGateways",
            {
                "NatGateways": [
                    {"NatGatewayId": "nat-1", "VpcId": "vpc-1", "State": "available"},
                    {"NatGatewayId": "nat-2", "VpcId": "vpc-1", "State": "deleted"},
                    {"NatGatewayId": "nat-3", "VpcId": "vpc-9", "State": "available"},
                ]
            },
            [("NAT gateway", "nat-1", "in vpc-1", 32.85)],
        ),
        (
            "DescribeSecurityGroups",
            {
                "SecurityGroups": [
                    {"GroupId": "sg-1", "GroupName": "default", "VpcId": "vpc-1"},
                    {"GroupId": "sg-2", "GroupName": "k8s-elb", "VpcId": "vpc-1"},
                ]
            },
            [("security group", "sg-2", "in vpc-1", 0.0)],
        ),
        (
            "DescribeInstances",
            {
                "Reservations": [
                    {"Instances": [{"InstanceId": "i-1", "VpcId": "vpc-1", "State": {"Name": "terminated"}}]},
                    {"Instances": [{"InstanceId": "i-2", "VpcId": "vpc-1", "State": {"Name": "running"}}]},
                ]
            },
            [("instance", "i-2", "in vpc-1", None)],
        ),
    ],
)
def test_a_listing_finds_what_is_the_clusters(stubbed: t.Any, operation: str, answer: t.Any, found: t.Any) -> None:
    entry = kind(operation)
    session, stubs = stubbed(entry.service)
    stubs[entry.service].add_response(_snake(operation), answer, dict(entry.parameters(SCOPE)))
    records = entry.records(session, SCOPE)
    findings = [finding for record in records if (finding := entry.read(record, SCOPE))]
    rounded = [
        (one.kind, one.id, one.reason, None if one.monthly_usd is None else round(one.monthly_usd, 2))
        for one in findings
    ]
    assert rounded == found


def _snake(operation: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")


def test_load_balancers_are_asked_for_their_tags_in_batches(stubbed: t.Any) -> None:
    session, stubs = stubbed("elbv2")
    stubs["elbv2"].add_response(
        "describe_load_balancers", {"LoadBalancers": [{"LoadBalancerArn": ARN, "VpcId": "vpc-9"}]}, {}
    )
    tags = [{"Key": "elbv2.k8s.aws/cluster", "Value": "prod"}]
    stubs["elbv2"].add_response(
        "describe_tags", {"TagDescriptions": [{"ResourceArn": ARN, "Tags": tags}]}, {"ResourceArns": [ARN]}
    )
    (found,) = lookups.load_balancers(session, SCOPE)
    assert (found.id, found.reason) == (ARN, "tag elbv2.k8s.aws/cluster=prod")


def test_buckets_are_known_by_their_names_and_by_their_tags(stubbed: t.Any) -> None:
    session, stubs = stubbed("s3")
    ours, named, others = "my-prod-123456789012-models", "prod-123456789012-logs", "prod-eu-123456789012-logs"
    stubs["s3"].add_response("list_buckets", {"Buckets": [{"Name": name} for name in (ours, named, others, "x")]}, {})
    for name, cluster in ((ours, "prod"), (others, "prod-eu")):
        tags = {"TagSet": [{"Key": "aiplatform.eks/cluster", "Value": cluster}]}
        stubs["s3"].add_response("get_bucket_tagging", tags, {"Bucket": name})
    assert [one.id for one in lookups.buckets(session, SCOPE)] == [ours, named]


def test_a_listing_follows_both_names_of_the_token(stubbed: t.Any) -> None:
    session, stubs = stubbed("efs")
    stubs["efs"].add_response("describe_file_systems", {"FileSystems": [], "NextMarker": "more"}, {})
    stubs["efs"].add_response("describe_file_systems", {"FileSystems": []}, {"Marker": "more"})
    entry = next(one for one in kinds.KINDS if one.service == "efs")
    assert entry.records(session, SCOPE) == []


def test_every_listing_exists_in_the_api(stubbed: t.Any) -> None:
    for entry in kinds.KINDS:
        session, _stubs = stubbed(entry.service)
        session.require_fields(entry.service, entry.operation, entry.parameters(SCOPE))
        client = session.client(entry.service)
        model = client.meta.service_model.operation_model(entry.operation)
        assert entry.items in model.output_shape.members
        if client.can_paginate(_snake(entry.operation)):
            assert entry.marker[0] in model.output_shape.members
            assert entry.marker[1] in model.input_shape.members


def test_what_cannot_be_asked_is_named_and_what_is_left_fails(stubbed: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session, stubs = stubbed("ec2")
    volume = {"VolumeId": "vol-1", "Size": 10, "Tags": [{"Key": "aiplatform.eks/cluster", "Value": "prod"}]}
    stubs["ec2"].add_response("describe_volumes", {"Volumes": [volume]}, {})
    stubs["ec2"].add_client_error("describe_nat_gateways", "UnauthorizedOperation", "no", 403)
    monkeypatch.setattr(use_case, "KINDS", (kind("DescribeVolumes"), kind("DescribeNatGateways")))
    monkeypatch.setattr(use_case, "LOOKUPS", {})
    monkeypatch.setattr(use_case, "WORKERS", 1)
    monkeypatch.setattr(use_case, "AwsSession", lambda _options: session)
    options = {"cluster_name": "prod", "allowed_kinds": [], "fail_on_leftovers": True}
    with pytest.raises(PlatformError) as failure:
        use_case.run(options, Context())
    assert "1 things of cluster prod are left, about 0.80 USD a month: volume vol-1" in failure.value.message
    assert len(failure.value.details["could_not_ask"]) == 1
    assert "ec2:DescribeNatGateways" in failure.value.details["could_not_ask"][0]
