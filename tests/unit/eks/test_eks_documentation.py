from __future__ import annotations

import importlib
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = "ansible_collections.aiplatform.eks.plugins"
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("eks_*.py"))
Options = t.Mapping[str, t.Any]


def _documented(module: str) -> dict[str, t.Any]:
    loaded = importlib.import_module(f"{PACKAGE}.modules.{module}")
    document = yaml.safe_load(loaded.DOCUMENTATION)
    options = dict(document["options"])
    for fragment in document["extends_documentation_fragment"]:
        name, _other, part = fragment.removeprefix("aiplatform.eks.").partition(".")
        cls = importlib.import_module(f"{PACKAGE}.doc_fragments.{name}").ModuleDocFragment
        options |= yaml.safe_load(getattr(cls, part.upper() or "DOCUMENTATION")).get("options") or {}
    return options


def _compare(spec: Options, documented: Options, path: str = "") -> None:
    assert set(spec) == set(documented), path
    for name, option in spec.items():
        document, where = documented[name], f"{path}.{name}"
        assert document["type"] == option.get("type", "str"), where
        assert document.get("required", False) == option.get("required", False), where
        assert document.get("default") == option.get("default"), where
        assert sorted(document.get("choices", [])) == sorted(option.get("choices", [])), where
        assert document.get("elements") == option.get("elements"), where
        _compare(option.get("options") or {}, document.get("suboptions") or {}, where)


@pytest.mark.parametrize("module", MODULES)
def test_the_documentation_says_what_the_spec_says(module: str) -> None:
    use_case = importlib.import_module(f"{PACKAGE}.modules.{module}").USE_CASE
    _compare(use_case.spec.options, _documented(module))


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_are_valid(module: str) -> None:
    loaded = importlib.import_module(f"{PACKAGE}.modules.{module}")
    spec = loaded.USE_CASE.spec
    tasks = yaml.safe_load(loaded.EXAMPLES)
    assert tasks
    for task in tasks:
        arguments = task[f"aiplatform.eks.{module}"]
        result = ArgumentSpecValidator(dict(spec.options), **spec.constraints()).validate(arguments)
        assert not result.error_messages


@pytest.mark.parametrize("module", MODULES)
def test_both_doors_run_the_same_use_case(module: str) -> None:
    action = importlib.import_module(f"{PACKAGE}.action.{module}")
    assert action.ActionModule.use_case is importlib.import_module(f"{PACKAGE}.modules.{module}").USE_CASE
