#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: eks_cluster
short_description: Make the control plane of an EKS cluster as wanted
version_added: 0.1.0
description:
  - Creates a cluster and changes every field that EKS can change.
  - EKS takes one kind of change at a time, so the changes are sent one after the other, and each is awaited.
  - Goes to a newer Kubernetes version one minor version at a time, and only when EKS' upgrade insights allow it.
  - An option that is left out leaves what is there. An unchanged cluster costs one call.
author:
  - The aiplatform.eks engineers (@aiplatform)
extends_documentation_fragment:
  - aiplatform.eks._attributes
  - aiplatform.eks._attributes.converges
  - aiplatform.eks._aws
options:
  name:
    description: The cluster's name.
    type: str
    required: true
  state:
    description: Whether the cluster is there. Deleting respects the deletion protection.
    type: str
    choices: [present, absent]
    default: present
  version:
    description: The Kubernetes version, as C(1.34). It never goes down. On create, without it, EKS takes its default.
    type: str
  insights:
    description:
      - What upgrade insights in error do to an upgrade.
      - V(require) refuses it and names them, V(warn) only warns, V(ignore) does not ask.
    type: str
    choices: [require, warn, ignore]
    default: require
  role_arn:
    description: ARN of the cluster's role. Needed on create, fixed for ever.
    type: str
  subnets:
    description: Ids of the control plane's subnets. Needed on create.
    type: list
    elements: str
  security_groups:
    description: Ids of further security groups of the control plane, beside the one that EKS makes.
    type: list
    elements: str
  endpoint:
    description: Who reaches the API server.
    type: dict
    suboptions:
      public:
        description: Whether it can be reached from the internet.
        type: bool
      private:
        description: Whether it can be reached inside the network.
        type: bool
      public_cidrs:
        description: Networks that may reach the public endpoint.
        type: list
        elements: str
  egress_mode:
    description: The control plane's way out.
    type: str
    choices: [AWS_MANAGED, CUSTOMER_ROUTED, CUSTOMER_ISOLATED]
  logging:
    description: The logs of the control plane that go to CloudWatch, all of them. An empty list turns them off.
    type: list
    elements: str
    choices: [api, audit, authenticator, controllerManager, scheduler]
  encryption_key:
    description: ARN of the KMS key that encrypts Secrets. Can be added once, never changed or removed.
    type: str
  authentication_mode:
    description: Who may log in. It goes from C(CONFIG_MAP) towards V(API), never back. On create, without it, V(API).
    type: str
    choices: [CONFIG_MAP, API_AND_CONFIG_MAP, API]
  bootstrap_creator_admin:
    description: Whether the creator becomes an administrator. Only used on create; prefer access entries.
    type: bool
    default: false
  bootstrap_addons:
    description: Whether EKS installs the self-managed networking add-ons. Only used on create, never with Auto Mode.
    type: bool
    default: true
  support_type:
    description: What happens at the end of standard support. V(STANDARD) upgrades by itself, V(EXTENDED) costs more.
    type: str
    choices: [STANDARD, EXTENDED]
  zonal_shift:
    description: Whether traffic may be shifted away from an impaired zone.
    type: bool
  deletion_protection:
    description: Whether the cluster cannot be deleted. With O(state=absent), V(false) takes the protection off.
    type: bool
  service_cidr:
    description: Network of the services. Fixed for ever.
    type: str
  ip_family:
    description: Addresses of pods and services. Fixed for ever.
    type: str
    choices: [ipv4, ipv6]
  auto_mode:
    description: EKS Auto Mode. Its three switches are turned together. Left out, an Auto Mode that is on stays on.
    type: dict
    suboptions:
      enabled:
        description: Whether it is on.
        type: bool
        required: true
      node_pools:
        description: The built-in node pools.
        type: list
        elements: str
      node_role:
        description: ARN of the nodes' role.
        type: str
  remote_networks:
    description: Networks of hybrid nodes.
    type: dict
    suboptions:
      nodes:
        description: CIDRs of the nodes.
        type: list
        elements: str
      pods:
        description: CIDRs of their pods.
        type: list
        elements: str
  control_plane_tier:
    description: The control plane's provisioned size.
    type: str
    choices: [standard, tier-xl, tier-2xl, tier-4xl, tier-8xl]
  kube_api_server:
    description: Settings of the API server.
    type: dict
    suboptions:
      event_ttl:
        description: How long events are kept, as C(1h0m0s).
        type: str
      min_port:
        description: Lowest node port. Needs O(kube_api_server.max_port).
        type: int
      max_port:
        description: Highest node port.
        type: int
  kube_scheduler:
    description: Settings of the scheduler.
    type: dict
    suboptions:
      scoring:
        description: Whether pods spread over nodes or fill them.
        type: str
        choices: [LeastAllocated, MostAllocated]
      weights:
        description: Weights of the resources in the score, as C(nvidia.com/gpu=5).
        type: dict
  kube_controller_manager:
    description: Settings of the controller manager.
    type: dict
    suboptions:
      terminated_pod_gc_threshold:
        description: How many ended pods are kept.
        type: int
      horizontal_pod_autoscaler_sync_period:
        description: How often the horizontal pod autoscaler looks, as C(15s).
        type: str
  tags:
    description: Tags of the cluster.
    type: dict
  purge_tags:
    description: Whether tags that nobody names are taken away, when tags are given.
    type: bool
    default: true
  kubeconfig:
    description: A kubeconfig file to write, mode C(0600), with a login by command, so that no secret stands in it.
    type: dict
    suboptions:
      path:
        description: The file.
        type: path
        required: true
      context:
        description: Name of its context. Without it the cluster's name.
        type: str
      command:
        description: The AWS CLI, which gives the tokens.
        type: str
        default: aws
  wait:
    description: Whether the last change is awaited.
    type: bool
    default: true
  wait_timeout:
    description: Seconds after which one change is given up.
    type: int
    default: 3600
  poll_interval:
    description:
      - Seconds until the first look at a change.
      - Each later pause is longer by half a percent of the time already waited, up to 15 seconds.
    type: float
    default: 1.0
"""

EXAMPLES = r"""
- name: A private cluster with all that protects it
  aiplatform.eks.eks_cluster:
    name: prod-us-east-1
    version: "1.34"
    role_arn: arn:aws:iam::123456789012:role/prod-cluster
    subnets: [subnet-0a1b2c3d4e5f60718, subnet-0a1b2c3d4e5f60719]
    endpoint: {public: false, private: true}
    logging: [api, audit, authenticator]
    encryption_key: arn:aws:kms:us-east-1:123456789012:key/1ec1
    authentication_mode: API
    deletion_protection: true
    zonal_shift: true
    kubeconfig: {path: ~/.kube/prod}

- name: Delete a cluster that was protected
  aiplatform.eks.eks_cluster:
    name: prod-us-east-1
    deletion_protection: false
    state: absent
"""

RETURN = r"""
steps:
  description: One line per change, in their order.
  returned: success
  type: list
  elements: str
  sample: ["upgrade cluster prod (version)"]
cluster:
  description: The cluster, with what a kubeconfig needs. In check mode, as it would be.
  returned: success
  type: dict
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
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.cluster.use_case import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
