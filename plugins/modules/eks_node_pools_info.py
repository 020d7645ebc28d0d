#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: eks_node_pools_info
short_description: Read the managed node groups of an EKS cluster
version_added: 0.1.0
description:
  - Reads the node groups with their sizes, labels, taints, launch template and health.
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
  names:
    description: Only these node groups. Those that are absent are left out.
    type: list
    elements: str
  parallel:
    description: How many node groups are read at once.
    type: int
    default: 8
"""

EXAMPLES = r"""
- name: Look at all pools
  aiplatform.eks.eks_node_pools_info:
    cluster_name: prod-us-east-1
  register: node_pools
"""

RETURN = r"""
pools:
  description: The pools, sorted by the name of their node group.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The pool's name.
      returned: success
      type: str
      sample: a100-mig
    node_group:
      description: The node group's name; it differs from the pool's after a replacement.
      returned: success
      type: str
      sample: a100-mig
    arn:
      description: The node group's ARN; none before it is made.
      returned: success
      type: str
      sample: arn:aws:eks:us-east-1:123456789012:nodegroup/prod/a100-mig/1ec1
    status:
      description: EKS' status.
      returned: success
      type: str
      sample: ACTIVE
    version:
      description: The Kubernetes version.
      returned: success
      type: str
      sample: "1.34"
    release_version:
      description: The image's release.
      returned: success
      type: str
      sample: 1.34.1-20261101
    ami_type:
      description: The AMI type.
      returned: success
      type: str
      sample: AL2023_x86_64_NVIDIA
    capacity_type:
      description: How the instances are bought.
      returned: success
      type: str
      sample: on_demand
    instance_types:
      description: The instance types that EKS was given; none when the one type stands in the launch template.
      returned: success
      type: list
      elements: str
      sample: []
    subnets:
      description: The subnets.
      returned: success
      type: list
      elements: str
      sample: [subnet-0a1b2c3d4e5f60718]
    node_role:
      description: The nodes' role.
      returned: success
      type: str
      sample: arn:aws:iam::123456789012:role/prod-nodes
    scaling:
      description: The sizes.
      returned: success
      type: dict
      sample: {min: 0, max: 4, desired: 2}
    labels:
      description: The nodes' labels.
      returned: success
      type: dict
      sample: {nvidia.com/mig.config: all-3g.40gb}
    taints:
      description: The nodes' taints.
      returned: success
      type: list
      elements: dict
      sample: [{key: nvidia.com/gpu, value: "true", effect: NoSchedule}]
    tags:
      description: The node group's tags, without those of AWS and ours.
      returned: success
      type: dict
      sample: {cost-centre: research}
    update:
      description: How rolling proceeds.
      returned: success
      type: dict
      sample: {max_unavailable: 1, strategy: default}
    node_repair:
      description: The automatic repair.
      returned: success
      type: dict
      sample: {enabled: false}
    warm_pool:
      description: The warm pool.
      returned: success
      type: dict
      sample: {enabled: false}
    launch_template:
      description: The launch template with C(id), C(name) and C(version).
      returned: success
      type: dict
      sample: {id: lt-0123456789abcdef0, name: aiplatform-prod-a100-mig, version: "3"}
    autoscaling_group:
      description: Name of the autoscaling group, once there is one.
      returned: success
      type: str
      sample: eks-a100-mig-1ec1
    health:
      description: EKS' health issues in words.
      returned: success
      type: list
      elements: str
      sample: []
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.info import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
