"""Play roles for tests: each play is a role with its variables; the answer is what changed in it and what it said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = "localhost"


@dataclass(frozen=True)
class Played:
    """What one play did.

    :param tasks: the result of each task that ran, by the task's name.
    """

    tasks: Mapping[str, Mapping[str, t.Any]]

    @property
    def changed(self) -> list[str]:
        """The names of the tasks that changed something."""
        return [name for name, result in self.tasks.items() if result.get("changed")]

    @property
    def failures(self) -> dict[str, str]:
        """What failed, in words, by task."""
        return {name: "; ".join(_said(one)) for name, one in self.tasks.items() if one.get("failed")}


def _said(result: Mapping[str, t.Any]) -> list[str]:
    """What a failed task said, and what each failed item of its loop said."""
    items = [one for one in result.get("results") or () if one.get("failed")]
    return [f"{one.get('msg')} {one.get('module_stderr', '')}".strip() for one in items or [result]]


def play_roles(
    plays: Sequence[tuple[str, Mapping[str, t.Any]]],
    *,
    scratch: Path,
    environment: Mapping[str, str],
    arguments: Sequence[str] = (),
) -> list[Played]:
    """Play roles one after the other in one run of ansible-playbook.

    :param plays: pairs of role and variables.
    """
    book = scratch / "plays.yml"
    document = [
        {
            "name": f"Play {role}",
            "hosts": HOST,
            "gather_facts": False,
            "roles": [f"aiplatform.eks.{role}"],
            "vars": given,
        }
        for role, given in plays
    ]
    book.write_text(json.dumps(document), encoding="utf-8")
    return run_playbook(book, environment=environment, arguments=["-i", f"{HOST},", "-c", "local", *arguments])


def play_states(
    role: str,
    states: Sequence[str],
    *,
    variables: Mapping[str, t.Any],
    cluster: t.Any,
    scratch: Path,
    check: bool = False,
    secret: str,
) -> list[Played]:
    """Play a role once for each state, in one run with ``--diff``, on a local control plane.

    :param secret: what must be in nothing that the run says.
    """
    found = play_roles(
        [(role, {**variables, f"{role}_state": state}) for state in states],
        scratch=scratch,
        environment={
            "KUBECONFIG": str(cluster.kubeconfig),
            "PATH": f"{cluster.bin}:/usr/local/bin:/usr/bin:/bin",
            "XDG_CACHE_HOME": str(scratch / "cache"),
        },
        arguments=["--diff", *(["--check"] if check else [])],
    )
    assert [one.failures for one in found] == [{}] * len(states)
    assert secret not in json.dumps([dict(one.tasks) for one in found], default=dict)
    return found


def run_playbook(book: Path, *, environment: Mapping[str, str], arguments: Sequence[str] = ()) -> list[Played]:
    """Run a playbook of one host; one answer for each play.

    :raises AssertionError: when it wrote no report.
    """
    settings = {
        **os.environ,
        **environment,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"),
    }
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(book), *arguments]
    command += ["-e", f"ansible_python_interpreter={sys.executable}"]
    done = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, check=False, timeout=280)
    assert "{" in done.stdout, done.stdout + done.stderr
    report = json.loads(done.stdout[done.stdout.index("{") :])
    return [_played(play) for play in report["plays"]]


def _played(play: Mapping[str, t.Any]) -> Played:
    tasks = {}
    for task in play["tasks"]:
        name = str(task["task"]["name"]).rpartition(" : ")[2]
        for result in task["hosts"].values():
            if not result.get("skipped"):
                tasks[name] = result
    return Played(tasks)
