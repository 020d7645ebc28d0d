#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: aws_leftovers
short_description: Find what a teardown left of a cluster
version_added: 0.1.0
description:
  - Looks for everything that carries the cluster's tags, hangs in its network or has its name - also what Kubernetes
    made, such as load balancers, volumes and interfaces - and says what it costs a month.
  - Reads only. All listings are asked at once; one that cannot be asked is named, never passed over in silence.
  - The prices are an offline table of us-east-1.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.info
  - aiplatform.eks._aws
options:
  cluster_name:
    description: Name of the cluster that was taken away.
    type: str
    required: true
  vpc_id:
    description: The cluster's network, when it was the cluster's own. Everything in it counts.
    type: str
  allowed_kinds:
    description: Kinds that may stay, as RV(leftovers[].kind) says them, for example V(bucket) and V(key).
    type: list
    elements: str
    default: []
  fail_on_leftovers:
    description: Whether something that is left makes the task fail.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Nothing may be left but the data
  aiplatform.eks.aws_leftovers:
    cluster_name: prod-us-east-1
    region: us-east-1
    allowed_kinds: [bucket, key]
"""

RETURN = r"""
leftovers:
  description: What is left and not allowed, sorted by kind and id. Also returned by the failure.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: What it is.
      returned: always
      type: str
      sample: load balancer
    id:
      description: How AWS calls it.
      returned: always
      type: str
      sample: arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/a/b
    reason:
      description: Why it is the cluster's.
      returned: always
      type: str
      sample: tag elbv2.k8s.aws/cluster=prod-us-east-1
    monthly_usd:
      description: What it costs a month while nothing uses it, in USD; null when unknown.
      returned: always
      type: float
      sample: 16.43
allowed:
  description: What is left and allowed, in the same form.
  returned: always
  type: list
  elements: dict
  sample: []
monthly_usd:
  description: The sum over RV(leftovers), in USD.
  returned: always
  type: float
  sample: 16.43
could_not_ask:
  description: A sentence for each listing that could not be asked.
  returned: always
  type: list
  elements: str
  sample: []
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._aws.leftovers.use_case import USE_CASE
from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
