#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_sharing_info
short_description: Compare what GPU nodes offer with what their pools promise
version_added: 0.1.0
description:
  - Says for each node of the pools which GPU resources it offers and which it should, with its MIG layout, its
    device-plugin configuration, and the state of the GPU operator's ClusterPolicy.
  - With O(require=true) it waits for everything to be right, and fails with a sentence for each thing that is not.
  - The look that belongs to M(aiplatform.eks.mig_profiles) and M(aiplatform.eks.gpu_time_slicing).
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.info
  - aiplatform.eks._kubernetes
  - aiplatform.eks._sharing.pools
  - aiplatform.eks._sharing.nodes
options:
  require:
    description: Fail when something is not right.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait with O(require=true) until everything is right.
    type: int
    default: 0
seealso:
  - module: aiplatform.eks.mig_profiles
  - module: aiplatform.eks.gpu_time_slicing
"""

EXAMPLES = r"""
- name: Do the nodes offer what the inventory promises?
  aiplatform.eks.gpu_sharing_info:
    node_pools: "{{ aiplatform_node_pools }}"
    require: true
    wait_timeout: 300
"""

RETURN = r"""
ready:
  description: Whether everything is right.
  returned: success
  type: bool
  sample: true
cluster_policy:
  description: State of the GPU operator's ClusterPolicy (V(absent) without one) and its message.
  returned: success
  type: dict
  sample: {state: ready, message: ""}
nodes:
  description: The GPU nodes of the pools, by name.
  returned: success
  type: dict
  contains:
    pool:
      description: The node's pool.
      returned: success
      type: str
      sample: a100-mig
    mode:
      description: How its GPUs are shared.
      returned: success
      type: str
      sample: mig
    ready:
      description: Whether the kubelet says that the node is ready.
      returned: success
      type: bool
      sample: true
    schedulable:
      description: Whether it is not cordoned.
      returned: success
      type: bool
      sample: true
    promised:
      description: GPU resources that it should offer.
      returned: success
      type: dict
      sample: {nvidia.com/mig-3g.40gb: 16}
    offered:
      description: GPU resources that it offers.
      returned: success
      type: dict
      sample: {nvidia.com/mig-3g.40gb: 16}
    right:
      description: Whether both are the same.
      returned: success
      type: bool
      sample: true
    device_plugin_config:
      description: Key of its device-plugin configuration.
      returned: success
      type: str
      sample: exclusive
    mig_layout:
      description: Its MIG layout.
      returned: success
      type: str
      sample: 3g.40gb-x2
    mig_state:
      description: What mig-manager says about it.
      returned: success
      type: str
      sample: success
    product:
      description: Product label that GPU feature discovery wrote.
      returned: success
      type: str
      sample: NVIDIA-A100-SXM4-80GB
    product_promised:
      description: Product label that was to be expected.
      returned: success
      type: str
      sample: NVIDIA-A100-SXM4-80GB
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._sharing.gpu_sharing_info import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
