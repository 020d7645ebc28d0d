# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The log of the calls that the emulator got: what tests assert "no write in check mode" with."""

from __future__ import annotations

import threading
import typing as t
from collections import deque
from collections.abc import Mapping

from .aws_call import is_write

MOST = 20_000
HIDDEN = "(hidden)"
SECRET_WORDS = ("password", "secret", "token", "userdata", "privatekey", "credential")
LONGEST = 2_000


class CallLog:
    """The last calls, oldest first."""

    def __init__(self) -> None:
        self._rows: deque[dict[str, t.Any]] = deque(maxlen=MOST)
        self._lock = threading.Lock()

    def add(
        self, *, service: str, operation: str, parameters: Mapping[str, t.Any], seconds: float, status: int, at: str
    ) -> None:
        """Write a call down, its secrets left out.

        :param seconds: how long its answer took.
        :param at: when it came, as ISO 8601.
        """
        row = {
            "service": service,
            "operation": operation,
            "write": is_write(operation),
            "parameters": without_secrets(parameters),
            "at": at,
            "seconds": round(seconds, 4),
            "status": status,
        }
        with self._lock:
            self._rows.append(row)

    def rows(self) -> list[dict[str, t.Any]]:
        """All of them."""
        with self._lock:
            return list(self._rows)

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._rows.clear()


def without_secrets(value: t.Any) -> t.Any:
    """The value with secrets replaced and long texts cut; only what JSON can say."""
    if isinstance(value, Mapping):
        return {str(key): HIDDEN if _secret(str(key)) else without_secrets(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(one) for one in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _secret(key: str) -> bool:
    bare = key.replace("_", "").replace("-", "").lower()
    return bare not in ("nexttoken", "clientrequesttoken", "clienttoken") and any(word in bare for word in SECRET_WORDS)


__all__ = ("CallLog", "without_secrets")
