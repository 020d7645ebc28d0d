# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rehearse an inventory: run playbooks one after the other and judge each by what it should have changed.

A step is an C(ansible-playbook) of its own, so it does exactly what a user's run does. The callback
C(aiplatform.eks.run_record) tells what it changed; its whole output goes to a log.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import typing as t
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from .._core.argument_spec import ArgumentSpec
from .._core.errors import PlatformError
from .._core.outcome import Context, Outcome, UseCase
from .._core.text import listed

Record = Mapping[str, t.Any]
CALLBACK = "aiplatform.eks.run_record"
MOST_NAMED = 5
PLAY = re.compile(r"^PLAY \[(.+?)\]")

SPEC = ArgumentSpec(
    options={
        "inventories": {"type": "list", "elements": "path", "required": True},
        "log_dir": {"type": "path", "required": True},
        "limit": {"type": "str"},
        "extra_vars": {"type": "dict", "default": {}},
        # One text, since every word of a dictionary that must not be logged would be a secret of the result.
        "outer_vars": {"type": "str", "default": "{}", "no_log": True},
        "vault_ids": {"type": "list", "elements": "str", "default": []},
        "steps": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "name": {"type": "str", "required": True},
                "playbook": {"type": "path", "required": True},
                "check": {"type": "bool", "default": False},
                "extra_vars": {"type": "dict", "default": {}},
                "expect": {"type": "str", "choices": ["success", "unchanged", "as_predicted"], "default": "success"},
                "timeout": {"type": "int", "default": 7200},
            },
        },
    }
)


@dataclass(frozen=True)
class Step:
    """One run of a playbook.

    :param expect: V(success); V(unchanged): no task may change anything; V(as_predicted): the tasks that change
        something are those that the step before, in check mode, said would, each as often.
    :param timeout: seconds, after which it is ended.
    """

    name: str
    playbook: str
    check: bool
    extra_vars: Mapping[str, t.Any]
    expect: str
    timeout: float = 7200


@dataclass(frozen=True)
class Ran:
    """How a step went.

    :param code: exit code of ansible-playbook.
    :param record: what the callback wrote; empty when the run did not come that far.
    :param last: the last line of the output.
    :param late: whether it was ended because it took too long.
    """

    code: int
    record: Record
    last: str = ""
    late: bool = False


Runner = Callable[[Step, Path], Ran]


def changes(record: Record) -> list[str]:
    """The tasks that changed something, as C(host: task), in their order."""
    return [f"{one['host']}: {one['task']}" for one in record.get("changed", ())]


def judge(step: Step, ran: Ran, predicted: Sequence[str]) -> str:
    """What is wrong with how a step went, in a sentence; empty when nothing is."""
    if ran.late:
        return f"it was ended after {step.timeout:.0f} s, at: {ran.last}; raise its timeout if that was too early"
    if ran.code:
        failed = ran.record.get("failed") or [{"task": "ansible-playbook", "message": ran.last}]
        return f"{failed[0]['task']} failed: {failed[0]['message']}"
    done = changes(ran.record)
    if step.expect == "unchanged" and done:
        return f"{len(done)} tasks changed something, wanted is none: {_some(done)}"
    if step.expect == "as_predicted":
        surprising = list((Counter(done) - Counter(predicted)).elements())
        missing = list((Counter(predicted) - Counter(done)).elements())
        parts = [f"not predicted: {_some(surprising)}"] * bool(surprising)
        parts += [f"predicted and not done: {_some(missing)}"] * bool(missing)
        return "; ".join(parts)
    return ""


