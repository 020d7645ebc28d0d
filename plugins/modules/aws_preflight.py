#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: aws_preflight
short_description: Ask AWS whether a plan can be had and what it costs
version_added: 0.1.0
description:
  - Asks who we are, compares the EC2 quotas with the node pools, looks where the instance types are sold, whether EKS
    has images for them, how many addresses the subnets have left, and what the plan costs.
  - Reads only, everything at once. A question that gets no answer is named in RV(could_not_ask), never passed over.
  - Fails when the plan cannot be had or is over the budget.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.info
  - aiplatform.eks._aws
options:
  pools:
    description:
      - The node pools of the inventory.
      - Read are C(name) and C(instance_types), which are needed, C(scaling) with C(min), C(desired) and C(max), and
        C(capacity_type). Prices count with the dearest type of a pool, and spot with the on-demand price.
    type: list
    elements: dict
    required: true
  kubernetes_version:
    description: Minor version for which EKS must have images, for example V(1.36). Without it images are not asked for.
    type: str
  subnets:
    description: The pools' subnets; their zones and free addresses are compared with the pools.
    type: list
    elements: str
    default: []
  zones:
    description: Zones in which the instance types must be sold, beside those of O(subnets).
    type: list
    elements: str
    default: []
  budget_per_month:
    description: USD that the plan may cost a month at first. Without it nothing is refused for its price.
    type: float
  offline:
    description: Do not ask AWS; price the plan from the table.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Can we have it, and what does it cost?
  aiplatform.eks.aws_preflight:
    region: us-east-1
    kubernetes_version: "1.36"
    zones: [us-east-1a, us-east-1b, us-east-1c]
    budget_per_month: 60000
    pools:
      - {name: system, instance_types: [m7i.2xlarge], scaling: {min: 3, max: 10}}
      - {name: a100-mig, instance_types: [p4de.24xlarge], scaling: {min: 1, max: 4}}
"""

RETURN = r"""
identity:
  description: Who asked; empty when AWS was not asked.
  returned: always
  type: dict
  contains:
    account:
      description: The account.
      returned: when asked
      type: str
      sample: "123456789012"
    arn:
      description: The identity.
      returned: when asked
      type: str
      sample: arn:aws:iam::123456789012:role/platform
quotas:
  description: The EC2 quotas that the plan touches, in vCPUs.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: Code of the quota.
      returned: always
      type: str
      sample: L-417A185B
    name:
      description: What it limits.
      returned: always
      type: str
      sample: on-demand p instances
    vcpu_limit:
      description: The quota.
      returned: always
      type: float
      sample: 384.0
    least:
      description: What the pools need at least.
      returned: always
      type: int
      sample: 96
    most:
      description: What full pools need.
      returned: always
      type: int
      sample: 384
offerings:
  description: Zones in which each instance type is sold.
  returned: always
  type: dict
  sample: {p4de.24xlarge: [us-east-1a, us-east-1c]}
price:
  description: USD of the plan, control plane included; C(least), C(first) and C(most) nodes.
  returned: always
  type: dict
  contains:
    per_hour:
      description: Per hour.
      returned: always
      type: dict
      sample: {least: 28.76, first: 28.76, most: 113.92}
    per_month:
      description: Per month of 730 hours.
      returned: always
      type: dict
      sample: {least: 20994.8, first: 20994.8, most: 83161.6}
    from_price_list:
      description: Types whose price AWS told.
      returned: always
      type: list
      elements: str
      sample: [m7i.2xlarge]
    from_table:
      description: Types whose price is the table's (us-east-1, 2026-07).
      returned: always
      type: list
      elements: str
      sample: [p4de.24xlarge]
    unknown:
      description: Types without a price; they count as zero.
      returned: always
      type: list
      elements: str
      sample: []
problems:
  description: Why the plan cannot be had. Also returned by the failure.
  returned: always
  type: list
  elements: str
  sample: []
could_not_ask:
  description: A sentence for each question without an answer.
  returned: always
  type: list
  elements: str
  sample: []
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.preflight.use_case import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
