#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: eks_access_entries
short_description: Make all access entries of an EKS cluster as wanted
version_added: 0.1.0
description:
  - Gives IAM principals their Kubernetes user, groups and access policies.
  - EKS makes entries by itself, for the nodes' role of a managed node group; such an entry is taken over.
  - An option that is left out leaves what is there; an empty list takes away what is there.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.converges
  - aiplatform.eks._aws
options:
  cluster_name:
    description: The cluster.
    type: str
    required: true
  entries:
    description: The entries, all of them.
    type: list
    elements: dict
    required: true
    suboptions:
      principal_arn:
        description: ARN of the IAM role or user.
        type: str
        required: true
      type:
        description: The entry's type, fixed for ever. Only a standard one has user, groups and policies.
        type: str
        choices: [STANDARD, FARGATE_LINUX, EC2_LINUX, EC2_WINDOWS, EC2, HYBRID_LINUX, HYPERPOD_LINUX]
      username:
        description: The Kubernetes user.
        type: str
      groups:
        description: The Kubernetes groups.
        type: list
        elements: str
      policies:
        description: The access policies.
        type: list
        elements: dict
        suboptions:
          policy:
            description: Name or ARN of the policy, as C(AmazonEKSViewPolicy).
            type: str
            required: true
          namespaces:
            description: Namespaces in which it holds. Without it, the whole cluster.
            type: list
            elements: str
      tags:
        description: Tags of this entry, over O(tags).
        type: dict
  state:
    description: Whether the entries are there.
    type: str
    choices: [present, absent]
    default: present
  prune:
    description: Whether entries that carry our ownership tag for this cluster and that nobody names are deleted.
    type: bool
    default: false
  tags:
    description: Tags of all entries.
    type: dict
  purge_tags:
    description: Whether tags that nobody names are taken away, when tags are given.
    type: bool
    default: true
  parallel:
    description: How many objects are worked on at once.
    type: int
    default: 8
"""

EXAMPLES = r"""
- name: Who may do what
  aiplatform.eks.eks_access_entries:
    cluster_name: prod-us-east-1
    entries:
      - principal_arn: arn:aws:iam::123456789012:role/platform
        policies: [{policy: AmazonEKSClusterAdminPolicy}]
      - principal_arn: arn:aws:iam::123456789012:role/team-a
        groups: [team-a]
        policies: [{policy: AmazonEKSEditPolicy, namespaces: [team-a]}]
"""

RETURN = r"""
steps:
  description: One line per object that changes.
  returned: success
  type: list
  elements: str
  sample: ["update access entry arn:aws:iam::123456789012:role/team-a (groups)"]
entries:
  description: The entries, in the order of the task. In check mode, as they would be.
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
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.access.use_case import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
