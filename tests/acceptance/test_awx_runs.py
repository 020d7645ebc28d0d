"""Every job template run as AWX runs it, by ansible-runner, with its survey's defaults and edges."""

from __future__ import annotations

import os
import sys
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import ansible_runner
import pytest
import yaml
from cloud_guard import guarded

ROOT = Path(__file__).resolve().parents[2]
Data = dict[str, t.Any]
TEMPLATES: list[Data] = yaml.safe_load((ROOT / "awx/job_templates.yml").read_text(encoding="utf-8"))[
    "controller_templates"
]
# Free text has the edge that its meaning gives it.
TEXT_EDGES = {"gpu_operator_max_unavailable": "100%", "teardown_confirm": "local"}


@dataclass(frozen=True)
class Job:
    """How a job ended, and the tasks that changed something."""

    status: str
    changed: tuple[str, ...]
    said: str


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Job]]:
    """Launches a template, on a local cloud of its own that ends with the module."""
    folder = tmp_path_factory.mktemp("runner")
    shared = {"local_cloud_run_dir": str(tmp_path_factory.mktemp("awx-cloud"))}

    def run(playbook: str, answers: Data, *, check: bool = False, diff: bool = False) -> Job:
        flags = [*(["--check"] if check else []), *(["--diff"] if diff else [])]
        ended = ansible_runner.run(
            private_data_dir=str(folder),
            project_dir=str(ROOT),
            inventory=str(ROOT / "inventories/local"),
            playbook=playbook,
            extravars={**shared, **answers},
            envvars={
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            },
            cmdline=" ".join(flags) or None,
            quiet=True,
        )
        done = [one["event_data"] for one in ended.events if one["event"] == "runner_on_ok"]
        changed = [one["task"] for one in done if one["res"].get("changed")]
        return Job(status=ended.status, changed=tuple(changed), said=ended.stdout.read())

    def template(name: str, answers: Data | None = None, *, check: bool = False) -> Job:
        it = named(name)
        given = {**defaults(it), **(answers or {})}
        return run(it["playbook"], given, check=check or it["job_type"] == "check", diff=it["diff_mode"])

    with guarded(Path(shared["local_cloud_run_dir"])):
        succeeded(run("playbooks/local_cloud.yml", {}))
        yield template
        stopped = run("playbooks/local_cloud.yml", {"local_cloud_state": "stopped"})
        assert stopped.status == "successful", stopped.said


def questions(template: Data) -> list[Data]:
    return t.cast("list[Data]", template.get("survey_spec", {}).get("spec", []))


def named(name: str) -> Data:
    return next(one for one in TEMPLATES if one["name"] == name)


def defaults(template: Data) -> Data:
    """What AWX gives a job whose survey nobody touched."""
    return {one["variable"]: one["default"] for one in questions(template) if "default" in one}


def edges(template: Data) -> Data:
    """The answers furthest from the defaults: the last choice, the largest number, the longest text with a meaning."""
    furthest: dict[str, Callable[[Data], t.Any]] = {
        "multiplechoice": lambda one: one["choices"][-1],
        "integer": lambda one: one["max"],
        "text": lambda one: TEXT_EDGES[one["variable"]],
    }
    return {one["variable"]: furthest[one["type"]](one) for one in questions(template)}


def succeeded(job: Job) -> Job:
    assert job.status == "successful", job.said[-4000:]
    return job


@pytest.fixture(scope="module")
def platform(launch: Callable[..., Job]) -> Callable[..., Job]:
    """The platform, made by the template that makes it; a plan comes first, as in the workflow."""
    planned = succeeded(launch("aiplatform plan"))
    assert planned.changed
    assert succeeded(launch("aiplatform site")).changed
    return launch


@pytest.mark.parametrize("name", ["aiplatform verify", "aiplatform drift"])
def test_a_template_without_questions_finds_the_platform_right(platform: Callable[..., Job], name: str) -> None:
    assert succeeded(platform(name)).changed == ()


@pytest.mark.parametrize("name", ["aiplatform site", "aiplatform gpu sharing"])
def test_a_template_takes_every_answer_that_its_survey_offers(platform: Callable[..., Job], name: str) -> None:
    """How a run may change things is not what the platform is: nothing is left to do, whatever the answer."""
    assert succeeded(platform(name, edges(named(name)), check=True)).changed == ()


def test_a_teardown_takes_the_right_answer(platform: Callable[..., Job]) -> None:
    assert succeeded(platform("aiplatform teardown", edges(named("aiplatform teardown")), check=True)).changed


@pytest.mark.parametrize(
    ("name", "variable", "answer"),
    [
        ("aiplatform gpu sharing", "gpu_operator_max_unavailable", "0"),
        ("aiplatform gpu sharing", "gpu_operator_max_unavailable", "many"),
        ("aiplatform teardown", "teardown_confirm", "prod-us-east-1"),
    ],
)
def test_a_wrong_answer_is_refused_in_words(
    platform: Callable[..., Job], name: str, variable: str, answer: str
) -> None:
    job = platform(name, {variable: answer})
    assert (job.status, job.changed) == ("failed", ())
    assert variable.removeprefix("gpu_operator_") in job.said
    assert answer in job.said


def test_every_template_was_launched() -> None:
    assert {one["name"] for one in TEMPLATES} == {
        "aiplatform plan", "aiplatform site", "aiplatform verify", "aiplatform drift", "aiplatform gpu sharing",
        "aiplatform teardown",
    }  # fmt: skip
