"""The Kubernetes engine against kubectl and kubernetes.core, on the same objects, server and distance.

Ours is the whole use case as the in-process door runs it: reading the YAML, logging in, discovery, everything. The
door's own cost is measured by group ``door``. Rows against kubernetes.core are whole playbooks less an empty one, for
both sides: a play with one task, and the mean of three (Ansible loads a plugin once in a play, a module each time).
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.control_plane import ControlPlane, control_plane, node
from benchmarks.delay_proxy import delayed
from benchmarks.harness import Row, seconds
from benchmarks.k8s_workload import deployments, manifest, objects

ROOT = Path(__file__).resolve().parent.parent
NUMBERS = itertools.count()
EVERY = 10
UNCHANGED_BUDGET, NEW_BUDGETS = 5.0, {0: 2.0, 20: 6.0}
CORE_BUDGET = 20.0
KINDS, FIXED_REQUESTS = 10, 3
LOOP_SAMPLE = 15
TASKS = 3


@dataclass(frozen=True)
class Bench:
    """One distance to one control plane."""

    plane: ControlPlane
    kubeconfig: Path

    def ours(self, name: str, text: str, **options: t.Any) -> t.Any:
        """Apply a set by our engine."""
        from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
        from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
        from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.apply_use_case import USE_CASE

        given = {"name": name, "objects": text, "kubeconfig": str(self.kubeconfig), "wait": False, **options}
        validation = ArgumentSpecValidator(dict(USE_CASE.spec.options), **USE_CASE.spec.constraints()).validate(given)
        assert not validation.error_messages, validation.error_messages
        return USE_CASE.run(validation.validated_parameters, Context())

    def kubectl(self, *arguments: str, text: str = "") -> None:
        """Run kubectl."""
        command = [
            self.plane.bin / "kubectl",
            "--kubeconfig",
            self.kubeconfig,
            "--cache-dir",
            self.plane.home / "cache",
        ]
        subprocess.run([*command, *arguments], input=text, text=True, check=True, capture_output=True)

    def kubectl_apply(self, text: str, *, server_side: bool = True) -> None:
        """``kubectl apply`` of a manifest."""
        manner = ["--server-side", "--force-conflicts"] if server_side else []
        self.kubectl("apply", *manner, "-f", "-", text=text)


@contextmanager
def at(milliseconds: int) -> Iterator[Bench]:
    """The control plane at this round-trip time."""
    plane = control_plane()
    with delayed(plane.port, milliseconds) as port:
        yield Bench(plane, plane.through(port))


def fresh() -> str:
    """A prefix of namespaces that nobody used."""
    return f"bench{next(NUMBERS)}"


def rows() -> Iterator[Row]:
    """All rows of the group."""
    for rtt in (0, 5, 20):
        with at(rtt) as bench:
            yield from _against_kubectl(bench, count=200, rtt=rtt, repeat=3)
    with at(5) as bench:
        yield from _against_kubectl(bench, count=2000, rtt=5, repeat=1)
        yield _client_side(bench)
        yield from _against_core(bench)
    with at(0) as bench:
        yield from _counted(bench)
        yield _waited(bench)
        yield _memory(bench)


def _against_kubectl(bench: Bench, *, count: int, rtt: int, repeat: int) -> Iterator[Row]:
    peer = "kubectl apply --server-side"
    ours, theirs = fresh(), fresh()
    texts = {prefix: manifest(objects(count, prefix=prefix)) for prefix in (ours, theirs)}
    yield Row(
        "k8s", f"{count} new objects, RTT {rtt} ms",
        seconds(lambda: bench.ours(ours, texts[ours])), "s", peer,
        seconds(lambda: bench.kubectl_apply(texts[theirs])),
        budget=NEW_BUDGETS.get(rtt) if count == 200 else None,
    )  # fmt: skip
    yield Row(
        "k8s", f"{count} unchanged objects, RTT {rtt} ms",
        _median(lambda: bench.ours(ours, texts[ours]), repeat), "s", peer,
        _median(lambda: bench.kubectl_apply(texts[theirs]), repeat),
        budget=UNCHANGED_BUDGET,
    )  # fmt: skip

    def edited(prefix: str) -> str:
        return manifest(objects(count, prefix=prefix, edit=f"edit-{next(NUMBERS)}", every=EVERY))

    mine, other = [edited(ours) for _other in range(repeat)], [edited(theirs) for _other in range(repeat)]
    yield Row(
        "k8s", f"{count} objects, 10 % changed, RTT {rtt} ms",
        _median(lambda: bench.ours(ours, mine.pop()), repeat), "s", peer,
        _median(lambda: bench.kubectl_apply(other.pop()), repeat),
    )  # fmt: skip


def _client_side(bench: Bench) -> Row:
    ours, theirs = fresh(), fresh()
    text, other = manifest(objects(prefix=ours)), manifest(objects(prefix=theirs))
    bench.ours(ours, text)
    bench.kubectl_apply(other, server_side=False)
    return Row(
        "k8s", "200 unchanged objects, RTT 5 ms", _median(lambda: bench.ours(ours, text), 3), "s",
        "kubectl apply, client-side", seconds(lambda: bench.kubectl_apply(other, server_side=False)),
    )  # fmt: skip


def _plays(bench: Bench) -> Path:
    """The playbooks of ours and of the peer, each run once; their folder."""
    ours, theirs = fresh(), fresh()
    documents = objects(prefix=theirs)
    folder = Path(tempfile.mkdtemp(dir=bench.plane.home))
    (folder / "ours.yml").write_text(manifest(objects(prefix=ours)))
    (folder / "theirs.yml").write_text(manifest(documents))
    (folder / "some.json").write_text(json.dumps(documents[-LOOP_SAMPLE:]))
    login = {"kubeconfig": str(bench.kubeconfig)}
    ssa = {"apply": True, "server_side_apply": {"field_manager": "bench"}}
    plays = {
        "floor": {"ansible.builtin.meta": "noop"},
        "ours": {
            "aiplatform.eks.k8s_apply_set": {"name": ours, "files": [str(folder / "ours.yml")], "wait": False, **login}
        },
        "core": {"kubernetes.core.k8s": {"src": str(folder / "theirs.yml"), **ssa, **login}},
        "loop": {
            "kubernetes.core.k8s": {"definition": "{{ item }}", **ssa, **login},
            "loop": "{{ lookup('ansible.builtin.file', '%s') | from_json }}" % (folder / "some.json"),
            "loop_control": {"label": "{{ item.metadata.name }}"},
        },
    }
    for name, task in plays.items():
        play = [{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]
        (folder / f"{name}.play.yml").write_text(json.dumps(play))
    for name in ("ours", "core"):
        tasks = json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [plays[name]] * TASKS}])
        (folder / f"{name}-again.play.yml").write_text(tasks)
        _play(folder, name)
    return folder


def _against_core(bench: Bench) -> Iterator[Row]:
    folder = _plays(bench)
    floor = _median(lambda: _play(folder, "floor"), 3)
    alone = {name: max(0.001, _median(lambda name=name: _play(folder, name), 2) - floor) for name in ("ours", "core")}
    each = {name: (seconds(lambda name=name: _play(folder, f"{name}-again")) - floor) / TASKS for name in alone}
    yield Row(
        "k8s", f"200 unchanged objects, RTT 5 ms, each of {TASKS} tasks", each["ours"], "s",
        "kubernetes.core.k8s, one task", each["core"], budget=CORE_BUDGET,
    )  # fmt: skip
    yield Row(
        "k8s", "200 unchanged objects, RTT 5 ms, the only task of a play", alone["ours"], "s",
        "kubernetes.core.k8s, one task", alone["core"],
    )  # fmt: skip
    loop = (seconds(lambda: _play(folder, "loop")) - floor) * len(objects(prefix="all")) / LOOP_SAMPLE
    yield Row(
        "k8s", "200 unchanged objects, RTT 5 ms, the only task of a play", alone["ours"], "s",
        f"kubernetes.core.k8s in a loop, {LOOP_SAMPLE} objects scaled to 200", loop,
    )  # fmt: skip
    yield Row("k8s", "an empty playbook: the floor of Ansible", floor, "s", "no peer: taken off both sides above")


def _play(folder: Path, name: str) -> None:
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": f"{ROOT}/build/collections",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    }
    command = [str(Path(sys.executable).parent / "ansible-playbook"), f"{name}.play.yml"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def _counted(bench: Bench) -> Iterator[Row]:
    from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient

    ours = fresh()
    text = manifest(objects(prefix=ours))
    bench.ours(ours, text)
    count, send, lock = [0], KubeClient.request, threading.Lock()

    def counted(self: KubeClient, *arguments: t.Any, **rest: t.Any) -> t.Any:
        with lock:
            count[0] += 1
        return send(self, *arguments, **rest)

    KubeClient.request = counted  # type: ignore[method-assign]
    try:
        bench.ours(ours, text)
    finally:
        KubeClient.request = send  # type: ignore[method-assign]
    yield Row(
        "k8s", f"200 unchanged objects of {KINDS} kinds: requests", count[0], "requests",
        "no peer: kubectl sends 1 and more per object", figure="value", budget=KINDS + FIXED_REQUESTS,
    )  # fmt: skip
    client = KubeClient({"kubeconfig": str(bench.kubeconfig)})
    yield Row(
        "k8s", "the floor: 13 requests one after the other, RTT 0 ms",
        _median(lambda: [client.request("GET", "/version") for _other in range(KINDS + FIXED_REQUESTS)], 3), "s",
        "no peer: what the wire alone costs",
    )  # fmt: skip


def _waited(bench: Bench) -> Row:
    bench.kubectl("apply", "--server-side", "-f", "-", text=node("bench-node"))
    ours, theirs = fresh(), fresh()
    text, other = (manifest(deployments(20, namespace=name)) for name in (ours, theirs))

    def kubectl() -> None:
        bench.kubectl_apply(other)
        bench.kubectl("-n", theirs, "rollout", "status", "deployment", "--timeout=120s")

    return Row(
        "k8s", "20 new Deployments, until ready",
        seconds(lambda: bench.ours(ours, text, wait=True)), "s", "kubectl apply and rollout status", seconds(kubectl),
    )  # fmt: skip


def _memory(bench: Bench) -> Row:
    ours, theirs = fresh(), fresh()
    text, other = manifest(objects(prefix=ours)), manifest(objects(prefix=theirs))
    for apply, argument in ((bench.ours, (ours, text)), (bench.kubectl_apply, (other,))):
        apply(*argument)
    script = (
        "import sys; sys.path[:0] = [%r, %r]\n"
        "from benchmarks.bench_k8s import Bench; from pathlib import Path\n"
        "Bench(None, Path(%r)).ours(%r, sys.stdin.read())"
    ) % (str(ROOT / "build/collections"), str(ROOT), str(bench.kubeconfig), ours)
    kubectl = [
        str(bench.plane.bin / "kubectl"),
        "--kubeconfig",
        str(bench.kubeconfig),
        "apply",
        "--server-side",
        "-f",
        "-",
    ]
    return Row(
        "k8s", "200 unchanged objects: peak memory of the process", _peak([sys.executable, "-c", script], text), "MB",
        "kubectl apply --server-side", _peak(kubectl, other),
    )  # fmt: skip


def _peak(command: list[str], text: str) -> float:
    """Peak memory of a program in MB, started by a small process: a child inherits the peak of what forked it."""
    script = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command], input=text, capture_output=True, text=True, check=True
    )
    return int(done.stdout) / 1024


def _median(work: Callable[[], object], repeat: int) -> float:
    return statistics.median(seconds(work) for _other in range(repeat))


__all__ = ("rows",)
