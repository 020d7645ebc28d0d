# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stacks and what an operation makes of them: resources in the order of their needs, and back in the reverse one."""

from __future__ import annotations

import typing as t
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..eks.neighbours import Place
from . import intrinsics
from .errors import CloudFormationError, invalid
from .provider import Made, Provider, ProviderError, Wanted
from .template import Template

Record = dict[str, t.Any]
STACK = "AWS::CloudFormation::Stack"
GONE = "DELETE_COMPLETE"
AFTER = "(known after deployment)"


@dataclass(eq=False)
class Stack:
    """A stack.

    :param text: its template as it was sent.
    :param made: what it has, by logical id, in the order in which it was made.
    """

    name: str
    id: str
    place: Place
    template: Template
    text: str
    tags: Mapping[str, str]
    status: str
    created: datetime
    reason: str = ""
    updated: datetime | None = None
    deleted: datetime | None = None
    protected: bool = False
    capabilities: tuple[str, ...] = ()
    notifications: tuple[str, ...] = ()
    role: str | None = None
    description: str = ""
    policy: str | None = None
    made: dict[str, Made] = field(default_factory=dict)
    states: dict[str, tuple[str, str, datetime]] = field(default_factory=dict)
    events: list[Record] = field(default_factory=list)
    outputs: list[Record] = field(default_factory=list)

    @property
    def busy(self) -> bool:
        """Whether an operation runs."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


class View:
    """What the functions of a template may ask for; see intrinsics.Known.

    :param planning: resources that are not there yet give a placeholder instead of an error.
    """

    def __init__(
        self,
        stack: Stack,
        template: Template,
        *,
        provider: Provider,
        exports: Mapping[str, str],
        planning: bool = False,
    ) -> None:
        self.stack = stack
        self.template = template
        self._provider = provider
        self._exports = exports
        self._planning = planning
        self.renewed: set[str] = set()

    def _pseudo(self, name: str) -> t.Any:
        place = self.stack.place
        table: Mapping[str, t.Any] = {
            "AccountId": place.account,
            "Region": place.region,
            "StackId": self.stack.id,
            "StackName": self.stack.name,
            "Partition": "aws",
            "URLSuffix": "amazonaws.com",
            "NoValue": intrinsics.NO_VALUE,
            "NotificationARNs": list(self.stack.notifications),
        }
        return table[name]

    def _found(self, name: str) -> Made | None:
        found = None if name in self.renewed else self.stack.made.get(name)
        if found is None and not self._planning:
            raise invalid(f"Unresolved resource dependencies [{name}] in the template")
        return found

    def ref(self, name: str) -> t.Any:
        """A parameter, a pseudo parameter or a resource's physical id."""
        if name.startswith("AWS::"):
            return self._pseudo(name.removeprefix("AWS::"))
        if name in self.template.parameters:
            return self.template.value(name, lambda key: self._provider.ssm_parameter(self.stack.place, key))
        found = self._found(name)
        return found.physical_id if found else f"{AFTER} {name}"

    def attribute(self, name: str, attribute: str) -> t.Any:
        """An attribute of a resource."""
        found = self._found(name)
        if found is None:
            return f"{AFTER} {name}.{attribute}"
        try:
            return self._provider.attribute(found, attribute)
        except ProviderError as error:
            raise invalid(f"Template error: {error}") from None

    def condition(self, name: str) -> bool:
        """Whether a condition holds."""
        conditions = self.template.body.get("Conditions") or {}
        if name not in conditions:
            raise invalid(f"Template format error: Unresolved condition dependency {name}")
        return bool(intrinsics.evaluate(conditions[name], self))

    def mapping(self, name: str) -> Mapping[str, t.Any]:
        """A table of the template."""
        return t.cast(Mapping[str, t.Any], (self.template.body.get("Mappings") or {}).get(name, {}))

    def imported(self, name: str) -> str:
        """What another stack exports."""
        if name not in self._exports:
            raise invalid(f"No export named {name} found.")
        return self._exports[name]

    def zones(self) -> list[str]:
        """The zones of the region."""
        return self._provider.zones(self.stack.place)

    def has(self, name: str) -> bool:
        """Whether the template makes this resource, given its condition."""
        condition = self.template.resources[name].get("Condition")
        return condition is None or self.condition(condition)

    def wanted(self, name: str, tags: Mapping[str, str]) -> Wanted:
        """A resource with every function worked out."""
        resource = self.template.resources[name]
        properties = intrinsics.evaluate(resource.get("Properties") or {}, self)
        return Wanted(self.stack.name, self.stack.id, name, resource["Type"], properties, dict(tags))


