"""A secret that is given to a run appears nowhere but in the cluster: no output, diff, log, record or report."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cloud_guard import guarded

ROOT = Path(__file__).resolve().parents[2]
CANARY = "canary-Xk7fQ2vLw9"
VARIABLES = f"""
aiplatform_cloud: local
aiplatform_components: [monitoring]
monitoring_grafana_password: {CANARY}
report_path: {{folder}}/report.html
local_cloud_run_dir: {{folder}}/cloud
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with guarded(tmp_path / "cloud"):
        yield tmp_path


def play(folder: Path, *more: str) -> str:
    given = folder / "variables.yml"
    given.write_text(VARIABLES.replace("{folder}", str(folder)), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(ROOT / "inventories/local")]
    done = subprocess.run(
        [*command, str(ROOT / "site.yml"), "-e", f"@{given}", "-vvv", "--diff", *more],
        cwd=ROOT,
        env={**os.environ, "AIPLATFORM_RUN_RECORD": str(folder / "record.json")},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    given.unlink()
    assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout + done.stderr


def forms(secret: str) -> list[bytes]:
    """The secret as text and as it stands in Secrets, at each of the three offsets of base64."""
    shifted = [base64.b64encode(b"x" * shift + secret.encode())[4 if shift else 0 : -4] for shift in range(3)]
    return [secret.encode(), *shifted]


def test_the_password_appears_nowhere(folder: Path) -> None:
    texts = {"run": play(folder), "check": play(folder, "--check")}
    found = [name for name, text in texts.items() for form in forms(CANARY) if form in text.encode()]
    files = [path for path in folder.rglob("*") if path.is_file() and "etcd" not in path.parts]
    assert {"report.html", "record.json"} <= {path.name for path in files}
    found += [str(path) for path in files for form in forms(CANARY) if form in path.read_bytes()]
    assert found == []
