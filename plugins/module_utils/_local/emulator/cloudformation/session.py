# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One account and region of the emulated CloudFormation: stacks, change sets, time."""

from __future__ import annotations

import typing as t
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ...._core.clock import Clock
from ..eks.neighbours import Place
from ..faults import Faults
from ..timeline import Timeline
from .errors import invalid
from .provider import Provider, ProviderError
from .stacks import GONE, Stack, Work
from .template import Template, read

Record = dict[str, t.Any]


@dataclass(eq=False)
class ChangeSet:
    """A change set.

    :param body: what DescribeChangeSet answers.
    :param apply: carries it out.
    """

    body: Record
    stack: Stack
    template: Template
    text: str
    tags: Mapping[str, str]


@dataclass(eq=False)
class Region(Timeline):
    """What CloudFormation knows of one account and region; stacks by id, the deleted ones too."""

    stacks: dict[str, Stack] = field(default_factory=dict)
    change_sets: list[ChangeSet] = field(default_factory=list)


@dataclass(frozen=True)
class Session:
    """What an operation works on."""

    place: Place
    region: Region
    provider: Provider
    clock: Clock
    faults: Faults

    def now(self) -> datetime:
        """The wall time."""
        return datetime.now(tz=UTC)

    def later(self, verb: str, action: Callable[[], None]) -> None:
        """Do this when creating, updating or deleting a stack is over."""
        self.region.at(self.clock.now() + self.faults.delay("stack", verb), action)

    def find(self, name: str) -> Stack | None:
        """A stack by id, or one that is not deleted by name."""
        found = self.region.stacks.get(name)
        if found is not None:
            return found
        return next((one for one in self.region.stacks.values() if one.name == name and one.status != GONE), None)

    def stack(self, name: str, *, doing: str = "") -> Stack:
        """A stack.

        :raises CloudFormationError: ValidationError, as CloudFormation says it.
        """
        found = self.find(name)
        if found is None:
            raise invalid(f"Stack [{name}] does not exist" if doing else f"Stack with id {name} does not exist")
        return found

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a stack or change set; C(kind) is C(stack) or C(changeSet)."""
        return f"arn:aws:cloudformation:{self.place.region}:{self.place.account}:{kind}/{name}/{uuid.uuid4()}"

    def exports(self, *, beside: Stack | None = None) -> dict[str, str]:
        """What all stacks export."""
        return {
            row["ExportName"]: row["OutputValue"]
            for stack in self.region.stacks.values()
            if stack.status != GONE and stack is not beside
            for row in stack.outputs
            if "ExportName" in row
        }

    def work(self, stack: Stack) -> Work:
        """Carries templates out on a stack."""

        def failing(stack_name: str, logical_id: str) -> str | None:
            found = self.faults.create_failure("stackresource", f"{stack_name}/{logical_id}")
            return found.message if found else None

        return Work(stack, provider=self.provider, exports=self.exports(), now=self.now, failing=failing)

    def template(self, request: Record, *, before: Stack | None = None) -> tuple[Template, str]:
        """The template of a request with its parameters.

        :param before: the stack that it changes: previous values and the previous template are its own.
        :raises CloudFormationError: ValidationError.
        """
        text = request.get("TemplateBody")
        try:
            if url := request.get("TemplateURL"):
                text = self.provider.stored_template(self.place, url)
            if request.get("UsePreviousTemplate") and before is not None:
                text = before.text
            if not text:
                raise invalid("Either Template URL or Template Body must be specified.")
            body = self.provider.parse(text)
        except ProviderError as error:
            raise invalid(f"Template format error: {error}") from None
        given = {}
        for row in request.get("Parameters") or ():
            name = row["ParameterKey"]
            if row.get("UsePreviousValue"):
                if before is None or name not in before.template.parameters:
                    raise invalid(f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true")
                given[name] = before.template.parameters[name]
            else:
                given[name] = str(row.get("ParameterValue", ""))
        return read(body, given), text


def tags_of(request: Record, default: Mapping[str, str] | None = None) -> dict[str, str]:
    """The tags of a request; the default when it says nothing of tags."""
    if request.get("Tags") is None:
        return dict(default or {})
    return {row["Key"]: row["Value"] for row in request["Tags"]}


Operation = Callable[[Session, Record], Record]

__all__ = ("ChangeSet", "Operation", "Region", "Session", "tags_of")
