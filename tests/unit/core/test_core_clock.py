"""Waiting: how often it looks, when it gives up, what it says meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import (
    Pace,
    SteppingClock,
    SystemClock,
    wait_until,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import AbandonedError, TimedOutError
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.jobs import JobsError, Wait, run_jobs

LIVE = Path(__file__).resolve().parents[3] / "build/collections"


def waiting(*, looks: int, timeout: float) -> tuple[SteppingClock, t.Callable[[], int]]:
    clock, seen = SteppingClock(), iter(range(1, 1000))

    def look() -> tuple[bool, int]:
        count = next(seen)
        return count >= looks, count

    def run() -> int:
        return wait_until(
            look,
            clock=clock,
            timeout=timeout,
            pace=Pace(10, 1, 10),
            describe=lambda count, elapsed: f"look {count} after {elapsed:.0f} s",
        )

    return clock, run


def test_a_short_wait_is_silent() -> None:
    clock, run = waiting(looks=2, timeout=100)
    assert run() == 2
    assert clock.said == []


def test_a_long_wait_says_what_it_waits_for_every_20_seconds() -> None:
    clock, run = waiting(looks=7, timeout=100)
    run()
    assert clock.said == ["20 s: look 3 after 20 s", "40 s: look 5 after 40 s"]


def test_it_gives_up_at_the_deadline_with_the_last_state() -> None:
    clock, run = waiting(looks=99, timeout=25)
    with pytest.raises(TimedOutError, match="look 4 after 25 s"):
        run()
    assert clock.slept == [10, 10, 5]


def test_jobs_say_what_they_wait_for() -> None:
    clock, looks = SteppingClock(), iter(range(1000))

    def job() -> t.Generator[Wait, None, str]:
        yield Wait(lambda: (next(looks) > 4, "CREATING"), "node pool a", 600)
        return "done"

    assert run_jobs({"a": job()}, clock=clock, pace=Pace(10, 1, 10)) == {"a": "done"}
    assert clock.said == [f"{seconds} s: node pool a is CREATING" for seconds in (20, 40, 60)]


def test_a_job_that_waits_too_long_is_said_with_its_state() -> None:
    def job() -> t.Generator[Wait, None, None]:
        yield Wait(lambda: (False, "CREATING"), "node pool a", 30)

    with pytest.raises(JobsError, match="node pool a is still CREATING after 30 s"):
        run_jobs({"a": job()}, clock=SteppingClock(), pace=Pace(10, 1, 10))


def test_the_real_clock_tells_only_where_somebody_listens() -> None:
    said: list[str] = []
    SystemClock(said.append).say("hello")
    SystemClock().say("nobody hears this")
    assert said == ["hello"]


ORPHAN = """
import os, sys, time
from ansible_collections.aiplatform.eks.plugins.module_utils._core import clock, errors
parent = os.getpid()
if os.fork():
    os._exit(0)
while os.getppid() == parent:
    time.sleep(0.01)
try:
    clock.wait_until(
        lambda: (False, 0), clock=clock.SystemClock(parent=parent), timeout=600,
        pace=clock.Pace(), describe=lambda *_state: "never",
    )
except errors.AbandonedError as error:
    print(error)
"""


def test_a_wait_for_a_playbook_that_was_killed_ends() -> None:
    environment = {**os.environ, "PYTHONPATH": str(LIVE)}
    command = [sys.executable, "-c", ORPHAN]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert "was killed; run it again" in done.stdout


def test_a_wait_for_a_parent_that_is_there_goes_on() -> None:
    SystemClock(parent=os.getppid()).sleep(0.0)
    with pytest.raises(AbandonedError):
        SystemClock(parent=-1).sleep(0.0)