@dataclass(frozen=True)
class Change:
    """What an operation does to a resource.

    :param action: C(Add), C(Modify) or C(Remove).
    :param changed: names of the properties that differ; empty for tags of the stack alone.
    """

    action: str
    logical_id: str
    type: str
    physical_id: str | None = None
    changed: tuple[str, ...] = ()
    replacement: bool = False


class Work:
    """Carries a template out on a stack.

    :param now: gives the wall time.
    :param failing: gives the reason for which a resource must fail, or None.
    """

    def __init__(
        self,
        stack: Stack,
        *,
        provider: Provider,
        exports: Mapping[str, str],
        now: Callable[[], datetime],
        failing: Callable[[str, str], str | None],
    ) -> None:
        self.stack = stack
        self._provider = provider
        self._exports = exports
        self._now = now
        self._failing = failing

    def view(self, template: Template, *, planning: bool = False) -> View:
        """The template's view of the stack."""
        return View(self.stack, template, provider=self._provider, exports=self._exports, planning=planning)

    def plan(self, template: Template, tags: Mapping[str, str]) -> list[Change]:
        """What would change, in the order of the work."""
        view = self.view(template, planning=True)
        changes = []
        for name in template.order():
            if not view.has(name):
                continue
            change = self._planned(view, name, tags)
            if change is None:
                continue
            changes.append(change)
            if change.replacement:
                view.renewed.add(name)
        kept = {name for name in template.resources if view.has(name)}
        gone = [made for name, made in self.stack.made.items() if name not in kept]
        return changes + [
            Change("Remove", one.wanted.logical_id, one.wanted.type, one.physical_id) for one in gone[::-1]
        ]

    def _planned(self, view: View, name: str, tags: Mapping[str, str]) -> Change | None:
        wanted = view.wanted(name, tags)
        made = self.stack.made.get(name)
        if made is None:
            return Change("Add", name, wanted.type)
        changed = differing(made.wanted.properties, wanted.properties)
        if not changed and made.wanted.tags == wanted.tags and made.wanted.type == wanted.type:
            return None
        replacement = made.wanted.type != wanted.type or self._provider.replaces(wanted.type, changed)
        return Change("Modify", name, wanted.type, made.physical_id, tuple(changed), replacement)

    def apply(self, template: Template, tags: Mapping[str, str]) -> None:
        """Make it so.

        :raises ProviderError: at the first resource that fails; what was done stays done.
        """
        view = self.view(template)
        replaced: list[Made] = []
        for name in template.order():
            if not view.has(name):
                continue
            wanted = view.wanted(name, tags)
            made = self.stack.made.get(name)
            if made is None:
                self._create(wanted)
            elif old := self._update(made, wanted):
                replaced.append(old)
        kept = {name for name in template.resources if view.has(name)}
        self._clean([one for name, one in self.stack.made.items() if name not in kept][::-1] + replaced[::-1])

    def _create(self, wanted: Wanted) -> None:
        name = wanted.logical_id
        self.tell(name, wanted.type, "CREATE_IN_PROGRESS")
        try:
            self._check(name)
            made = self._provider.create(self.stack.place, wanted)
        except ProviderError as error:
            self.tell(name, wanted.type, "CREATE_FAILED", reason=str(error))
            raise
        self.stack.made[name] = made
        self.tell(name, wanted.type, "CREATE_COMPLETE", physical=made.physical_id)

    def _check(self, name: str) -> None:
        if reason := self._failing(self.stack.name, name):
            raise ProviderError(reason)

    def _update(self, made: Made, wanted: Wanted) -> Made | None:
        """Change one; the old one when it was replaced."""
        name = wanted.logical_id
        changed = differing(made.wanted.properties, wanted.properties)
        if not changed and made.wanted.tags == wanted.tags:
            return None
        self.tell(name, wanted.type, "UPDATE_IN_PROGRESS", physical=made.physical_id)
        try:
            self._check(name)
            new = self._provider.update(self.stack.place, made, wanted, changed)
        except ProviderError as error:
            self.tell(name, wanted.type, "UPDATE_FAILED", physical=made.physical_id, reason=str(error))
            raise
        self.stack.made[name] = new
        self.tell(name, wanted.type, "UPDATE_COMPLETE", physical=new.physical_id)
        return made if new.physical_id != made.physical_id else None

    def _clean(self, gone: Iterable[Made]) -> None:
        for made in gone:
            try:
                self._delete(made)
            except ProviderError:
                continue  # as CloudFormation: the cleanup after an update leaves what it cannot delete

    def _delete(self, made: Made, *, undo: bool = False) -> None:
        name = made.wanted.logical_id
        current = self.stack.made.get(name) is made
        policy = (self.stack.template.resources.get(name) or {}).get("DeletionPolicy")
        if policy == "Retain" or (policy == "RetainExceptOnCreate" and not undo):
            self.tell(name, made.wanted.type, "DELETE_SKIPPED", physical=made.physical_id)
        else:
            self.tell(name, made.wanted.type, "DELETE_IN_PROGRESS", physical=made.physical_id)
            try:
                self._provider.delete(self.stack.place, made)
            except ProviderError as error:
                self.tell(name, made.wanted.type, "DELETE_FAILED", physical=made.physical_id, reason=str(error))
                raise
            self.tell(name, made.wanted.type, GONE, physical=made.physical_id, keep=not current)
        if current:
            del self.stack.made[name]

    def delete_all(self, retain: Collection[str] = (), *, undo: bool = False) -> list[str]:
        """Delete everything in the reverse order of its making; the logical ids that could not be deleted.

        :param undo: it was never whole: C(RetainExceptOnCreate) keeps nothing then.
        """
        failed = []
        order = {name: index for index, name in enumerate(self.stack.template.order())}
        for made in sorted(self.stack.made.values(), key=lambda one: -order.get(one.wanted.logical_id, -1)):
            if made.wanted.logical_id in retain:
                self.tell(made.wanted.logical_id, made.wanted.type, "DELETE_SKIPPED", physical=made.physical_id)
                del self.stack.made[made.wanted.logical_id]
                continue
            try:
                self._delete(made, undo=undo)
            except ProviderError:
                failed.append(made.wanted.logical_id)
        return failed

    def write_outputs(self, template: Template) -> None:
        """Work the outputs out."""
        view = self.view(template)
        self.stack.outputs = []
        for key, output in template.outputs.items():
            if output.get("Condition") and not view.condition(output["Condition"]):
                continue
            row: Record = {
                "OutputKey": key,
                "OutputValue": intrinsics.text_of(intrinsics.evaluate(output["Value"], view)),
            }
            if "Description" in output:
                row["Description"] = output["Description"]
            if export := output.get("Export"):
                row["ExportName"] = str(intrinsics.evaluate(export["Name"], view))
            self.stack.outputs.append(row)

    def tell(
        self, name: str, kind: str, status: str, *, physical: str | None = None, reason: str = "", keep: bool = False
    ) -> None:
        """Write an event down, and the resource's state with it.

        :param keep: the state stays: the event is about the one that was replaced.
        """
        now = self._now()
        event: Record = {
            "StackId": self.stack.id,
            "StackName": self.stack.name,
            "EventId": f"{name}-{status}-{uuid.uuid4()}",
            "LogicalResourceId": name,
            "PhysicalResourceId": physical or "",
            "ResourceType": kind,
            "Timestamp": now,
            "ResourceStatus": status,
        }
        if reason:
            event["ResourceStatusReason"] = reason
        self.stack.events.append(event)
        if kind == STACK and name == self.stack.name:
            self.stack.status, self.stack.reason = status, reason
        elif not keep:
            self.stack.states[name] = (status, reason, now)


def differing(before: Mapping[str, t.Any], after: Mapping[str, t.Any]) -> list[str]:
    """The names of the properties that differ."""
    return sorted(key for key in {*before, *after} if before.get(key) != after.get(key))


def failure(error: CloudFormationError | ProviderError) -> str:
    """The reason in words."""
    return error.message if isinstance(error, CloudFormationError) else str(error)


__all__ = ("AFTER", "GONE", "STACK", "Change", "Stack", "View", "Work", "differing", "failure")
