# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations on stacks: create, update, delete, and all the ways to look at them."""

from __future__ import annotations

from . import life
from .errors import invalid
from .provider import ProviderError
from .session import Operation, Record, Session, tags_of
from .stacks import Stack

UNCHANGED = "No updates are to be performed."


def create_stack(cloud: Session, request: Record) -> Record:
    """CreateStack."""
    template, text = cloud.template(request)
    template.order()
    life.check_capabilities(template, request.get("Capabilities") or ())
    stack = life.begin(cloud, request, template, text, tags_of(request))
    on_failure = "DO_NOTHING" if request.get("DisableRollback") else request.get("OnFailure") or "ROLLBACK"
    life.create(cloud, stack, on_failure=on_failure)
    return {"StackId": stack.id}


def update_stack(cloud: Session, request: Record) -> Record:
    """UpdateStack; ValidationError "No updates are to be performed." when the template changes nothing."""
    stack = cloud.stack(request["StackName"], doing="UpdateStack")
    life.require_rest(stack)
    template, text = cloud.template(request, before=stack)
    life.check_capabilities(template, request.get("Capabilities") or ())
    tags = tags_of(request, stack.tags)
    if not cloud.work(stack).plan(template, tags) and template.outputs == stack.template.outputs:
        raise invalid(UNCHANGED)
    life.update(cloud, stack, template, text, tags)
    return {"StackId": stack.id}


def delete_stack(cloud: Session, request: Record) -> Record:
    """DeleteStack; one that is not there is no error."""
    stack = cloud.find(request["StackName"])
    if stack is not None:
        life.delete(cloud, stack, request.get("RetainResources") or ())
    return {}


def _described(stack: Stack) -> Record:
    declared = stack.template.body.get("Parameters") or {}
    row: Record = {
        "StackId": stack.id,
        "StackName": stack.name,
        "Description": stack.description,
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": "****" if (declared[key] or {}).get("NoEcho") else value}
            for key, value in stack.template.parameters.items()
        ],
        "CreationTime": stack.created,
        "RollbackConfiguration": {},
        "StackStatus": stack.status,
        "DisableRollback": False,
        "NotificationARNs": list(stack.notifications),
        "Capabilities": list(stack.capabilities),
        "Outputs": stack.outputs,
        "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
        "EnableTerminationProtection": stack.protected,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
    optional = {
        "StackStatusReason": stack.reason or None,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "RoleARN": stack.role,
    }
    return row | {key: value for key, value in optional.items() if value is not None}


def describe_stacks(cloud: Session, request: Record) -> Record:
    """DescribeStacks: one, also a deleted one by its id; or all that are not deleted."""
    if name := request.get("StackName"):
        return {"Stacks": [_described(cloud.stack(name))]}
    return {"Stacks": [_described(one) for one in cloud.region.stacks.values() if one.status != "DELETE_COMPLETE"]}


def list_stacks(cloud: Session, request: Record) -> Record:
    """ListStacks, the deleted ones too."""
    wanted = request.get("StackStatusFilter")
    rows = []
    for stack in cloud.region.stacks.values():
        if wanted and stack.status not in wanted:
            continue
        described = _described(stack)
        keys = (
            "StackId",
            "StackName",
            "CreationTime",
            "LastUpdatedTime",
            "DeletionTime",
            "StackStatus",
            "StackStatusReason",
        )
        rows.append(
            {key: described[key] for key in keys if key in described} | {"TemplateDescription": stack.description}
        )
    return {"StackSummaries": rows}


def describe_stack_events(cloud: Session, request: Record) -> Record:
    """DescribeStackEvents, newest first."""
    return {"StackEvents": cloud.stack(request["StackName"]).events[::-1]}


def _resources(stack: Stack, stamp: str) -> list[Record]:
    rows = []
    for name, (status, reason, when) in stack.states.items():
        made = stack.made.get(name)
        kind = made.wanted.type if made else (stack.template.resources.get(name) or {}).get("Type", "")
        row: Record = {
            "LogicalResourceId": name,
            "PhysicalResourceId": made.physical_id if made else "",
            "ResourceType": kind,
            stamp: when,
            "ResourceStatus": status,
            "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
        }
        rows.append(row | ({"ResourceStatusReason": reason} if reason else {}))
    return rows


def list_stack_resources(cloud: Session, request: Record) -> Record:
    """ListStackResources."""
    return {"StackResourceSummaries": _resources(cloud.stack(request["StackName"]), "LastUpdatedTimestamp")}


