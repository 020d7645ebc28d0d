#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_generated_secrets
short_description: Make Secrets whose values are generated once and seen by nobody
version_added: 0.1.0
description:
  - Makes Secrets with random values, for passwords that only pods of one cluster need.
  - A value is made when its key is missing, goes straight into the cluster, and stays. It is in no result, diff or log.
  - Where a secret store is in use, External Secrets makes such Secrets instead.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.converges
  - aiplatform.eks._kubernetes
options:
  state:
    description: Whether the Secrets are there. Those of others are never touched.
    type: str
    choices: [present, absent]
    default: present
  secrets:
    description: The Secrets.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the Secret.
        type: str
        required: true
      namespace:
        description: Its namespace.
        type: str
        required: true
      texts:
        description: Keys with known texts, such as a user's name. No secrets.
        type: dict
        default: {}
      generated:
        description: Keys whose values are generated, 43 letters, digits, V(-) and V(_).
        type: list
        elements: str
        default: []
"""

EXAMPLES = r"""
- name: A password for a database
  aiplatform.eks.k8s_generated_secrets:
    secrets:
      - name: mlflow-database
        namespace: mlops
        texts: {username: mlflow}
        generated: [password]
"""

RETURN = r"""
steps:
  description: One line per Secret that changes, never with a value.
  returned: success
  type: list
  elements: str
  sample: ["create Secret mlops/mlflow-database"]
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.generated_secrets import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
