#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: eks_pod_identities_info
short_description: Read the pod identity associations of an EKS cluster
version_added: 0.1.0
description:
  - Reads which service account gets which IAM role.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.info
  - aiplatform.eks._aws
options:
  cluster_name:
    description: The cluster.
    type: str
    required: true
  parallel:
    description: How many objects are worked on at once.
    type: int
    default: 8
"""

EXAMPLES = r"""
- name: Look at the roles of the service accounts
  aiplatform.eks.eks_pod_identities_info:
    cluster_name: prod-us-east-1
  register: identities
"""

RETURN = r"""
associations:
  description: The associations, sorted by namespace and service account.
  returned: success
  type: list
  elements: dict
  contains:
    namespace:
      description: The service account's namespace.
      returned: success
      type: str
      sample: mlflow
    service_account:
      description: The service account.
      returned: success
      type: str
      sample: mlflow
    id:
      description: The association's id; none before it is made.
      returned: success
      type: str
      sample: a-0123456789abcdef0
    arn:
      description: Its ARN; none before it is made.
      returned: success
      type: str
      sample: arn:aws:eks:us-east-1:123456789012:podidentityassociation/prod/a-0123456789abcdef0
    owner:
      description: ARN of the add-on that it belongs to, if any.
      returned: success
      type: str
      sample: null
    role_arn:
      description: The role.
      returned: success
      type: str
      sample: arn:aws:iam::123456789012:role/prod-mlflow
    target_role_arn:
      description: A role of another account that is taken on from there.
      returned: success
      type: str
      sample: null
    disable_session_tags:
      description: Whether the session carries no tags of the pod.
      returned: success
      type: bool
      sample: false
    policy:
      description: The session policy.
      returned: success
      type: dict
      sample: null
    tags:
      description: Its tags, without those of AWS and ours.
      returned: success
      type: dict
      sample: {}
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.pod_identities.info import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
