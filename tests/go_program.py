"""A program for tests that a ``go.mod`` with a tool line describes: from the cache, or built once (2-4 minutes).

``python tests/go_program.py helm3`` provides one and prints its path.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "build/collections"))

from ansible_collections.aiplatform.eks.plugins.module_utils._local.binaries_build import Builder

TESTS = ROOT / "tests"


@dataclass(frozen=True)
class Program:
    """What the module in the folder of that name makes.

    :param file: the program that the build makes.
    :param tags: build tags, by commas.
    """

    file: str
    tags: str = ""


PROGRAMS = {
    "helm3": Program("helm"),
    # Without the clients of thirty clouds and without the web interface.
    "promtool": Program("promtool", tags="remove_all_sd,builtinassets"),
}


def provide(name: str) -> Path:
    """The program of the module in the folder C(tests/<name>); built when the cache does not hold it."""
    program = PROGRAMS[name]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "aiplatform-eks" / name
    digest = hashlib.sha256((TESTS / name / "go.sum").read_bytes() + program.tags.encode()).hexdigest()[:16]
    target = cache / f"{platform.system().lower()}-{platform.machine()}-{digest}" / program.file
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may be building it
        if not target.exists():
            _build(TESTS / name, target, program.tags)
    return target


def _build(source: Path, target: Path, tags: str) -> None:
    """Build into a folder of its own, then move it to its place: a half-built program is never found."""
    builder = Builder(source=source, cache=target.parent.parent, progress=lambda line: print(line, file=sys.stderr))
    go = builder.find_go() or builder.install_go()
    partial = target.parent / "partial"
    command = [str(go), "install", "-trimpath", "-tags", tags, "-ldflags", "-s -w", "tool"]
    environment = {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOWORK": "off", "GOBIN": str(partial)}
    ended = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{target.name} cannot be built: {ended.stderr[-2000:]}"
    (partial / target.name).replace(target)


if __name__ == "__main__":
    print(provide(sys.argv[1]))
