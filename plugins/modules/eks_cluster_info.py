#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: eks_cluster_info
short_description: Read the EKS clusters of a region
version_added: 0.1.0
description:
  - Reads clusters with all their settings, and what a kubeconfig needs.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.info
  - aiplatform.eks._aws
options:
  names:
    description: Only these clusters. Those that are absent are left out.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Look at one cluster
  aiplatform.eks.eks_cluster_info:
    names: [prod-us-east-1]
  register: clusters
"""

RETURN = r"""
clusters:
  description: The clusters, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The cluster's name; none when it is absent.
      returned: success
      type: str
      sample: prod
    arn:
      description: Its ARN.
      returned: success
      type: str
      sample: arn:aws:eks:us-east-1:123456789012:cluster/prod
    status:
      description: EKS' status, or C(ABSENT).
      returned: success
      type: str
      sample: ACTIVE
    version:
      description: The Kubernetes version.
      returned: success
      type: str
      sample: "1.34"
    platform_version:
      description: EKS' platform version.
      returned: success
      type: str
      sample: eks.12
    endpoint_url:
      description: URL of the API server.
      returned: success
      type: str
      sample: https://0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com
    certificate_authority:
      description: The API server's certificate authority, base64.
      returned: success
      type: str
      sample: LS0tLS1CRUdJTi...
    oidc_issuer:
      description: URL of the issuer of service account tokens.
      returned: success
      type: str
      sample: https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF
    vpc_id:
      description: The network.
      returned: success
      type: str
      sample: vpc-0123456789abcdef0
    cluster_security_group:
      description: The security group that EKS made.
      returned: success
      type: str
      sample: sg-0123456789abcdef0
    role_arn:
      description: The cluster's role.
      returned: success
      type: str
      sample: arn:aws:iam::123456789012:role/prod-cluster
    subnets:
      description: The control plane's subnets.
      returned: success
      type: list
      elements: str
      sample: [subnet-0a1b2c3d4e5f60718]
    security_groups:
      description: The control plane's further security groups.
      returned: success
      type: list
      elements: str
      sample: []
    endpoint:
      description: Who reaches the API server.
      returned: success
      type: dict
      sample: {public: false, private: true, public_cidrs: []}
    egress_mode:
      description: The control plane's way out.
      returned: success
      type: str
      sample: AWS_MANAGED
    logging:
      description: The logs that are on.
      returned: success
      type: list
      elements: str
      sample: [api, audit]
    encryption_key:
      description: The key that encrypts Secrets; none with EKS' own.
      returned: success
      type: str
      sample: arn:aws:kms:us-east-1:123456789012:key/1ec1
    authentication_mode:
      description: Who may log in.
      returned: success
      type: str
      sample: API
    support_type:
      description: What happens at the end of standard support.
      returned: success
      type: str
      sample: STANDARD
    zonal_shift:
      description: Whether zonal shift is on.
      returned: success
      type: bool
      sample: true
    deletion_protection:
      description: Whether the cluster is protected.
      returned: success
      type: bool
      sample: true
    service_cidr:
      description: Network of the services.
      returned: success
      type: str
      sample: 172.20.0.0/16
    ip_family:
      description: Addresses of pods and services.
      returned: success
      type: str
      sample: ipv4
    auto_mode:
      description: EKS Auto Mode.
      returned: success
      type: dict
      sample: {enabled: false, node_pools: [], node_role: null}
    remote_networks:
      description: Networks of hybrid nodes.
      returned: success
      type: dict
      sample: {nodes: [], pods: []}
    control_plane_tier:
      description: The control plane's size.
      returned: success
      type: str
      sample: standard
    kube_api_server:
      description: Settings of the API server.
      returned: success
      type: dict
      sample: {}
    kube_scheduler:
      description: Settings of the scheduler.
      returned: success
      type: dict
      sample: {}
    kube_controller_manager:
      description: Settings of the controller manager.
      returned: success
      type: dict
      sample: {}
    tags:
      description: The tags, without those of AWS and ours.
      returned: success
      type: dict
      sample: {cost-centre: research}
    health:
      description: EKS' health issues in words.
      returned: success
      type: list
      elements: str
      sample: []
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.cluster.info import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
