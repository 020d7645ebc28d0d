"""A corpus of broken inventories: each is refused, by a message that names the variable and the way out."""

from __future__ import annotations

import copy
import re
import typing as t
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import lookup_loader
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.aiplatform.eks.plugins.module_utils._inventory.problems import Problem
from ansible_collections.aiplatform.eks.plugins.module_utils._inventory.roles import read_roles
from ansible_collections.aiplatform.eks.plugins.module_utils._inventory.use_case import inventory_problems
from ansible_collections.aiplatform.eks.plugins.module_utils._inventory.variables import VARIABLES

ROOT = Path(__file__).resolve().parents[3]
CORPUS: list[dict[str, t.Any]] = yaml.safe_load((Path(__file__).parent / "inventory_corpus.yml").read_text("utf-8"))
INVENTORIES = sorted(path.name for path in (ROOT / "inventories").iterdir() if (path / "hosts.yml").is_file())
ROLES = read_roles(ROOT / "roles")


def looked_up(name: str, **in_the_play: t.Any) -> dict[str, t.Any]:
    """What the role preflight finds of an inventory's host, in a play that has variables of its own."""
    loader = DataLoader()
    inventory = InventoryManager(loader, [str(ROOT / "inventories" / name)])
    (host,) = inventory.get_hosts("clusters")
    manager = VariableManager(loader, inventory)
    hosts = HostVars(inventory, manager, loader)
    given = {**in_the_play, **manager.get_vars(host=host), "hostvars": hosts}
    plugin = lookup_loader.get("aiplatform.eks.inventory_variables", loader=loader, templar=Templar(loader, given))
    (found,) = plugin.run([str(ROOT / "roles")], given)
    return t.cast("dict[str, t.Any]", found)


@cache
def variables(name: str) -> dict[str, t.Any]:
    """The variables of an inventory's host."""
    found = looked_up(name)
    assert found["unreadable"] == {}
    return t.cast("dict[str, t.Any]", found["variables"])


def test_defaults_of_the_plays_roles_are_no_variables_of_the_inventory() -> None:
    defaults = ROLES["storage"].defaults
    assert "foundation_outputs" in defaults["storage_foundation"]
    assert looked_up("local", **defaults) == looked_up("local")


def test_variables_of_the_play_are_checked_too() -> None:
    found = looked_up("local", storage_tags={"team": "ml"}, aiplatform_budget_per_month=1)
    before = looked_up("local")["variables"]
    assert {name for name in found["variables"] if name not in before} >= {"storage_tags"}
    assert found["variables"]["aiplatform_budget_per_month"] == 1


def place(document: t.Any, path: str) -> tuple[t.Any, t.Any]:
    """The container and the key that a path with dots means; a key may have dots itself."""
    head, rest = next(
        (head, path[len(head) + 1 :])
        for head in sorted(_heads(path), key=len)
        if isinstance(document, list) or head in document or head == path
    )
    key: t.Any = int(head) if isinstance(document, list) else head
    return (document, key) if not rest else place(document[key], rest)


def _heads(path: str) -> Iterator[str]:
    words = path.split(".")
    return (".".join(words[: count + 1]) for count in range(len(words)))


def problems_of(case: dict[str, t.Any], base: str = "production") -> list[Problem]:
    broken = copy.deepcopy(variables(base))
    for path, value in (case.get("set") or {}).items():
        container, key = place(broken, path)
        container[key] = value
    for path in case.get("remove") or ():
        container, key = place(broken, path)
        del container[key]
    return inventory_problems(broken, ROLES, unreadable=case.get("unreadable"))


@pytest.mark.parametrize("name", INVENTORIES)
def test_our_own_inventories_are_right(name: str) -> None:
    assert [one.message for one in inventory_problems(variables(name), ROLES)] == []


