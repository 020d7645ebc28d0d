from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from helm_bench import NODE, Bench


@pytest.fixture
def bench(cluster: t.Any, tmp_path: Path) -> Bench:
    found = Bench(cluster, tmp_path)
    found.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", text=NODE)
    return found
