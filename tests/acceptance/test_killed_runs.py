"""A run that is killed at any moment, and run again, ends where an undisturbed run ends.

``KILLS=20 pytest tests/acceptance/test_killed_runs.py`` kills more often; ``INVENTORY=production`` rehearses another.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.discovery import ApiKind, discover
from cloud_guard import guarded

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("KILLS", "4"))
INVENTORY = os.environ.get("INVENTORY", "local")
SEED = 20261121
# Seconds; the last moment is later where a run takes longer, so that kills fall into every layer.
FIRST, LAST = 2.0, 16.0
# Made by controllers at their own time, or named by chance.
PASSING = {"Event", "Lease", "Pod", "EndpointSlice", "Endpoints", "ControllerRevision", "Node", "CSINode", "PodMetrics"}
# Volumes are named after their claims' identities, addresses after themselves, signing requests by chance.
BY_CHANCE = {"PersistentVolume", "IPAddress.networking.k8s.io", "CertificateSigningRequest.certificates.k8s.io"}


def command(run_dir: Path, *more: str) -> list[str]:
    playbook = str(Path(sys.executable).parent / "ansible-playbook")
    where = ["-e", "aiplatform_cloud=local", "-e", f"local_cloud_run_dir={run_dir}"]
    return [playbook, "-i", str(ROOT / "inventories" / INVENTORY), str(ROOT / "site.yml"), *where, *more]


def finish(run_dir: Path) -> str:
    done = subprocess.run(command(run_dir), cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    return done.stdout


def killed(run_dir: Path, moment: float) -> bool:
    """Whether the run was killed before its end."""
    with subprocess.Popen(
        command(run_dir), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return True
    return False


def objects_of(run_dir: Path) -> set[str]:
    """Every lasting object of the cluster, by kind, namespace and name."""
    client = KubeClient({"kubeconfig": str(run_dir / "kubeconfig")})
    kinds: dict[str, ApiKind] = {}
    for kind in discover(client):
        if "list" in kind.verbs and kind.kind not in PASSING:
            kinds.setdefault(kind.group_kind, kind)
    return {
        f"{name} {item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
        for name, kind in kinds.items()
        for item in client.request("GET", kind.path()).body["items"]
        if "ownerReferences" not in item["metadata"] and name not in BY_CHANCE
    }


def until_nobody_works(run_dir: Path) -> None:
    """Return when no worker of a killed run is left: waits end within seconds, a write when it is answered."""
    give_up = time.monotonic() + 120
    while left := [one.pid for one in psutil.process_iter(["cmdline"]) if works_for(run_dir, one.info["cmdline"])]:
        assert time.monotonic() < give_up, f"workers outlived their killed runs: {left}"
        time.sleep(0.5)


def works_for(run_dir: Path, words: list[str] | None) -> bool:
    """Whether a process is ansible-playbook, or a worker of it, with this folder."""
    return f"local_cloud_run_dir={run_dir}" in (words or ()) and any("ansible-playbook" in word for word in words or ())


@pytest.fixture
def clouds(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    pair = tmp_path / "undisturbed", tmp_path / "killed"
    with guarded(pair[0]), guarded(pair[1]):
        yield pair


def test_killed_runs_end_where_an_undisturbed_run_ends(clouds: tuple[Path, Path]) -> None:
    undisturbed, disturbed = clouds
    start = time.monotonic()
    finish(undisturbed)
    last = max(LAST, (time.monotonic() - start) / 3)
    chance, hits = random.Random(SEED), 0
    for number in range(1, KILLS + 1):
        moment = chance.uniform(FIRST, last)
        hits += killed(disturbed, moment)
        print(f"kill {number} of {KILLS} after {moment:.1f} s, {hits} were in time", flush=True)
        time.sleep(0.2)
    assert hits, "no run was killed: they end before the first moment"
    until_nobody_works(disturbed)
    finish(disturbed)
    ends = objects_of(disturbed), objects_of(undisturbed)
    assert sorted(ends[0] ^ ends[1]) == []
    again = finish(disturbed)
    assert "changed=0" in again.splitlines()[-2], again[-1500:]
