#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: eks_pod_identities
short_description: Make all pod identity associations of an EKS cluster as wanted
version_added: 0.1.0
description:
  - Gives service accounts their IAM roles.
  - An association that belongs to an add-on is left to M(aiplatform.eks.eks_addons).
  - An option that is left out leaves what is there.
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
  associations:
    description: The associations, all of them.
    type: list
    elements: dict
    required: true
    suboptions:
      namespace:
        description: The service account's namespace.
        type: str
        required: true
      service_account:
        description: The service account.
        type: str
        required: true
      role_arn:
        description: ARN of the role. Needed on create.
        type: str
      target_role_arn:
        description: ARN of a role, also of another account, that is taken on from the first one.
        type: str
      disable_session_tags:
        description: Whether the session carries no tags of the pod.
        type: bool
      policy:
        description: A session policy that narrows the role, a dictionary or JSON.
        type: raw
      tags:
        description: Tags of this association, over O(tags).
        type: dict
  state:
    description: Whether the associations are there.
    type: str
    choices: [present, absent]
    default: present
  prune:
    description: Whether associations that carry our ownership tag for this cluster and that nobody names are deleted.
    type: bool
    default: false
  tags:
    description: Tags of all associations.
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
- name: Roles of the platform's service accounts
  aiplatform.eks.eks_pod_identities:
    cluster_name: prod-us-east-1
    associations:
      - namespace: mlflow
        service_account: mlflow
        role_arn: arn:aws:iam::123456789012:role/prod-mlflow
      - namespace: kube-system
        service_account: karpenter
        role_arn: arn:aws:iam::123456789012:role/prod-karpenter
"""

RETURN = r"""
steps:
  description: One line per object that changes.
  returned: success
  type: list
  elements: str
  sample: ["create pod identity mlflow/mlflow"]
associations:
  description: The associations, in the order of the task. In check mode, as they would be.
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
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.pod_identities.use_case import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
