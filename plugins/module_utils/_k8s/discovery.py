# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which kinds a cluster serves: two requests (aggregated discovery), no OpenAPI, no cache on disk.

A cluster that refuses aggregated discovery (before 1.27) is asked group by group.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .._core.clock import Clock, SystemClock
from .._core.concurrency import map_concurrently
from .._core.errors import PlatformError
from .._core.text import listed, nearest
from .client import JSON, KubeClient
from .errors import KubeApiError
from .objects import Object, group_of, version_of
from .retry import FIRST_LOOK_FOR, send

AGGREGATED = f"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,{JSON}"


@dataclass(frozen=True)
class ApiKind:
    """One kind in one version, and where it lives.

    :param plural: the resource's name in paths, e.g. C(deployments).
    :param verbs: what the server can do with it: get, list, watch, patch, delete...
    :param subresources: e.g. status, scale.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str] = frozenset()
    subresources: frozenset[str] = frozenset()

    @property
    def api_version(self) -> str:
        """C(apps/v1), or C(v1) for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_kind(self) -> str:
        """C(Deployment.apps), or C(Secret) for the core group."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    def path(self, *, namespace: str = "", name: str = "") -> str:
        """The path of the collection (in one namespace, or all), or of one object."""
        base = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        if self.namespaced and namespace:
            base += f"/namespaces/{namespace}"
        return f"{base}/{self.plural}/{name}" if name else f"{base}/{self.plural}"


class Discovery:
    """The kinds of a cluster. The first version of a group that is given is the preferred one.

    :param stale: groups whose own API server does not answer, so that kinds may be missing.
    """

    def __init__(self, kinds: Iterable[ApiKind], *, stale: frozenset[str] = frozenset()) -> None:
        self.stale = stale
        self._exact: dict[tuple[str, str], ApiKind] = {}
        self._preferred: dict[str, ApiKind] = {}
        for kind in kinds:
            self._exact.setdefault((kind.api_version, kind.kind), kind)
            self._preferred.setdefault(kind.group_kind, kind)

    def __iter__(self) -> t.Iterator[ApiKind]:
        return iter(self._exact.values())

    def find(self, api_version: str, kind: str) -> ApiKind | None:
        """The kind in that version, or None."""
        return self._exact.get((api_version, kind))

    def preferred(self, group_kind: str) -> ApiKind | None:
        """The kind in the version that the server prefers, by C(Deployment.apps) or C(Secret)."""
        return self._preferred.get(group_kind)

    def require(self, api_version: str, kind: str) -> ApiKind:
        """The kind in that version.

        :raises PlatformError: the cluster does not serve it; the sentence names what it does serve.
        """
        if found := self.find(api_version, kind):
            return found
        raise PlatformError(f"the cluster serves no {kind} in {api_version}{self._hint(api_version, kind)}")

    def _hint(self, api_version: str, kind: str) -> str:
        group = group_of(api_version)
        others = [known.api_version for known in self if known.kind == kind]
        if others:
            return f"; it serves {kind} in {listed(sorted(others))}"
        in_group = sorted({known.kind for known in self if known.group == group})
        if close := nearest(kind, in_group):
            return f"; did you mean {close}?"
        if group in self.stale:
            return f"; the API server behind {group} does not answer, see its APIService"
        return "; install its CustomResourceDefinition first, or put it into the same set"

    def with_definitions(self, definitions: Iterable[Mapping[str, t.Any]]) -> Discovery:
        """The same with the kinds that these CustomResourceDefinitions will make: no second discovery."""
        made = [kind for definition in definitions for kind in kinds_of_definition(definition)]
        return Discovery([*made, *self], stale=self.stale) if made else self


def kinds_of_definition(definition: Mapping[str, t.Any]) -> list[ApiKind]:
    """The kinds that a CustomResourceDefinition makes, one for each served version, the stored one first."""
    spec = definition.get("spec") or {}
    names = spec.get("names") or {}
    verbs = frozenset(("delete", "get", "list", "patch", "update", "watch", "create"))
    versions = [version for version in spec.get("versions") or [] if version.get("served")]
    return [
        ApiKind(
            group=str(spec.get("group")),
            version=str(version.get("name")),
            kind=str(names.get("kind")),
            plural=str(names.get("plural")),
            namespaced=spec.get("scope") == "Namespaced",
            verbs=verbs,
            subresources=frozenset(version.get("subresources") or {}),
        )
        for version in sorted(versions, key=lambda version: not version.get("storage"))
    ]


def discover(client: KubeClient, *, clock: Clock | None = None) -> Discovery:
    """Ask the cluster: two requests at once, or one per group version where that is refused.

    :raises KubeApiError: the cluster does not answer or refuses us.
    """
    time = clock or SystemClock()
    answers = map_concurrently(
        lambda path: send(client, "GET", path, clock=time, retry_for=FIRST_LOOK_FOR, accept=AGGREGATED).body,
        ("/api", "/apis"),
        workers=2,
    )
    if all(answer.get("kind") == "APIGroupDiscoveryList" for answer in answers):
        return from_aggregated(*answers)
    return _group_by_group(client, *answers)


def from_aggregated(*answers: Mapping[str, t.Any]) -> Discovery:
    """The discovery that these C(APIGroupDiscoveryList) bodies describe."""
    kinds: list[ApiKind] = []
    stale: set[str] = set()
    for answer in answers:
        for group in answer.get("items") or []:
            name = (group.get("metadata") or {}).get("name") or ""
            for version in group.get("versions") or []:
                if version.get("freshness") == "Stale":
                    stale.add(name)
                kinds += [_aggregated_kind(name, version["version"], entry) for entry in version.get("resources") or []]
    return Discovery(kinds, stale=frozenset(stale))


def _aggregated_kind(group: str, version: str, entry: Mapping[str, t.Any]) -> ApiKind:
    response = entry.get("responseKind") or {}
    return ApiKind(
        group=group,
        version=version,
        kind=str(response.get("kind") or ""),
        plural=str(entry["resource"]),
        namespaced=entry.get("scope") == "Namespaced",
        verbs=frozenset(entry.get("verbs") or ()),
        subresources=frozenset(inner["subresource"] for inner in entry.get("subresources") or ()),
    )


def _group_by_group(client: KubeClient, core: Object, groups: Object) -> Discovery:
    versions = [(f"/api/{version}", version) for version in core.get("versions") or ["v1"]]
    for group in groups.get("groups") or []:
        preferred = (group.get("preferredVersion") or {}).get("groupVersion")
        names = [entry["groupVersion"] for entry in group.get("versions") or []]
        names.sort(key=lambda name: name != preferred)
        versions += [(f"/apis/{name}", name) for name in names]
    stale: set[str] = set()

    def look(entry: tuple[str, str]) -> list[ApiKind]:
        path, api_version = entry
        try:
            return _legacy_kinds(api_version, client.request("GET", path).body)
        except KubeApiError as error:
            if error.status not in (404, 503):
                raise
            stale.add(group_of(api_version))
            return []

    found = map_concurrently(look, versions)
    return Discovery([kind for kinds in found for kind in kinds], stale=frozenset(stale))


def _legacy_kinds(api_version: str, answer: Mapping[str, t.Any]) -> list[ApiKind]:
    entries = answer.get("resources") or []
    return [
        ApiKind(
            group=group_of(api_version),
            version=version_of(api_version),
            kind=str(entry["kind"]),
            plural=str(entry["name"]),
            namespaced=bool(entry["namespaced"]),
            verbs=frozenset(entry.get("verbs") or ()),
            subresources=frozenset(
                other["name"].partition("/")[2] for other in entries if other["name"].startswith(f"{entry['name']}/")
            ),
        )
        for entry in entries
        if "/" not in entry["name"]
    ]


__all__ = ("ApiKind", "Discovery", "discover", "from_aggregated", "kinds_of_definition")
