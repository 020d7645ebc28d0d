"""The Helm engine against kubernetes.core.helm in a loop and the helm CLI in a loop: same chart, cluster and releases.

Rows against kubernetes.core are whole playbooks less an empty one, for both sides: a play with one task, and the mean
of three (Ansible loads a plugin once in a play, a module for each item). Rows against the CLI are our whole
use case as the in-process door runs it, against one ``helm upgrade --install`` after the other.

kubernetes.core before 6.4 says ``helm list --all``, which helm 4 refuses and does anyway: a wrapper drops it.
"""

from __future__ import annotations

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

from benchmarks.control_plane import ControlPlane, control_plane
from benchmarks.harness import Row, seconds

ROOT = Path(__file__).resolve().parent.parent
RELEASES, TASKS = 20, 3
UNCHANGED_BUDGET, REQUESTS_BUDGET = 50.0, 1.0
TEMPLATE = """
apiVersion: v1
kind: {kind}
metadata: {{name: "{{{{ .Release.Name }}}}-{number}"}}
{body}
"""
BODIES = {
    "ConfigMap": 'data: {key: "{{ .Values.text }}"}',
    "Service": "spec: {selector: {app: x}, ports: [{port: 80}]}",
    "Secret": 'stringData: {key: "{{ .Values.text }}"}',
    "ServiceAccount": "automountServiceAccountToken: false",
}
WITHOUT_ALL = """#!/bin/sh
for one; do shift; [ "$one" = --all ] || set -- "$@" "$one"; done
exec {helm} "$@"
"""
Values = dict[str, t.Any]


@dataclass(frozen=True)
class Bench:
    """Twenty releases of one chart in one namespace, by one tool."""

    plane: ControlPlane
    folder: Path
    namespace: str

    @property
    def chart(self) -> str:
        """The chart's folder."""
        return str(self.folder / "chart")

    @property
    def helm(self) -> str:
        """The helm program."""
        return str(self.plane.bin / "helm")

    def values(self, number: int, changed: int | None) -> Values:
        """The values of one release; those of release C(changed) are new each time it changes."""
        return {"text": f"text {number}" if number != changed else f"text {number} {os.urandom(4).hex()}"}

    def options(self, changed: int | None = None) -> Values:
        """Our task."""
        releases = [
            {
                "name": f"web-{number}",
                "namespace": self.namespace,
                "chart": {"ref": self.chart},
                "values": [self.values(number, changed)],
            }
            for number in range(RELEASES)
        ]
        return {"releases": releases, "kubeconfig": str(self.plane.kubeconfig), "helm_binary": self.helm}

    def ours(self, changed: int | None = None) -> bool:
        """Run our engine; whether it changed something."""
        from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
        from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
        from ansible_collections.aiplatform.eks.plugins.module_utils._helm.use_case import USE_CASE

        spec = ArgumentSpecValidator(dict(USE_CASE.spec.options), **USE_CASE.spec.constraints())
        validation = spec.validate(self.options(changed))
        assert not validation.error_messages, validation.error_messages
        return USE_CASE.run(validation.validated_parameters, Context()).changed

    def cli(self, changed: int | None = None) -> None:
        """What a script does: ``helm upgrade --install`` for every release."""
        for number in range(RELEASES):
            values = self.folder / "values.json"
            values.write_text(json.dumps(self.values(number, changed)))
            command = [
                self.helm,
                "upgrade",
                f"web-{number}",
                self.chart,
                "--install",
                "--wait",
                "--values",
                str(values),
            ]
            environment = {**os.environ, "KUBECONFIG": str(self.plane.kubeconfig)}
            subprocess.run(
                [*command, "--namespace", self.namespace, "--create-namespace"],
                env=environment,
                check=True,
                capture_output=True,
            )

    def play(self, *tasks: Values, changed: bool = False) -> None:
        """A playbook of these tasks."""
        book = self.folder / "play.yml"
        book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}]))
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": f"{ROOT}/build/collections",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        }
        command = [str(Path(sys.executable).parent / "ansible-playbook"), str(book)]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        assert ("changed=1" in done.stdout) is changed, done.stdout[-2000:]

    def task(self, changed: int | None = None) -> Values:
        """Our task of a play."""
        return {"aiplatform.eks.helm_releases": self.options(changed)}

    def peer_task(self, changed: int | None = None) -> Values:
        """The same by kubernetes.core in a loop."""
        return {
            "kubernetes.core.helm": {
                "name": "{{ item.name }}",
                "chart_ref": self.chart,
                "values": "{{ item['values'] }}",
                "release_namespace": self.namespace,
                "create_namespace": True,
                "wait": True,
                "kubeconfig": str(self.plane.kubeconfig),
                "binary_path": str(self.folder / "helm"),
            },
            "loop": [{"name": f"web-{number}", "values": self.values(number, changed)} for number in range(RELEASES)],
        }


