# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: inventory_variables
author:
  - The aiplatform.eks engineers (@aiplatform)
short_description: The variables of this host that belong to the collection
version_added: 0.1.0
description:
  - Works out each variable of the host whose name begins with C(aiplatform_) or with the name of a role, one by one.
    Mere defaults of roles in the same play are not among them.
  - A variable that cannot be worked out does not hide the others; it is returned with the reason.
  - A value that a role's argument spec calls secret (C(no_log)) is masked.
options:
  _terms:
    description: The folder of the collection's roles.
    type: list
    elements: path
    required: true
"""

EXAMPLES = r"""
- name: Check the inventory
  aiplatform.eks.inventory_check:
    variables: "{{ found.variables }}"
    unreadable: "{{ found.unreadable }}"
    roles_path: "{{ role_path | dirname }}"
  vars:
    found: "{{ lookup('aiplatform.eks.inventory_variables', role_path | dirname) }}"
"""

RETURN = r"""
_raw:
  description: One dictionary.
  type: list
  elements: dict
  contains:
    variables:
      description: Values by name.
      type: dict
    unreadable:
      description: Why a variable could not be worked out, by name.
      type: dict
"""

import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.aiplatform.eks.plugins.module_utils._inventory.names import prefixes
from ansible_collections.aiplatform.eks.plugins.module_utils._inventory.roles import Role, read_roles
from ansible_collections.aiplatform.eks.plugins.module_utils._inventory.secrets import masked


class LookupModule(LookupBase):  # type: ignore[misc]
    def run(
        self, terms: Sequence[str], variables: Mapping[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[dict[str, dict[str, t.Any]]]:
        self.set_options(var_options=variables, direct=kwargs)
        roles = {name: role for folder in terms for name, role in read_roles(Path(folder)).items()}
        ours = tuple(prefixes(roles))
        found: dict[str, t.Any] = {}
        unreadable: dict[str, str] = {}
        for name, value in sorted(_said(variables or {}, roles).items()):
            if name.startswith(ours):
                try:
                    found[name] = self._templar.template(value)
                except AnsibleError as error:
                    unreadable[name] = _reason(error)
        return [{"variables": masked(found, roles), "unreadable": unreadable}]


def _said(variables: Mapping[str, t.Any], roles: Mapping[str, Role]) -> Mapping[str, t.Any]:
    """What the inventory, the play or the command line say: not the mere defaults of roles in the same play."""
    given = variables["hostvars"].raw_get(variables["inventory_hostname"])
    defaults = {name: value for role in roles.values() for name, value in role.defaults.items()}
    return {
        name: value
        for name, value in variables.items()
        if name in given or name not in defaults or value != defaults[name]
    }


def _reason(error: AnsibleError) -> str:
    """The innermost message: what Jinja did not find."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__
