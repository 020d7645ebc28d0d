"""The foundation against amazon.aws: the same stacks, unchanged, time over an empty play and API calls."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator

from benchmarks.eks_plays import Record, Stage, emulated_stage
from benchmarks.harness import Row

CLUSTER, REGION = "bench", "us-east-1"
FOUNDATION: Record = {
    "ansible.builtin.include_role": {"name": "aiplatform.eks.foundation"},
    "vars": {
        "foundation_cluster": CLUSTER,
        "foundation_region": REGION,
        "foundation_efs": True,
        "foundation_fsx": True,
        "foundation_fsx_zone": f"{REGION}b",
    },
}


def rows() -> Iterator[Row]:
    """All rows; one emulator for all of them."""
    with emulated_stage() as stage:
        yield from _unchanged(stage)


def _unchanged(stage: Stage) -> Iterator[Row]:
    stage.play(FOUNDATION)
    empty = stage.median({"ansible.builtin.meta": "noop"})
    theirs = stacks_as_they_are(stage.emulator.client("cloudformation"))
    ours, peer = stage.median(FOUNDATION), stage.median(*theirs)
    who = "amazon.aws.cloudformation, one task a stack"
    work = f"foundation unchanged ({len(theirs)} stacks)"
    mine, other = ours.seconds - empty.seconds, peer.seconds - empty.seconds
    yield Row("aws", f"{work}: time over an empty play", max(0.001, mine), "s", who, other)
    yield Row("aws", f"{work}: API calls", float(ours.calls), "calls", who, float(peer.calls))


def stacks_as_they_are(cloudformation: t.Any) -> list[Record]:
    """A task of amazon.aws for every stack, with the template, the parameters and the tags that it has."""
    return [_task(cloudformation, stack) for stack in cloudformation.describe_stacks()["Stacks"]]


def _task(cloudformation: t.Any, stack: dict[str, t.Any]) -> Record:
    template = cloudformation.get_template(StackName=stack["StackName"])["TemplateBody"]
    return {
        "amazon.aws.cloudformation": {
            "stack_name": stack["StackName"],
            "region": REGION,
            "template_body": template if isinstance(template, str) else json.dumps(template),
            "template_parameters": {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]},
            "tags": {one["Key"]: one["Value"] for one in stack["Tags"]},
            "capabilities": ["CAPABILITY_NAMED_IAM"],
            "termination_protection": False,
        }
    }
