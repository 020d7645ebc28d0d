"""Every module through both doors, in check mode, in the run and again: equal results.

A case file per module in ``cases/``: ``arguments``, what leads to the same start again (``cleanup``: overrides of the
arguments), arguments that must be refused (``wrong``), result keys that differ by nature (``volatile``), and
``aws: true`` for modules that call the emulated AWS, in which a cluster ``doors`` stands ready. Places like
``{kubeconfig}`` are filled in: see the fixture.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
CASES = Path(__file__).parent / "cases"
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
CONTROLLER_ONLY = {"local_cloud", "rehearsal"}  # they start processes: their own tests look at their doors
DOORS = ("in_process", "module_process")
# A traceback is ansible's own note beside a failure: a module process may hand one over, the controller keeps it.
TRACEBACKS = {"exception", "failed_when_suppressed_exception"}
ALWAYS_VOLATILE = TRACEBACKS | {
    *("invocation", "_ansible_no_log", "_ansible_parsed", "ansible_facts", "warnings", "deprecations"),
}


def fill(value: t.Any, places: dict[str, str]) -> t.Any:
    """Fill the places into every string of a tree."""
    if isinstance(value, dict):
        return {key: fill(inner, places) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill(inner, places) for inner in value]
    if isinstance(value, str):
        for name, found in places.items():
            value = value.replace("{" + name + "}", found)
    return value


def tasks_of(module: str, case: dict[str, t.Any], aws: dict[str, str]) -> list[dict[str, t.Any]]:
    """The tasks of one case: through each door check, run, again, cleanup and the refusal."""
    tasks: list[dict[str, t.Any]] = []

    def add(door: str, step: str, arguments: dict[str, t.Any], **keywords: t.Any) -> None:
        tasks.append(
            {
                "name": f"{module}|{door}|{step}",
                f"aiplatform.eks.{module}": arguments,
                "vars": {"aiplatform_in_process": door == "in_process"},
                "diff": True,
                "environment": aws if case.get("aws") else {},
                "ignore_errors": True,
                **keywords,
            }
        )

    for door in DOORS:
        arguments = case["arguments"]
        for step, check in (("check", True), ("run", False), ("again", False)):
            add(door, step, arguments, check_mode=check)
        if "cleanup" in case:
            add(door, "cleanup", {**arguments, **case["cleanup"]})
        if "wrong" in case:
            add(door, "wrong", case["wrong"], register="refused", failed_when="refused is not failed")
    return tasks


def results_of(tasks: list[dict[str, t.Any]], scratch: Path) -> dict[str, dict[str, t.Any]]:
    """Run the tasks in one play and return their results by name."""
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]
    playbook = scratch / "doors.yml"
    playbook.write_text(json.dumps(play), encoding="utf-8")
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(playbook)]
    command += ["-e", f"ansible_python_interpreter={sys.executable}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=1200)
    assert "{" in done.stdout, done.stderr
    report = json.loads(done.stdout[done.stdout.index("{") :])
    return {task["task"]["name"]: task["hosts"]["localhost"] for play_ in report["plays"] for task in play_["tasks"]}


def comparable(result: dict[str, t.Any], volatile: set[str]) -> dict[str, t.Any]:
    """A result without what differs by nature, at any depth."""

    def strip(value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {key: strip(inner) for key, inner in value.items() if key not in volatile}
        if isinstance(value, list):
            return [strip(inner) for inner in value]
        return value

    return t.cast("dict[str, t.Any]", strip({k: v for k, v in result.items() if k not in ALWAYS_VOLATILE}))


CHART = {
    "Chart.yaml": "apiVersion: v2\nname: door\nversion: 1.0.0\n",
    "templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: door}\ndata: {{ .Values.data | toJson }}\n",
}


def places_of(cluster: t.Any, aws: t.Any, scratch: Path) -> dict[str, str]:
    """What the cases may name: a kubeconfig, helm, a chart, our roles, subnets and a role."""
    for name, text in CHART.items():
        (scratch / "chart" / name).parent.mkdir(parents=True, exist_ok=True)
        (scratch / "chart" / name).write_text(text, encoding="utf-8")
    subnets = aws.subnets(2)
    return {
        "kubeconfig": str(cluster.kubeconfig),
        "helm": str(cluster.bin / "helm"),
        "roles": str(ROOT / "roles"),
        "scratch": str(scratch),
        "chart": str(scratch / "chart"),
        "subnet_a": subnets[0],
        "subnet_b": subnets[1],
        "role": aws.role("doors"),
    }


@pytest.fixture(scope="module")
def results(cluster: t.Any, emulator_server: t.Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    scratch = tmp_path_factory.mktemp("doors")
    emulator_server.reset()
    emulator_server.cluster("doors")
    places = places_of(cluster, emulator_server, scratch)
    environment = {**emulator_server.env, "AWS_ACCESS_KEY_ID": "A" * 20, "AWS_SECRET_ACCESS_KEY": "not-a-secret" * 3}
    tasks = [
        task
        for path in sorted(CASES.glob("*.yml"))
        for task in tasks_of(path.stem, fill(yaml.safe_load(path.read_text(encoding="utf-8")), places), environment)
    ]
    return results_of(tasks, scratch)


def case_of(module: str) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", yaml.safe_load((CASES / f"{module}.yml").read_text(encoding="utf-8")))


def test_every_module_has_a_case() -> None:
    assert sorted(path.stem for path in CASES.glob("*.yml")) == sorted(set(MODULES) - CONTROLLER_ONLY)


@pytest.mark.parametrize("module", sorted(path.stem for path in CASES.glob("*.yml")))
def test_both_doors_give_the_same(module: str, results: dict[str, t.Any]) -> None:
    volatile = set(case_of(module).get("volatile", ()))
    steps = {name.split("|")[2] for name in results if name.startswith(f"{module}|")}
    assert {"check", "run", "again"} <= steps
    for step in sorted(steps):
        here, there = (results[f"{module}|{door}|{step}"] for door in DOORS)
        if step != "wrong":
            assert not here.get("failed"), here.get("msg")
        assert comparable(here, volatile) == comparable(there, volatile), step


@pytest.mark.parametrize("module", sorted(path.stem for path in CASES.glob("*.yml")))
def test_check_mode_shows_what_the_run_does(module: str, results: dict[str, t.Any]) -> None:
    for door in DOORS:
        check, run, again = (results[f"{module}|{door}|{step}"] for step in ("check", "run", "again"))
        assert check["changed"] == run["changed"]
        assert check.get("diff") == run.get("diff")
        assert set(check) - ALWAYS_VOLATILE == set(run) - ALWAYS_VOLATILE
        assert not again["changed"], again.get("diff")
