# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A child process that is asked to end before it is made to, and what it complained of, without secrets."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

LOOK_EVERY = 1.0
GRACE = 30.0  # for a helm that was asked to end: it writes the release down as failed


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    :param code: its exit status; negative when a signal ended it.
    :param asked: whether it had to be asked to end, because it did not do so within its limit.
    :param killed: whether it did not even then, and was killed.
    """

    code: int
    out: str
    complaint: str
    asked: bool = False
    killed: bool = False


def call(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    limit: float,
    grace: float = GRACE,
    heed: Callable[[], None] = lambda: None,
) -> Ended:
    """Run a command to its end: after C(limit) seconds it gets SIGTERM, C(grace) seconds later SIGKILL.

    An error that comes meanwhile, such as the user's Ctrl-C, ends it in the same two steps.

    :param heed: called once a second; raises when nobody waits for the command any more.
    """
    deadline = time.monotonic() + limit
    with subprocess.Popen(
        list(command), env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            while (left := deadline - time.monotonic()) > 0:
                heed()
                try:
                    out, complaint = process.communicate(timeout=min(LOOK_EVERY, left))
                except subprocess.TimeoutExpired:
                    continue
                return Ended(process.returncode, out, complaint)
            return _ended(process, grace)
        except BaseException:
            _ended(process, grace)
            raise


def _ended(process: subprocess.Popen[str], grace: float) -> Ended:
    process.terminate()
    try:
        out, complaint = process.communicate(timeout=grace)
        return Ended(process.returncode, out, complaint, asked=True)
    except subprocess.TimeoutExpired:
        process.kill()
        out, complaint = process.communicate()
        return Ended(process.returncode, out, complaint, asked=True, killed=True)


__all__ = ("Ended", "call")
