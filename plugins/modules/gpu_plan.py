#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_plan
short_description: Plan GPUs, MIG layouts and purchases for a list of demands
version_added: 0.1.0
description:
  - Finds the cheapest whole instances and the way to cut each GPU that serve all demands, and says how cheap any plan
    could possibly be, so that the plan is proved to be the best or honest about what is left.
  - With O(nodes) it starts from what there is, and cuts as few GPUs anew and moves as few instances as possible.
  - Every layout comes with a place for each instance and with an order of creation; layouts that survive whatever
    places the driver picks are preferred.
  - Calls nobody; prices are those of us-east-1, Linux, on demand. Needs the Python library C(highspy).
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.info
options:
  demands:
    description: What has to run, in groups of equal instances.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the demand.
        type: str
        required: true
      count:
        description: How many instances; V(0) lets those that run end.
        type: int
        default: 1
      profile:
        description:
          - The MIG profile that each must be, for example V(3g.40gb), or V(gpu) for a whole GPU.
          - Without it, whatever has O(demands[].memory_gb) and O(demands[].compute_slices) will do.
        type: str
      memory_gb:
        description: At least so much memory, in 10^9 bytes.
        type: float
        default: 0.0
      compute_slices:
        description: At least so many compute slices, of whatever board.
        type: int
        default: 0
      boards:
        description: Only on these boards, for example V(h100-80gb). Any board without it.
        type: list
        elements: str
      spread:
        description: V(gpu) puts no two of them on one GPU, V(node) no two on one node.
        type: str
        choices: [none, gpu, node]
        default: none
      isolated:
        description: Whether no instance of another demand may sit on the same GPU.
        type: bool
        default: false
  node_pools:
    description:
      - Pools of the inventory to choose among, by their first instance type, with C(scaling.max) as the limit (one
        node where nothing is said), of which the O(nodes) of that type take their part.
      - Pools for training, and those with a sharing mode other than V(exclusive) and V(mig), are left out.
    type: list
    elements: dict
  instance_types:
    description:
      - Instance types to choose among. Without it and without O(node_pools) and O(nodes), all with a known price.
    type: list
    elements: str
  prices:
    description: USD per hour by instance type, for reservations, Capacity Blocks and other regions.
    type: dict
  nodes:
    description: The live state; these nodes are used before anything is bought.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the node.
        type: str
        required: true
      instance_type:
        description: Its instance type.
        type: str
        required: true
      gpus:
        description: Its GPUs. Without it they are whole and idle.
        type: list
        elements: dict
        suboptions:
          count:
            description: How many GPUs are alike.
            type: int
            default: 1
          layout:
            description: Profile to number of instances; without it MIG is off.
            type: dict
          used:
            description: Demand to profile (V(gpu) for a whole GPU) to number of instances that run.
            type: dict
  time_limit:
    description: Seconds for each goal; a plan that is stopped says how far it may be from the best.
    type: float
    default: 10.0
seealso:
  - module: aiplatform.eks.mig_profiles
  - module: aiplatform.eks.llm_sizing
"""

EXAMPLES = r"""
- name: What is the cheapest way to serve this?
  aiplatform.eks.gpu_plan:
    demands:
      - {name: notebooks, count: 40, profile: 1g.10gb}
      - {name: servers, count: 6, memory_gb: 35, compute_slices: 3, spread: node}
    instance_types: [p4d.24xlarge, p4de.24xlarge, p5.48xlarge]
  register: planned

- name: Choose among our pools, starting from what there is
  aiplatform.eks.gpu_plan:
    demands:
      - {name: notebooks, count: 12, profile: 1g.10gb}
    node_pools: "{{ aiplatform_node_pools }}"
    nodes:
      - name: ip-10-0-1-17.ec2.internal
        instance_type: p5.4xlarge
        gpus:
          - layout: {3g.40gb: 2}
            used: {notebooks: {3g.40gb: 1}}
"""

RETURN = r"""
price:
  description: USD per hour of the nodes to buy.
  returned: success
  type: float
  sample: 27.44705
bound:
  description: No plan can be cheaper.
  returned: success
  type: float
  sample: 27.44705
