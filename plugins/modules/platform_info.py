#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: platform_info
short_description: Say what a cluster is made of and who uses it
version_added: 0.1.0
description:
  - Reads nodes, pods, quotas and Helm releases and says, pool by pool and GPU by GPU, what is there and who holds it.
  - What M(aiplatform.eks.platform_report) makes a page of.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.info
  - aiplatform.eks._kubernetes
  - aiplatform.eks._sharing.pools
seealso:
  - module: aiplatform.eks.platform_report
  - module: aiplatform.eks.gpu_sharing_info
"""

EXAMPLES = r"""
- name: Who uses our GPUs?
  aiplatform.eks.platform_info:
    node_pools: "{{ aiplatform_node_pools }}"
  register: platform
"""

RETURN = r"""
kubernetes_version:
  description: Version of the API server; empty for a cluster that is to come.
  returned: success
  type: str
  sample: v1.36.2-eks-1a2b3c4
pools:
  description: The pools in the order of the inventory.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the pool.
      returned: success
      type: str
      sample: a100-mig
    instance_types:
      description: Its instance types.
      returned: success
      type: list
      elements: str
      sample: [p4de.24xlarge]
    capacity_type:
      description: How its capacity is bought.
      returned: success
      type: str
      sample: on_demand
    sharing:
      description: How its GPUs are shared, in words; empty without accelerators.
      returned: success
      type: str
      sample: MIG 2 x 3g.40gb
    offers:
      description: Devices that its largest node offers.
      returned: success
      type: dict
      sample: {nvidia.com/mig-3g.40gb: 16}
    nodes:
      description: How many nodes it has.
      returned: success
      type: int
      sample: 1
    ready:
      description: How many of them are ready.
      returned: success
      type: int
      sample: 1
    least:
      description: Nodes at least.
      returned: success
      type: int
      sample: 1
    most:
      description: Nodes at most.
      returned: success
      type: int
      sample: 4
    usd_per_node_hour:
      description: On-demand price of its dearest instance type, from the table; null when it is unknown.
      returned: success
      type: float
      sample: 27.44705
    usd_per_hour:
      description: On-demand price of its nodes; null when one is unknown.
      returned: success
      type: float
      sample: 27.4471
gpu_nodes:
  description: The nodes with GPUs, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the node.
      returned: success
      type: str
      sample: ip-10-0-1-17.ec2.internal
    pool:
      description: Its pool.
      returned: success
      type: str
      sample: a100-mig
    instance_type:
      description: Its instance type.
      returned: success
      type: str
      sample: p4de.24xlarge
    zone:
      description: Its availability zone.
      returned: success
      type: str
      sample: us-east-1a
    accelerator:
      description: Its GPUs.
      returned: success
      type: str
      sample: NVIDIA A100-SXM4-80GB
    memory_gib:
      description: Memory of a GPU.
      returned: success
      type: float
      sample: 80
    ready:
      description: Whether the kubelet says that it is ready.
      returned: success
      type: bool
      sample: true
    schedulable:
      description: Whether it is not cordoned.
      returned: success
      type: bool
      sample: true
    promised:
      description: Devices that it should offer.
      returned: success
      type: dict
      sample: {nvidia.com/mig-3g.40gb: 16}
    offered:
      description: What it offers of them.
      returned: success
      type: dict
      sample: {nvidia.com/mig-3g.40gb: 16}
    right:
      description: Whether it is ready and offers what it should.
      returned: success
      type: bool
      sample: true
    gpus:
      description:
        - Each GPU as a list of its slices, from left to right, with C(name), C(resource), C(start) and C(size) as parts
          of 1, and C(user), null or C({namespace, pod}).
        - Kubernetes does not say which device a pod got. Users are given to slices in the order of their names.
      returned: success
      type: list
      elements: list
      sample: [[{name: 3g.40gb, resource: nvidia.com/mig-3g.40gb, start: 0.0, size: 0.5, user: null}]]
    users:
      description: Who holds how many slices of what.
      returned: success
      type: list
      elements: dict
      sample: [{namespace: inference, pod: llama-0, resource: nvidia.com/mig-3g.40gb, count: 1}]
capacity:
  description:
    - Each resource with what nodes have C(now) and at C(most), what pods C(asked) for, and what all C(quotas) allow.
    - Memory is in GiB.
  returned: success
  type: list
  elements: dict
  sample: [{resource: nvidia.com/mig-3g.40gb, now: 16, most: 64, asked: 6, quotas: 21}]
quotas:
  description: What namespaces may have and what they use of it. Memory is in GiB.
  returned: success
  type: list
  elements: dict
  sample: [{namespace: inference, resource: cpu, hard: 80, used: 24}]
releases:
  description: The Helm releases, as M(aiplatform.eks.helm_releases_info) says them.
  returned: success
  type: list
  elements: dict
  sample: [{name: gpu-operator, namespace: gpu-operator, chart: gpu-operator, chart_version: v26.7.0}]
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._report.platform_info import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
