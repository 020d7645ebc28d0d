#!/usr/bin/python
# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: eks_node_pools
short_description: Make all managed node groups of an EKS cluster as wanted
version_added: 0.1.0
description:
  - Reads all pools at once, plans one change per pool, and applies the changes of all pools in one loop, so that a run
    takes as long as its slowest pool.
  - Everything that EKS can change later in no other way (instance type, disk, network interfaces, user data) stands in
    a launch template that the module owns, so that a change is a rolling update and not a new pool.
  - The size that the cluster autoscaler set is left alone as long as it lies within O(pools[].scaling).
  - An option that is left out leaves what is there; an empty list or dictionary takes away what is there.
  - A pool that is C(CREATE_FAILED) or C(DEGRADED) is a failure, with EKS' health issues in words.
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
  pools:
    description: The pools, all of them.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The pool's name, which is the node group's name.
        type: str
        required: true
      instance_types:
        description:
          - The instance types.
          - One type stands in the launch template, so that it can be changed by rolling. Several types, as spot pools
            want them, are fixed for the life of the node group.
        type: list
        elements: str
      scaling:
        description: The sizes. On create O(pools[].scaling.min) is 1 if left out, and the others follow it.
        type: dict
        suboptions:
          min:
            description: The smallest size. With 0 the autoscaling group gets the tags that let it grow from nothing.
            type: int
          max:
            description: The largest size.
            type: int
          desired:
            description:
              - The size at the beginning.
              - Later it is only used with O(pools[].manage_desired), else the live size stays within the limits.
            type: int
      manage_desired:
        description: Whether O(pools[].scaling.desired) is enforced on every run, against any autoscaler.
        type: bool
        default: false
      capacity_type:
        description: How the instances are bought. Without it V(on_demand).
        type: str
        choices: [on_demand, spot, capacity_block]
      capacity_reservation:
        description: The capacity reservation to launch into. Needed for V(capacity_block).
        type: dict
        suboptions:
          id:
            description: Id of the reservation.
            type: str
          resource_group_arn:
            description: ARN of a resource group of reservations.
            type: str
          preference:
            description: Which reservations may be used when none is named.
            type: str
            choices: [open, none, capacity-reservations-only]
      ami_family:
        description: The operating system. The AMI type follows from it and from the instance types.
        type: str
        choices: [al2023, bottlerocket, bottlerocket_fips]
        default: al2023
      ami_type:
        description: The AMI type, instead of the derived one.
        type: str
        choices:
          - AL2023_ARM_64_NVIDIA
          - AL2023_ARM_64_STANDARD
          - AL2023_x86_64_NEURON
          - AL2023_x86_64_NVIDIA
          - AL2023_x86_64_STANDARD
          - BOTTLEROCKET_ARM_64
          - BOTTLEROCKET_ARM_64_FIPS
          - BOTTLEROCKET_ARM_64_NVIDIA
          - BOTTLEROCKET_ARM_64_NVIDIA_FIPS
          - BOTTLEROCKET_x86_64
          - BOTTLEROCKET_x86_64_FIPS
          - BOTTLEROCKET_x86_64_NVIDIA
          - BOTTLEROCKET_x86_64_NVIDIA_FIPS
          - WINDOWS_CORE_2019_x86_64
          - WINDOWS_CORE_2022_x86_64
          - WINDOWS_CORE_2025_x86_64
          - WINDOWS_FULL_2019_x86_64
          - WINDOWS_FULL_2022_x86_64
          - WINDOWS_FULL_2025_x86_64
      ami_id:
        description: An image of your own. Its nodes join by nodeadm. Excludes O(pools[].ami_type) and the versions.
        type: str
      version:
        description: The Kubernetes version, as C(1.34). It never goes down. Without it the live one stays.
        type: str
      release_version:
        description:
          - The release of EKS' image, as C(1.34.1-20261101). It never goes down. Without it, rolling takes the newest.
        type: str
      force_update:
        description: Whether rolling goes on when a disruption budget keeps a pod on its node.
        type: bool
        default: false
      node_role:
        description: ARN of the nodes' role. Without it O(node_role).
        type: str
      subnets:
        description:
          - Ids of the subnets. Without it O(subnets).
          - A pool that is made does not get those in zones that offer none of its instance types.
        type: list
        elements: str
      security_groups:
        description: Ids of further security groups of the nodes, beside the cluster's.
        type: list
        elements: str
      labels:
        description: The nodes' labels.
        type: dict
      taints:
        description: The nodes' taints.
        type: list
        elements: dict
        suboptions: &taint
          key:
            description: The taint's key.
            type: str
            required: true
          value:
            description: The taint's value.
            type: str
            default: ""
          effect:
            description: What the taint does to pods that do not tolerate it.
            type: str
            required: true
            choices: [NoSchedule, NoExecute, PreferNoSchedule]
      startup_taints:
        description: Taints that an agent takes away when the node is ready. The autoscaler is not told of them.
        type: list
        elements: dict
        suboptions: *taint
      tags:
        description: Tags of the node group, over O(tags).
        type: dict
      instance_tags:
        description: Tags of the instances, volumes and network interfaces. A change rolls the pool.
        type: dict
      disk:
        description: The root volume (on Bottlerocket, the data volume). It is gp3 and encrypted.
        type: dict
        suboptions:
          size:
            description: Size in GiB.
            type: int
            default: 100
          iops:
            description: Operations per second; EC2's default is 3000.
            type: int
          throughput:
            description: Throughput in MiB per second; EC2's default is 125.
            type: int
          kms_key_id:
            description: Id or ARN of the KMS key. Without it the account's default key.
            type: str
      instance_store:
        description: What becomes of the local NVMe disks. With V(raid0) they hold the data of kubelet and containerd.
        type: str
        choices: [none, raid0]
        default: none
      efa:
        description: Whether every network card gets its EFA interface. Needs exactly one instance type that has EFA.
        type: bool
        default: false
      placement_group:
        description: Name of the placement group.
        type: str
      metadata_hop_limit:
        description: Hop limit of the instance metadata. With 1 pods cannot reach it. IMDSv2 tokens are required.
        type: int
        default: 1
      key_name:
        description: Name of an EC2 key pair for SSH.
        type: str
      node_config:
        description: C(spec) of nodeadm's C(NodeConfig), merged over ours. Amazon Linux 2023 only.
        type: dict
      user_data:
        description: The whole user data, instead of ours.
        type: str
      boot_script:
        description: A shell script that runs before nodeadm, beside our user data. Amazon Linux 2023 only.
        type: str
      bottlerocket_settings:
        description: Settings as TOML, beside ours. Bottlerocket only.
        type: str
      launch_template:
        description: A launch template of your own, instead of ours. Excludes the options that stand in ours.
        type: dict
        suboptions:
          id:
            description: Its id.
            type: str
          name:
            description: Its name.
            type: str
          version:
            description: Its version, a number.
            type: str
            required: true
      update:
        description: How rolling proceeds.
        type: dict
        suboptions:
          max_unavailable:
            description: How many nodes are replaced at once.
            type: int
          max_unavailable_percentage:
            description: How many percent of the nodes are replaced at once.
            type: int
          strategy:
            description: V(default) adds nodes before it takes some away, V(minimal) takes away first.
            type: str
            choices: [default, minimal]
      node_repair:
        description: EKS' automatic repair of nodes.
        type: dict
        suboptions:
          enabled:
            description: Whether nodes are repaired.
            type: bool
          max_unhealthy_node_threshold_count:
            description: With more unhealthy nodes than that nothing is repaired.
            type: int
          max_unhealthy_node_threshold_percentage:
            description: With more percent of unhealthy nodes than that nothing is repaired.
            type: int
          max_parallel_nodes_repaired_count:
            description: How many nodes are repaired at once.
            type: int
          max_parallel_nodes_repaired_percentage:
            description: How many percent of the unhealthy nodes are repaired at once.
            type: int
          overrides:
            description: Other actions for certain conditions.
            type: list
            elements: dict
            suboptions:
              node_monitoring_condition:
                description: The node's condition, as C(AcceleratedHardwareReady).
                type: str
                required: true
              node_unhealthy_reason:
                description: The reason, as C(NvidiaXID13Error).
                type: str
                required: true
              min_repair_wait_time_mins:
                description: Minutes to wait before the action.
                type: int
                required: true
              repair_action:
                description: The action.
                type: str
                required: true
                choices: [Replace, Reboot, NoAction]
      warm_pool:
        description: Instances that wait, already started once.
        type: dict
        suboptions:
          enabled:
            description: Whether there is a warm pool.
            type: bool
          min_size:
            description: The least number of waiting instances.
            type: int
          max_group_prepared_capacity:
            description: The most instances, running and waiting.
            type: int
          pool_state:
            description: The state in which they wait.
            type: str
            choices: [STOPPED, RUNNING, HIBERNATED]
          reuse_on_scale_in:
            description: Whether instances go back to the warm pool when the group shrinks.
            type: bool
      scale_from_zero_resources:
        description:
          - Resources of one node that the autoscaler cannot know while the pool is empty, as C(nvidia.com/gpu).
          - They become tags of the autoscaling group, beside the labels and taints.
        type: dict
      on_immutable:
        description: As O(on_immutable), for this pool.
        type: str
        choices: [fail, ignore, replace_in_place, replace_first]
  state:
    description: Whether the pools are there.
    type: str
    choices: [present, absent]
    default: present
  prune:
    description: Whether pools that carry our ownership tag for this cluster and that nobody names are deleted.
    type: bool
    default: false
  node_role:
    description: ARN of the nodes' role for pools that name none.
    type: str
  subnets:
    description: Ids of the subnets for pools that name none.
    type: list
    elements: str
  tags:
    description: Tags of all node groups.
    type: dict
  purge_tags:
    description: Whether tags that nobody names are taken away, when tags are given.
    type: bool
    default: true
  on_immutable:
    description:
      - What to do when a pool differs in what EKS fixes for ever.
      - V(fail) names the fields, in check mode and in the run.
      - V(replace_first) makes a node group with another name, waits for it, then deletes the old one.
      - V(replace_in_place) deletes the old one first, as capacity blocks need it.
      - V(ignore) leaves these fields and warns.
    type: str
    choices: [fail, ignore, replace_in_place, replace_first]
    default: fail
  hold_labels:
    description:
      - Keys of labels that something else changes on live nodes, one node after the other, such as
        C(nvidia.com/mig.config), which M(aiplatform.eks.mig_profiles) changes on emptied nodes.
      - EKS puts a changed label on every live node at once. While a pool has nodes, these labels stay as they are, and
        RV(held) names them; run the task again without the option after the live nodes were changed.
    type: list
    elements: str
    default: []
  recreate_failed:
    description: Whether a node group that is C(CREATE_FAILED) or C(DELETE_FAILED) is deleted and made anew.
    type: bool
    default: false
  verify_records:
    description:
      - Whether launch templates and tags of autoscaling groups are read again.
      - Otherwise the module trusts the digests that it noted on the node group, and an unchanged pool costs one call.
    type: bool
    default: false
  keep_launch_template_versions:
    description: How many versions of each launch template are kept.
    type: int
    default: 5
  parallel:
    description: How many pools are worked on at once.
    type: int
    default: 8
  wait:
    description:
      - Whether the last update of each pool is awaited.
      - Without it, the tags of a new pool's autoscaling group are written by the next run.
    type: bool
    default: true
  wait_timeout:
    description: Seconds after which one update of one pool is given up.
    type: int
    default: 2400
  poll_interval:
    description:
      - Seconds until the first look at an update.
      - Each later pause is longer by half a percent of the time already waited, up to 15 seconds.
    type: float
    default: 1.0
