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

    def add(self, pods: Iterable[Pod], *, node: str, reason: str) -> None:
        """These pods were running on the node when it happened."""
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._lock:
            for pod in pods:
                self._entries.append(
                    {
                        "time": moment,
                        "node": node,
                        "namespace": pod.namespace,
                        "pod": pod.name,
                        "resources": dict(pod.accelerators),
                        "reason": reason,
                    }
                )

    def entries(self) -> list[dict[str, t.Any]]:
        """All entries, the oldest first."""
        with self._lock:
            return list(self._entries)

    def clear(self) -> None:
        """Begin anew."""
        with self._lock:
            self._entries.clear()


__all__ = ("Disruptions",)
