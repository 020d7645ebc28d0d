#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: eks_addons
short_description: Make all managed add-ons of an EKS cluster as wanted
version_added: 0.1.0
description:
  - Reads all add-ons at once and works on them in parallel, each after those that it needs.
  - An option that is left out leaves what is there.
  - An add-on that failed or is C(DEGRADED) is a failure, with EKS' health issues in words.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.converges
  - aiplatform.eks._aws
options:
  cluster_name:
    description: The cluster.
    type: str
    required: true
  addons:
    description: The add-ons, all of them.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The add-on's name, as EKS lists it.
        type: str
        required: true
      version:
        description:
          - A version, or C(default) or C(latest) for the cluster's Kubernetes version.
          - Without it the live one stays, and a new add-on gets EKS' default.
        type: str
      configuration:
        description: Configuration values, a dictionary or JSON, all of them.
        type: raw
      role_arn:
        description: ARN of the role of its service account, by OIDC. Excludes O(addons[].pod_identities).
        type: str
      pod_identities:
        description: ARN of the role of each of its service accounts, by pod identity.
        type: dict
      namespace:
        description: Its namespace, where EKS lets one choose. Fixed for ever.
        type: str
      resolve_conflicts:
        description: As O(resolve_conflicts), for this add-on.
        type: str
        choices: [none, overwrite, preserve]
      needs:
        description: Names of add-ons of this task that must be done first.
        type: list
        elements: str
        default: []
      tags:
        description: Tags of this add-on, over O(tags).
        type: dict
  state:
    description: Whether the add-ons are there.
    type: str
    choices: [present, absent]
    default: present
  prune:
    description: Whether add-ons that carry our ownership tag for this cluster and that nobody names are deleted.
    type: bool
    default: false
  preserve:
    description: Whether deleting an add-on leaves its software in the cluster.
    type: bool
    default: false
  resolve_conflicts:
    description:
      - What EKS does with fields that somebody else changed in the cluster.
      - V(preserve) keeps them on update; on create it is like V(none), which refuses.
    type: str
    choices: [none, overwrite, preserve]
    default: overwrite
  recreate_failed:
    description: Whether an add-on that is C(CREATE_FAILED) or C(DELETE_FAILED) is deleted and made anew.
    type: bool
    default: false
  degraded:
    description: What an add-on in state C(DEGRADED) is. Before there are nodes, some are.
    type: str
    choices: [fail, warn]
    default: fail
  tags:
    description: Tags of all add-ons.
    type: dict
  purge_tags:
    description: Whether tags that nobody names are taken away, when tags are given.
    type: bool
    default: true
  parallel:
    description: How many objects are worked on at once.
    type: int
    default: 8
  wait:
    description: Whether the last change is awaited.
    type: bool
    default: true
  wait_timeout:
    description: Seconds after which one change is given up.
    type: int
    default: 1200
  poll_interval:
    description:
      - Seconds until the first look at a change.
      - Each later pause is longer by half a percent of the time already waited, up to 15 seconds.
    type: float
    default: 1.0
"""

EXAMPLES = r"""
- name: The base add-ons
  aiplatform.eks.eks_addons:
    cluster_name: prod-us-east-1
    addons:
      - name: vpc-cni
        version: default
        configuration: {env: {ENABLE_PREFIX_DELEGATION: "true"}}
      - name: coredns
        version: default
        needs: [vpc-cni]
      - name: eks-pod-identity-agent
      - name: aws-ebs-csi-driver
        version: v1.64.0-eksbuild.1
        needs: [eks-pod-identity-agent]
        pod_identities:
          ebs-csi-controller-sa: arn:aws:iam::123456789012:role/prod-ebs-csi
"""

RETURN = r"""
steps:
  description: One line per object that changes.
  returned: success
  type: list
  elements: str
  sample: ["update add-on vpc-cni (version)"]
addons:
  description: The add-ons, in the order of the task. In check mode, as they would be.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The add-on's name.
      returned: success
      type: str
      sample: vpc-cni
    arn:
      description: Its ARN; none before it is made.
      returned: success
      type: str
      sample: arn:aws:eks:us-east-1:123456789012:addon/prod/vpc-cni/1ec1
    status:
      description: EKS' status.
      returned: success
      type: str
      sample: ACTIVE
    version:
      description: Its version.
      returned: success
      type: str
      sample: v1.20.4-eksbuild.1
    configuration:
      description: Its configuration values.
      returned: success
      type: raw
      sample: {env: {ENABLE_PREFIX_DELEGATION: "true"}}
    role_arn:
      description: The role of its service account, by OIDC.
      returned: success
      type: str
      sample: null
    pod_identities:
      description: The roles of its service accounts, by pod identity.
      returned: success
      type: dict
      sample: {ebs-csi-controller-sa: "arn:aws:iam::123456789012:role/ebs"}
    namespace:
      description: Its namespace.
      returned: success
      type: str
      sample: kube-system
    tags:
      description: Its tags, without those of AWS and ours.
      returned: success
      type: dict
      sample: {}
    health:
      description: EKS' health issues in words.
      returned: success
      type: list
      elements: str
      sample: []
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.addons.use_case import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
