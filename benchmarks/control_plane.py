"""A control plane for the benchmarks: the local cloud's own, started once per run and stopped at its end."""

from __future__ import annotations

import atexit
import functools
import json
import re
import shutil
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class ControlPlane:
    """Where it is."""

    kubeconfig: Path
    bin: Path
    home: Path

    @property
    def port(self) -> int:
        """The API server's port."""
        return int(self._match().group(2))

    def through(self, port: int) -> Path:
        """A kubeconfig that reaches the API server through this local port."""
        text = self.kubeconfig.read_text()
        path = self.home / f"kubeconfig-{port}"
        path.write_text(text.replace(self._match().group(0), f"{self._match().group(1)}{port}"))
        path.chmod(0o600)
        return path

    def _match(self) -> re.Match[str]:
        found = re.search(r"(https://127\.0\.0\.1:)(\d+)", self.kubeconfig.read_text())
        assert found, f"no local server in {self.kubeconfig}"
        return found


@functools.cache
def control_plane() -> ControlPlane:
    """The control plane of this benchmark run."""
    from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
    from ansible_collections.aiplatform.eks.plugins.module_utils._local.local_cloud import USE_CASE

    defaults = {name: option.get("default") for name, option in USE_CASE.spec.options.items()}
    home = Path(tempfile.mkdtemp(prefix="aiplatform-bench-"))
    files = ROOT / "build/collections/ansible_collections/aiplatform/eks/roles/local_cloud/files"
    options: dict[str, t.Any] = {
        **defaults,
        "home": str(files),
        "aws": False,
        "simulator": False,
        "timeout": 180,
        "run_dir": str(home / "cloud"),
    }

    def stop() -> None:
        USE_CASE.run({**options, "state": "stopped"}, Context())
        shutil.rmtree(home, ignore_errors=True)

    atexit.register(stop)
    found = USE_CASE.run(options, Context()).to_result(Context())
    return ControlPlane(Path(found["kubeconfig"]), Path(found["binaries"]), home)


def node(name: str) -> str:
    """A simulated node with room for 250 pods, as JSON."""
    capacity = {"cpu": "192", "memory": "2Ti", "pods": "250"}
    status = {"capacity": capacity, "allocatable": capacity}
    return json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": status})