def rehearse(
    steps: Sequence[Step], runner: Runner, log_dir: Path, say: Callable[[str], None]
) -> list[dict[str, t.Any]]:
    """Run the steps in their order, up to the first that goes wrong.

    :returns: per step that ran: name, passed, problem, changed (count), tasks that changed something, seconds, log.
    """
    verdict: list[dict[str, t.Any]] = []
    predicted: list[str] = []
    for number, step in enumerate(steps, 1):
        log = log_dir / f"{number}-{re.sub('[^a-z0-9]+', '-', step.name.lower())}.log"
        ran = runner(step, log)
        problem = judge(step, ran, predicted)
        predicted = changes(ran.record)
        seconds = float(ran.record.get("seconds", 0.0))
        verdict.append(
            {
                "name": step.name,
                "passed": not problem,
                "problem": problem,
                "changed": len(predicted),
                "tasks": list(ran.record.get("changed", ())),
                "seconds": seconds,
                "log": str(log),
            }
        )
        say(f"{step.name}: {problem or 'as it should be'} ({len(predicted)} changed, {seconds:.0f} s)")
        if problem:
            break
    return verdict


def run(options: Mapping[str, t.Any], context: Context, runner: Runner | None = None) -> Outcome:
    """Rehearse; in check mode only look whether the playbooks are there.

    :raises PlatformError: a step went wrong; the verdict lies in its details.
    """
    steps = [Step(**entry) for entry in options["steps"]]
    if absent := [step.playbook for step in steps if not Path(step.playbook).is_file()]:
        raise PlatformError(f"there is no playbook {listed(absent)}; look at steps[].playbook")
    if context.check_mode:
        return Outcome(facts={"verdict": []})
    log_dir = Path(options["log_dir"])
    log_dir.mkdir(parents=True, exist_ok=True)
    how = runner or partial(play, options, context.clock.say)
    verdict = rehearse(steps, how, log_dir, context.clock.say)
    last = verdict[-1] if verdict else {"passed": True}
    if not last["passed"]:
        brief = [{key: value for key, value in one.items() if key != "tasks"} for one in verdict]
        raise PlatformError(f"step '{last['name']}': {last['problem']}; see {last['log']}", verdict=brief)
    return Outcome(changed=any(one["changed"] for one in verdict), facts={"verdict": verdict})


def play(options: Mapping[str, t.Any], say: Callable[[str], None], step: Step, log: Path) -> Ran:
    """Run one step's playbook with this interpreter's ansible, and say which play it is at."""
    variables = {**json.loads(options["outer_vars"]), **options["extra_vars"], **step.extra_vars}
    with tempfile.TemporaryDirectory(prefix="aiplatform-rehearsal-") as scratch:
        given, record = Path(scratch, "extra_vars.json"), Path(scratch, "record.json")
        given.write_text(json.dumps(variables), encoding="utf-8")  # inside a folder that only we can enter
        command = [sys.executable, "-m", "ansible", "playbook", step.playbook, "--extra-vars", f"@{given}"]
        command += [word for one in options["inventories"] for word in ("--inventory", str(one))]
        command += ["--limit", options["limit"]] if options.get("limit") else []
        command += [word for one in options["vault_ids"] for word in ("--vault-id", one)]
        command += ["--check", "--diff"] if step.check else []
        environment = {**os.environ, "ANSIBLE_CALLBACKS_ENABLED": CALLBACK, "AIPLATFORM_RUN_RECORD": str(record)}
        with log.open("w", encoding="utf-8") as sink:
            ran = _follow(command, environment, sink, lambda name: say(f"{step.name}: {name}"), step.timeout)
        text = record.read_text(encoding="utf-8") if record.exists() else "{}"
    return replace(ran, record=json.loads(text))


def _follow(
    command: Sequence[str],
    environment: Mapping[str, str],
    sink: t.TextIO,
    entered: Callable[[str], None],
    timeout: float,
) -> Ran:
    """Run to the end or to the timeout, write every line, report every play; the answer has no record yet."""
    last, late = "", threading.Event()
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,  # a worker's own stdin does not block, which ansible refuses
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # its workers end with it
    ) as process:
        timer = threading.Timer(timeout, _end, (process, late))
        timer.start()
        try:
            for line in process.stdout or ():
                sink.write(line)
                if found := PLAY.match(line):
                    entered(found.group(1))
                last = line.strip() or last
            process.wait()
        finally:
            timer.cancel()
    return Ran(process.returncode, {}, last, late.is_set())


def _end(process: subprocess.Popen[str], late: threading.Event) -> None:
    late.set()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "Ran", "Step", "changes", "judge", "play", "rehearse", "run")
