# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an apply set needs to know of the cluster: its members by one LIST per kind, and what stands in the way."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import partial

from .._core.clock import Clock
from .._core.concurrency import map_concurrently
from .apply_plan import Member, SetPlan
from .apply_set import PART_OF, ApplySet
from .client import JSON, METADATA_LIST, KubeClient
from .desired import Desired, groups_made, namespaces_made
from .discovery import ApiKind
from .errors import KubeApiError
from .objects import Object, Ref, labels_of
from .retry import RETRY_FOR, send
from .schema import Schemas, schemas_of_definitions
from .waves import definitions_of

PAGE = 500
Check = Callable[[], list[str]]
A = t.TypeVar("A")


class Reader:
    """Reads of one run.

    :param workers: requests at once.
    :param foresee: a missing namespace is no objection: an earlier step of the same plan makes it.
    """

    def __init__(self, client: KubeClient, *, clock: Clock, workers: int, foresee: bool = False) -> None:
        self._client = client
        self._clock = clock
        self._workers = workers
        self._foresee = foresee

    def get(self, path: str, *, retry_for: float = RETRY_FOR) -> Object | None:
        """The object at this path, or None.

        :param retry_for: seconds for which failures that may pass are tried again.
        :raises KubeApiError: any other failure than V(404).
        """
        try:
            return send(self._client, "GET", path, clock=self._clock, retry_for=retry_for).body
        except KubeApiError as error:
            if error.status == 404:
                return None
            raise

    def collect(self, kind: ApiKind, *, selector: str, namespace: str = "", accept: str = JSON) -> list[Object]:
        """The objects of a kind with these labels, page by page; none when the kind is gone."""
        found: list[Object] = []
        query: dict[str, t.Any] = {"labelSelector": selector, "limit": PAGE}
        path = kind.path(namespace=namespace)
        while True:
            try:
                page = send(self._client, "GET", path, clock=self._clock, query=query, accept=accept).body
            except KubeApiError as error:
                if error.status == 410 and "continue" in query:  # the list grew too old while paging: begin again
                    del query["continue"]
                    found.clear()
                    continue
                if error.status in (404, 405):
                    return []
                raise
            for item in page.get("items") or []:
                item["apiVersion"], item["kind"] = kind.api_version, kind.kind
                found.append(item)
            if not (following := (page.get("metadata") or {}).get("continue")):
                return found
            query["continue"] = following

    def labelled(self, kind: ApiKind, *, selector: str, namespaces: Iterable[str], accept: str = JSON) -> list[Object]:
        """The objects with these labels in all namespaces, or where that is forbidden in these namespaces only."""
        try:
            return self.collect(kind, selector=selector, accept=accept)
        except KubeApiError as error:
            if error.status != 403 or not kind.namespaced:
                raise
        lists = [
            self.collect(kind, selector=selector, namespace=namespace, accept=accept)
            for namespace in sorted(namespaces)
        ]
        return [item for items in lists for item in items]

    def members(self, apply_set: ApplySet, kinds: Iterable[ApiKind], *, namespaces: Iterable[str]) -> dict[Ref, Member]:
        """The set's members of these kinds, by identity: one LIST per kind, all at once."""
        places = tuple(namespaces)
        found = self._ask([partial(self._members, kind, apply_set, places) for kind in _listable(kinds)])
        return by_ref(found)

    def objections(self, plan: SetPlan) -> list[str]:
        """Sentences about what would make writes fail or do harm.

        Objects of other sets, unknown fields, namespaces that are missing or going.
        """
        known = {item.desired.ref for item in plan.items if item.live is not None}
        new = [item.desired for item in plan.writes if item.desired.ref not in known]
        checks: list[Check] = [
            partial(self._strangers, plan.apply_set, kind, {one.ref for one in new if one.kind == kind})
            for kind in _listable(one.kind for one in new)
        ]
        checks += self._checks(plan)
        return [problem for problems in self._ask([*checks, *self._ahead(plan, checks)]) for problem in problems]

    def members_and_objections(
        self, plan: SetPlan, kinds: Iterable[ApiKind], *, namespaces: Iterable[str]
    ) -> tuple[dict[Ref, Member], list[str]]:
        """Both at once, for a set that most likely has no members yet: one LIST per kind tells of ours and of others.

        :param plan: the plan without members; what M(objections) says of it holds only if there are none.
        """
        places = tuple(namespaces)
        with_members: list[ApiKind] = []
        wanted = {item.desired.ref for item in plan.writes}
        listable = _listable(kinds)

        def look(kind: ApiKind) -> list[str]:
            items = self.labelled(kind, selector=PART_OF, namespaces=places, accept=METADATA_LIST)
            others = [item for item in items if labels_of(item)[PART_OF] != plan.apply_set.id]
            if len(others) < len(items):
                with_members.append(kind)
            return _taken(kind, others, wanted)

        checks: list[Check] = [*(partial(look, kind) for kind in listable), *self._checks(plan)]
        problems = self._ask([*checks, *self._ahead(plan, checks)])
        if with_members:
            return self.members(plan.apply_set, listable, namespaces=places), []
        return {}, [problem for found in problems for problem in found]

    def _ask(self, questions: Sequence[Callable[[], A]]) -> list[A]:
        return map_concurrently(lambda question: question(), questions, workers=self._workers)

    def _members(self, kind: ApiKind, apply_set: ApplySet, namespaces: tuple[str, ...]) -> list[Member]:
        items = self.labelled(kind, selector=apply_set.selector, namespaces=namespaces)
        return [Member(_ref(kind, item), kind, item) for item in items]

    def _checks(self, plan: SetPlan) -> list[Check]:
        """Of namespaces and fields."""
        writes = [item.desired for item in plan.writes]
        if not writes:
            return []
        places = {one.ref.namespace for one in writes if one.ref.namespace} | {plan.apply_set.namespace}
        made = namespaces_made(item.desired for item in plan.items)
        made_now = {one.ref.name for one in writes if one.ref.group_kind == "Namespace"}
        names = sorted((places - made) | made_now)
        return [*(partial(self._namespace, name, made=name in made) for name in names), *self._schema_checks(writes)]

    def _ahead(self, plan: SetPlan, questions: Sequence[object]) -> list[Check]:
        """Connections besides those of the questions, for the writes to come."""
        return [self._connect_ahead] * (min(self._workers, len(plan.writes)) - len(questions))

    def _connect_ahead(self) -> list[str]:
        """The writes come next."""
        self._client.connect_ahead()
        return []

    def _strangers(self, apply_set: ApplySet, kind: ApiKind, refs: set[Ref]) -> list[str]:
        items = self.labelled(
            kind,
            selector=apply_set.strangers,
            namespaces={ref.namespace for ref in refs},
            accept=METADATA_LIST,
        )
        return _taken(kind, items, refs)

    def _namespace(self, name: str, *, made: bool) -> list[str]:
        try:
            live = self.get(f"/api/v1/namespaces/{name}")
        except KubeApiError as error:
            if error.status == 403:  # namespaced users need not see it: the writes will tell
                return []
            raise
        if live is None and (made or self._foresee):
            return []
        if live is None:
            return [f"namespace {name} does not exist; put it into the set, or make it before"]
        if live["metadata"].get("deletionTimestamp"):
            return [f"namespace {name} is being deleted; wait until it is gone"]
        return []

    def _schema_checks(self, writes: list[Desired]) -> list[Check]:
        definitions = definitions_of(one.document for one in writes)
        brought, made = schemas_of_definitions(definitions), groups_made(definitions)
        checks: dict[str, Check] = {}
        for api_version in dict.fromkeys(one.kind.api_version for one in writes):
            objects = [one for one in writes if one.kind.api_version == api_version]
            new = [one for one in objects if (one.ref.group, one.ref.kind) in made]
            old = [one for one in objects if (one.ref.group, one.ref.kind) not in made]
            checks[f"{api_version} new"] = partial(_problems, new, brought.get(api_version))
            if old:
                checks[api_version] = partial(self._published_problems, api_version, old)
        return list(checks.values())

    def _published_problems(self, api_version: str, objects: list[Desired]) -> list[str]:
        return _problems(objects, self._schemas(api_version))

    def _schemas(self, api_version: str) -> Schemas | None:
        base = "apis" if "/" in api_version else "api"
        try:
            return Schemas(self._client.request("GET", f"/openapi/v3/{base}/{api_version}").body)
        except KubeApiError:  # not published (yet), or not for us: the server still checks every write
            return None


def _listable(kinds: Iterable[ApiKind]) -> list[ApiKind]:
    return [kind for kind in dict.fromkeys(kinds) if "list" in kind.verbs]


def _taken(kind: ApiKind, others: Iterable[Mapping[str, t.Any]], wanted: Container[Ref]) -> list[str]:
    return [
        f"{ref} belongs to another apply set ({labels_of(item)[PART_OF]}); leave it out here or there"
        for item in others
        if (ref := _ref(kind, item)) in wanted
    ]


def by_ref(members: Iterable[Iterable[Member]]) -> dict[Ref, Member]:
    """The members of several kinds, by identity."""
    return {member.ref: member for found in members for member in found}


def _problems(objects: Iterable[Desired], schemas: Schemas | None) -> list[str]:
    if schemas is None:
        return []
    return [f"{one.ref}: {problem}" for one in objects for problem in schemas.problems(one.document)]


def _ref(kind: ApiKind, item: Mapping[str, t.Any]) -> Ref:
    metadata = item["metadata"]
    return Ref(kind.group, kind.kind, str(metadata.get("namespace") or ""), str(metadata["name"]))


__all__ = ("Reader",)
