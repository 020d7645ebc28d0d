"""The whole production inventory by site.yml on the local cloud: made from nothing, checked, run again unchanged."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Row, median_seconds, seconds

ROOT = Path(__file__).resolve().parent.parent
NO_PEER = "none: no other tool makes this platform on one machine"


def rows() -> Iterator[Row]:
    """Make the platform in a folder of its own, measure, stop it."""
    with tempfile.TemporaryDirectory() as folder:

        def play(book: str, *arguments: str) -> None:
            command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "inventories/production", book]
            command += ["-e", "aiplatform_cloud=local", "-e", f"local_cloud_run_dir={folder}/run", *arguments]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"{book} failed:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")

        def row(work: str, ours: float, budget: float | None = None) -> Row:
            return Row("site", work, ours, "s", NO_PEER, figure="value", budget=budget)

        try:
            play("playbooks/local_cloud.yml")
            yield row("production, made from nothing", seconds(lambda: play("site.yml")))
            unchanged = median_seconds(lambda: play("site.yml"), warm_up=False)
            yield row("production, unchanged", unchanged, 15)
            yield row("production, --check of the unchanged", seconds(lambda: play("site.yml", "--check")))
        finally:
            play("playbooks/local_cloud.yml", "-e", "local_cloud_state=stopped")
