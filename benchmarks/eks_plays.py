"""Plays against the emulated AWS: ours and those of community.aws, timed with their API calls."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROLE = "arn:aws:iam::123456789012:role/"
Record = dict[str, t.Any]


@dataclass(frozen=True)
class Played:
    """Wall time of a play in seconds, and how many API calls it made."""

    seconds: float
    calls: int


@contextmanager
def emulated_stage() -> Iterator[Stage]:
    """A stage with an emulated account of its own."""
    sys.path.insert(0, str(ROOT / "tests"))
    from emulator_fixture import Emulator, start_emulator, stop_emulator

    with tempfile.TemporaryDirectory() as folder:
        process, endpoint = start_emulator(Path(folder) / "emulator.log")
        try:
            yield Stage(Emulator(endpoint), Path(folder))
        finally:
            stop_emulator(process)


class Stage:
    """Plays on localhost with one emulated account.

    :param emulator: of tests/emulator_fixture.py.
    """

    def __init__(self, emulator: t.Any, folder: Path) -> None:
        self.emulator = emulator
        self._folder = folder
        self._ansible = str(Path(sys.executable).parent / "ansible-playbook")

    def play(self, *tasks: Record) -> Played:
        """Run the tasks in one play.

        :raises RuntimeError: when the play fails.
        """
        book = self._folder / "play.yml"
        book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}]))
        environment = {
            **os.environ,
            **self.emulator.env,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_LOCALHOST_WARNING": "false",
        }
        self.emulator.clear_calls()
        begun = time.perf_counter()
        done = subprocess.run(
            [self._ansible, "-i", "localhost,", "-c", "local", str(book)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=self._folder,
        )
        seconds = time.perf_counter() - begun
        if done.returncode:
            raise RuntimeError(f"the play failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return Played(seconds, len(self.emulator.calls()))

    def median(self, *tasks: Record, repeat: int = 3) -> Played:
        """The median of several runs that change nothing."""
        runs = [self.play(*tasks) for _number in range(repeat)]
        return Played(statistics.median(run.seconds for run in runs), runs[-1].calls)


def pools(cluster: str, count: int, subnets: list[str], **first: t.Any) -> Record:
    """Our task for so many pools; C(first) is laid over the first one."""
    rows = [
        {"name": f"pool-{number}", "instance_types": ["m7i.large"], "scaling": {"min": 1, "max": 3}}
        for number in range(count)
    ]
    rows[0] |= first
    task = {"cluster_name": cluster, "node_role": f"{ROLE}nodes", "subnets": subnets, "pools": rows, "poll_interval": 1}
    return {"aiplatform.eks.eks_node_pools": task}


def peer_pools(cluster: str, count: int, subnets: list[str], *, wait: bool) -> Record:
    """The same by community.aws in a loop."""
    task = {
        "name": "{{ item }}",
        "cluster_name": cluster,
        "node_role": f"{ROLE}nodes",
        "subnets": subnets,
        "instance_types": ["m7i.large"],
        "scaling_config": {"min_size": 1, "max_size": 3, "desired_size": 1},
        "wait": wait,
    }
    return {"community.aws.eks_nodegroup": task, "loop": [f"peer-{number}" for number in range(count)]}


def cluster_task(module: str, cluster: str, subnets: list[str], **more: t.Any) -> Record:
    """A cluster that is as wanted."""
    return {module: {"name": cluster, "role_arn": f"{ROLE}cluster", "subnets": subnets, **more}}
