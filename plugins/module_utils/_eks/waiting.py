# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for EKS: options, updates by their id, and calls that find the object busy."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

from .._aws.errors import AwsError
from .._aws.session import AwsSession, Record
from .._core.clock import Pace
from .._core.errors import PlatformError
from .health import issues_in_words
from .jobs import Wait

BUSY = "ResourceInUseException"
TRIES_WHEN_BUSY = 5
# Each pause is the first one plus half a percent of the time already waited, so that a node group of three minutes is
# seen within two seconds, and an hour of rolling nodes costs 700 calls.
GROWTH = 1.005
LONGEST_PAUSE = 15.0

Steps = Generator[Wait, None, t.Any]
Options = dict[str, dict[str, t.Any]]


@dataclass(frozen=True)
class Waiting:
    """How to wait: whether at all after the last write, how long, how often."""

    wait: bool
    timeout: float
    pace: Pace
    workers: int = 8

    @classmethod
    def of(cls, options: Mapping[str, t.Any]) -> Waiting:
        """From the options that C(waiting_options) declares."""
        first = float(options["poll_interval"])
        return cls(
            wait=bool(options["wait"]),
            timeout=float(options["wait_timeout"]),
            pace=Pace(first=first, factor=GROWTH, longest=max(first, LONGEST_PAUSE)),
            workers=int(options.get("parallel") or 8),
        )


def waiting_options(timeout: int) -> Options:
    """The options about waiting, with the default timeout in seconds."""
    return {
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": timeout},
        "poll_interval": {"type": "float", "default": 1.0},
    }


def look_updated(aws: AwsSession, words: str, parameters: Record) -> tuple[bool, str]:
    """Look at an update once.

    :param words: the updated object.
    :param parameters: of DescribeUpdate.
    :raises PlatformError: with the update's errors, when it failed or was cancelled.
    """
    found = aws.do("eks", "DescribeUpdate", parameters, doing=f"read the update of {words}")["update"]
    status = str(found.get("status"))
    if status in ("Failed", "Cancelled"):
        errors = "; ".join(issues_in_words(found.get("errors") or [])) or "EKS gives no reason"
        raise PlatformError(f"the update of {words} {status.lower()}: {errors}")
    return status == "Successful", status


def when_free(call: Callable[[], Record], until_free: Callable[[], Wait]) -> Steps:
    """Call; when another update is under way, wait for its end and call again."""
    for _attempt in range(TRIES_WHEN_BUSY - 1):
        try:
            return call()
        except AwsError as error:
            if error.code != BUSY:
                raise
        yield until_free()
    return call()


__all__ = ("Steps", "Waiting", "look_updated", "waiting_options", "when_free")
