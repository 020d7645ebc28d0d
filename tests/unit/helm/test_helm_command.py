"""How a helm that does not end is ended, and what the user is told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import AbandonedError, PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._helm import process
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.command import Ended, call
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.releases import release_of

# It says what it would write down, as helm notes a release as failed when it is asked to end.
HANGS = """
import signal, sys, time
def end(*_arguments):
    print("noted", flush=True)
    sys.exit(3)
signal.signal(signal.SIGTERM, {handler})
print("began", flush=True)
time.sleep(60)
"""


def hanging(handler: str, *, limit: float = 0.5, grace: float = 5.0) -> Ended:
    command = [sys.executable, "-c", HANGS.format(handler=handler)]
    return call(command, environment=dict(os.environ), limit=limit, grace=grace)


def test_a_process_that_hangs_is_asked_to_end_and_may_clean_up() -> None:
    ended = hanging("end")
    assert (ended.code, ended.out, ended.asked, ended.killed) == (3, "began\nnoted\n", True, False)


def test_a_process_that_does_not_listen_is_killed_after_its_grace() -> None:
    ended = hanging("signal.SIG_IGN", grace=0.2)
    assert (ended.code, ended.out, ended.killed) == (-9, "began\n", True)


def test_a_process_in_time_is_left_alone() -> None:
    command = [sys.executable, "-c", "import sys; print('out'); sys.exit('why')"]
    assert call(command, environment=dict(os.environ), limit=30) == Ended(1, "out\n", "why\n")


@pytest.mark.parametrize(
    ("killed", "sentence"),
    [(False, r"within 1230 s and was asked to end; .* counts as failed"), (True, "was killed, .* stays pending")],
)
def test_the_limit_follows_the_releases_timeout_and_the_end_is_told(
    monkeypatch: pytest.MonkeyPatch, *, killed: bool, sentence: str
) -> None:
    limits: list[float] = []

    def stopped(_command: object, *, limit: float, **_rest: object) -> Ended:
        limits.append(limit)
        return Ended(1, "", "", asked=True, killed=killed)

    monkeypatch.setattr(process, "call", stopped)
    monkeypatch.setattr(process, "find_helm", lambda _wish: "helm")
    wish = release_of({"name": "web", "namespace": "prod", "chart": {"ref": "./web"}, "timeout": 400})
    with process.Helm({"host": "https://127.0.0.1:1", "validate_certs": False}, None) as helm:
        for work in (
            lambda: helm.deploy(wish, Path("web"), digest=""),
            lambda: helm.rollback(wish, 1),
            lambda: helm.uninstall(wish),
        ):
            with pytest.raises(PlatformError, match=sentence):
                work()
    assert limits == [1230.0] * 3


def test_a_process_for_which_nobody_waits_any_more_is_asked_to_end(tmp_path: Path) -> None:
    noted = tmp_path / "noted"
    script = HANGS.format(handler="end").replace('print("noted", flush=True)', f'open({str(noted)!r}, "w").close()')
    looks = iter(range(10))

    def heed() -> None:
        if next(looks) > 0:
            raise AbandonedError("gone")

    with pytest.raises(AbandonedError):
        call([sys.executable, "-c", script], environment=dict(os.environ), limit=60, grace=10, heed=heed)
    assert noted.exists()
