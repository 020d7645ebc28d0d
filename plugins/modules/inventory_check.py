#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: inventory_check
short_description: Refuse a wrong inventory before anything is written
version_added: 0.1.0
description:
  - Holds the variables of a cluster against the argument specs of the roles and against each other, offline.
  - Checks names of variables, types, choices and keys, node pools and how their GPUs are shared, zones and ranges,
    tenants and their quotas against what the pools can have, and the budget.
  - Fails with all problems at once. Each names the variable, what was found and the way out.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.info
options:
  variables:
    description:
      - The variables, worked out, by name. P(aiplatform.eks.inventory_variables#lookup) finds them.
      - A variable whose name begins with C(aiplatform_) or with the name of a role must be known, or be listed in
        C(aiplatform_private_variables). Others are not looked at.
    type: dict
    required: true
  unreadable:
    description: Why a variable could not be worked out, by name.
    type: dict
    default: {}
  roles_path:
    description: The folder of the collection's roles, whose argument specs are read.
    type: path
    required: true
  name:
    description: Name of the host, for the message.
    type: str
  whole_plan:
    description:
      - Whether what belongs together is held against each other too - pools, quotas, models, namespaces, the budget.
      - Without it names and values are checked one by one, which is enough for a part of the platform.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Refuse a wrong inventory
  aiplatform.eks.inventory_check:
    name: "{{ inventory_hostname }}"
    variables: "{{ lookup('aiplatform.eks.inventory_variables', roles).variables }}"
    roles_path: "{{ roles }}"
  vars:
    roles: "{{ playbook_dir }}/../roles"
"""

RETURN = r"""
wrong:
  description: Where something is wrong, sorted; the failure returns it beside its message.
  returned: always
  type: list
  elements: str
  sample: ["aiplatform_node_pools[1].scaling.min"]
checked:
  description: How many variables were looked at.
  returned: success
  type: int
  sample: 31
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._inventory.use_case import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
