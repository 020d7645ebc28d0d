# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's exception: a sentence for the user, and data for programs."""

from __future__ import annotations

import typing as t


class PlatformError(Exception):
    """A failure said as a sentence: the thing, what was found, what was wanted, the way out.

    :param message: the sentence.
    :param details: keys that a failing module returns beside C(msg); never a secret.
    """

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, t.Any] = details


class MissingLibraryError(PlatformError):
    """A Python library that the task needs is absent or too old."""


class TimedOutError(PlatformError):
    """A wait ended before the state was reached; the message holds the last state and the elapsed time."""


class AbandonedError(BaseException):
    """Work ended because the process that it was for is gone.

    Like KeyboardInterrupt no Exception: it must not pass for the failure of one object or node.
    """


__all__ = ("AbandonedError", "MissingLibraryError", "PlatformError", "TimedOutError")
