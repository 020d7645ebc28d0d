# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: run_record
type: aggregate
short_description: Write what a run changed, and how long it took, to a file
version_added: 0.1.0
author:
  - The aiplatform.eks engineers (@aiplatform)
description:
  - Writes one JSON document when the playbook ends - counts per host, the tasks that changed something, the tasks that
    failed with their messages, and the slowest tasks. A failure that a C(rescue) section deals with is none.
  - The document is there from the beginning and grows with each change, so that M(aiplatform.eks.platform_report) can
    say what the run changed so far; then it has no counts.
  - Holds no arguments of tasks, and of results only the C(steps) of this collection's modules, which name what
    changed and never show a value, so no secret. The steps and the message of a task with C(no_log) are left out.
  - C(playbooks/rehearse.yml) judges its steps by such records.
requirements:
  - Enable it with C(ANSIBLE_CALLBACKS_ENABLED=aiplatform.eks.run_record).
options:
  path:
    description: The file to write. Without it nothing is written.
    type: path
    env:
      - name: AIPLATFORM_RUN_RECORD
    ini:
      - section: callback_run_record
        key: path
  slowest:
    description: How many of the slowest tasks are listed.
    type: int
    default: 10
    env:
      - name: AIPLATFORM_RUN_RECORD_SLOWEST
    ini:
      - section: callback_run_record
        key: slowest
"""

EXAMPLES = r"""
record: |
  ANSIBLE_CALLBACKS_ENABLED=aiplatform.eks.run_record AIPLATFORM_RUN_RECORD=run.json ansible-playbook site.yml
"""

import json
import os
import time
import typing as t
from pathlib import Path

from ansible.plugins.callback import CallbackBase

OURS = "aiplatform.eks."
VARIABLE = "AIPLATFORM_RUN_RECORD"
CENSORED = "censored, because the task has no_log"


class Record:
    """What is worth keeping of a run. Times in seconds of a monotonic clock."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.started = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
        self.changed: list[dict[str, t.Any]] = []
        self.failed: list[dict[str, str]] = []
        self.seconds: dict[str, tuple[str, float]] = {}
        self._running: tuple[str, str, float] | None = None

    def begin(self, *, uuid: str, name: str) -> None:
        """A task began, so the one before has ended."""
        self.end()
        self._running = (uuid, name, time.monotonic())

    def end(self) -> None:
        """The running task, if there is one, has ended."""
        if self._running is not None:
            uuid, name, since = self._running
            self.seconds[uuid] = (name, time.monotonic() - since)
        self._running = None

    def document(self, hosts: dict[str, dict[str, int]], *, slowest: int) -> dict[str, t.Any]:
        """The record as written: hosts {name: counts}, changed and failed tasks, seconds."""
        ranked = sorted(self.seconds.values(), key=lambda one: -one[1])[:slowest]
        return {
            "started": self.started,
            "hosts": hosts,
            "changed": self.changed,
            "failed": self.failed,
            "seconds": round(time.monotonic() - self.start, 2),
            "slowest": [{"task": name, "seconds": round(seconds, 2)} for name, seconds in ranked],
        }


def is_rescued(task: t.Any) -> bool:
    """Whether a failure of this task is dealt with by the rescue section of a block around it."""
    inner, outer = task, task._parent
    while outer is not None:
        if getattr(outer, "rescue", None) and inner._uuid in {one._uuid for one in outer.block}:
            return True
        inner, outer = outer, outer._parent
    return False


class CallbackModule(CallbackBase):
    """Fills a record and writes it at the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "aiplatform.eks.run_record"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._record = Record()

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        if path := self.get_option("path"):
            # Wherever the path was said, a task of this run finds it here: ansible.builtin.config knows no plugin of a
            # collection by its name.
            os.environ[VARIABLE] = path
        self._write({})

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        self._record.begin(uuid=task._uuid, name=task.get_name())

    def v2_runner_on_ok(self, result: t.Any) -> None:
        if result.is_changed():
            self._record.changed.append({**self._where(result), "steps": self._steps(result)})
            self._write({})

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        if not ignore_errors and not is_rescued(result.task):
            self._record.failed.append({**self._where(result), "message": self._message(result)})

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self.v2_runner_on_failed(result)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        self._record.end()
        self._write({host: dict(stats.summarize(host)) for host in sorted(stats.processed)})

    def _write(self, hosts: dict[str, dict[str, int]]) -> None:
        path = self.get_option("path")
        if not path:
            return
        document = self._record.document(hosts, slowest=self.get_option("slowest"))
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(f"{path}.{os.getpid()}")
        unfinished.write_text(json.dumps(document, indent=2), encoding="utf-8")
        unfinished.replace(path)

    @staticmethod
    def _where(result: t.Any) -> dict[str, str]:
        return {"host": result.host.get_name(), "task": result.task.get_name()}

    @staticmethod
    def _steps(result: t.Any) -> list[str]:
        ours = str(result.task.action).startswith(OURS) and not result.task.no_log
        return [str(one) for one in result.result.get("steps") or ()] if ours else []

    @staticmethod
    def _message(result: t.Any) -> str:
        return CENSORED if result.task.no_log else str(result.result.get("msg", ""))