def test_the_corpus_is_large_and_says_each_thing_once() -> None:
    names = [case["name"] for case in CORPUS]
    assert len(names) >= 60
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", CORPUS, ids=[case["name"] for case in CORPUS])
def test_a_broken_inventory_is_refused(case: dict[str, t.Any]) -> None:
    found = problems_of(case)
    assert any(all(part in one.message for part in case["says"]) for one in found), [one.message for one in found]
    roots = {re.split(r"[.\[]", one.variable)[0] for one in found}
    touched = {path.split(".")[0] for path in (*(case.get("set") or {}), *(case.get("remove") or ()))}
    assert roots & touched or len(roots) == 1, f"{roots} beside {touched}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("foundation_vpc_cidr", {"range": "10.0.0.0/16"}),
        ("foundation_zones", {"a": "us-east-1a"}),
        ("foundation_fsx", "perhaps"),
        ("foundation_existing_network", "vpc-1"),
    ],
)
def test_a_value_that_is_wrong_is_no_ground_for_a_second_problem(name: str, value: object) -> None:
    zone = {"foundation_fsx_zone": "us-east-1d"} if name == "foundation_zones" else {}
    assert [one.variable for one in problems_of({"set": {**zone, name: value}})] == [name]


def test_a_namespace_of_others_may_be_stood_in() -> None:
    assert problems_of({"set": {"mlflow_namespace": "tracking", "governance_other_namespaces": ["tracking"]}}) == []
    components = [one for one in variables("production")["aiplatform_components"] if one != "mlflow"]
    assert problems_of({"set": {"mlflow_namespace": "tracking", "aiplatform_components": components}}) == []


def test_all_problems_come_at_once_sorted_by_variable() -> None:
    found = problems_of(
        {
            "set": {
                "aiplatform_region": "us-eest-1",
                "aiplatform_node_pools.0.scaling": {"min": 3, "max": 1},
                "aiplatform_node_pools.2.instance_types": ["p4d.24xlarge"],
                "cluster_versoin": "1.36",
            },
            "unreadable": {"vllm_hello": "'a' is undefined"},
        }
    )
    variables_found = [one.variable for one in found]
    assert variables_found == sorted(variables_found)
    assert {"aiplatform_node_pools[0]", "aiplatform_node_pools[2]", "aiplatform_region", "cluster_versoin"} <= set(
        variables_found
    )
    assert any("vllm_hello cannot be worked out: 'a' is undefined" in one.message for one in found)


def test_a_users_own_variables_are_left_alone() -> None:
    own = {
        "my_team": "ml",
        "cluster_note": "ours",
        "cluster_note_2": "ours",
        "aiplatform_private_variables": ["cluster_note*"],
    }
    assert problems_of({"set": own}) == problems_of({})


def _used(pattern: str, *folders: str) -> set[str]:
    found: set[str] = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in (".yml", ".j2"):
                found |= set(re.findall(pattern, path.read_text("utf-8")))
    return found


def test_every_collection_wide_variable_is_in_the_table() -> None:
    used = _used(r"(?<![\w./-])aiplatform_[a-z_]+[a-z]\b", "roles", "playbooks", "inventories")
    assert used - set(VARIABLES) == set()


def test_facts_that_roles_set_are_known() -> None:
    assert ROLES["foundation"].facts >= {"foundation_outputs"}
    assert problems_of({"set": {"foundation_outputs": {}, "cluster_facts": {}}}) == problems_of({})


def test_a_part_of_the_platform_needs_no_whole_plan() -> None:
    given = {**variables("production"), "aiplatform_budget_per_month": 1, "aiplatform_node_pools": []}
    assert inventory_problems(given, ROLES)
    assert inventory_problems(given, ROLES, whole_plan=False) == []
    wrong = {**given, "storage_fsx": "perhaps", "aiplatform_regoin": "x"}
    assert {one.variable for one in inventory_problems(wrong, ROLES, whole_plan=False)} == {
        "storage_fsx",
        "aiplatform_regoin",
    }
