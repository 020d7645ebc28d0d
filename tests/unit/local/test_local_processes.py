"""Child programs: told apart, ended for certain, never somebody else's."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._local import processes
from ansible_collections.aiplatform.eks.plugins.module_utils._local.processes import Process

SLEEP = ("/bin/sleep", "60")


@pytest.fixture
def start(tmp_path):
    started = []

    def spawn(*command: str) -> Process:
        process = processes.spawn(command or SLEEP, log=tmp_path / "log", folder=tmp_path, environment={"A": "b"})
        started.append(process)
        return process

    yield spawn
    processes.stop(started, grace=0.1)


def until(look) -> None:
    deadline = time.monotonic() + 10
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_program_runs_detached_with_its_output_in_the_log(start, tmp_path):
    process = start("/bin/sh", "-c", "echo $A; pwd; exec sleep 60")
    until(lambda: (tmp_path / "log").read_text() == f"b\n{tmp_path}\n")
    assert process.alive
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    assert processes.memory(process) > 0
    assert processes.strays(tmp_path) == [process]


def test_stopping_ends_the_whole_group_even_against_its_will(start, tmp_path):
    stubborn = start("/bin/sh", "-c", "trap '' TERM; sleep 61 & echo $!; wait; sleep 60")
    until(lambda: (tmp_path / "log").read_text().strip())
    child = int((tmp_path / "log").read_text())
    processes.stop([stubborn], grace=0.2)
    assert not stubborn.alive
    until(lambda: processes.start_time(child) is None)
    assert processes.strays(tmp_path) == []


def test_a_recycled_pid_is_another_process_and_is_not_touched():
    somebody = subprocess.Popen(SLEEP)
    try:
        recycled = Process(somebody.pid, "12345")
        assert not recycled.alive
        processes.stop([recycled], grace=0.1)
        assert somebody.poll() is None
    finally:
        somebody.kill()
        somebody.wait()


def test_one_that_ended_and_was_not_collected_is_not_alive():
    zombie = subprocess.Popen(["/bin/true"])
    process = Process(zombie.pid, processes.start_time(zombie.pid) or "")
    until(lambda: not process.alive)
    zombie.wait()


def test_a_program_that_is_not_there(tmp_path):
    with pytest.raises(PlatformError, match="/no/such/program cannot be started"):
        processes.spawn(["/no/such/program"], log=tmp_path / "log", folder=tmp_path, environment={})


def test_ports():
    ports = processes.free_ports(8)
    assert len(set(ports)) == 8
    assert all(map(processes.port_is_free, ports))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not processes.port_is_free(taken.getsockname()[1])
        assert not processes.answers(f"http://127.0.0.1:{taken.getsockname()[1]}/", timeout=0.2)
    assert not processes.answers(f"http://127.0.0.1:{ports[0]}/")


def test_strays_are_only_leaders_of_this_folder(start, tmp_path):
    parent = start("/bin/sh", "-c", "sleep 60 & wait")
    until(lambda: processes.strays(tmp_path) == [parent])
    assert processes.strays(tmp_path / "other") == []


def test_last_lines(tmp_path):
    log = tmp_path / "log"
    assert processes.last_lines(log) == ""
    log.write_text("one\n\ntwo\nthree\n" + "x" * 400 + "\n")
    assert processes.last_lines(log, 2) == "three | " + "x" * 300


def test_a_full_disk_in_words():
    assert processes.said(OSError(28, "No space left", "/x")) == "the disk is full (/x)"


def test_daemons_outlive_the_program_that_started_them(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from ansible_collections.aiplatform.eks.plugins.module_utils._local.processes import spawn\n"
        "here = Path(sys.argv[1])\n"
        "print(spawn(['/bin/sleep', '60'], log=here / 'log', folder=here, environment={}).pid)"
    )
    root = str(Path(__file__).resolve().parents[3] / "build/collections")
    parent = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    )
    assert parent.stderr == ""
    (process,) = processes.strays(tmp_path)
    assert process.pid == int(parent.stdout)
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: not process.alive)
