# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several CloudFormation stacks at once: what they are, and what they say together."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from functools import partial

from .._core.argument_spec import ArgumentSpec
from .._core.concurrency import map_concurrently
from .._core.outcome import Context, Outcome, UseCase
from .session import AWS_SPEC, AwsSession

WORKERS = 8
# CloudFormation has undone their first making and lets nobody change them: they can only be deleted.
FAILED_AT_FIRST = frozenset(("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"))
ABSENT = ("ValidationError",)  # "Stack with id ... does not exist"
SPEC = ArgumentSpec(options={"stack_names": {"type": "list", "elements": "str", "required": True}}).merge(AWS_SPEC)


def run(options: Mapping[str, t.Any], context: Context, aws: AwsSession | None = None) -> Outcome:  # noqa: ARG001 (the doors' signature)
    """Read the stacks of these names, each by its name: an account may have thousands of others."""
    session = aws or AwsSession(options)
    names = list(dict.fromkeys(options["stack_names"]))
    rows = [row for found in map_concurrently(partial(_read, session), names, workers=WORKERS) for row in found]
    failed = [row["StackName"] for row in rows if row["StackStatus"] in FAILED_AT_FIRST]
    stacks = {row["StackName"]: _facts(row) for row in rows if row["StackName"] not in failed}
    outputs = {key: value for stack in stacks.values() for key, value in stack["outputs"].items()}
    return Outcome(facts={"stacks": stacks, "outputs": outputs, "failed_at_first": failed})


def _read(session: AwsSession, name: str) -> list[Mapping[str, t.Any]]:
    doing = f"read the stack {name}"
    answer = session.call("cloudformation", "DescribeStacks", {"StackName": name}, doing=doing, absent=ABSENT)
    return (answer or {}).get("Stacks") or []


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
