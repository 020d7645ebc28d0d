# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many long pieces of work in one loop: each goes on as soon as what it waits for is there.

A job is a generator: it calls AWS, and yields a Wait whenever it must wait. The loop runs the calls of all jobs
concurrently and sleeps only when every job waits, so twenty node groups take as long as the slowest one.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from .._core.clock import Clock, Heartbeat, Pace
from .._core.concurrency import map_concurrently
from .._core.errors import PlatformError, TimedOutError
from .._core.text import listed

R = t.TypeVar("R")


@dataclass(frozen=True)
class Wait:
    """What a job waits for.

    :param look: returns (there, state in words); raises to end the job.
    :param what: the object in words, for the sentence of the timeout.
    :param timeout: seconds from the moment the wait begins.
    """

    look: Callable[[], tuple[bool, str]]
    what: str
    timeout: float


Job = Generator[Wait, None, R]


class JobsError(PlatformError):
    """Some jobs failed; all others ended.

    :param failures: the error of each failed job, by name.
    :param results: the result of each job that ended well, by name.
    """

    def __init__(self, failures: Mapping[str, PlatformError], results: Mapping[str, t.Any]) -> None:
        details = {key: value for error in failures.values() for key, value in error.details.items()}
        super().__init__("; ".join(error.message for error in failures.values()), **details)
        self.failures = failures
        self.results = results


@dataclass
class _Running(t.Generic[R]):
    name: str
    job: Job[R]
    wait: Wait | None = None
    state: str = ""
    since: float = 0.0
    due: float = 0.0
    pauses: Iterator[float] = field(default_factory=lambda: iter(()))
    ended: bool = False
    result: R | None = None
    error: PlatformError | None = None


class _Loop(t.Generic[R]):
    def __init__(self, *, clock: Clock, pace: Pace, workers: int) -> None:
        self.clock = clock
        self.pace = pace
        self.workers = workers
        self.waiting = 0

    def go_on(self, one: _Running[R]) -> None:
        """Look if the job waits; let it go on when it may."""
        try:
            if one.wait is None or self._there(one, one.wait):
                self._advance(one)
        except PlatformError as error:
            one.error = error
            one.ended = True

    def _there(self, one: _Running[R], wait: Wait) -> bool:
        there, one.state = wait.look()
        if there:
            return True
        elapsed = self.clock.now() - one.since
        if elapsed >= wait.timeout:
            raise TimedOutError(
                f"{wait.what} is still {one.state} after {elapsed:.0f} s; raise wait_timeout or look there"
            )
        one.due = self.clock.now() + min(self._pause(one), wait.timeout - elapsed)
        return False

    def _pause(self, one: _Running[R]) -> float:
        """More jobs than workers share the looks of so many: AWS limits calls, not jobs."""
        return next(one.pauses) * max(1.0, self.waiting / self.workers)

    def _advance(self, one: _Running[R]) -> None:
        try:
            one.wait = next(one.job)
        except StopIteration as end:
            one.result = end.value
            one.ended = True
            return
        one.since, one.state = self.clock.now(), ""
        one.pauses = self.pace.pauses()
        one.due = one.since + min(self._pause(one), one.wait.timeout)


def run_jobs(
    jobs: Mapping[str, Job[R]],
    *,
    clock: Clock,
    pace: Pace,
    workers: int = 8,
    after: Mapping[str, frozenset[str]] | None = None,
) -> dict[str, R]:
    """Run all jobs to their end.

    :param pace: the pauses between two looks of one job; each wait begins anew.
    :param workers: how many jobs call AWS at once, and look once a pause.
    :param after: the jobs that must have ended well before a job begins, by name.
    :raises JobsError: after all jobs ended, when some failed; a job that needs a failed one never begins.
    """
    loop: _Loop[R] = _Loop(clock=clock, pace=pace, workers=workers)
    every = {name: _Running(name=name, job=job) for name, job in jobs.items()}
    needs = {name: (after or {}).get(name, frozenset()) & set(every) for name in every}
    heart = Heartbeat(clock)
    while open_jobs := [one for one in every.values() if not one.ended]:
        _fail_orphans(open_jobs, every, needs)
        loop.waiting = len(open_jobs)
        ready = [one for one in open_jobs if not one.ended and all(every[need].ended for need in needs[one.name])]
        if not ready:
            _fail_circle(open_jobs)
            continue
        if (pause := min(one.due for one in ready) - clock.now()) > 0:
            clock.sleep(pause)
        heart.beat(partial(_waits, open_jobs))
        now = clock.now()
        map_concurrently(loop.go_on, [one for one in ready if one.due <= now], workers=workers)
    failures = {one.name: one.error for one in every.values() if one.error is not None}
    results = {one.name: t.cast("R", one.result) for one in every.values() if one.error is None}
    if failures:
        raise JobsError(failures, results)
    return results


def _waits(jobs: list[_Running[R]]) -> str:
    """What these jobs wait for: C(node pool a is CREATING, node pool b is CREATING)."""
    return ", ".join(f"{one.wait.what} is {one.state or 'asked for'}" for one in jobs if one.wait is not None)


def _fail_orphans(
    open_jobs: list[_Running[R]], every: Mapping[str, _Running[R]], needs: Mapping[str, frozenset[str]]
) -> None:
    for one in open_jobs:
        failed = sorted(need for need in needs[one.name] if every[need].error is not None)
        if failed and one.wait is None:
            one.error = PlatformError(f"{one.name} was not begun because {listed(failed)} failed")
            one.ended = True


def _fail_circle(open_jobs: list[_Running[R]]) -> None:
    stuck = [one for one in open_jobs if not one.ended]
    for one in stuck:
        one.error = PlatformError(f"{listed(sorted(each.name for each in stuck))} need each other; break the circle")
        one.ended = True


__all__ = ("Job", "JobsError", "Wait", "run_jobs")
