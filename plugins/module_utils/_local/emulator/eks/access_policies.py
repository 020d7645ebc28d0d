# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The access policies of EKS, by name (Amazon EKS user guide, "Review access policy permissions")."""

from __future__ import annotations

PREFIX = "arn:aws:eks::aws:cluster-access-policy/"
NAMES = (
    "AmazonEKSAdminPolicy",
    "AmazonEKSClusterAdminPolicy",
    "AmazonEKSAdminViewPolicy",
    "AmazonEKSEditPolicy",
    "AmazonEKSViewPolicy",
    "AmazonEKSSecretReaderPolicy",
    "AmazonEKSAutoNodePolicy",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSBlockStorageClusterPolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSComputeClusterPolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSLoadBalancingClusterPolicy",
    "AmazonEKSNetworkingPolicy",
    "AmazonEKSNetworkingClusterPolicy",
    "AmazonEKSHybridPolicy",
    "AmazonEKSClusterInsightsPolicy",
    "AmazonEKSEventPolicy",
    "AmazonEKSACKPolicy",
    "AmazonEKSKROPolicy",
    "AmazonEKSArgoCDPolicy",
    "AmazonEKSArgoCDClusterPolicy",
)
ARNS = {f"{PREFIX}{name}": name for name in NAMES}
CLUSTER_ADMIN = f"{PREFIX}AmazonEKSClusterAdminPolicy"

__all__ = ("ARNS", "CLUSTER_ADMIN", "NAMES", "PREFIX")
