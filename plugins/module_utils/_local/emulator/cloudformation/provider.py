# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who makes the resources of a stack, as a port."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..eks.neighbours import Place


@dataclass(frozen=True)
class Wanted:
    """A resource as its stack wants it.

    :param properties: with every function of the template worked out.
    :param tags: of the stack, for resources that take tags.
    """

    stack_name: str
    stack_id: str
    logical_id: str
    type: str
    properties: Mapping[str, t.Any]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Made:
    """A resource that is there.

    :param handle: what the provider needs to find it again.
    """

    wanted: Wanted
    physical_id: str
    handle: t.Any


class ProviderError(Exception):
    """A resource cannot be made, changed or deleted; the message is the reason that the stack's events show."""


class Provider(t.Protocol):
    """Makes resources."""

    def create(self, place: Place, wanted: Wanted) -> Made:
        """Make it.

        :raises ProviderError: when it cannot be.
        """

    def update(self, place: Place, made: Made, wanted: Wanted, changed: Collection[str]) -> Made:
        """Change it; with another physical id the old one is still there and must be deleted.

        :param changed: names of the properties that differ.
        :raises ProviderError: when it cannot be.
        """

    def replaces(self, type_name: str, changed: Collection[str]) -> bool:
        """Whether these changes need another resource."""

    def delete(self, place: Place, made: Made) -> None:
        """Delete it; gone already is good.

        :raises ProviderError: when it cannot be.
        """

    def attribute(self, made: Made, name: str) -> t.Any:
        """What Fn::GetAtt gives.

        :raises ProviderError: when there is no such attribute.
        """

    def parse(self, text: str) -> dict[str, t.Any]:
        """A template, from YAML with the short forms of functions, or from JSON.

        :raises ProviderError: when it is neither.
        """

    def stored_template(self, place: Place, url: str) -> str:
        """The template at a URL of S3.

        :raises ProviderError: when it is not there.
        """

    def ssm_parameter(self, place: Place, name: str) -> str:
        """The value of a parameter.

        :raises ProviderError: when there is none.
        """

    def zones(self, place: Place) -> list[str]:
        """The availability zones of the region."""


__all__ = ("Made", "Provider", "ProviderError", "Wanted")
