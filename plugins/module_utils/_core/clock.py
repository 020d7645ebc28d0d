# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time as a parameter: tests hand in a clock that never sleeps. Waiting code says through it what it waits for."""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import dataclass
from functools import partial

from .errors import AbandonedError, TimedOutError

HEARTBEAT = 20.0
T = t.TypeVar("T")


class Clock(t.Protocol):
    """What waiting code may know of time, in seconds."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""

    def say(self, text: str) -> None:
        """Tell the user, who waits too."""

    def heed(self) -> None:
        """Look whether somebody still waits for the result.

        :raises AbandonedError: nobody does.
        """


class SystemClock:
    """The machine's clock.

    :param tell: shows a line to the user; a module process has nobody to tell.
    :param parent: the process that this one works for; when it is gone, no wait goes on.
    """

    def __init__(self, tell: t.Callable[[str], None] | None = None, *, parent: int | None = None) -> None:
        self._tell = tell
        self._parent = parent

    def now(self) -> float:
        """Seconds since an arbitrary start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        self.heed()
        time.sleep(max(0.0, seconds))

    def say(self, text: str) -> None:
        """Tell the user, when there is a way to."""
        if self._tell is not None:
            self._tell(text)

    def heed(self) -> None:
        """Look whether the process that this one works for is still there."""
        if self._parent is not None and os.getppid() != self._parent:
            raise AbandonedError("the playbook that began this was killed; run it again, it goes on from here")


class SteppingClock:
    """A clock for tests: sleeping moves it and takes no time."""

    def __init__(self, start: float = 0.0) -> None:
        self.time = start
        self.slept: list[float] = []
        self.said: list[str] = []

    def now(self) -> float:
        """The time reached so far."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Move on by that many seconds."""
        self.slept.append(seconds)
        self.time += seconds

    def say(self, text: str) -> None:
        """Keep the line."""
        self.said.append(text)

    def heed(self) -> None:
        """Somebody always waits."""


class Heartbeat:
    """Says every 20 seconds what a long wait waits for, and ends it when nobody listens any more."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start = self._last = clock.now()

    def beat(self, describe: t.Callable[[], str]) -> None:
        """Say it, if it is time again.

        :param describe: what is waited for and how far it is, in words.
        """
        self._clock.heed()
        now = self._clock.now()
        if now - self._last >= HEARTBEAT:
            self._last = now
            self._clock.say(f"{now - self._start:.0f} s: {describe()}")


@dataclass(frozen=True)
class Pace:
    """How often to look: the first pause, its growth and the longest pause, in seconds."""

    first: float = 0.5
    factor: float = 1.5
    longest: float = 15.0

    def pauses(self) -> t.Iterator[float]:
        """Yield the pauses between looks, for ever."""
        pause = self.first
        while True:
            yield pause
            pause = min(self.longest, pause * self.factor)


def wait_until(
    look: t.Callable[[], tuple[bool, T]],
    *,
    clock: Clock,
    timeout: float,
    pace: Pace,
    describe: t.Callable[[T, float], str],
) -> T:
    """Look until done, or fail with the last state.

    :param look: returns (done, state); raises to fail fast.
    :param timeout: seconds after which it gives up; the last look happens at the deadline, never after it.
    :param describe: makes the sentence of the timeout from the last state and the elapsed seconds.
    :raises TimedOutError: when the time is over.
    """
    start, heart = clock.now(), Heartbeat(clock)
    for pause in pace.pauses():
        done, state = look()
        if done:
            return state
        elapsed = clock.now() - start
        if elapsed >= timeout:
            raise TimedOutError(describe(state, elapsed))
        heart.beat(partial(describe, state, elapsed))
        clock.sleep(min(pause, timeout - elapsed))
    raise AssertionError("unreachable: pauses never end")


__all__ = ("Clock", "Heartbeat", "Pace", "SteppingClock", "SystemClock", "wait_until")
