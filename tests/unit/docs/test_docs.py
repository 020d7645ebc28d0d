"""What the documents tell a user to write or to type is valid: variables, tasks, commands and links."""

from __future__ import annotations

import importlib
import itertools
import re
import shlex
import typing as t
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import sharing_policies

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)]+))?\)")
TASK_WORDS = {"name", "register", "when", "vars", "tags", "environment", "loop"}
PLACEHOLDER = "inventories/yours"
Data = dict[str, t.Any]


@dataclass(frozen=True)
class Example:
    """A fenced block of a document."""

    document: Path
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document.name}: {self.text.strip().splitlines()[0]}"


EXAMPLES = [Example(path, *found) for path in DOCUMENTS for found in FENCE.findall(path.read_text(encoding="utf-8"))]
YAML = [one for one in EXAMPLES if one.language == "yaml"]
COMMANDS = [
    (one, shlex.split(line[2:], comments=True))
    for one in EXAMPLES
    if one.language in {"console", "bash"}
    for line in one.text.splitlines()
    if line.startswith("$ ")
]


@cache
def role_options() -> Data:
    """The documented variables of all roles; what `session` says of the shared values comes last, so it wins."""
    paths = sorted(ROOT.glob("roles/*/meta/argument_specs.yml"), key=lambda path: path.parents[1].name == "session")
    specs = [yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]["main"] for path in paths]
    return {name: one for spec in specs for name, one in (spec.get("options") or {}).items()}


def templated(value: t.Any) -> bool:
    return "{{" in str(value)


def errors_of(options: Data, given: Data, **constraints: t.Any) -> list[str]:
    """What the argument spec says against the values; templates are left to a run."""
    plain = {name: value for name, value in given.items() if not templated(value)}
    said = ArgumentSpecValidator(options, **constraints).validate(plain).error_messages
    return [one for one in said if not any(name in one for name in set(given) - set(plain))]


def test_there_is_something_to_try() -> None:
    assert len(YAML) >= 8
    assert len(COMMANDS) >= 12


@pytest.mark.parametrize("example", [one for one in YAML if not one.text.startswith(("-", "#"))], ids=str)
def test_variables_are_a_roles_variables(example: Example) -> None:
    given = yaml.safe_load(example.text)
    unknown = set(given) - set(role_options())
    assert unknown == set()
    assert errors_of({name: role_options()[name] for name in given}, given) == []
    for pools in (value for name, value in given.items() if name == "aiplatform_node_pools"):
        assert sharing_policies(pools)


def opened(entries: t.Any) -> t.Iterator[Data]:
    for entry in entries:
        inner = [entry[key] for key in ("tasks", "block", "pre_tasks", "post_tasks") if key in entry]
        for part in inner:
            yield from opened(part)
        if not inner and "roles" not in entry:
            yield entry


@pytest.mark.parametrize("example", [one for one in YAML if one.text.startswith("-")], ids=str)
def test_tasks_are_valid_by_the_real_spec(example: Example) -> None:
    for task in opened(yaml.safe_load(example.text)):
        (action,) = set(task) - TASK_WORDS
        if not action.startswith("aiplatform.eks."):
            continue
        door = importlib.import_module(f"ansible_collections.aiplatform.eks.plugins.action.{action.split('.')[-1]}")
        spec = door.ActionModule.use_case.spec
        assert errors_of(dict(spec.options), task[action], **spec.constraints()) == []


@pytest.mark.parametrize(("example", "words"), COMMANDS, ids=[" ".join(words) for _example, words in COMMANDS])
def test_a_command_is_there(example: Example, words: list[str]) -> None:
    program, *arguments = words
    if program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        inventories = [one.partition("=")[2] for one in arguments if one.startswith("INVENTORY=")]
        assert {one for one in arguments if "=" not in one} <= set(targets)
        assert [one for one in inventories if not (ROOT / "inventories" / one / "hosts.yml").is_file()] == []
    elif program == "ansible-playbook":
        check_play(arguments)
    else:
        assert program in {"ansible-galaxy", "ansible-builder", "ansible-doc"}, example


def check_play(arguments: list[str]) -> None:
    """The playbook and the inventory are there, and what is said with -e is asked by a role or by the playbook."""
    given = dict(itertools.pairwise(arguments))
    (playbook,) = (ROOT / one for one in arguments if one.endswith(".yml") and not one.startswith("@"))
    assert playbook.is_file()
    inventory = given.get("-i", PLACEHOLDER)
    if inventory != PLACEHOLDER:
        hosts = yaml.safe_load((ROOT / inventory / "hosts.yml").read_text(encoding="utf-8"))["clusters"]["hosts"]
        assert given.get("--limit", next(iter(hosts))) in hosts
    for name in (value.partition("=")[0] for flag, value in itertools.pairwise(arguments) if flag == "-e"):
        if name.startswith("@"):
            assert (ROOT / name[1:]).is_file()
        else:
            assert name in role_options() or re.search(rf"\b{name}\b", playbook.read_text(encoding="utf-8")), name


@pytest.mark.parametrize("document", [*DOCUMENTS, *sorted(ROOT.glob("roles/*/README.md"))], ids=lambda one: one.name)
def test_links_lead_somewhere(document: Path) -> None:
    for path, anchor in LINK.findall(document.read_text(encoding="utf-8")):
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), path
        if anchor:
            heads = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in heads}
