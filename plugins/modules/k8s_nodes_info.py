#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_nodes_info
short_description: List the nodes of a cluster and what they offer
version_added: 0.1.0
description:
  - Lists the nodes with their readiness, labels, taints, capacity and allocatable resources.
  - Waits until enough of them are ready, when O(minimum_ready) asks for it; check mode does not wait.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.info
  - aiplatform.eks._kubernetes
options:
  label_selector:
    description: Only nodes with these labels, in the API's syntax.
    type: str
  minimum_ready:
    description: Wait until this many of the nodes are ready.
    type: int
    default: 0
  wait_timeout:
    description: Seconds after which the task fails when too few nodes are ready.
    type: int
    default: 600
"""

EXAMPLES = r"""
- name: Look at the GPU nodes
  aiplatform.eks.k8s_nodes_info:
    label_selector: nvidia.com/gpu.present=true
  register: gpu_nodes

- name: Wait for the pool
  aiplatform.eks.k8s_nodes_info:
    label_selector: eks.amazonaws.com/nodegroup=a100-mig
    minimum_ready: 2
    wait_timeout: 900
"""

RETURN = r"""
nodes:
  description: The nodes, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the node.
      returned: success
      type: str
      sample: ip-10-0-1-17.ec2.internal
    node_pool:
      description: The managed node group or Karpenter pool that made it, empty for others.
      returned: success
      type: str
      sample: a100-mig
    ready:
      description: Whether the kubelet says that the node is ready.
      returned: success
      type: bool
      sample: true
    schedulable:
      description: Whether new pods may be placed, that is, the node is not cordoned.
      returned: success
      type: bool
      sample: true
    provider_id:
      description: The instance behind the node.
      returned: success
      type: str
      sample: aws:///us-east-1a/i-0123456789abcdef0
    labels:
      description: The node's labels.
      returned: success
      type: dict
      sample: {nvidia.com/gpu.present: "true"}
    taints:
      description: The node's taints.
      returned: success
      type: list
      elements: dict
      sample: [{key: nvidia.com/gpu, value: "", effect: NoSchedule}]
    capacity:
      description: What the node has, as quantities.
      returned: success
      type: dict
      sample: {cpu: "96", nvidia.com/gpu: "8"}
    allocatable:
      description: What pods may use of it, as quantities.
      returned: success
      type: dict
      sample: {cpu: "95690m", nvidia.com/gpu: "8"}
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.nodes_info import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
