#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: conformance
short_description: Check a cluster against what is declared, with one verdict
version_added: 0.1.0
description:
  - Runs all checks at once and says of each whether it passed, with a sentence for everything that is not so.
  - Nothing is changed. What the API server would refuse is asked in a dry run; what network policies let through is
    worked out from the policies, without a packet.
  - Every kind of object is listed once, whatever number of checks ask about it.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.info
  - aiplatform.eks._kubernetes
options:
  checks:
    description: The checks. Each says exactly one thing to look at.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What should be so, as a sentence.
        type: str
        required: true
      area:
        description: The part of the platform that it belongs to.
        type: str
        default: platform
      objects:
        description: Objects of a kind are there, ready, and hold what is wanted.
        type: dict
        suboptions:
          api_version:
            description: Their API version.
            type: str
            required: true
          kind:
            description: Their kind.
            type: str
            required: true
          namespaces:
            description: Only these namespaces. All without it.
            type: list
            elements: str
          except_namespaces:
            description: Not these namespaces.
            type: list
            elements: str
          names:
            description: Only these names, all of which must be there, in each of O(checks[].objects.namespaces).
            type: list
            elements: str
          except_names:
            description: Not these names.
            type: list
            elements: str
          labels:
            description: Only objects with these labels.
            type: dict
          where:
            description: Only objects for which this JMESPath expression gives something true.
            type: str
          at_least:
            description: The least number of them.
            type: int
          at_most:
            description: The greatest number of them.
            type: int
          ready:
            description: Whether each must have reached what its spec asks for.
            type: bool
            default: false
          query:
            description:
              - JMESPath expression over each of them that must give O(checks[].objects.value).
              - Not for Secrets, whose content is not shown.
            type: str
          value:
            description: What O(checks[].objects.query) must give. Anything true without it.
            type: raw
          optional:
            description: Whether a cluster that does not serve the kind passes.
            type: bool
            default: false
      gpu_sharing:
        description: The GPU nodes offer what their pools' sharing policies promise.
        type: dict
        suboptions:
          node_pools:
            description: The node pools of the inventory.
            type: list
            elements: dict
            required: true
          mig_strategy:
            description: The GPU operator's MIG strategy.
            type: str
            choices: [none, single, mixed]
            default: mixed
      releases:
        description: Every Helm release of the cluster is deployed.
        type: dict
        suboptions:
          named:
            description: Releases that must be there.
            type: list
            elements: dict
            default: []
            suboptions:
              name:
                description: Name of the release.
                type: str
                required: true
              namespace:
                description: Its namespace.
                type: str
                required: true
              version:
                description: Version of its chart.
                type: str
      refused:
        description: The API server, or a webhook that it asks, refuses an object.
        type: dict
        suboptions:
          object:
            description: The object. It is never made.
            type: dict
            required: true
          because:
            description: A part of the reason.
            type: str
            required: true
      services:
        description:
          - Services lead to a pod that is ready.
          - One that selects no pods, that names another host, or whose Deployments, StatefulSets and DaemonSets are all
            scaled to zero needs none; nor does a headless one that matches nothing.
        type: dict
        suboptions:
          namespaces:
            description: Only these namespaces. All without it.
            type: list
            elements: str
          names:
            description: Only these names, all of which must be there, in each of O(checks[].services.namespaces).
            type: list
            elements: str
          idle:
            description: Names, or namespaces and names as V(namespace/name), of Services that may lead to nothing.
            type: list
            elements: str
      network:
        description: The network policies let through what they should.
        type: dict
        suboptions:
          flows:
            description: What is asked.
            type: list
            elements: dict
            required: true
            suboptions:
              source:
                description: Where the traffic comes from.
                type: dict
                required: true
                suboptions: &end
                  namespace:
                    description: Namespace of the pods.
                    type: str
                  labels:
                    description: Labels of the pods.
                    type: dict
                  address:
                    description: An address outside the cluster, instead of pods.
                    type: str
              target:
                description: Where it goes.
                type: dict
                required: true
                suboptions: *end
              port:
                description: The port.
                type: int
                required: true
              protocol:
                description: The protocol.
                type: str
                choices: [TCP, UDP, SCTP]
                default: TCP
              allowed:
                description: Whether it should be let through.
                type: bool
                required: true
  require:
    description: Whether the task fails when a check fails. In check mode it never does.
    type: bool
    default: false
requirements:
  - jmespath (the Python package, for queries)
seealso:
  - module: aiplatform.eks.gpu_sharing_info
"""

EXAMPLES = r"""
- name: Check the cluster
  aiplatform.eks.conformance:
    require: true
    checks:
      - name: every Deployment is ready
        objects: {api_version: apps/v1, kind: Deployment, ready: true}
      - name: exactly one storage class is the default
        area: storage
        objects:
          api_version: storage.k8s.io/v1
          kind: StorageClass
          where: metadata.annotations."storageclass.kubernetes.io/is-default-class" == 'true'
          at_least: 1
          at_most: 1
      - name: strangers do not reach the models
        area: governance
        network:
          flows:
            - source: {namespace: default}
              target: {namespace: inference, labels: {app: vllm}}
              port: 8000
              allowed: false
"""

RETURN = r"""
passed:
  description: Whether all checks passed.
  returned: always, once the cluster was read
  type: bool
  sample: true
counts:
  description: How many checks passed and failed.
  returned: always, once the cluster was read
  type: dict
  sample: {passed: 41, failed: 0}
checks:
  description: The checks, in their order.
  returned: always, once the cluster was read
  type: list
  elements: dict
  contains:
    name:
      description: What should be so.
      returned: success
      type: str
      sample: every Deployment is ready
    area:
      description: The part of the platform that it belongs to.
      returned: success
      type: str
      sample: platform
    passed:
      description: Whether it is so.
      returned: success
      type: bool
      sample: true
    found:
      description: A sentence for everything that is not so.
      returned: success
      type: list
      elements: str
      sample: []
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._conformance.use_case import USE_CASE
from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
