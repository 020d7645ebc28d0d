"""What the acceptance tests share: the artefact that Galaxy gets, and how a user calls Ansible."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def run(*command: str, cwd: Path, timeout: float = 300, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the virtual environment as a user would: nothing of this checkout in the environment."""
    ours = ("ANSIBLE_", "GALAXY_", "AWS_", "KUBECONFIG", "K8S_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=cwd,
        env={**clean, "PATH": f"{BIN}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


@pytest.fixture(scope="session")
def user() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a program as a user of the collection."""
    return run


@pytest.fixture(scope="session")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `ansible-galaxy collection build` makes of this checkout."""
    folder = tmp_path_factory.mktemp("artefact")
    built = run("ansible-galaxy", "collection", "build", "--output-path", str(folder), cwd=ROOT)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.tar.gz")
    return path
