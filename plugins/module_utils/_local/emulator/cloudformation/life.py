# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create, update and delete stacks: what happens at once, what later, and the way back when something fails."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .errors import CloudFormationError, invalid
from .provider import ProviderError
from .session import Record, Session
from .stacks import GONE, STACK, Stack, failure
from .template import Template

UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")


def begin(cloud: Session, request: Record, template: Template, text: str, tags: Mapping[str, str]) -> Stack:
    """A new stack, without anything in it.

    :raises CloudFormationError: AlreadyExistsException.
    """
    name = request["StackName"]
    if cloud.find(name) is not None:
        raise CloudFormationError("AlreadyExistsException", f"Stack [{name}] already exists")
    stack = Stack(
        name=name,
        id=cloud.arn("stack", name),
        place=cloud.place,
        template=template,
        text=text,
        tags=tags,
        status="REVIEW_IN_PROGRESS",
        created=cloud.now(),
        protected=bool(request.get("EnableTerminationProtection")),
        capabilities=tuple(request.get("Capabilities") or ()),
        notifications=tuple(request.get("NotificationARNs") or ()),
        role=request.get("RoleARN"),
        description=str(template.body.get("Description") or ""),
        policy=request.get("StackPolicyBody"),
    )
    cloud.region.stacks[stack.id] = stack
    return stack


def check_capabilities(template: Template, given: Collection[str]) -> None:
    """Refuse a template that makes roles or policies when the caller has not said that it may.

    :raises CloudFormationError: InsufficientCapabilitiesException.
    """
    iam = [one for one in template.resources.values() if one["Type"].startswith("AWS::IAM::")]
    named = any({"RoleName", "PolicyName", "UserName", "GroupName"} & set(one.get("Properties") or ()) for one in iam)
    needed = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
    if iam and needed not in given and "CAPABILITY_NAMED_IAM" not in given:
        raise CloudFormationError("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def create(cloud: Session, stack: Stack, *, on_failure: str = "ROLLBACK") -> None:
    """Make what its template says.

    :param on_failure: C(ROLLBACK), C(DELETE) or C(DO_NOTHING).
    """
    work = cloud.work(stack)
    work.tell(stack.name, STACK, "CREATE_IN_PROGRESS", physical=stack.id, reason="User Initiated")
    try:
        work.apply(stack.template, stack.tags)
        work.write_outputs(stack.template)
        _check_exports(cloud, stack)
    except (ProviderError, CloudFormationError) as error:
        reason = failure(error)
        if on_failure == "DO_NOTHING":
            ends: tuple[str, ...] = ("CREATE_FAILED",)
        else:
            ends = ("ROLLBACK_COMPLETE",) if on_failure == "ROLLBACK" else ("DELETE_IN_PROGRESS", GONE)
            work.tell(stack.name, STACK, "ROLLBACK_IN_PROGRESS", physical=stack.id, reason=reason)
            work.delete_all(undo=True)
            stack.outputs = []
        _end(cloud, stack, "create", ends, reason=reason if on_failure == "DO_NOTHING" else "")
        return
    _end(cloud, stack, "create", ("CREATE_COMPLETE",))


def update(cloud: Session, stack: Stack, template: Template, text: str, tags: Mapping[str, str]) -> None:
    """Make it what the new template says, or what it was when that fails."""
    before = stack.template, stack.text, stack.tags
    work = cloud.work(stack)
    work.tell(stack.name, STACK, "UPDATE_IN_PROGRESS", physical=stack.id, reason="User Initiated")
    stack.updated = cloud.now()
    try:
        work.apply(template, tags)
        stack.template, stack.text, stack.tags = template, text, dict(tags)
        stack.description = str(template.body.get("Description") or "")
        work.write_outputs(template)
    except (ProviderError, CloudFormationError) as error:
        work.tell(stack.name, STACK, "UPDATE_ROLLBACK_IN_PROGRESS", physical=stack.id, reason=failure(error))
        stack.template, stack.text, stack.tags = before
        ends = ("UPDATE_ROLLBACK_COMPLETE",)
        try:
            work.apply(stack.template, stack.tags)
            work.write_outputs(stack.template)
        except (ProviderError, CloudFormationError):
            ends = ("UPDATE_ROLLBACK_FAILED",)
        _end(cloud, stack, "update", ends)
        return
    work.tell(stack.name, STACK, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", physical=stack.id)
    _end(cloud, stack, "update", ("UPDATE_COMPLETE",))


def delete(cloud: Session, stack: Stack, retain: Collection[str] = ()) -> None:
    """Delete it.

    :raises CloudFormationError: ValidationError while it is protected or others import what it exports.
    """
    if stack.status == GONE:
        return
    if stack.protected:
        raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    work = cloud.work(stack)
    work.tell(stack.name, STACK, "DELETE_IN_PROGRESS", physical=stack.id, reason="User Initiated")
    failed = work.delete_all(retain)
    cloud.region.change_sets = [one for one in cloud.region.change_sets if one.stack is not stack]
    if failed:
        reason = f"The following resource(s) failed to delete: [{', '.join(sorted(failed))}]. "
        _end(cloud, stack, "delete", ("DELETE_FAILED",), reason=reason)
        return
    stack.outputs = []
    _end(cloud, stack, "delete", (GONE,))


def require_rest(stack: Stack) -> None:
    """Refuse an update of a stack that is busy or beyond it.

    :raises CloudFormationError: ValidationError.
    """
    if stack.status not in UPDATABLE:
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def _check_exports(cloud: Session, stack: Stack) -> None:
    others = cloud.exports(beside=stack)
    for row in stack.outputs:
        if row.get("ExportName") in others:
            raise invalid(f"Export with name {row['ExportName']} is already exported by another stack")


def _end(cloud: Session, stack: Stack, verb: str, statuses: tuple[str, ...], *, reason: str = "") -> None:
    def end() -> None:
        work = cloud.work(stack)
        for status in statuses:
            work.tell(stack.name, STACK, status, physical=stack.id, reason=reason)
        if stack.status == GONE:
            stack.deleted = cloud.now()

    cloud.later(verb, end)


__all__ = ("begin", "check_capabilities", "create", "delete", "require_rest", "update")
