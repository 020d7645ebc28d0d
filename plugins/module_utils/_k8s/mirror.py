# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local copy of a collection of objects, kept current by one list and one watch."""

from __future__ import annotations

import threading
import typing as t
from collections.abc import Callable, Mapping

from .._core.clock import Clock
from .client import KubeClient, Object
from .errors import KubeApiError
from .retry import is_passing, send

R = t.TypeVar("R")
PAGE = 500
WATCH_SECONDS = 60
RECONNECT_AFTER = 0.3
GONE = 410


class Mirror(t.Generic[R]):
    """The objects of one path as small records; safe between threads.

    :param reduce: makes the record of an object, or None for one that does not matter.
    :param changed: called with the object's key after each change; C(namespace/name), or the name alone.
    """

    def __init__(
        self,
        client: KubeClient,
        path: str,
        *,
        clock: Clock,
        reduce: Callable[[Object], R | None],
        changed: Callable[[str], None],
        query: Mapping[str, t.Any] | None = None,
    ) -> None:
        self._client, self._path, self._clock = client, path, clock
        self._reduce, self._changed, self._query = reduce, changed, dict(query or {})
        self._lock = threading.Lock()
        self._records: dict[str, R] = {}
        self._versions: dict[str, int] = {}
        self._stopped = threading.Event()
        self._error: KubeApiError | None = None

    def start(self) -> None:
        """Read everything once, then follow in the background.

        :raises KubeApiError: the collection cannot be read.
        """
        version = self._list()
        threading.Thread(target=self._follow, args=(version,), name=f"mirror {self._path}", daemon=True).start()

    def stop(self) -> None:
        """End the watch, at its next event or time-out."""
        self._stopped.set()

    def check(self) -> None:
        """Raise what ended the watch for good, if something did."""
        if self._error is not None:
            raise self._error

    def get(self, key: str) -> R | None:
        """The record of that key."""
        with self._lock:
            return self._records.get(key)

    def values(self) -> list[R]:
        """All records."""
        with self._lock:
            return list(self._records.values())

    def put(self, live: Object) -> None:
        """Take a newer state of an object: an event, or the answer to a write of ours."""
        key, version = key_of(live), _version(live)
        record = self._reduce(live)
        with self._lock:
            if version < self._versions.get(key, 0):
                return
            self._versions[key] = version
            if record is None:
                self._records.pop(key, None)
            else:
                self._records[key] = record
        self._changed(key)

    def drop(self, live: Object) -> None:
        """An object is gone; a younger one of the same name stays."""
        key = key_of(live)
        with self._lock:
            if _version(live) < self._versions.get(key, 0):
                return
            self._versions[key] = _version(live)
            self._records.pop(key, None)
        self._changed(key)

    def _list(self) -> str:
        seen: set[str] = set()
        query: dict[str, t.Any] = {**self._query, "limit": PAGE}
        while True:
            page = send(self._client, "GET", self._path, clock=self._clock, query=query).body
            for item in page.get("items") or []:
                seen.add(key_of(item))
                self.put(item)
            query["continue"] = (page.get("metadata") or {}).get("continue")
            if not query["continue"]:
                break
        with self._lock:
            lost = [key for key in self._records if key not in seen]
            for key in lost:
                del self._records[key]
        for key in lost:
            self._changed(key)
        return str(page["metadata"]["resourceVersion"])

    def _follow(self, version: str) -> None:
        while not self._stopped.is_set():
            try:
                version = self._watch(version)
            except KubeApiError as error:
                if error.status != GONE and not is_passing(error):
                    self._error = error
                    self._changed("")
                    return
                if self._stopped.wait(RECONNECT_AFTER):
                    return
                version = self._list_again() or version

    def _list_again(self) -> str | None:
        try:
            return self._list()
        except KubeApiError as error:
            if not is_passing(error):
                self._error = error
            return None

    def _watch(self, version: str) -> str:
        query = {
            **self._query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": WATCH_SECONDS,
        }
        for event in self._client.stream(self._path, query=query, timeout=WATCH_SECONDS + 15):
            if self._stopped.is_set():
                break
            if event.get("type") == "ERROR":
                status = event.get("object") or {}
                raise KubeApiError(str(status.get("message")), status=int(status.get("code") or 500))
            version = str(event["object"]["metadata"]["resourceVersion"])
            if event["type"] == "DELETED":
                self.drop(event["object"])
            elif event["type"] != "BOOKMARK":
                self.put(event["object"])
        return version


def key_of(live: Object) -> str:
    """C(namespace/name), or the name of a cluster-scoped object."""
    metadata = live["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])


def _version(live: Object) -> int:
    return int(live["metadata"].get("resourceVersion") or 0)


__all__ = ("Mirror", "key_of")
