#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: eks_access_entries_info
short_description: Read the access entries of an EKS cluster
version_added: 0.1.0
description:
  - Reads the access entries with their policies.
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
- name: Look at who may log in
  aiplatform.eks.eks_access_entries_info:
    cluster_name: prod-us-east-1
  register: access
"""

RETURN = r"""
entries:
  description: The entries, sorted by principal.
  returned: success
  type: list
  elements: dict
  contains:
    principal_arn:
      description: The IAM principal.
      returned: success
      type: str
      sample: arn:aws:iam::123456789012:role/developers
    arn:
      description: The entry's ARN; none before it is made.
      returned: success
      type: str
      sample: arn:aws:eks:us-east-1:123456789012:access-entry/prod/role/123456789012/developers/1ec1
    type:
      description: Its type.
      returned: success
      type: str
      sample: STANDARD
    username:
      description: The Kubernetes user.
      returned: success
      type: str
      sample: dev
    groups:
      description: The Kubernetes groups.
      returned: success
      type: list
      elements: str
      sample: [developers]
    policies:
      description: The access policies; without namespaces they hold for the whole cluster.
      returned: success
      type: list
      elements: dict
      sample: [{policy: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy", namespaces: [team-a]}]
    tags:
      description: Its tags, without those of AWS and ours.
      returned: success
      type: dict
      sample: {}
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.access.info import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
