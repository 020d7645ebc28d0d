# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the checks look at: every kind is listed once, whatever number of checks ask about it."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from .._core.clock import Clock
from .._core.concurrency import map_concurrently
from .._core.errors import MissingLibraryError, PlatformError
from .._helm.records import History, Key, read_all
from .._k8s.client import KubeClient, Object
from .._k8s.discovery import Discovery, discover
from .._k8s.errors import KubeApiError
from .._k8s.retry import send
from .network import Policies

try:
    import jmespath  # type: ignore[import-untyped]  # jmespath brings no types
except ImportError:
    jmespath = None

PAGE = 500
NAMESPACE, POLICY, NODE = ("v1", "Namespace"), ("networking.k8s.io/v1", "NetworkPolicy"), ("v1", "Node")
Kind = tuple[str, str]


class World:
    """A cluster as the checks see it.

    :param kinds: API version and kind of everything that will be asked for; read ahead, all at once.
    """

    def __init__(self, client: KubeClient, *, clock: Clock, kinds: Iterable[Kind] = ()) -> None:
        self.client = client
        self.clock = clock
        self._discovery: Discovery = discover(client, clock=clock)
        wanted = list(dict.fromkeys(kinds))
        self._objects: dict[Kind, list[Object] | None] = dict(
            zip(wanted, map_concurrently(self._list, wanted), strict=True)
        )

    def objects(self, api_version: str, kind: str) -> list[Object] | None:
        """All objects of a kind, sorted by namespace and name; None when the cluster does not serve the kind."""
        key = (api_version, kind)
        if key not in self._objects:
            self._objects[key] = self._list(key)
        return self._objects[key]

    @cached_property
    def releases(self) -> Mapping[Key, History]:
        """Helm's releases."""
        return read_all(self.client, None)

    @cached_property
    def policies(self) -> Policies:
        """The network policies of all namespaces."""
        labels = {
            str(one["metadata"]["name"]): one["metadata"].get("labels") or {} for one in self.objects(*NAMESPACE) or ()
        }
        return Policies(self.objects(*POLICY) or (), labels)

    def refusal(self, document: Mapping[str, t.Any]) -> str | None:
        """What the API server says against making this object; None when it would take it. Nothing is made."""
        kind = self._discovery.require(str(document.get("apiVersion")), str(document.get("kind")))
        namespace = str((document.get("metadata") or {}).get("namespace") or "default")
        try:
            self.client.request("POST", kind.path(namespace=namespace), query={"dryRun": "All"}, body=document)
        except KubeApiError as error:
            # 400 is what a webhook answers that says no without a status of its own.
            if error.status in (400, 403, 422):
                return error.message
            raise
        return None

    def _list(self, key: Kind) -> list[Object] | None:
        kind = self._discovery.find(*key)
        if kind is None:
            return None
        found: list[Object] = []
        query: dict[str, t.Any] = {"limit": PAGE}
        while True:
            page = send(self.client, "GET", kind.path(), clock=self.clock, query=query).body
            found += [{"apiVersion": key[0], "kind": key[1], **item} for item in page.get("items") or ()]
            query["continue"] = (page.get("metadata") or {}).get("continue")
            if not query["continue"]:
                return sorted(found, key=lambda one: (one["metadata"].get("namespace", ""), one["metadata"]["name"]))


def search() -> Callable[[str, t.Any], t.Any]:
    """The evaluation of JMESPath expressions; it raises PlatformError for one that cannot be evaluated.

    :raises MissingLibraryError: the package is absent.
    """
    if jmespath is None:
        raise MissingLibraryError("checks with a query need the Python package 'jmespath': pip install it")
    return _evaluated


def _evaluated(expression: str, value: t.Any) -> t.Any:
    try:
        return jmespath.search(expression, value)
    except jmespath.exceptions.JMESPathError as error:
        reason = str(error).splitlines()[0].rstrip(":. ")
        raise PlatformError(f"the JMESPath expression {expression!r} is wrong: {reason}; correct the check") from error


__all__ = ("NAMESPACE", "NODE", "POLICY", "Kind", "World", "search")
