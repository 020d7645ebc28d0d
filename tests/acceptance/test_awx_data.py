"""awx/ is what AWX accepts, asks only what a role answers to, and registers itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import typing as t
from collections.abc import Callable
from graphlib import TopologicalSorter
from pathlib import Path

import jsonschema
import pytest
import yaml
from awx_controller import Controller, served

ROOT = Path(__file__).resolve().parents[2]
AWX = ROOT / "awx"
Data = dict[str, t.Any]
User = Callable[..., subprocess.CompletedProcess[str]]


def read(name: str) -> Data:
    return t.cast(Data, yaml.safe_load((AWX / name).read_text(encoding="utf-8")))


TEMPLATES: list[Data] = read("job_templates.yml")["controller_templates"]
WORKFLOWS: list[Data] = read("workflows.yml")["controller_workflows"]
SETTINGS = read("settings.yml")
QUESTIONS = [(one["name"], question) for one in TEMPLATES for question in one.get("survey_spec", {}).get("spec", [])]


def options() -> Data:
    """The documented variables of all roles."""
    specs = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in ROOT.glob("roles/*/meta/argument_specs.yml")]
    return {name: one for spec in specs for name, one in spec["argument_specs"]["main"].get("options", {}).items()}


@pytest.mark.parametrize("name", ["job_templates.yml", "workflows.yml"])
def test_the_data_is_what_awx_accepts(name: str) -> None:
    schema = json.loads((AWX / "schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    errors = jsonschema.Draft202012Validator(schema).iter_errors(read(name))
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "multiplechoice"},
        {"type": "integer", "min": 1, "max": 2, "default": "1"},
        {"type": "text", "min": 1, "max": 2, "choices": ["a", "b"]},
        {"type": "number"},
    ],
)
def test_the_schema_refuses_what_awx_refuses(wrong: Data) -> None:
    schema = json.loads((AWX / "schema.json").read_text(encoding="utf-8"))
    question = {"question_name": "Why?", "question_description": "", "variable": "x", "required": True}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**question, **wrong}, {**schema["$defs"]["question"], "$defs": schema["$defs"]})


def test_names_are_said_once() -> None:
    names = [one["name"] for one in (*TEMPLATES, *WORKFLOWS)]
    assert len(names) == len(set(names))
    for template in TEMPLATES:
        asked = [one["variable"] for one in template.get("survey_spec", {}).get("spec", [])]
        assert len(asked) == len(set(asked)), template["name"]


@pytest.mark.parametrize(
    ("template", "question"), QUESTIONS, ids=[f"{one}: {two['variable']}" for one, two in QUESTIONS]
)
def test_a_question_is_a_roles_variable_with_the_roles_default(template: str, question: Data) -> None:
    """An answer beats the inventory: the default of a question must not change what a role does without it."""
    option = options()[question["variable"]]
    kind = {"integer": "int", "multiplechoice": "str", "text": "str"}[question["type"]]
    assert option.get("type", "str") == kind, template
    if "default" not in question:
        assert question["required"]
        return
    assert question["default"] == option["default"]
    assert set(question.get("choices", [])) <= set(option.get("choices", []))
    if "choices" in question:
        assert question["default"] in question["choices"]
    if question["type"] == "integer":
        assert question["min"] <= question["default"] <= question["max"]
    if question["type"] == "text":
        assert question["min"] <= len(question["default"]) <= question["max"]


def test_no_inventory_says_what_a_survey_asks() -> None:
    asked = {question["variable"] for _template, question in QUESTIONS}
    said = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in ROOT.glob("inventories/*/group_vars/**/*.yml")
        for name in (yaml.safe_load(path.read_text(encoding="utf-8")) or {})
        if name in asked
    }
    assert said == set(), "the survey's default would silently win"


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda one: str(one["name"]))
def test_a_workflow_asks_before_it_writes(workflow: Data) -> None:
    nodes = {one["identifier"]: one for one in workflow["workflow_nodes"]}
    templates = {one["name"]: one for one in TEMPLATES}
    before: dict[str, set[str]] = {name: set() for name in nodes}
    for name, node in nodes.items():
        for after in (one["identifier"] for kind in node.get("related", {}).values() for one in kind):
            before[after].add(name)
    order = list(TopologicalSorter(before).static_order())
    assert set(order) == set(nodes)
    approval = next(name for name in order if nodes[name]["unified_job_template"]["type"] == "workflow_approval")
    for name in order[: order.index(approval)]:
        assert templates[nodes[name]["unified_job_template"]["name"]]["job_type"] == "check", name
    for name in order[order.index(approval) + 1 :]:
        assert nodes[name]["unified_job_template"]["name"] in templates


@pytest.mark.parametrize("name", sorted({one["playbook"] for one in TEMPLATES} | {"awx/register.yml"}))
def test_a_playbook_is_there_and_parses(name: str, user: User) -> None:
    checked = user("ansible-playbook", "--syntax-check", name, cwd=ROOT, ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"))
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("inventory", SETTINGS["awx_inventories"], ids=lambda one: str(one["name"]))
def test_an_inventory_is_there(inventory: Data) -> None:
    assert (ROOT / inventory["source"] / "hosts.yml").is_file()


def test_it_registers_itself_and_a_second_time_changes_nothing(user: User) -> None:
    controller = Controller(organizations=[SETTINGS["awx_organization"]], credentials=SETTINGS["awx_credentials"])
    with served(controller) as address:

        def register() -> str:
            given = {"CONTROLLER_HOST": address, "CONTROLLER_OAUTH_TOKEN": "a-token-of-the-test" * 2}
            interpreter = f"ansible_python_interpreter={sys.executable}"
            done = user(
                "ansible-playbook", "-i", "localhost,", "-e", interpreter, "awx/register.yml", cwd=ROOT, **given
            )
            assert done.returncode == 0, done.stdout
            assert "a-token-of-the-test" not in done.stdout
            return done.stdout

        register()
        templates = controller.named("job_templates")
        assert set(templates) == {one["name"] for one in TEMPLATES}
        for wanted in TEMPLATES:
            it = templates[wanted["name"]]
            assert (it["playbook"], it["job_type"]) == (wanted["playbook"], wanted["job_type"])
            assert it["survey_enabled"] is ("survey_spec" in wanted)
            assert controller.below.get(f"{it['url']}survey_spec/") == wanted.get("survey_spec")
        nodes = {one["identifier"]: one for one in controller.objects["workflow_job_template_nodes"].values()}
        for name, wanted in ((one["identifier"], one) for work in WORKFLOWS for one in work["workflow_nodes"]):
            after = controller.below.get(f"{nodes[name]['url']}success_nodes/", [])
            found = [other for other, node in nodes.items() if node["id"] in after]
            assert found == [one["identifier"] for one in wanted.get("related", {}).get("success_nodes", [])]
        controller.writes.clear()
        assert re.search(r"changed=0 ", register())
        assert [one for one in controller.writes if not one.startswith("PATCH")] == []
