"""Several stacks, each by its name."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._aws import stacks_info
from ansible_collections.aiplatform.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context


def stack(name: str, status: str = "CREATE_COMPLETE", **texts: str) -> dict[str, t.Any]:
    outputs = [{"OutputKey": key, "OutputValue": value} for key, value in texts.items()]
    made = datetime(2026, 11, 1, tzinfo=UTC)
    return {"StackName": name, "StackStatus": status, "CreationTime": made, "Outputs": outputs}


def answers(stub: t.Any, *rows: dict[str, t.Any]) -> None:
    for row in rows:
        stub.add_response("describe_stacks", {"Stacks": [row]}, {"StackName": row["StackName"]})


def read(session: t.Any, *names: str) -> t.Any:
    return stacks_info.run({"stack_names": list(names)}, Context(), aws=session).facts


@pytest.fixture(autouse=True)
def one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks_info, "WORKERS", 1)


def test_what_the_stacks_say_is_put_together(stubbed: t.Any) -> None:
    session, stubs = stubbed("cloudformation")
    first = stack("prod-network", VpcId="vpc-1", Shared="network")
    first |= {"Parameters": [{"ParameterKey": "VpcCidr", "ParameterValue": "10.0.0.0/16"}]}
    first |= {"Tags": [{"Key": "team", "Value": "ml"}]}
    answers(stubs["cloudformation"], first, stack("prod-efs", EfsId="fs-1", Shared="efs"))
    stubs["cloudformation"].add_client_error("describe_stacks", "ValidationError", "prod-fsx does not exist", 400)
    facts = read(session, "prod-network", "prod-efs", "prod-fsx")
    assert facts["stacks"]["prod-network"] == {
        "status": "CREATE_COMPLETE",
        "parameters": {"VpcCidr": "10.0.0.0/16"},
        "outputs": {"VpcId": "vpc-1", "Shared": "network"},
        "tags": {"team": "ml"},
    }
    assert list(facts["stacks"]) == ["prod-network", "prod-efs"]
    assert facts["outputs"] == {"VpcId": "vpc-1", "Shared": "efs", "EfsId": "fs-1"}
    assert facts["failed_at_first"] == []


def test_those_that_never_came_to_be_are_told_apart(stubbed: t.Any) -> None:
    session, stubs = stubbed("cloudformation")
    answers(stubs["cloudformation"], stack("b", "ROLLBACK_COMPLETE", Id="x"), stack("c", "UPDATE_ROLLBACK_COMPLETE"))
    facts = read(session, "b", "c")
    assert (list(facts["stacks"]), facts["failed_at_first"], facts["outputs"]) == (["c"], ["b"], {})


def test_a_refusal_says_what_was_asked(stubbed: t.Any) -> None:
    session, stubs = stubbed("cloudformation")
    stubs["cloudformation"].add_client_error("describe_stacks", "AccessDenied", "no", 403)
    with pytest.raises(AwsError, match="read the stack a"):
        read(session, "a")
