"""A real control plane for the session: etcd, API server, controllers, scheduler, and kwok for nodes and pods.

Started by the module's own code. Each pytest worker starts its own, on free ports, and leaves no process behind, even
when it is killed.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._local.local_cloud import USE_CASE
from cloud_guard import guarded

ROOT = Path(__file__).resolve().parent.parent.parent
HOME = ROOT / "build/collections/ansible_collections/aiplatform/eks/roles/local_cloud/files"
DEFAULTS = {name: option.get("default") for name, option in USE_CASE.spec.options.items()}


@dataclass(frozen=True)
class Cluster:
    """Where the session's cluster is."""

    kubeconfig: Path
    kubeconfig_user: Path
    kubeconfig_readonly: Path
    bin: Path


def local_cloud(run_dir: Path, *, check_mode: bool = False, **options: t.Any) -> dict[str, t.Any]:
    """Run the module's use case and return its result, with the diff."""
    values = {
        **DEFAULTS,
        "home": str(HOME),
        "aws": False,
        "simulator": False,
        "timeout": 180,
        "run_dir": str(run_dir),
        **options,
    }
    context = Context(check_mode=check_mode, diff_mode=True)
    return USE_CASE.run(values, context).to_result(context)


@pytest.fixture(scope="session")
def converge_local_cloud() -> Callable[..., dict[str, t.Any]]:
    """The function that starts and stops a local cloud of one's own (without AWS unless asked for)."""
    return local_cloud


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A complete control plane, torn down at the end of the session."""
    run_dir = tmp_path_factory.mktemp("cluster")
    with guarded(run_dir):
        cloud = local_cloud(run_dir)
        yield Cluster(
            kubeconfig=Path(cloud["kubeconfig"]),
            kubeconfig_user=Path(cloud["kubeconfig_user"]),
            kubeconfig_readonly=Path(cloud["kubeconfig_readonly"]),
            bin=Path(cloud["binaries"]),
        )


@pytest.fixture(scope="session")
def whole_local_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, t.Any]]:
    """The module's result for a cloud with the AWS emulator and the simulator of nodes; torn down at the end."""
    run_dir = tmp_path_factory.mktemp("whole-cloud")
    with guarded(run_dir):
        yield local_cloud(run_dir, aws=True, simulator=True)
