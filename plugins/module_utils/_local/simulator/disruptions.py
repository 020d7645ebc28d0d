# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of what hurt: pods that held accelerators when their node changed under them. Tests want it empty."""

from __future__ import annotations

import threading
import typing as t
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime

from .store import Pod

LONGEST = 10_000


class Disruptions:
    """The record; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[dict[str, t.Any]] = deque(maxlen=LONGEST)

    def add(self, pods: Iterable[Pod], *, node: str, reason: str) -> list[dict[str, t.Any]]:
        """These pods were running on the node when it happened; returns the new entries."""
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        entries = [
            {
                "time": moment,
                "node": node,
                "namespace": pod.namespace,
                "pod": pod.name,
                "resources": dict(pod.accelerators),
                "reason": reason,
            }
            for pod in pods
        ]
        with self._lock:
            self._entries.extend(entries)
        return entries

    def take_back(self, entries: Iterable[dict[str, t.Any]]) -> None:
        """It did not happen after all: nobody could be told, and it will be done again."""
        gone = {id(entry) for entry in entries}
        with self._lock:
            self._entries = deque((one for one in self._entries if id(one) not in gone), maxlen=LONGEST)

    def entries(self) -> list[dict[str, t.Any]]:
        """All entries, the oldest first."""
        with self._lock:
            return list(self._entries)

    def clear(self) -> None:
        """Begin anew."""
        with self._lock:
            self._entries.clear()


__all__ = ("Disruptions",)
