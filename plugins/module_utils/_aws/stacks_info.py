# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several CloudFormation stacks by one listing: what they are, and what they say together."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from .._core.argument_spec import ArgumentSpec
from .._core.outcome import Context, Outcome, UseCase
from .session import AWS_SPEC, AwsSession

DELETED = "DELETE_COMPLETE"
# CloudFormation has undone their first making and lets nobody change them: they can only be deleted.
FAILED_AT_FIRST = frozenset(("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"))
SPEC = ArgumentSpec(options={"stack_names": {"type": "list", "elements": "str", "required": True}}).merge(AWS_SPEC)


def run(options: Mapping[str, t.Any], context: Context, aws: AwsSession | None = None) -> Outcome:  # noqa: ARG001 (the doors' signature)
    """Read the stacks of these names; one that is not there is not in the answer."""
    session = aws or AwsSession(options)
    rows = session.pages(
        "cloudformation", "DescribeStacks", {}, items="Stacks", marker="NextToken", doing="read the stacks"
    )
    wanted = list(options["stack_names"])
    found = {row["StackName"]: _facts(row) for row in rows if row["StackStatus"] != DELETED}
    stacks = {name: found[name] for name in wanted if name in found}
    outputs: dict[str, str] = {}
    for stack in stacks.values():
        outputs.update(stack["outputs"])
    undone = [name for name, stack in stacks.items() if stack["status"] in FAILED_AT_FIRST]
    return Outcome(facts={"stacks": stacks, "outputs": outputs, "failed_at_first": undone})


def _facts(row: Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {
        "status": row["StackStatus"],
        "parameters": _pairs(row.get("Parameters"), "ParameterKey", "ParameterValue"),
        "outputs": _pairs(row.get("Outputs"), "OutputKey", "OutputValue"),
        "tags": _pairs(row.get("Tags"), "Key", "Value"),
    }


def _pairs(rows: Iterable[Mapping[str, str]] | None, key: str, value: str) -> dict[str, str]:
    return {row[key]: row.get(value, "") for row in rows or ()}


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "run")