proved:
  description: Whether price and bound meet, so that no plan is cheaper.
  returned: success
  type: bool
  sample: true
unproved:
  description:
    - Goals for which O(time_limit) was over before every better plan was ruled out; a warning says what is open.
    - V(price), V(repartitioned) live GPUs, V(moved) instances, new V(gpus) in use.
  returned: success
  type: list
  elements: str
  sample: []
bought:
  description: Instance type to number of nodes to buy.
  returned: success
  type: dict
  sample: {p4de.24xlarge: 1}
layouts:
  description: Every way in which a GPU is cut, with its proof.
  returned: success
  type: list
  elements: dict
  contains:
    board:
      description: The board.
      returned: success
      type: str
      sample: a100-80gb
    profiles:
      description: Profile to number of instances.
      returned: success
      type: dict
      sample: {1g.10gb: 1, 2g.20gb: 3}
    placements:
      description: Where each instance can sit, in memory slices.
      returned: success
      type: list
      elements: dict
      sample: [{profile: 2g.20gb, start: 0, size: 2}]
    creation_order:
      description: Profiles in an order in which the instances can be created.
      returned: success
      type: list
      elements: str
      sample: [2g.20gb, 2g.20gb, 2g.20gb, 1g.10gb]
    survives_every_driver:
      description: Whether that order succeeds whatever places the driver picks. Otherwise it may take a second order.
      returned: success
      type: bool
      sample: true
    free_compute_slices:
      description: Compute slices that no instance holds.
      returned: success
      type: int
      sample: 0
    free_memory_slices:
      description: Memory slices that no instance holds.
      returned: success
      type: int
      sample: 1
    instance_types:
      description: Where it is used.
      returned: success
      type: list
      elements: str
      sample: [p4de.24xlarge]
    gpus:
      description: How many GPUs are cut so.
      returned: success
      type: int
      sample: 8
node_pools:
  description:
    - The nodes to buy as pools for the inventory, one for each way in which the GPUs of a node are cut.
    - With O(node_pools) no pool gets more nodes than its C(scaling.max); where its nodes are cut in several ways, they
      stand as further pools whose names begin with its name.
  returned: success
  type: list
  elements: dict
  sample:
    - name: p4de-24xlarge
      instance_types: [p4de.24xlarge]
      scaling: {min: 1, max: 1}
      gpu_sharing: {mode: mig, layout: {1g.10gb: 7}}
nodes:
  description: The live nodes after the plan, each with C(changed) and C(gpus) of C(layout), C(changed) and C(used).
  returned: success
  type: list
  elements: dict
  sample: []
placed:
  description: Demand to where its instances run.
  returned: success
  type: dict
  sample: {notebooks: [{instance_type: p4de.24xlarge, profile: 1g.10gb, count: 40}]}
waste:
  description: What is paid for and serves nobody.
  returned: success
  type: dict
  contains:
    gpus:
      description: Idle GPUs.
      returned: success
      type: int
      sample: 2
    instances:
      description: Idle MIG instances by profile.
      returned: success
      type: dict
      sample: {1g.10gb: 2}
    compute_slices:
      description: Compute slices of cut GPUs that serve nobody.
      returned: success
      type: int
      sample: 2
    memory_slices:
      description: Memory slices of cut GPUs that serve nobody.
      returned: success
      type: int
      sample: 8
    memory_gib:
      description: The same in GiB.
      returned: success
      type: float
      sample: 80.0
changes:
  description: What the live nodes go through.
  returned: success
  type: dict
  contains:
    repartitioned:
      description: GPUs that are cut anew.
      returned: success
      type: int
      sample: 1
    repartitioned_bound:
      description: The least possible number at this price.
      returned: success
      type: int
      sample: 1
    moved:
      description: Running instances that move.
      returned: success
      type: int
      sample: 0
    ended:
      description: Running instances that end, because fewer are demanded.
      returned: success
      type: int
      sample: 0
left_out:
  description: Pool to the reason why its GPUs are not planned.
  returned: success
  type: dict
  sample: {h100-training: "it serves distributed training, which needs whole GPUs"}
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.plan_use_case import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
