#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_teardown
short_description: Take away what Kubernetes made outside the cluster, and wait for it
version_added: 0.1.0
description:
  - Deletes the objects behind which a controller keeps something in AWS - services of type C(LoadBalancer), ingresses,
    gateways, claims whose volume was made for them, and Karpenter's node pools and claims - and whatever holds such a
    volume. Waits until their finalizers are gone, because then the load balancers, volumes and instances are. Volumes
    whose claims an earlier run deleted are waited for too.
  - Run it before the cluster is deleted. Afterwards nobody is left to delete them.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.converges
  - aiplatform.eks._kubernetes
options:
  scope:
    description:
      - V(cloud) takes away what has something outside the cluster.
      - V(everything) then also takes away webhooks, the members of all apply sets, all namespaces but Kubernetes' own,
        and all custom resource definitions, for a cluster that stays and shall be empty.
    type: str
    choices: [cloud, everything]
    default: cloud
  delete_data:
    description:
      - Also deletes the volumes of claims and the snapshots that were to outlive their objects, with what is on them.
        Without it, what has the policy C(Retain) stays. A volume that was not made for a claim always stays.
    type: bool
    default: false
  wait_timeout:
    description: Seconds for each wave of deletions.
    type: int
    default: 900
"""

EXAMPLES = r"""
- name: Load balancers and volumes first
  aiplatform.eks.k8s_teardown:
    eks_cluster: prod-us-east-1
"""

RETURN = r"""
steps:
  description: One line per object that is deleted, or told to take its data along.
  returned: always
  type: list
  elements: str
  sample: [delete Service mlops/mlflow]
deleted:
  description: The objects, wave by wave; in check mode, those that would be.
  returned: always
  type: list
  elements: str
  sample: [Service mlops/mlflow]
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.teardown import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
