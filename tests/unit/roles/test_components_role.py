"""What the role components takes away is what site.yml makes on request, in the opposite order."""

from __future__ import annotations

import re

import pytest
import yaml
from ansible_collections.aiplatform.eks.plugins.module_utils._inventory.roles import components
from role_data import ROLES, role_data

LISTED = re.compile(r"^'(\w+)' in \(aiplatform_components")


def test_every_component_of_the_site_can_leave_it() -> None:
    site = yaml.safe_load((ROLES.parent / "playbooks/site.yml").read_text(encoding="utf-8"))
    made = [found[1] for play in site if (found := LISTED.match(str(play.get("when"))))]
    known = role_data("components", "vars/main.yml")["__components_known"]
    removal = role_data("components", "tasks/main.yml")[-1]
    assert made
    assert known == made[::-1]
    assert removal["vars"] == {f"{name}_state": "absent" for name in known}
    assert sorted(known) == components(path.name for path in ROLES.glob("[a-z]*/"))


@pytest.mark.parametrize("name", role_data("components", "vars/main.yml")["__components_known"])
def test_a_component_is_known_by_its_set_until_all_of_it_is_gone(name: str) -> None:
    last = role_data(name, "tasks/absent.yml")[-1]
    assert last["aiplatform.eks.k8s_apply_set"]["name"] == name
