"""When CloudFormation needs to be asked about a stack."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._aws.stacks import (
    DIGEST_TAG,
    merged_template,
    wanted_stack,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError

TEMPLATE, PARAMETERS, TAGS = "Resources: {}", {"Count": 3, "Endpoint": True}, {"team": "ml"}


def live(status: str = "CREATE_COMPLETE", **changes: t.Any) -> dict[str, t.Any]:
    made = wanted_stack(
        changes.get("template", TEMPLATE),
        changes.get("parameters", PARAMETERS),
        tags=changes.get("tags", TAGS),
        live=None,
    )
    return {"tags": made["tags"], "status": status}


def stale(found: dict[str, t.Any] | None) -> bool:
    return bool(wanted_stack(TEMPLATE, PARAMETERS, tags=TAGS, live=found)["stale"])


def test_an_unchanged_stack_needs_no_call() -> None:
    assert not stale(live())
    assert not stale(live("UPDATE_COMPLETE"))


@pytest.mark.parametrize(
    "found",
    [
        None,
        {},
        {"tags": {"team": "ml"}, "status": "CREATE_COMPLETE"},
        live("UPDATE_ROLLBACK_COMPLETE"),
        live("CREATE_IN_PROGRESS"),
        live(template="Resources: {A: {}}"),
        live(parameters={"Count": 4, "Endpoint": True}),
        live(tags={"team": "other"}),
    ],
)
def test_anything_else_is_asked_about(found: dict[str, t.Any] | None) -> None:
    assert stale(found)


def test_parameters_become_texts_as_cloudformation_wants_them() -> None:
    made = wanted_stack(TEMPLATE, PARAMETERS, tags=TAGS, live=None)
    assert made["parameters"] == {"Count": "3", "Endpoint": "true"}
    assert set(made["tags"]) == {"team", DIGEST_TAG}


def test_a_parameter_without_a_value_is_named() -> None:
    with pytest.raises(PlatformError, match="parameter VpcId has no value"):
        wanted_stack(TEMPLATE, {"VpcId": None}, tags={}, live=None)


def test_parts_add_to_the_sections_of_the_base() -> None:
    base = "Description: d\nResources: {Role: {Type: A}}\n"
    merged = merged_template([base, "Resources: {Key: {Type: B}}\nOutputs: {Arn: {Value: x}}\n"])
    assert json.loads(merged) == {
        "Description": "d",
        "Resources": {"Role": {"Type": "A"}, "Key": {"Type": "B"}},
        "Outputs": {"Arn": {"Value": "x"}},
    }
    assert merged == merged_template([base, "Outputs: {Arn: {Value: x}}\nResources: {Key: {Type: B}}\n"])


def test_two_parts_that_define_one_thing_are_refused() -> None:
    with pytest.raises(PlatformError, match=r"two parts of the template define Resources\.Role"):
        merged_template(["Resources: {Role: {Type: A}}", "Resources: {Role: {Type: B}}"])
