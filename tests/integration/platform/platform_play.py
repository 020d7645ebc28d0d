# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One play of one role, and what its tasks gave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Played:
    """Results of a play by task name; tasks that were skipped or not reached are absent."""

    tasks: dict[str, dict[str, t.Any]]

    @property
    def changed(self) -> list[str]:
        """Tasks that changed something."""
        return [name for name, one in self.tasks.items() if one.get("changed")]

    @property
    def failure(self) -> str:
        """What the failed task said; empty when none failed."""
        return next((str(one["msg"]) for one in self.tasks.values() if one.get("failed")), "")


@dataclass(frozen=True)
class Playing:
    """Plays roles with ansible-playbook.

    :param environment: further environment variables, such as the emulated AWS of a local cloud.
    """

    scratch: Path
    kubeconfig: Path
    binaries: Path
    environment: dict[str, str] = field(default_factory=dict)

    def play(self, role: str, *, check: bool = False, fails: bool = False, **variables: t.Any) -> Played:
        """Play one role; it must succeed, or fail when the test says so."""
        path = self.scratch / f"{role}.yml"
        book = {"hosts": "localhost", "gather_facts": False, "roles": [f"aiplatform.eks.{role}"], "vars": variables}
        path.write_text(json.dumps([book]), encoding="utf-8")
        environment = {
            **os.environ,
            **self.environment,
            "PATH": f"{self.binaries}:{os.environ['PATH']}",
            "KUBECONFIG": str(self.kubeconfig),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"),
        }
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local", str(path)]
        command += ["-e", f"ansible_python_interpreter={sys.executable}", "--diff", *(["--check"] if check else [])]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=180
        )
        found = {
            task["task"]["name"].removeprefix(f"aiplatform.eks.{role} : "): task["hosts"]["localhost"]
            for one in json.loads(done.stdout[done.stdout.index("{") :])["plays"]
            for task in one["tasks"]
            if not task["hosts"].get("localhost", {"skipped": True}).get("skipped")
        }
        played = Played(found)
        assert bool(played.failure) == fails, played.failure or "the play did not fail"
        return played
