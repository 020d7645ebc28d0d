# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: rendered_template
author:
  - The aiplatform.eks engineers (@aiplatform)
short_description: The text of a template of the role
version_added: 0.1.0
description:
  - Renders a template with the variables of the task, as P(ansible.builtin.template#lookup) does without options.
  - That one copies every variable of the host first, which takes longer than the rendering where there are many.
options:
  _terms:
    description: Names of templates, looked for where the action P(ansible.builtin.template#module) looks.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: What must hold of the tenants
  ansible.builtin.set_fact:
    governance_checks: "{{ lookup('aiplatform.eks.rendered_template', 'checks.yml.j2') | from_yaml }}"
"""

RETURN = r"""
_raw:
  description: The text of each template.
  type: list
  elements: str
"""

import typing as t
from collections.abc import Mapping, Sequence

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible.template import trust_as_template


class LookupModule(LookupBase):  # type: ignore[misc]
    def run(self, terms: Sequence[str], variables: Mapping[str, t.Any] | None = None, **kwargs: t.Any) -> list[str]:
        self.set_options(var_options=variables, direct=kwargs)
        return [self._rendered(name, variables or {}) for name in terms]

    def _rendered(self, name: str, variables: Mapping[str, t.Any]) -> str:
        path = self.find_file_in_search_path(variables, "templates", name)
        if not path:
            raise AnsibleError(f"template {name} is not found in the task's search path")
        text = trust_as_template(self._loader.get_text_file_contents(path))
        return str(self._templar.template(text, escape_backslashes=False))
