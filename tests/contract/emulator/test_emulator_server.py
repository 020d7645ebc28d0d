"""The server around EKS: faults, call log, reset, observers, errors in the service's own protocol."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from emulator_fixture import Emulator, start_emulator, stop_emulator


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_the_log_holds_calls_of_all_services_with_parameters_and_status(emulator: Emulator) -> None:
    emulator.client("eks").list_clusters(maxResults=5)
    emulator.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")
    emulator.client("secretsmanager").create_secret(Name="one", SecretString="hunter2")
    with pytest.raises(ClientError):
        emulator.client("eks").describe_cluster(name="none")
    rows = emulator.calls()
    assert [(row["service"], row["operation"], row["write"], row["status"]) for row in rows] == [
        ("eks", "ListClusters", False, 200),
        ("ec2", "CreateVpc", True, 200),
        ("secretsmanager", "CreateSecret", True, 200),
        ("eks", "DescribeCluster", False, 404),
    ]
    assert rows[0]["parameters"] == {"maxResults": 5}
    assert rows[1]["parameters"]["CidrBlock"] == "10.9.0.0/16"
    assert "hunter2" not in json.dumps(rows)
    assert [row["operation"] for row in emulator.calls("eks")] == ["ListClusters", "DescribeCluster"]
    assert [row["operation"] for row in emulator.calls(writes=True)] == ["CreateVpc", "CreateSecret"]
    emulator.clear_calls()
    assert emulator.calls() == []


def test_an_observer_is_neither_logged_nor_hit(emulator: Emulator) -> None:
    emulator.control(throttle={"*": 1})
    client = emulator.client("eks")

    def observe(request: object, **_other: object) -> None:
        request.headers["X-Aiplatform-Observer"] = "1"  # type: ignore[attr-defined]  # an AWSRequest

    client.meta.events.register("before-sign.eks.ListClusters", observe, unique_id="observer")
    try:
        assert client.list_clusters()["clusters"] == []
    finally:
        client.meta.events.unregister("before-sign.eks.ListClusters", unique_id="observer")
    assert emulator.calls() == []


@pytest.mark.parametrize(
    ("service", "call", "expected", "status"),
    [
        ("eks", "list_clusters", "ThrottlingException", 429),
        ("ec2", "describe_vpcs", "RequestLimitExceeded", 503),
        ("iam", "list_roles", "Throttling", 400),
        ("cloudformation", "list_stacks", "Throttling", 400),
        ("ssm", "describe_parameters", "ThrottlingException", 400),
    ],
)
def test_throttled_calls_speak_the_protocol_of_their_service(
    emulator: Emulator, service: str, call: str, expected: str, status: int
) -> None:
    emulator.control(throttle={service: 1})
    with pytest.raises(ClientError) as error:
        getattr(emulator.client(service), call)()
    assert code(error) == expected
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_share_of_throttled_calls_is_the_same_for_the_same_seed(emulator: Emulator) -> None:
    def run() -> list[int]:
        emulator.reset()
        emulator.control(seed=7, throttle={"eks": 0.5})
        for _other in range(20):
            try:
                emulator.client("eks").list_clusters()
            except ClientError:
                pass
        return [row["status"] for row in emulator.calls("eks")]

    first = run()
    assert {200, 429} == set(first)
    assert run() == first


def test_a_client_that_retries_gets_through_and_the_log_counts_the_attempts(emulator: Emulator) -> None:
    emulator.control(seed=3, server_errors={"eks": 0.5})
    for _other in range(3):
        emulator.client("eks", retries=True).list_clusters()
    statuses = [row["status"] for row in emulator.calls("eks")]
    assert statuses.count(200) == 3
    assert statuses.count(500) >= 1


def test_a_lost_answer_is_carried_out_once_and_the_retry_gets_the_same_answer(emulator: Emulator) -> None:
    subnets = emulator.subnets()
    emulator.control(seed=1, lost_answers={"eks": 0.7})
    made = emulator.client("eks", retries=True).create_cluster(
        name="one", roleArn=emulator.role("cluster"), resourcesVpcConfig={"subnetIds": subnets}
    )
    assert made["cluster"]["name"] == "one"
    assert 500 in [row["status"] for row in emulator.calls("eks")]
    assert [row["cluster"]["name"] for row in emulator.state()] == ["one"]


def test_denied_calls_and_slow_answers(emulator: Emulator) -> None:
    emulator.control(denied=["eks:Create*"], slow={"eks": 0.2})
    with pytest.raises(ClientError) as error:
        emulator.client("eks").create_fargate_profile(
            clusterName="x", fargateProfileName="y", podExecutionRoleArn="arn"
        )
    assert code(error) == "AccessDeniedException"
    start = time.monotonic()
    emulator.client("eks").list_clusters()
    assert time.monotonic() - start >= 0.2


def test_reset_forgets_resources_switches_and_calls(emulator: Emulator) -> None:
    emulator.cluster()
    emulator.control(delays={"cluster": 5})
    emulator.reset()
    assert emulator.client("eks").list_clusters()["clusters"] == []
    assert [row["operation"] for row in emulator.calls()] == ["ListClusters"]
    assert emulator.control() == {}


def test_what_nobody_has_is_said_as_an_error_of_the_protocol(emulator: Emulator) -> None:
    with pytest.raises(ClientError) as error:
        emulator.client("eks").list_eks_anywhere_subscriptions()
    assert code(error) == "NotImplemented"
    with pytest.raises(ClientError) as error:
        emulator.client("ec2").get_ipam_pool_cidrs(IpamPoolId="ipam-pool-1")
    assert code(error) == "NotImplemented"
    assert "ec2:GetIpamPoolCidrs" in str(error.value)
    with pytest.raises(ClientError) as error:
        emulator.client("dlm").get_lifecycle_policies()
    assert code(error) == "NotImplemented"


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b'{"dealys": {}}', "unknown dealys"),
        (b'{"throttle": {"eks": 2}}', "must be a number from 0 to 1"),
        (b'{"delays": {"nodegroups": 1}}', "delays.nodegroups is unknown"),
        (b'{"create_failures": [{"kin": "x"}]}', "an entry of create_failures"),
        (b"[]", "must be an object"),
        (b"{", "no JSON"),
    ],
)
def test_a_wrong_document_is_refused_with_a_sentence(emulator: Emulator, document: bytes, sentence: str) -> None:
    emulator.control(throttle={"eks": 0.1})
    request = urllib.request.Request(f"{emulator.endpoint}/aiplatform-control/", data=document, method="POST")
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request, timeout=10)
    assert error.value.code == 400
    assert sentence in json.loads(error.value.read())["error"]
    assert emulator.control() == {"throttle": {"eks": 0.1}}


def test_the_command_line_gives_the_api_server_and_the_first_switches(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("-----BEGIN CERTIFICATE-----\n")
    arguments = ("--kubernetes-endpoint", "https://127.0.0.1:6443", "--kubernetes-ca-file", str(authority))
    process, endpoint = start_emulator(tmp_path / "log", arguments=arguments, faults='{"delays": {"nodegroup": 9}}')
    try:
        own = Emulator(endpoint)
        with urllib.request.urlopen(f"{endpoint}/moto-api/", timeout=10) as answer:
            assert answer.status == 200
        cluster = own.cluster()
        assert cluster["endpoint"] == "https://127.0.0.1:6443"
        assert cluster["certificateAuthority"]["data"] == "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="
        own.reset()
        assert own.control() == {"delays": {"nodegroup": 9}}
    finally:
        stop_emulator(process)


def test_a_taken_port_ends_with_a_sentence(emulator: Emulator, tmp_path: Path) -> None:
    port = emulator.endpoint.rpartition(":")[2]
    with pytest.raises(AssertionError, match=r"cannot listen on 127\.0\.0\.1:\d+; is the port taken\?"):
        start_emulator(tmp_path / "log", arguments=("--port", port))
