#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_time_slicing
short_description: Share the GPUs of live pools by time-slicing or MPS
version_added: 0.1.0
description:
  - Writes the device plugin's configuration of all pools into one ConfigMap, labels the nodes with their key, restarts
    the plugin exactly where the content under a node's key changed, and proves that each node offers its GPUs times
    the replicas.
  - The plugin ignores unknown and misplaced keys, and does not notice a changed ConfigMap; this module refuses the
    first and takes care of the second.
  - MIG pools get their key too; their layouts and resources are the part of M(aiplatform.eks.mig_profiles).
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.converges
  - aiplatform.eks._kubernetes
  - aiplatform.eks._sharing
  - aiplatform.eks._sharing.pools
  - aiplatform.eks._sharing.nodes
options:
  config_map:
    description: Name of the ConfigMap, as in the operator's C(devicePlugin.config.name).
    type: str
    default: aiplatform-device-plugin
  wait_timeout:
    description: Seconds until all nodes must offer what they should.
    type: int
    default: 300
  parallel:
    description: How many nodes are changed at once.
    type: int
    default: 16
seealso:
  - module: aiplatform.eks.mig_profiles
"""

EXAMPLES = r"""
- name: Let three pods share each GPU
  aiplatform.eks.gpu_time_slicing:
    node_pools:
      - name: a100-shared
        instance_types: [p4de.24xlarge]
        gpu_sharing:
          mode: time_slicing
          replicas: 3
"""

RETURN = r"""
steps:
  description: What changed or would change, a line each.
  returned: success
  type: list
  elements: str
  sample: ["update node ip-10-0-1-17.ec2.internal of pool a100-shared (config, resources.nvidia.com/gpu.shared)"]
config_map:
  description: The ConfigMap.
  returned: success
  type: dict
  sample: {namespace: gpu-operator, name: aiplatform-device-plugin}
default_config:
  description: The key for nodes without a label, C(devicePlugin.config.default) of the operator.
  returned: success
  type: str
  sample: exclusive
restarted:
  description: Nodes whose device plugin restarted or would restart.
  returned: success
  type: list
  elements: str
  sample: [ip-10-0-1-17.ec2.internal]
nodes:
  description: The nodes of the pools, by name.
  returned: success
  type: dict
  contains:
    pool:
      description: The node's pool.
      returned: success
      type: str
      sample: a100-shared
    config:
      description: The key of its configuration.
      returned: success
      type: str
      sample: time-slicing-3-renamed
    resources:
      description: Extended resources that it offers.
      returned: success
      type: dict
      sample: {nvidia.com/gpu.shared: 24}
    changed:
      description: Whether it was or would be touched.
      returned: success
      type: bool
      sample: true
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._sharing.gpu_time_slicing import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