"""

EXAMPLES = r"""
- name: Three pools, one of them empty until somebody wants GPUs
  aiplatform.eks.eks_node_pools:
    cluster_name: prod-us-east-1
    node_role: arn:aws:iam::123456789012:role/prod-nodes
    subnets: [subnet-0a1b2c3d4e5f60718, subnet-0a1b2c3d4e5f60719]
    tags: {cost-centre: research}
    pools:
      - name: system
        instance_types: [m7i.2xlarge]
        scaling: {min: 3, max: 10}
      - name: a100-mig
        instance_types: [p4de.24xlarge]
        scaling: {min: 0, max: 4}
        efa: true
        instance_store: raid0
        labels: {nvidia.com/mig.config: all-3g.40gb}
        taints: [{key: nvidia.com/gpu, value: "true", effect: NoSchedule}]
        scale_from_zero_resources: {nvidia.com/mig-3g.40gb: 16}
      - name: batch
        instance_types: [m7i.4xlarge, m6i.4xlarge, m7a.4xlarge]
        capacity_type: spot
        scaling: {min: 0, max: 50}

- name: A capacity block that was bought
  aiplatform.eks.eks_node_pools:
    cluster_name: prod-us-east-1
    node_role: arn:aws:iam::123456789012:role/prod-nodes
    pools:
      - name: h100-block
        instance_types: [p5.48xlarge]
        capacity_type: capacity_block
        capacity_reservation: {id: cr-0123456789abcdef0}
        subnets: [subnet-0a1b2c3d4e5f60718]
        scaling: {min: 0, max: 8}
        on_immutable: replace_in_place

