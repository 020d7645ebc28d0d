"""One truth per fact: modules, their doors, their groups and their examples agree."""

from __future__ import annotations

import ast
import importlib
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

ROOT = Path(__file__).resolve().parents[3]
NAMESPACE = "aiplatform.eks."
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
WIRING_LIMIT = 25
TASK_KEYWORDS = {
    "name", "register", "when", "loop", "vars", "tags", "become", "delegate_to", "environment", "check_mode", "diff",
    "notify", "until", "retries", "delay", "no_log", "changed_when", "failed_when", "run_once", "async", "poll",
    "module_defaults", "loop_control", "throttle",
}  # fmt: skip


class Loader(yaml.SafeLoader):
    """YAML with the tag that keeps Ansible from templating a text."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def documentation(module: str) -> dict[str, t.Any]:
    """The texts at a module's top level, by name."""
    tree = ast.parse((ROOT / f"plugins/modules/{module}.py").read_bytes())
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }


def use_case(module: str) -> t.Any:
    """The use case behind a module, found through its action plugin."""
    action = importlib.import_module(f"ansible_collections.aiplatform.eks.plugins.action.{module}")
    return action.ActionModule.use_case


def example_tasks(module: str) -> list[dict[str, t.Any]]:
    """Tasks of the EXAMPLES block; plays and blocks are opened."""

    def opened(entries: t.Any) -> list[dict[str, t.Any]]:
        tasks = []
        for entry in entries or []:
            inner = [entry[key] for key in ("tasks", "block", "pre_tasks", "post_tasks") if key in entry]
            tasks.extend(task for part in inner for task in opened(part)) if inner else tasks.append(entry)
        return tasks

    return opened(yaml.load(documentation(module)["EXAMPLES"], Loader=Loader))


def test_there_are_modules() -> None:
    assert "k8s_nodes_info" in MODULES


def test_the_action_group_names_every_module() -> None:
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    assert runtime["action_groups"]["all"] == MODULES


def test_every_module_has_its_in_process_door() -> None:
    assert sorted(path.stem for path in (ROOT / "plugins/action").glob("*.py")) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_a_module_only_wires(module: str) -> None:
    tree = ast.parse((ROOT / f"plugins/modules/{module}.py").read_bytes())
    lines: set[int] = set()
    for node in tree.body:
        is_text = isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        if not is_text:
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    assert len(lines) <= WIRING_LIMIT


@pytest.mark.parametrize("module", MODULES)
def test_examples_are_valid_by_the_real_spec(module: str) -> None:
    tasks = example_tasks(module)
    spec = use_case(module).spec
    ours = 0
    for task in tasks:
        (action,) = set(task) - TASK_KEYWORDS
        if not action.startswith(NAMESPACE):
            continue
        assert action.removeprefix(NAMESPACE) in MODULES
        if action != NAMESPACE + module:
            continue
        ours += 1
        arguments = {key: value for key, value in (task[action] or {}).items() if "{{" not in str(value)}
        templated = set(task[action] or {}) - set(arguments)
        result = ArgumentSpecValidator(dict(spec.options), **spec.constraints()).validate(arguments)
        errors = [text for text in result.error_messages if not any(name in text for name in templated)]
        assert not errors, f"{task.get('name')}: {errors}"
    assert ours, f"no example shows {module} itself"
