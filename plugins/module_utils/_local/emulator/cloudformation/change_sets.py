# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change sets: what a template would really change, and nothing else."""

from __future__ import annotations

from . import life
from .errors import CloudFormationError, invalid
from .session import ChangeSet, Operation, Record, Session, tags_of
from .stacks import STACK, Change, Stack
from .template import Template

UNCHANGED = "The submitted information didn't contain changes. Submit different information to create a change set."


def _change(change: Change) -> Record:
    found: Record = {
        "Action": change.action,
        "LogicalResourceId": change.logical_id,
        "ResourceType": change.type,
        "Scope": [],
        "Details": [],
    }
    if change.physical_id is not None:
        found["PhysicalResourceId"] = change.physical_id
    if change.action == "Modify":
        only_tags = not change.changed or change.changed == ("Tags",)
        found["Replacement"] = "True" if change.replacement else "False"
        found["Scope"] = ["Tags"] if only_tags else ["Properties"]
        found["Details"] = [
            {
                "Target": {
                    "Attribute": "Tags" if only_tags else "Properties",
                    **({} if only_tags else {"Name": name}),
                    "RequiresRecreation": "Always" if change.replacement else "Never",
                },
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            }
            for name in change.changed or ("Tags",)
        ]
    return {"Type": "Resource", "ResourceChange": found}


def create_change_set(cloud: Session, request: Record) -> Record:
    """CreateChangeSet: for a stack that is there (UPDATE, also by default) or is to be (CREATE)."""
    kind = request.get("ChangeSetType") or "UPDATE"
    stack = _stack_to_change(cloud, request, kind)
    template, text = cloud.template(request, before=stack)
    life.check_capabilities(template, request.get("Capabilities") or ())
    tags = tags_of(request, stack.tags if stack else None)
    if stack is None:
        stack = life.begin(cloud, request, template, text, tags)
        cloud.work(stack).tell(stack.name, STACK, "REVIEW_IN_PROGRESS", physical=stack.id, reason="User Initiated")
    _refuse_second(cloud, stack, request["ChangeSetName"])
    changes = cloud.work(stack).plan(template, tags)
    body = _body(cloud, request, stack, template) | {
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        "Changes": [_change(one) for one in changes],
    }
    if not changes and template.outputs == stack.template.outputs and kind == "UPDATE":
        body |= {"Status": "FAILED", "ExecutionStatus": "UNAVAILABLE", "StatusReason": UNCHANGED}
    cloud.region.change_sets.append(ChangeSet(body, stack, template, text, tags))
    return {"Id": body["ChangeSetId"], "StackId": stack.id}


def _refuse_second(cloud: Session, stack: Stack, name: str) -> None:
    """A stack's change sets have different names."""
    if any(one.stack is stack and one.body["ChangeSetName"] == name for one in cloud.region.change_sets):
        raise CloudFormationError("AlreadyExistsException", f"ChangeSet {name} already exists")


def _stack_to_change(cloud: Session, request: Record, kind: str) -> Stack | None:
    """The stack that a change set is for; None when it is to be made with it."""
    stack = cloud.find(request["StackName"])
    if kind == "UPDATE" or (stack is not None and stack.status != "REVIEW_IN_PROGRESS"):
        stack = cloud.stack(request["StackName"], doing="CreateChangeSet")
        if kind == "CREATE":
            raise invalid(
                f"Stack [{stack.name}] already exists and cannot be created again with the changeSet [CREATE]."
            )
        life.require_rest(stack)
    return stack


def _body(cloud: Session, request: Record, stack: Stack, template: Template) -> Record:
    return {
        "ChangeSetName": request["ChangeSetName"],
        "ChangeSetId": cloud.arn("changeSet", request["ChangeSetName"]),
        "StackId": stack.id,
        "StackName": stack.name,
        "Description": request.get("Description") or "",
        "Parameters": [{"ParameterKey": key, "ParameterValue": shown} for key, shown in template.parameters.items()],
        "CreationTime": cloud.now(),
        "Status": "CREATE_COMPLETE",
        "ExecutionStatus": "AVAILABLE",
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "Capabilities": list(request.get("Capabilities") or ()),
        "IncludeNestedStacks": False,
    }


def _find(cloud: Session, request: Record) -> ChangeSet:
    name, stack_name = request["ChangeSetName"], request.get("StackName")
    for one in cloud.region.change_sets:
        if one.body["ChangeSetId"] == name:
            return one
        if one.body["ChangeSetName"] == name and stack_name in (one.stack.name, one.stack.id):
            return one
    raise CloudFormationError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist")


def describe_change_set(cloud: Session, request: Record) -> Record:
    """DescribeChangeSet."""
    return _find(cloud, request).body


def execute_change_set(cloud: Session, request: Record) -> Record:
    """ExecuteChangeSet: once."""
    found = _find(cloud, request)
    if found.body["ExecutionStatus"] != "AVAILABLE":
        raise CloudFormationError(
            "InvalidChangeSetStatus",
            f"ChangeSet [{found.body['ChangeSetId']}] cannot be executed in its current status of "
            f"[{found.body['Status']}]",
        )
    stack = found.stack
    cloud.region.change_sets = [one for one in cloud.region.change_sets if one.stack is not stack]
    if stack.status == "REVIEW_IN_PROGRESS":
        stack.template, stack.text, stack.tags = found.template, found.text, found.tags
        life.create(cloud, stack)
    else:
        life.require_rest(stack)
        life.update(cloud, stack, found.template, found.text, found.tags)
    return {}


def delete_change_set(cloud: Session, request: Record) -> Record:
    """DeleteChangeSet; one that is not there is no error."""
    try:
        found = _find(cloud, request)
    except CloudFormationError:
        return {}
    cloud.region.change_sets.remove(found)
    return {}


def list_change_sets(cloud: Session, request: Record) -> Record:
    """ListChangeSets."""
    stack = cloud.stack(request["StackName"])
    keys = ("StackId", "StackName", "ChangeSetId", "ChangeSetName", "Status", "ExecutionStatus", "CreationTime")
    rows = [
        {key: one.body[key] for key in (*keys, "StatusReason", "Description") if key in one.body}
        for one in cloud.region.change_sets
        if one.stack is stack
    ]
    return {"Summaries": rows}


OPERATIONS: dict[str, Operation] = {
    "CreateChangeSet": create_change_set,
    "DescribeChangeSet": describe_change_set,
    "ExecuteChangeSet": execute_change_set,
    "DeleteChangeSet": delete_change_set,
    "ListChangeSets": list_change_sets,
}

__all__ = ("OPERATIONS", "UNCHANGED")
