# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulated EKS: every operation, its state and its rules, without HTTP."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ...._core.clock import Clock
from ..faults import Faults
from . import (
    access_entries,
    addons,
    cluster_updates,
    clusters,
    encryption,
    fargate_profiles,
    identity_providers,
    insights,
    node_group_updates,
    node_groups,
    pod_identities,
    tags,
    updates,
    versions,
)
from .errors import invalid_parameter
from .neighbours import Neighbours, Place
from .session import Endpoint, Ids, Operations, Session
from .store import Record, Region

CONCERNS = (
    access_entries,
    addons,
    cluster_updates,
    clusters,
    encryption,
    fargate_profiles,
    identity_providers,
    insights,
    node_group_updates,
    node_groups,
    pod_identities,
    tags,
    updates,
    versions,
)
OPERATIONS: Operations = {name: operation for concern in CONCERNS for name, operation in concern.OPERATIONS.items()}
TOKEN = "clientRequestToken"  # noqa: S105  # the name of a parameter, no password


class Eks:
    """EKS of all accounts and regions, one call at a time.

    :param clock: what the lives of things go by.
    :param faults: the switches as they are now.
    :param neighbours: the services beside it.
    """

    def __init__(
        self, *, clock: Clock, faults: Callable[[], Faults], neighbours: Neighbours, endpoint: Endpoint
    ) -> None:
        self._clock = clock
        self._faults = faults
        self._neighbours = neighbours
        self._endpoint = endpoint
        self._epoch = datetime.now(tz=UTC) - timedelta(seconds=clock.now())
        self._lock = threading.RLock()
        self._regions: dict[Place, Region] = {}
        self._ids = Ids(faults().seed)

    def call(self, place: Place, operation: str, request: Record) -> Record:
        """Carry an operation out.

        :param operation: a name of OPERATIONS.
        :param request: its parameters by the names of the API, without those that are not given.
        :returns: its answer by the names of the API; a copy.
        :raises EksError: as EKS would.
        """
        with self._lock:
            region = self._regions.setdefault(place, Region())
            region.settle(self._clock.now())
            token = request.get(TOKEN)
            rest = {key: value for key, value in request.items() if key != TOKEN}
            if token and (known := self._known(region, operation, token, rest)) is not None:
                return known
            answer = copy.deepcopy(OPERATIONS[operation](self._session(place, region), copy.deepcopy(rest)))
            if token:
                region.tokens[f"{operation}/{token}"] = (_digest(rest), copy.deepcopy(answer))
            return answer

    def _session(self, place: Place, region: Region) -> Session:
        return Session(
            place=place,
            region=region,
            clock=self._clock,
            epoch=self._epoch,
            faults=self._faults(),
            ids=self._ids,
            neighbours=self._neighbours,
            endpoint=self._endpoint,
        )

    @staticmethod
    def _known(region: Region, operation: str, token: str, request: Record) -> Record | None:
        """The answer to the same request before."""
        found = region.tokens.get(f"{operation}/{token}")
        if found is None:
            return None
        if found[0] != _digest(request):
            raise invalid_parameter("The client request token was already used with different parameters")
        return copy.deepcopy(found[1])

    def settle(self) -> None:
        """Let everything happen that is due, so that the neighbours show it too."""
        with self._lock:
            for region in self._regions.values():
                region.settle(self._clock.now())

    def reset(self) -> None:
        """Forget everything; the ids begin anew."""
        with self._lock:
            self._regions.clear()
            self._ids = Ids(self._faults().seed)

    def state(self) -> list[Record]:
        """All clusters with all that is in them, as Describe would answer it; for simulators and debugging."""
        with self._lock:
            self.settle()
            rows = []
            for place, region in self._regions.items():
                session = self._session(place, region)
                for cluster in region.clusters.values():
                    row: Record = {"account": place.account, "region": place.region, "cluster": cluster.body}
                    row["updates"] = [update.body | {"of": update.name} for update in cluster.updates.values()]
                    for kind, children in cluster.children.items():
                        row[kind] = [
                            node_groups.described(session, one) if kind == node_groups.KIND else one.body
                            for one in children.values()
                        ]
                    rows.append(copy.deepcopy(row))
            return rows


def _digest(request: Record) -> str:
    return json.dumps(request, sort_keys=True, default=str)


__all__ = ("OPERATIONS", "Eks")
