"""What a task costs through each door: a look at the nodes, fifty times, against an empty task and a foreign module."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.control_plane import control_plane
from benchmarks.harness import Row, median_seconds

ROOT = Path(__file__).resolve().parent.parent
TASKS = 50
Task = dict[str, object]


def rows() -> Iterator[Row]:
    """Milliseconds per task."""
    environment = {"K8S_AUTH_KUBECONFIG": str(control_plane().kubeconfig)}
    look: Task = {"aiplatform.eks.k8s_nodes_info": {}}
    foreign: Task = {"kubernetes.core.k8s_info": {"api_version": "v1", "kind": "Node"}}
    empty = per_task(environment, {"ansible.builtin.assert": {"that": [True], "quiet": True}})
    here = per_task(environment, look)
    process = per_task(environment, look, in_process=False, tasks=10)
    peer = per_task(environment, foreign, tasks=10)
    yield Row("door", "a task that does nothing (assert)", empty, "ms", "none: the floor of Ansible")
    yield Row("door", "k8s_nodes_info, in process", here, "ms", "the same in a module process", process)
    yield Row("door", "k8s_nodes_info, in process", here, "ms", "kubernetes.core.k8s_info", peer)


def per_task(
    environment: dict[str, str], task: dict[str, object], *, in_process: bool = True, tasks: int = TASKS
) -> float:
    """Milliseconds that one more task costs: a play of many against a play of one."""
    many, one = (play_seconds(environment, task, count=count, in_process=in_process) for count in (tasks + 1, 1))
    return (many - one) / tasks * 1000


def play_seconds(environment: dict[str, str], task: Task, *, count: int, in_process: bool) -> float:
    """Median wall time of a play."""
    play = [
        {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": {"aiplatform_in_process": in_process, "ansible_python_interpreter": sys.executable},
            "tasks": [task] * count,
        }
    ]
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "play.yml"
        book.write_text(json.dumps(play), encoding="utf-8")
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(book)]
        return median_seconds(
            lambda: subprocess.run(
                command,
                cwd=ROOT,
                env={**os.environ, **environment, "ANSIBLE_LOCALHOST_WARNING": "false"},
                check=True,
                capture_output=True,
            ),
            repeat=3,
        )
