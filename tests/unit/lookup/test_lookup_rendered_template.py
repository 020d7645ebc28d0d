# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text of a template, as ansible.builtin.template gives it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

TEXT = "{# said once #}\n{% for one in many %}\n- name: {{ one }}\n  path: 'a\\\\b'\n{% endfor %}\n"


@pytest.fixture
def templar(tmp_path: Path) -> Templar:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/checks.yml.j2").write_text(TEXT, encoding="utf-8")
    many = trust_as_template("{{ ['x', 'y'] }}")
    return Templar(loader=DataLoader(), variables={"many": many, "ansible_search_path": [str(tmp_path)]})


def looked_up(templar: Templar, plugin: str, name: str) -> t.Any:
    return templar.template(trust_as_template(f"{{{{ lookup('{plugin}', '{name}') }}}}"))


def test_it_says_what_ansibles_own_says(templar: Templar) -> None:
    ours = looked_up(templar, "aiplatform.eks.rendered_template", "checks.yml.j2")
    assert ours == looked_up(templar, "ansible.builtin.template", "checks.yml.j2")
    assert ours.count("- name: ") == 2


def test_a_template_that_is_not_there_is_named(templar: Templar) -> None:
    with pytest.raises(AnsibleError, match=r"nothing\.j2"):
        looked_up(templar, "aiplatform.eks.rendered_template", "nothing.j2")
