# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watches that survive: list, watch from there, start again when the server says so."""

from __future__ import annotations

import random
import threading
import typing as t
from collections.abc import Callable
from dataclasses import dataclass

from ..._k8s.client import KubeClient
from ..._k8s.errors import KubeApiError

Object = dict[str, t.Any]
SERVER_SECONDS = 290
SILENCE_SECONDS = 330.0
PAUSE_SECONDS = 1.0
GONE, NOT_SERVED = 410, 404


@dataclass(frozen=True)
class Feed:
    """What to watch and where the news goes.

    :param path: the collection's path.
    :param replace: gets the whole list after each LIST.
    :param put: gets an object that was added or changed.
    :param drop: gets an object that is gone.
    """

    path: str
    replace: Callable[[list[Object]], None]
    put: Callable[[Object], None]
    drop: Callable[[Object], None]
    field_selector: str | None = None


class Watcher:
    """One thread for one feed.

    :param complain: gets a sentence for each interruption.
    """

    def __init__(self, client: KubeClient, feed: Feed, *, complain: Callable[[str], None]) -> None:
        self._client, self._feed, self._complain = client, feed, complain
        self._stopped = threading.Event()
        self.listed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch {feed.path}", daemon=True)

    def start(self) -> None:
        """Begin; C(listed) is set when the first list has arrived."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; it does so at the next event or when the server ends the watch."""
        self._stopped.set()

    def _run(self) -> None:
        version: str | None = None
        while not self._stopped.is_set():
            try:
                version = self._follow(version or self._list())
            except KubeApiError as error:
                version = None
                if self._stopped.is_set():
                    return
                if error.status == NOT_SERVED:
                    self._feed.replace([])
                elif error.status != GONE:
                    self._complain(error.message)
                self._stopped.wait(PAUSE_SECONDS * (1 + random.random()))  # noqa: S311 (spreads load, no secret)
            except Exception as error:  # noqa: BLE001 (a thread that ends in silence would freeze the simulation)
                version = None
                self._complain(f"the watch of {self._feed.path} broke: {error!r}")
                self._stopped.wait(PAUSE_SECONDS)

    def _list(self) -> str:
        items: list[Object] = []
        query: dict[str, t.Any] = {"limit": 500, "fieldSelector": self._feed.field_selector}
        while True:
            page = self._client.request("GET", self._feed.path, query=query).body
            items += page.get("items") or []
            query["continue"] = page["metadata"].get("continue")
            if not query["continue"]:
                break
        self._feed.replace(items)
        self.listed.set()
        return str(page["metadata"]["resourceVersion"])

    def _follow(self, version: str) -> str | None:
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": SERVER_SECONDS,
            "fieldSelector": self._feed.field_selector,
        }
        for event in self._client.stream(self._feed.path, query=query, timeout=SILENCE_SECONDS):
            if self._stopped.is_set():
                return version
            if event["type"] == "ERROR":
                return None
            version = str(event["object"]["metadata"]["resourceVersion"])
            self._tell(event)
        return version

    def _tell(self, event: Object) -> None:
        if event["type"] == "DELETED":
            self._feed.drop(event["object"])
        elif event["type"] != "BOOKMARK":
            self._feed.put(event["object"])


__all__ = ("Feed", "Watcher")
