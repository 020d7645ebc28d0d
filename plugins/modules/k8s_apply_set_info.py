#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_apply_set_info
short_description: List the members of a set of Kubernetes objects
version_added: 0.1.0
description:
  - Lists the members of a set that M(aiplatform.eks.k8s_apply_set) made, with their readiness.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.info
  - aiplatform.eks._kubernetes
options:
  name:
    description: Name of the set.
    type: str
    required: true
  namespace:
    description: Namespace of the set's record.
    type: str
    default: default
seealso:
  - module: aiplatform.eks.k8s_apply_set
"""

EXAMPLES = r"""
- name: Look at a component
  aiplatform.eks.k8s_apply_set_info:
    name: vllm
    namespace: inference
  register: component
"""

RETURN = r"""
apply_set:
  description: The set's identity, the value of the members' label.
  returned: success
  type: str
  sample: applyset-1CPd3v1-8lbiNjG8S6TzwiEcvrZzlQB1U7zTLzPr1Rc-v1
exists:
  description: Whether the set has a record in the cluster.
  returned: success
  type: bool
  sample: true
ready:
  description: Whether all members are ready.
  returned: success
  type: bool
  sample: true
objects:
  description: The members, by group, kind, namespace and name.
  returned: success
  type: list
  elements: dict
  contains:
    api_version:
      description: The object's API version.
      returned: success
      type: str
      sample: apps/v1
    kind:
      description: The object's kind.
      returned: success
      type: str
      sample: Deployment
    namespace:
      description: The object's namespace, empty for cluster-scoped kinds.
      returned: success
      type: str
      sample: inference
    name:
      description: The object's name.
      returned: success
      type: str
      sample: vllm
    ready:
      description: Whether the object is as its spec wants it.
      returned: success
      type: bool
      sample: false
    status:
      description: One of V(current), V(progressing), V(failed) and V(terminating).
      returned: success
      type: str
      sample: progressing
    message:
      description: Why the object is not ready.
      returned: success
      type: str
      sample: 1 of 2 replicas available
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.apply_info import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
