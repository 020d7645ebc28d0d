#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: eks_addons_info
short_description: Read the managed add-ons of an EKS cluster
version_added: 0.1.0
description:
  - Reads the add-ons with version, configuration, roles and health.
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
- name: Look at the add-ons
  aiplatform.eks.eks_addons_info:
    cluster_name: prod-us-east-1
  register: cluster_addons
"""

RETURN = r"""
addons:
  description: The add-ons, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The add-on's name.
      returned: success
      type: str
      sample: vpc-cni
    arn:
      description: Its ARN; none before it is made.
      returned: success
      type: str
      sample: arn:aws:eks:us-east-1:123456789012:addon/prod/vpc-cni/1ec1
    status:
      description: EKS' status.
      returned: success
      type: str
      sample: ACTIVE
    version:
      description: Its version.
      returned: success
      type: str
      sample: v1.20.4-eksbuild.1
    configuration:
      description: Its configuration values.
      returned: success
      type: raw
      sample: {env: {ENABLE_PREFIX_DELEGATION: "true"}}
    role_arn:
      description: The role of its service account, by OIDC.
      returned: success
      type: str
      sample: null
    pod_identities:
      description: The roles of its service accounts, by pod identity.
      returned: success
      type: dict
      sample: {ebs-csi-controller-sa: "arn:aws:iam::123456789012:role/ebs"}
    namespace:
      description: Its namespace.
      returned: success
      type: str
      sample: kube-system
    tags:
      description: Its tags, without those of AWS and ours.
      returned: success
      type: dict
      sample: {}
    health:
      description: EKS' health issues in words.
      returned: success
      type: list
      elements: str
      sample: []
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.addons.info import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