def describe_stack_resources(cloud: Session, request: Record) -> Record:
    """DescribeStackResources: of a stack."""
    stack = cloud.stack(request["StackName"])
    wanted = request.get("LogicalResourceId")
    named = {"StackName": stack.name, "StackId": stack.id}
    rows = [row | named for row in _resources(stack, "Timestamp") if wanted in (None, row["LogicalResourceId"])]
    return {"StackResources": rows}


def describe_stack_resource(cloud: Session, request: Record) -> Record:
    """DescribeStackResource."""
    stack, wanted = cloud.stack(request["StackName"]), request["LogicalResourceId"]
    for row in _resources(stack, "LastUpdatedTimestamp"):
        if row["LogicalResourceId"] == wanted:
            return {"StackResourceDetail": row | {"StackName": stack.name, "StackId": stack.id}}
    raise invalid(f"Resource {wanted} does not exist for stack {stack.name}")


def get_template(cloud: Session, request: Record) -> Record:
    """GetTemplate."""
    stack = cloud.stack(request["StackName"])
    return {"TemplateBody": stack.text, "StagesAvailable": ["Original", "Processed"]}


def _summary(cloud: Session, request: Record) -> Record:
    text = cloud.stack(request["StackName"]).text if request.get("StackName") else request.get("TemplateBody")
    try:
        body = cloud.provider.parse(
            text or cloud.provider.stored_template(cloud.place, request.get("TemplateURL") or "")
        )
    except ProviderError as error:
        raise invalid(f"Template format error: {error}") from None
    resources = body.get("Resources") or {}
    iam = any(str(one.get("Type")).startswith("AWS::IAM::") for one in resources.values())
    return {
        "Description": str(body.get("Description") or ""),
        "Parameters": [
            {
                "ParameterKey": key,
                "NoEcho": bool(one.get("NoEcho")),
                "Description": str(one.get("Description") or ""),
                **({"DefaultValue": str(one["Default"])} if "Default" in one else {}),
            }
            for key, one in (body.get("Parameters") or {}).items()
        ],
        "Capabilities": ["CAPABILITY_IAM"] if iam else [],
        "ResourceTypes": sorted({str(one["Type"]) for one in resources.values()}),
    }


def get_template_summary(cloud: Session, request: Record) -> Record:
    """GetTemplateSummary."""
    found = _summary(cloud, request)
    declared = [one | {"ParameterType": "String"} for one in found.pop("Parameters")]
    return found | {"Parameters": declared}


def validate_template(cloud: Session, request: Record) -> Record:
    """ValidateTemplate."""
    found = _summary(cloud, request)
    if not found.pop("ResourceTypes"):
        raise invalid("Template format error: At least one Resources member must be defined.")
    return found


def update_termination_protection(cloud: Session, request: Record) -> Record:
    """UpdateTerminationProtection."""
    stack = cloud.stack(request["StackName"])
    stack.protected = bool(request["EnableTerminationProtection"])
    return {"StackId": stack.id}


def set_stack_policy(cloud: Session, request: Record) -> Record:
    """SetStackPolicy; it is kept, not obeyed."""
    cloud.stack(request["StackName"]).policy = request.get("StackPolicyBody")
    return {}


def get_stack_policy(cloud: Session, request: Record) -> Record:
    """GetStackPolicy."""
    policy = cloud.stack(request["StackName"]).policy
    return {"StackPolicyBody": policy} if policy else {}


def list_exports(cloud: Session, _request: Record) -> Record:
    """ListExports."""
    rows = [
        {"ExportingStackId": stack.id, "Name": row["ExportName"], "Value": row["OutputValue"]}
        for stack in cloud.region.stacks.values()
        for row in stack.outputs
        if "ExportName" in row
    ]
    return {"Exports": rows}


OPERATIONS: dict[str, Operation] = {
    "CreateStack": create_stack,
    "UpdateStack": update_stack,
    "DeleteStack": delete_stack,
    "DescribeStacks": describe_stacks,
    "ListStacks": list_stacks,
    "DescribeStackEvents": describe_stack_events,
    "ListStackResources": list_stack_resources,
    "DescribeStackResources": describe_stack_resources,
    "DescribeStackResource": describe_stack_resource,
    "GetTemplate": get_template,
    "GetTemplateSummary": get_template_summary,
    "ValidateTemplate": validate_template,
    "UpdateTerminationProtection": update_termination_protection,
    "SetStackPolicy": set_stack_policy,
    "GetStackPolicy": get_stack_policy,
    "ListExports": list_exports,
}

__all__ = ("OPERATIONS", "UNCHANGED")
