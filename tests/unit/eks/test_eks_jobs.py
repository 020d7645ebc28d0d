from __future__ import annotations

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import Pace, SteppingClock
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.jobs import Job, JobsError, Wait, run_jobs
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.waiting import Waiting, waiting_options

PACE = Pace(first=2.0, factor=1.1, longest=15.0)
DEFAULTS = {name: option.get("default") for name, option in waiting_options(timeout=3600).items()}


def _takes(clock: SteppingClock, seconds: float, result: str, *, timeout: float = 1000.0) -> Job[str]:
    begun = clock.now()
    yield Wait(lambda: (clock.now() - begun >= seconds, "CREATING"), f"pool {result}", timeout)
    return result


def _fails(message: str) -> Job[str]:
    if message:
        raise PlatformError(message)
    yield Wait(lambda: (True, ""), "nothing", 1.0)
    return ""


def test_all_jobs_take_as_long_as_the_slowest_one() -> None:
    clock = SteppingClock()
    results = run_jobs({f"p{n}": _takes(clock, 10.0 * n, f"p{n}") for n in range(1, 6)}, clock=clock, pace=PACE)
    assert results == {f"p{n}": f"p{n}" for n in range(1, 6)}
    assert 50.0 <= clock.now() <= 58.0


def test_pauses_grow_with_the_time_waited_and_stay_below_15_seconds() -> None:
    clock = SteppingClock()
    run_jobs({"p": _takes(clock, 300.0, "p")}, clock=clock, pace=PACE)
    assert clock.slept[0] == pytest.approx(2.0)
    assert max(clock.slept) <= 15.0
    assert clock.now() - 300.0 <= 15.0


@pytest.mark.parametrize(("pools", "late"), [(5, 2.0), (20, 5.0)])
def test_pools_of_minutes_take_as_long_as_the_slowest_and_two_seconds(pools: int, late: float) -> None:
    clock, waiting = SteppingClock(), Waiting.of(DEFAULTS)
    takes = [100.0 + 3.7 * number for number in range(pools)]
    looks: list[float] = []

    def watched(seconds: float) -> Job[str]:
        def look() -> tuple[bool, str]:
            looks.append(clock.now())
            return clock.now() >= seconds, "CREATING"

        yield Wait(look, "pool", 3600.0)
        return "pool"

    run_jobs({f"p{n}": watched(one) for n, one in enumerate(takes)}, clock=clock, pace=waiting.pace)
    assert clock.now() - max(takes) <= late
    assert len(looks) / clock.now() <= waiting.workers


def test_a_failure_does_not_stop_the_others() -> None:
    clock = SteppingClock()
    with pytest.raises(JobsError, match="no capacity") as caught:
        run_jobs({"a": _fails("no capacity"), "b": _takes(clock, 5.0, "b")}, clock=clock, pace=PACE)
    assert caught.value.results == {"b": "b"}
    assert set(caught.value.failures) == {"a"}


def test_a_timeout_says_the_last_state_and_the_time() -> None:
    clock = SteppingClock()
    with pytest.raises(JobsError, match=r"pool p is still CREATING after 60 s; raise wait_timeout"):
        run_jobs({"p": _takes(clock, 1e9, "p", timeout=60.0)}, clock=clock, pace=PACE)


def test_jobs_begin_after_what_they_need_and_not_after_its_failure() -> None:
    clock = SteppingClock()
    begun: dict[str, float] = {}

    def noted(name: str) -> Job[str]:
        begun[name] = clock.now()
        yield from _takes(clock, 4.0, name)
        return name

    needs = {"cni": frozenset[str](), "dns": frozenset({"cni"})}
    run_jobs({"dns": noted("dns"), "cni": noted("cni")}, clock=clock, pace=PACE, after=needs)
    assert begun["dns"] >= begun["cni"] + 4.0
    with pytest.raises(JobsError, match="dns was not begun because cni failed"):
        run_jobs({"dns": noted("dns"), "cni": _fails("broken")}, clock=clock, pace=PACE, after=needs)


def test_a_circle_of_needs_is_an_error_and_no_hang() -> None:
    clock = SteppingClock()
    needs = {"a": frozenset({"b"}), "b": frozenset({"a"})}
    with pytest.raises(JobsError, match="a and b need each other"):
        run_jobs({"a": _takes(clock, 1, "a"), "b": _takes(clock, 1, "b")}, clock=clock, pace=PACE, after=needs)
