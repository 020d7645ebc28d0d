from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from go_program import provide
from helm_bench import NODE, Bench


@pytest.fixture(params=["helm 4", "helm 3"])
def bench(request: pytest.FixtureRequest, cluster: t.Any, tmp_path: Path) -> Bench:
    """One namespace and one of the helms that people have: the local cloud's own, and the newest of the line before."""
    helm = provide("helm3") if request.param == "helm 3" else cluster.bin / "helm"
    found = Bench(cluster, tmp_path, helm)
    found.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", text=NODE)
    return found
