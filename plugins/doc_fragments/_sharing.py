# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  state:
    description:
      - V(present) writes the ConfigMap and changes the nodes.
      - V(absent) deletes the ConfigMap and touches no node; take the operator away first.
    type: str
    choices: [present, absent]
    default: present
  namespace:
    description: The GPU operator's namespace.
    type: str
    default: gpu-operator
  apply_to_nodes:
    description: V(false) writes the ConfigMap only, as before the operator is installed.
    type: bool
    default: true
"""

    POOLS = r"""
options:
  node_pools:
    description:
      - The node pools of the inventory, all of them, with C(name), C(instance_types), C(scaling) and C(gpu_sharing).
      - Wrong ones are refused before anything else is done, with the reason and the nearest valid choice.
    type: list
    elements: dict
    required: true
  mig_strategy:
    description: The GPU operator's MIG strategy, one for the whole cluster.
    type: str
    choices: [none, single, mixed]
    default: mixed
"""

    NODES = r"""
options:
  pool_label:
    description: The node label whose value is the name of the pool.
    type: str
    default: aiplatform.eks/pool
"""