- name: Take one pool away
  aiplatform.eks.eks_node_pools:
    cluster_name: prod-us-east-1
    state: absent
    pools:
      - name: batch
"""

RETURN = r"""
held:
  description: Labels of O(hold_labels) that differ and stay as they are for now.
  returned: always
  type: list
  elements: dict
  contains:
    pool:
      description: The pool.
      returned: always
      type: str
      sample: a100-mig
    label:
      description: The label.
      returned: always
      type: str
      sample: nvidia.com/mig.config
    live:
      description: Its value on the node group; null when it is not set.
      returned: always
      type: str
      sample: 3g.40gb-x2
    wanted:
      description: Its wanted value; null when it is not to be set.
      returned: always
      type: str
      sample: all-balanced
  sample: []
steps:
  description: One line per pool that changes.
  returned: success
  type: list
  elements: str
  sample: ["update node pool system (scaling.max)"]
pools:
  description: The pools, in the order of the task. In check mode, as they would be.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The pool's name.
      returned: success
      type: str
      sample: a100-mig
    node_group:
      description: The node group's name; it differs from the pool's after a replacement.
      returned: success
      type: str
      sample: a100-mig
    arn:
      description: The node group's ARN; none before it is made.
      returned: success
      type: str
      sample: arn:aws:eks:us-east-1:123456789012:nodegroup/prod/a100-mig/1ec1
    status:
      description: EKS' status.
      returned: success
      type: str
      sample: ACTIVE
    version:
      description: The Kubernetes version.
      returned: success
      type: str
      sample: "1.34"
    release_version:
      description: The image's release.
      returned: success
      type: str
      sample: 1.34.1-20261101
    ami_type:
      description: The AMI type.
      returned: success
      type: str
      sample: AL2023_x86_64_NVIDIA
    capacity_type:
      description: How the instances are bought.
      returned: success
      type: str
      sample: on_demand
    instance_types:
      description: The instance types that EKS was given; none when the one type stands in the launch template.
      returned: success
      type: list
      elements: str
      sample: []
    subnets:
      description: The subnets.
      returned: success
      type: list
      elements: str
      sample: [subnet-0a1b2c3d4e5f60718]
    node_role:
      description: The nodes' role.
      returned: success
      type: str
      sample: arn:aws:iam::123456789012:role/prod-nodes
    scaling:
      description: The sizes.
      returned: success
      type: dict
      sample: {min: 0, max: 4, desired: 2}
    labels:
      description: The nodes' labels.
      returned: success
      type: dict
      sample: {nvidia.com/mig.config: all-3g.40gb}
    taints:
      description: The nodes' taints.
      returned: success
      type: list
      elements: dict
      sample: [{key: nvidia.com/gpu, value: "true", effect: NoSchedule}]
    tags:
      description: The node group's tags, without those of AWS and ours.
      returned: success
      type: dict
      sample: {cost-centre: research}
    update:
      description: How rolling proceeds.
      returned: success
      type: dict
      sample: {max_unavailable: 1, strategy: default}
    node_repair:
      description: The automatic repair.
      returned: success
      type: dict
      sample: {enabled: false}
    warm_pool:
      description: The warm pool.
      returned: success
      type: dict
      sample: {enabled: false}
    launch_template:
      description: The launch template with C(id), C(name) and C(version).
      returned: success
      type: dict
      sample: {id: lt-0123456789abcdef0, name: aiplatform-prod-a100-mig, version: "3"}
    autoscaling_group:
      description: Name of the autoscaling group, once there is one.
      returned: success
      type: str
      sample: eks-a100-mig-1ec1
    health:
      description: EKS' health issues in words.
      returned: success
      type: list
      elements: str
      sample: []
"""

from ansible_collections.aiplatform.eks.plugins.module_utils._core.module import run_module
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.use_case import USE_CASE


def main() -> None:
    run_module(USE_CASE)


if __name__ == "__main__":
    main()
