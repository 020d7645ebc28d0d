"""Local clouds of tests end with their test session, even when it is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.aiplatform.eks.plugins.module_utils._local.processes import stop, strays

ROOT = Path(__file__).resolve().parents[1]
GUARD = """
import sys
from pathlib import Path
from ansible_collections.aiplatform.eks.plugins.module_utils._local.processes import stop, strays
sys.stdin.read()
stop(strays(Path(sys.argv[1])))
"""


@contextmanager
def guarded(run_dir: Path) -> Iterator[None]:
    """Stop what runs for that folder at the end, whatever ends us: the guard notices by the end of a pipe."""
    guard = subprocess.Popen(
        [sys.executable, "-c", GUARD, str(run_dir)],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "build/collections")},
        start_new_session=True,
    )
    try:
        yield
    finally:
        try:
            stop(strays(run_dir))
        finally:
            guard.communicate()