def write_chart(folder: Path) -> None:
    """A chart of eight small objects that need no waiting."""
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    (folder / "values.yaml").write_text("text: none\n")
    for number, (kind, body) in enumerate([*BODIES.items()] * 2):
        text = TEMPLATE.format(kind=kind, number=number, body=body)
        (folder / f"templates/{number}.yaml").write_text(text)


def rows() -> Iterator[Row]:
    """All rows of the group."""
    with tempfile.TemporaryDirectory() as folder:
        write_chart(Path(folder) / "chart")
        ours, theirs, cli = (Bench(control_plane(), Path(folder), f"helm-{name}") for name in ("ours", "core", "cli"))
        yield Row(
            "helm", f"{RELEASES} new releases", seconds(ours.ours), "s",
            "helm upgrade --install, one by one", seconds(cli.cli),
        )  # fmt: skip
        yield from _unchanged(ours, cli)
        yield Row(
            "helm", f"one of {RELEASES} releases changed", _median(lambda: ours.ours(3), 3), "s",
            "helm upgrade --install, one by one", seconds(lambda: cli.cli(3)),
        )  # fmt: skip
        yield from _plays(ours, theirs)


def _unchanged(ours: Bench, cli: Bench) -> Iterator[Row]:
    assert not ours.ours()
    yield Row(
        "helm", f"{RELEASES} unchanged releases", _median(ours.ours, 5), "s",
        "helm upgrade --install, one by one", seconds(cli.cli),
    )  # fmt: skip
    with counted() as count:
        ours.ours()
    yield Row(
        "helm", f"{RELEASES} unchanged releases: requests", count["requests"], "requests",
        "no peer: helm alone sends dozens per release", figure="value", budget=REQUESTS_BUDGET,
    )  # fmt: skip
    yield Row(
        "helm", f"{RELEASES} unchanged releases: helm processes", count["processes"], "processes",
        "no peer: kubernetes.core.helm starts 5 to 7 per release", figure="value", budget=0.0,
    )  # fmt: skip


def _plays(ours: Bench, theirs: Bench) -> Iterator[Row]:
    ours.ours()
    wrapper = theirs.folder / "helm"
    wrapper.write_text(WITHOUT_ALL.format(helm=theirs.helm))
    wrapper.chmod(0o755)
    theirs.play(theirs.peer_task(), changed=True)
    floor = _median(lambda: ours.play({"ansible.builtin.meta": "noop"}), 3)
    alone = _median(lambda: ours.play(ours.task()), 3) - floor
    each = (_median(lambda: ours.play(*[ours.task()] * TASKS), 3) - floor) / TASKS
    loop = seconds(lambda: theirs.play(theirs.peer_task())) - floor
    peer = "kubernetes.core.helm in a loop"
    yield Row(
        "helm", f"{RELEASES} unchanged releases, each of {TASKS} tasks", each, "s", peer, loop, budget=UNCHANGED_BUDGET
    )
    yield Row("helm", f"{RELEASES} unchanged releases, the only task of a play", alone, "s", peer, loop)
    yield Row(
        "helm", f"one of {RELEASES} releases changed, the only task of a play",
        _median(lambda: ours.play(ours.task(3), changed=True), 3) - floor, "s",
        peer, seconds(lambda: theirs.play(theirs.peer_task(3), changed=True)) - floor,
    )  # fmt: skip


@contextmanager
def counted() -> Iterator[dict[str, int]]:
    """Counts the requests to the API server and the helm processes of what runs inside."""
    from ansible_collections.aiplatform.eks.plugins.module_utils._helm import process
    from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient

    count, lock = {"requests": 0, "processes": 0}, threading.Lock()
    send, run = KubeClient.request, process.Helm._run

    def counting(name: str, real: Callable[..., t.Any]) -> Callable[..., t.Any]:
        def call(*arguments: t.Any, **rest: t.Any) -> t.Any:
            with lock:
                count[name] += 1
            return real(*arguments, **rest)

        return call

    KubeClient.request = counting("requests", send)  # type: ignore[method-assign]
    process.Helm._run = counting("processes", run)  # type: ignore[method-assign]
    try:
        yield count
    finally:
        KubeClient.request, process.Helm._run = send, run  # type: ignore[method-assign]


def _median(work: Callable[[], object], repeat: int) -> float:
    return statistics.median(seconds(work) for _other in range(repeat))


__all__ = ("rows",)
