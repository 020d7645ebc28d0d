# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What EKS knows of one account and region, and what will happen there at which moment."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..timeline import Timeline
from .errors import not_found

Record = dict[str, t.Any]
CHILD_KINDS = (
    "nodegroup",
    "fargateprofile",
    "addon",
    "access-entry",
    "podidentityassociation",
    "identityproviderconfig",
    "capability",
)


@dataclass(eq=False)
class Update:
    """An update object.

    :param body: what DescribeUpdate answers.
    :param kind: the kind of the resource it changes; C(cluster), C(nodegroup) or C(addon).
    :param name: that resource's name.
    """

    body: Record
    kind: str
    name: str

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.body["id"])

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return bool(self.body["status"] == "InProgress")


@dataclass(eq=False)
class Resource:
    """Something with a life.

    :param body: what Describe answers.
    :param key: its name within its kind.
    :param hidden: what EKS knows of it and does not tell.
    """

    kind: str
    key: str
    arn: str
    body: Record
    update: Update | None = None
    hidden: Record = field(default_factory=dict)

    @property
    def status(self) -> str:
        """Where it is in its life; C(ACTIVE) for kinds without one."""
        return str(self.body.get("status", "ACTIVE"))

    @status.setter
    def status(self, value: str) -> None:
        self.body["status"] = value

    @property
    def running_update(self) -> Update | None:
        """The update that goes on, if one does."""
        return self.update if self.update is not None and self.update.running else None


@dataclass(eq=False)
class Cluster(Resource):
    """A cluster with what is in it."""

    children: dict[str, dict[str, Resource]] = field(default_factory=lambda: {kind: {} for kind in CHILD_KINDS})
    updates: dict[str, Update] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name."""
        return self.key

    def child(self, kind: str, key: str, missing: str) -> Resource:
        """One thing in it.

        :param missing: the message when there is none.
        :raises EksError: 404.
        """
        found = self.children[kind].get(key)
        if found is None:
            raise not_found(missing, clusterName=self.name)
        return found

    def everything(self) -> Iterator[Resource]:
        """The cluster and all in it."""
        yield self
        for kind in CHILD_KINDS:
            yield from self.children[kind].values()


@dataclass(eq=False)
class Region(Timeline):
    """One account and region: clusters by name, answers by idempotency token, and the future."""

    clusters: dict[str, Cluster] = field(default_factory=dict)
    tokens: dict[str, tuple[str, Record]] = field(default_factory=dict)

    def find(self, arn: str) -> Resource | None:
        """The resource of an ARN."""
        for cluster in self.clusters.values():
            for resource in cluster.everything():
                if resource.arn == arn:
                    return resource
        return None


__all__ = ("CHILD_KINDS", "Cluster", "Record", "Region", "Resource", "Update")
