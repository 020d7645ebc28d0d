#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mig_profiles
short_description: Change the MIG layouts of live GPU nodes, node by node
version_added: 0.1.0
description:
  - Writes the layouts of all pools into the ConfigMap that mig-manager reads, and rolls the nodes that have another
    one.
  - A node is cordoned, its GPU pods are evicted within their PodDisruptionBudgets, layout and old state are changed in
    one patch, and the node comes back when it offers exactly the resources that its layout promises.
  - mig-manager itself never evicts or checks anybody's pods.
  - A roll that was killed at any step goes on when the task runs again; what is to be done is read from the nodes.
  - Nodes that mig-manager left V(failed), or V(pending) for ever, are freed and tried again.
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
    description: Name of the ConfigMap, as in the operator's C(migManager.config.name).
    type: str
    default: aiplatform-mig-layouts
  max_unavailable:
    description:
      - How many of the nodes may be out at once, as a number or a percentage.
      - Nodes that are cordoned or not ready for other reasons count too.
    type: str
    default: "1"
  max_failures:
    description: After more failed nodes than this no further node is begun.
    type: int
    default: 0
  drain:
    description: How GPU pods leave a node.
    type: dict
    suboptions:
      on_blocked:
        description:
          - What happens when a disruption budget refuses an eviction.
          - V(wait) asks again until O(drain.timeout), V(skip) leaves the node as it is and goes on, V(fail) ends the
            roll.
        type: str
        choices: [wait, skip, fail]
        default: wait
      timeout:
        description: Seconds that the pods of a node may take to leave; afterwards it is given back and has failed.
        type: int
        default: 900
      grace_period:
        description: Seconds that a pod has to end. Without it, the pod's own.
        type: int
      evict_unmanaged:
        description: Also evict pods that no controller would make again.
        type: bool
        default: false
  node_timeout:
    description: Seconds that mig-manager may take for a node before it counts as stuck.
    type: int
    default: 900
  verify_timeout:
    description: Seconds from the state V(success) until the node must offer the new resources.
    type: int
    default: 300
  retries:
    description: How often a node that failed or is stuck is freed and tried again.
    type: int
    default: 2
seealso:
  - module: aiplatform.eks.gpu_time_slicing
"""

EXAMPLES = r"""
- name: Give the pools their MIG layouts, at most a tenth of the nodes at once
  aiplatform.eks.mig_profiles:
    node_pools:
      - name: a100-mig
        instance_types: [p4de.24xlarge]
        gpu_sharing:
          mode: mig
          layout:
            3g.40gb: 2
    max_unavailable: 10%
    drain:
      on_blocked: skip
"""

RETURN = r"""
steps:
  description: What changed or would change, a line each.
  returned: success
  type: list
  elements: str
  sample: ["roll node ip-10-0-1-17.ec2.internal of pool a100-mig (layout, resources)"]
config_map:
  description: The ConfigMap.
  returned: success
  type: dict
  sample: {namespace: gpu-operator, name: aiplatform-mig-layouts}
nodes:
  description: How it went for each node, by name.
  returned: success
  type: dict
  contains:
    pool:
      description: The node's pool.
      returned: success
      type: str
      sample: a100-mig
    result:
      description: V(changed), V(unchanged), V(skipped), V(failed) or V(waiting) (its turn did not come).
      returned: success
      type: str
      sample: changed
    message:
      description: Why it was skipped or failed.
      returned: success
      type: str
      sample: ""
    layout:
      description: The wanted layout.
      returned: success
      type: str
      sample: 3g.40gb-x2
    layout_before:
      description: The layout's label before.
      returned: success
      type: str
      sample: 1g.10gb-x7
    evicted:
      description: Pods that had to leave.
      returned: success
      type: list
      elements: str
      sample: [team-a/server-5d9f7c-abcde]
    recoveries:
      description: How often the node had to be freed.
      returned: success
      type: int
      sample: 0
    seconds:
      description: Seconds from the roll's begin to the node's end.
      returned: success
      type: float
      sample: 94.2
counts:
  description: Number of nodes by result.
  returned: success
  type: dict
  sample: {changed: 4, unchanged: 0, skipped: 0, failed: 0, waiting: 0}
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._sharing.mig_profiles import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
