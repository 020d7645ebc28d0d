# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Child programs that outlive us: started detached, recognised by pid and start time, ended for certain."""

from __future__ import annotations

import errno
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from .._core.errors import PlatformError

MARK = "AIPLATFORM_LOCAL_CLOUD"  # in a child's environment: the run folder that it belongs to
PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """One process for certain: a pid may be given again, but not with the same start time.

    :param started: what the system says of its start (ticks since boot on Linux), never empty.
    """

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; one that ended but was not collected by its parent does not."""
        return start_time(self.pid) == self.started


def start_time(pid: int) -> str | None:
    """When the process with this pid was started, or None when there is none that runs."""
    if not PROC.is_dir():
        listed = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        state, _space, started = listed.stdout.strip().partition(" ")
        return started.strip() if started and not state.startswith("Z") else None
    try:
        # The command's name stands in brackets and may hold anything: what we want comes after the last bracket.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    # Of a program that is ending, the first thread can be gone while others still hold its files and ports.
    ended = fields[0] in ("Z", "X") and int(fields[17]) <= 1
    return None if ended else fields[19]


def spawn(command: Sequence[str], *, log: Path, folder: Path, environment: Mapping[str, str]) -> Process:
    """Start a program in a session of its own; its output goes to the log.

    :raises PlatformError: it cannot be started.
    """
    try:
        with log.open("wb") as output:
            child = subprocess.Popen(
                list(command),
                cwd=folder,
                env={**os.environ, **environment, MARK: str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        raise PlatformError(f"{command[0]} cannot be started: {said(error)}") from error
    child.returncode = 0  # it is to outlive us: the interpreter must not warn that nobody waited for it
    return Process(child.pid, start_time(child.pid) or "ended at once")


def stop(processes: Iterable[Process], *, grace: float = 0.0, certain: float = 10.0) -> None:
    """End processes and their groups: by force, or first by request when there is a grace (seconds).

    A local cloud has nothing to save, and an API server that is asked to end waits for ever once etcd is gone.

    :raises PlatformError: one is still there, which only the system's administrator can explain.
    """
    todo = [process for process in processes if process.alive]
    requests = ((signal.SIGTERM, grace),) if grace else ()
    for number, seconds in (*requests, (signal.SIGKILL, certain)):
        for process in todo:
            _signal(process, number)
        deadline = time.monotonic() + seconds
        while todo and time.monotonic() < deadline:
            time.sleep(0.02)
            todo = [process for process in todo if not _ended(process)]
    if todo:
        raise PlatformError(f"processes {', '.join(str(process.pid) for process in todo)} do not end, even by SIGKILL")


def _ended(process: Process) -> bool:
    try:
        os.waitpid(process.pid, os.WNOHANG)  # ours, when this very process started it: leave no zombie
    except ChildProcessError:
        pass
    return not process.alive


def _signal(process: Process, number: int) -> None:
    if not process.alive:
        return
    try:
        os.killpg(process.pid, number)
    except PermissionError as error:
        raise PlatformError(f"process {process.pid} belongs to another user: {error}") from error
    except ProcessLookupError:
        pass


def strays(folder: Path) -> list[Process]:
    """The processes of this user that were started for a run folder, whatever its state file says (Linux only)."""
    mark = f"{MARK}={folder}".encode()
    found = []
    for entry in PROC.glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        pid = int(entry.name)
        started = start_time(pid)
        # Only leaders of a session: a program that one of ours started inherits the mark and goes with its group.
        if mark in environment and started and _leads(pid):
            found.append(Process(pid, started))
    return found


def _leads(pid: int) -> bool:
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:
        return False


def memory(process: Process) -> int:
    """Resident memory in bytes; 0 when it does not run or the system does not say."""
    try:
        pages = int((PROC / str(process.pid) / "statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _number in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def port_is_free(port: int) -> bool:
    """Whether a program could listen on this port of 127.0.0.1."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(url: str, *, authority: Path | None = None, timeout: float = 5.0) -> bool:
    """Whether a GET is answered with 200; proxies are not asked."""
    parts = urlsplit(url)
    connection: HTTPConnection
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=str(authority))
            connection = HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout, context=context)
        else:
            connection = HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        try:
            connection.request("GET", parts.path)
            return connection.getresponse().status == 200
        finally:
            connection.close()
    except (OSError, HTTPException):
        return False


def last_lines(log: Path, count: int = 3) -> str:
    """The end of a log on one line."""
    try:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    return " | ".join(line[:300] for line in lines[-count:])


def said(error: OSError) -> str:
    """An operating system's error in words."""
    if error.errno == errno.ENOSPC:
        return f"the disk is full ({error.filename or 'no space left'})"
    return str(error)


__all__ = (
    "MARK",
    "Process",
    "answers",
    "free_ports",
    "last_lines",
    "memory",
    "port_is_free",
    "said",
    "spawn",
    "start_time",
    "stop",
    "strays",
)
