#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_apply_sets_info
short_description: List the sets of Kubernetes objects that a cluster holds
version_added: 0.1.0
description:
  - Lists all sets that M(aiplatform.eks.k8s_apply_set) made and that are still there, with one request.
    Every component has a set of its own name, so this also says what is installed.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.info
  - aiplatform.eks._kubernetes
seealso:
  - module: aiplatform.eks.k8s_apply_set
  - module: aiplatform.eks.k8s_apply_set_info
"""

EXAMPLES = r"""
- name: Look at what is installed
  aiplatform.eks.k8s_apply_sets_info:
  register: installed
"""

RETURN = r"""
sets:
  description: The sets, sorted by name and namespace; those of other tools are left out.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The set's name.
      returned: success
      type: str
      sample: vllm
    namespace:
      description: Namespace of the set's record.
      returned: success
      type: str
      sample: inference
    apply_set:
      description: The set's identity, the value of its members' label.
      returned: success
      type: str
      sample: applyset-1CPd3v1-8lbiNjG8S6TzwiEcvrZzlQB1U7zTLzPr1Rc-v1
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.apply_sets_info import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
