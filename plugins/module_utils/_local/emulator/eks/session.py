# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One account and region of the emulated EKS at work: state, time, dice, neighbours, and what operations share."""

from __future__ import annotations

import base64
import random
import typing as t
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ...._core.clock import Clock
from ..faults import Faults
from .errors import in_use, invalid_parameter, no_cluster
from .neighbours import Neighbours, Place
from .store import Cluster, Record, Region, Resource

PAGE = 100
GONE = ("DELETED",)


@dataclass(frozen=True)
class Endpoint:
    """The API server that every cluster of the emulator answers with.

    :param url: None: an invented one for each cluster, as AWS names them.
    :param certificate_authority: base64 of its PEM.
    """

    url: str | None = None
    certificate_authority: str = base64.b64encode(b"no certificate: the emulator has no API server\n").decode()


class Ids:
    """Ids as AWS writes them, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311  # ids of an emulator, no secrets

    def uuid(self) -> str:
        """Like 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed."""
        return str(uuid.UUID(int=self._dice.getrandbits(128), version=4))

    def hex(self, length: int) -> str:
        """That many hexadecimal digits."""
        return "".join(self._dice.choices("0123456789abcdef", k=length))


@dataclass(frozen=True)
class Session:
    """What an operation works on.

    :param epoch: the wall time at the clock's zero.
    """

    place: Place
    region: Region
    clock: Clock
    epoch: datetime
    faults: Faults
    ids: Ids
    neighbours: Neighbours
    endpoint: Endpoint

    def now(self) -> datetime:
        """The wall time."""
        return self.epoch + timedelta(seconds=self.clock.now())

    def later(self, kind: str, verb: str, action: Callable[[], None]) -> None:
        """Do this when creating, updating or deleting something of that kind is over."""
        self.region.at(self.clock.now() + self.faults.delay(kind, verb), action)

    def cluster(self, name: str) -> Cluster:
        """A cluster.

        :raises EksError: 404.
        """
        found = self.region.clusters.get(name)
        if found is None:
            raise no_cluster(name)
        return found

    def issue(self, failure: t.Any, resource: str) -> Record:
        """A health issue."""
        return {"code": failure.code, "message": failure.message, "resourceIds": [resource]}

    def create(self, resource: Resource, *, done: Callable[[], None] = lambda: None) -> None:
        """Begin a life: CREATING, and later ACTIVE or what the faults say.

        :param done: what happens when it becomes ACTIVE.
        """
        resource.status = "CREATING"

        def end() -> None:
            if resource.status != "CREATING":
                return
            failure = resource.hidden.get("failure") or self.faults.create_failure(resource.kind, resource.key)
            if failure is None:
                resource.status = "ACTIVE"
                done()
                return
            resource.status = failure.status
            resource.body["health"] = {"issues": [self.issue(failure, resource.hidden.get("blamed", resource.key))]}

        self.later(resource.kind, "create", end)

    def delete(self, resource: Resource, *, remove: Callable[[], None]) -> None:
        """End a life: DELETING, and later gone."""
        resource.status = "DELETING"
        self.later(resource.kind, "delete", remove)

    def require_active(self, cluster: Cluster) -> None:
        """Refuse what needs a cluster at rest.

        :raises EksError: while it is created, updated or deleted.
        """
        if update := cluster.running_update:
            raise in_use(
                f"Cannot proceed because cluster {cluster.name} currently has update {update.id} in progress",
                clusterName=cluster.name,
            )
        if cluster.status != "ACTIVE":
            raise in_use(f"Cluster '{cluster.name}' is not in ACTIVE status", clusterName=cluster.name)

    def require_role(self, arn: str, **members: str) -> None:
        """Refuse a role that is not there, when the faults say that roles count.

        :raises EksError: InvalidParameterException.
        """
        if self.faults.check_roles and not self.neighbours.role_exists(self.place, arn):
            raise invalid_parameter(
                f"Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity "
                "is not correct",
                **members,
            )


Operation = Callable[[Session, Record], Record]
Operations = Mapping[str, Operation]


def page(rows: Sequence[t.Any], request: Mapping[str, t.Any], key: str) -> Record:
    """One page of a list operation.

    :raises EksError: InvalidParameterException for a token that was not given out.
    """
    token = request.get("nextToken")
    start = 0
    if token:
        try:
            start = int(base64.b64decode(token, validate=True))
        except ValueError:
            raise invalid_parameter("Invalid nextToken") from None
    end = start + int(request.get("maxResults") or PAGE)
    answer: Record = {key: list(rows[start:end])}
    if end < len(rows):
        answer["nextToken"] = base64.b64encode(str(end).encode()).decode()
    return answer


def moment(year: int, month: int, day: int) -> datetime:
    """Midnight UTC of a day."""
    return datetime(year, month, day, tzinfo=UTC)


__all__ = ("Endpoint", "Ids", "Operation", "Operations", "Session", "moment", "page")
