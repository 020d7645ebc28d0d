# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The IAM actions that each module needs, as data: a test holds them against the calls that were seen.

Making a cluster, a node group, an add-on or a pod identity also needs C(iam:PassRole) for its role, and the first
node group of an account C(iam:CreateServiceLinkedRole) for C(eks-nodegroup.amazonaws.com): no calls of ours.
"""

from __future__ import annotations

from collections.abc import Mapping

HAND_ON = "iam:PassRole"
SERVICE_LINKED_ROLE = "iam:CreateServiceLinkedRole"
TAGGING = ("eks:TagResource", "eks:UntagResource")

READS: Mapping[str, tuple[str, ...]] = {
    "aws_leftovers": (
        "autoscaling:DescribeAutoScalingGroups",
        "cloudformation:DescribeStacks",
        "ec2:DescribeAddresses",
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeNatGateways",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSnapshots",
        "ec2:DescribeVolumes",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeVpcs",
        "eks:ListClusters",
        "elasticfilesystem:DescribeAccessPoints",
        "elasticfilesystem:DescribeFileSystems",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetGroups",
        "fsx:DescribeFileSystems",
        "iam:ListOpenIDConnectProviderTags",
        "iam:ListOpenIDConnectProviders",
        "iam:ListRoles",
        "kms:ListAliases",
        "logs:DescribeLogGroups",
        "s3:GetBucketTagging",
        "s3:ListAllMyBuckets",
        "secretsmanager:ListSecrets",
        "sqs:ListQueues",
    ),
    "aws_preflight": (
        "ec2:DescribeInstanceTypeOfferings",
        "ec2:DescribeSubnets",
        "pricing:GetProducts",
        "servicequotas:GetServiceQuota",
        "ssm:GetParameter",
        "sts:GetCallerIdentity",
    ),
    "cloudformation_stacks_info": ("cloudformation:DescribeStacks",),
    "eks_cluster": ("eks:DescribeCluster", "eks:DescribeUpdate", "eks:ListInsights"),
    "eks_cluster_info": ("eks:DescribeCluster", "eks:ListClusters"),
    "eks_node_pools": (
        "autoscaling:DescribeTags",
        "ec2:DescribeInstanceTypeOfferings",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeSubnets",
        "eks:DescribeCluster",
        "eks:DescribeNodegroup",
        "eks:DescribeUpdate",
        "eks:ListNodegroups",
    ),
    "eks_node_pools_info": ("eks:DescribeNodegroup", "eks:ListNodegroups"),
    "eks_addons": (
        "eks:DescribeAddon",
        "eks:DescribeAddonVersions",
        "eks:DescribeCluster",
        "eks:DescribePodIdentityAssociation",
        "eks:DescribeUpdate",
        "eks:ListAddons",
    ),
    "eks_addons_info": ("eks:DescribeAddon", "eks:DescribePodIdentityAssociation", "eks:ListAddons"),
    "eks_access_entries": (
        "eks:DescribeAccessEntry",
        "eks:ListAccessEntries",
        "eks:ListAssociatedAccessPolicies",
    ),
    "eks_access_entries_info": (
        "eks:DescribeAccessEntry",
        "eks:ListAccessEntries",
        "eks:ListAssociatedAccessPolicies",
    ),
    "eks_pod_identities": ("eks:DescribePodIdentityAssociation", "eks:ListPodIdentityAssociations"),
    "eks_pod_identities_info": ("eks:DescribePodIdentityAssociation", "eks:ListPodIdentityAssociations"),
}

WRITES: Mapping[str, tuple[str, ...]] = {
    "eks_cluster": (
        "eks:AssociateEncryptionConfig",
        "eks:CreateCluster",
        "eks:DeleteCluster",
        "eks:UpdateClusterConfig",
        "eks:UpdateClusterVersion",
        *TAGGING,
        HAND_ON,
    ),
    "eks_node_pools": (
        "autoscaling:CreateOrUpdateTags",
        "autoscaling:DeleteTags",
        "ec2:CreateLaunchTemplate",
        "ec2:CreateLaunchTemplateVersion",
        "ec2:CreateTags",
        "ec2:DeleteLaunchTemplate",
        "ec2:DeleteLaunchTemplateVersions",
        "ec2:ModifyLaunchTemplate",
        "ec2:RunInstances",
        "eks:CreateNodegroup",
        "eks:DeleteNodegroup",
        "eks:UpdateNodegroupConfig",
        "eks:UpdateNodegroupVersion",
        *TAGGING,
        HAND_ON,
        SERVICE_LINKED_ROLE,
    ),
    "eks_addons": ("eks:CreateAddon", "eks:DeleteAddon", "eks:UpdateAddon", *TAGGING, HAND_ON),
    "eks_access_entries": (
        "eks:AssociateAccessPolicy",
        "eks:CreateAccessEntry",
        "eks:DeleteAccessEntry",
        "eks:DisassociateAccessPolicy",
        "eks:UpdateAccessEntry",
        *TAGGING,
    ),
    "eks_pod_identities": (
        "eks:CreatePodIdentityAssociation",
        "eks:DeletePodIdentityAssociation",
        "eks:UpdatePodIdentityAssociation",
        *TAGGING,
        HAND_ON,
    ),
}

# Needed by AWS on our behalf (EKS checks the caller for them when a launch template is used), never called by us.
INDIRECT = frozenset({HAND_ON, SERVICE_LINKED_ROLE, "ec2:CreateTags", "ec2:RunInstances"})


# What IAM calls a service or an operation by another name than the API does.
SERVICES: Mapping[str, str] = {
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "service-quotas": "servicequotas",
}
OPERATIONS: Mapping[str, str] = {"s3:ListBuckets": "s3:ListAllMyBuckets", "s3:HeadBucket": "s3:ListBucket"}


def action_of(service: str, operation: str) -> str:
    """The IAM action of an API call."""
    name = f"{SERVICES.get(service, service)}:{operation}"
    return OPERATIONS.get(name, name)


def actions_of(module: str) -> tuple[str, ...]:
    """All actions of a module, sorted."""
    return tuple(sorted({*READS.get(module, ()), *WRITES.get(module, ())}))


__all__ = ("INDIRECT", "READS", "WRITES", "action_of", "actions_of")
