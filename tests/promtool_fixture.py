"""Prometheus' own promtool for tests: from PATH, the cache or a build of tests/promtool (2-4 minutes, once).

Use it in a conftest.py: ``from promtool_fixture import promtool`` with an C(__all__).
C(python tests/promtool_fixture.py) provides the program and prints its path.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._local.binaries_build import Builder

SOURCE = Path(__file__).resolve().parent / "promtool"
TAGS = "remove_all_sd,builtinassets"  # without the clients of thirty clouds and without the web interface


def provide_promtool() -> Path:
    """The program; built when it is nowhere."""
    if found := shutil.which("promtool"):
        return Path(found)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "aiplatform-eks" / "promtool"
    digest = hashlib.sha256((SOURCE / "go.sum").read_bytes() + TAGS.encode()).hexdigest()[:16]
    target = cache / f"{platform.system().lower()}-{platform.machine()}-{digest}" / "promtool"
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may be building it
        if not target.exists():
            build(target)
    return target


def build(target: Path) -> None:
    """Build into a folder of its own, then move it to its place: a half-built program is never found."""
    builder = Builder(source=SOURCE, cache=target.parent.parent, progress=lambda line: print(line, file=sys.stderr))
    go = builder.find_go() or builder.install_go()
    partial = target.parent / "partial"
    command = [str(go), "install", "-trimpath", "-tags", TAGS, "-ldflags", "-s -w", "tool"]
    environment = {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOWORK": "off", "GOBIN": str(partial)}
    ended = subprocess.run(command, cwd=SOURCE, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"promtool cannot be built: {ended.stderr[-2000:]}"
    (partial / "promtool").replace(target)


@pytest.fixture(scope="session")
def promtool() -> Path:
    """The program."""
    return provide_promtool()


if __name__ == "__main__":
    print(provide_promtool())
