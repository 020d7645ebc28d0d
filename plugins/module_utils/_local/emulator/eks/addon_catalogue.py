# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The add-ons that the emulated EKS offers: versions, namespaces, pod identities, configuration schemas.

Versions: facts/components.md §2 ("Default matrix") and, one release before each, an older one to update from. Policies:
that file's IAM table. Schemas hold the top-level keys only, which is where a wrong key is refused.
"""

from __future__ import annotations

import typing as t

FIRST_MINOR = 31


class AddonKind(t.NamedTuple):
    """One add-on.

    :param versions: newest first; C({minor}) stands for the Kubernetes version.
    :param service_accounts: (service account, managed policies) pairs that a pod identity may be given to.
    :param schema: type by key of the configuration values.
    :param by_default: index of the version that a cluster gets.
    """

    name: str
    namespace: str
    type: str
    versions: tuple[str, ...]
    service_accounts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    schema: t.Mapping[str, str] = {}
    owner: str = "aws"
    by_default: int = 0


POLICY = "arn:aws:iam::aws:policy/"
COMMON = {
    "affinity": "object",
    "nodeSelector": "object",
    "podAnnotations": "object",
    "podLabels": "object",
    "resources": "object",
    "tolerations": "array",
}
CONTROLLER_AND_NODE = {
    "controller": "object",
    "node": "object",
    "image": "object",
    "nameOverride": "string",
    "sidecars": "object",
    "customLabels": "object",
}

KINDS: dict[str, AddonKind] = {
    kind.name: kind
    for kind in (
        AddonKind(
            "vpc-cni",
            "kube-system",
            "networking",
            ("v1.23.0-eksbuild.1", "v1.22.4-eksbuild.1", "v1.21.1-eksbuild.7"),
            (("aws-node", (f"{POLICY}AmazonEKS_CNI_Policy",)),),
            {
                **COMMON,
                "enableNetworkPolicy": "string",
                "env": "object",
                "eniConfig": "object",
                "init": "object",
                "nodeAgent": "object",
                "originalMatchLabels": "boolean",
                "livenessProbeTimeoutSeconds": "integer",
                "readinessProbeTimeoutSeconds": "integer",
                "enableWindowsIpam": "string",
                "serviceAccount": "object",
            },
        ),
        AddonKind(
            "coredns",
            "kube-system",
            "networking",
            ("v1.14.1-eksbuild.3", "v1.13.2-eksbuild.4"),
            (),
            {
                **COMMON,
                "autoScaling": "object",
                "computeType": "string",
                "corefile": "string",
                "replicaCount": "integer",
                "podDisruptionBudget": "object",
                "topologySpreadConstraints": "array",
            },
        ),
        AddonKind(
            "kube-proxy",
            "kube-system",
            "networking",
            ("v1.{minor}.3-eksbuild.2", "v1.{minor}.0-eksbuild.2"),
            (),
            {**COMMON, "ipvs": "object", "mode": "string"},
        ),
        AddonKind(
            "eks-pod-identity-agent",
            "kube-system",
            "security",
            ("v1.3.14-eksbuild.2", "v1.3.10-eksbuild.2"),
            (),
            {
                **COMMON,
                "agent": "object",
                "daemonsets": "object",
                "priorityClassName": "string",
                "updateStrategy": "object",
            },
        ),
        AddonKind(
            "aws-ebs-csi-driver",
            "kube-system",
            "storage",
            ("v1.64.0-eksbuild.1", "v1.56.0-eksbuild.1"),
            (("ebs-csi-controller-sa", (f"{POLICY}AmazonEBSCSIDriverPolicyV2",)),),
            {
                **CONTROLLER_AND_NODE,
                "defaultStorageClass": "object",
                "storageClasses": "array",
                "a1CompatibilityDaemonSet": "boolean",
            },
        ),
        AddonKind(
            "aws-efs-csi-driver",
            "kube-system",
            "storage",
            ("v3.4.1-eksbuild.1", "v2.3.0-eksbuild.2"),
            (
                ("efs-csi-controller-sa", (f"{POLICY}service-role/AmazonEFSCSIDriverPolicy",)),
                ("efs-csi-node-sa", (f"{POLICY}service-role/AmazonEFSCSIDriverPolicy",)),
            ),
            CONTROLLER_AND_NODE,
        ),
        AddonKind(
            "aws-fsx-csi-driver",
            "kube-system",
            "storage",
            ("v1.9.0-eksbuild.1", "v1.8.0-eksbuild.1"),
            (("fsx-csi-controller-sa", (f"{POLICY}AmazonFSxFullAccess",)),),
            CONTROLLER_AND_NODE,
        ),
        AddonKind(
            "aws-mountpoint-s3-csi-driver",
            "kube-system",
            "storage",
            ("v2.7.0-eksbuild.1", "v2.3.0-eksbuild.1"),
            (("s3-csi-driver-sa", (f"{POLICY}AmazonS3FullAccess",)),),
            {
                **CONTROLLER_AND_NODE,
                "mountpointPod": "object",
                "experimental": "object",
                "s3CredentialProvider": "object",
            },
        ),
        AddonKind(
            "snapshot-controller",
            "kube-system",
            "storage",
            ("v8.6.0-eksbuild.1", "v8.4.0-eksbuild.2"),
            (),
            {**COMMON, "replicaCount": "integer", "podDisruptionBudget": "object"},
        ),
        AddonKind(
            "metrics-server",
            "kube-system",
            "observability",
            ("v0.9.0-eksbuild.1", "v0.8.1-eksbuild.2"),
            (),
            {
                **COMMON,
                "args": "array",
                "replicas": "integer",
                "podDisruptionBudget": "object",
                "updateStrategy": "object",
                "topologySpreadConstraints": "array",
            },
            owner="community",
        ),
        AddonKind(
            "eks-node-monitoring-agent",
            "kube-system",
            "observability",
            ("v1.6.2-eksbuild.1", "v1.5.1-eksbuild.1"),
            (),
            {"dcgmAgent": "object", "monitoringAgent": "object"},
        ),
        AddonKind(
            "amazon-cloudwatch-observability",
            "amazon-cloudwatch",
            "observability",
            ("v5.2.0-eksbuild.1", "v4.10.1-eksbuild.1"),
            (("cloudwatch-agent", (f"{POLICY}CloudWatchAgentServerPolicy", f"{POLICY}AWSXrayWriteOnlyAccess")),),
            {
                "agent": "object",
                "agents": "array",
                "containerLogs": "object",
                "dcgmExporter": "object",
                "manager": "object",
                "neuronMonitor": "object",
                "tolerations": "array",
                "affinity": "object",
            },
        ),
        AddonKind(
            "cert-manager",
            "cert-manager",
            "security",
            ("v1.21.1-eksbuild.1", "v1.19.3-eksbuild.1"),
            (("cert-manager", (f"{POLICY}AmazonRoute53FullAccess",)),),
            {**COMMON, "cainjector": "object", "webhook": "object", "replicaCount": "integer", "crds": "object"},
            owner="community",
        ),
        AddonKind(
            "external-dns",
            "external-dns",
            "networking",
            ("v0.21.0-eksbuild.1", "v0.20.0-eksbuild.3"),
            (("external-dns", (f"{POLICY}AmazonRoute53FullAccess",)),),
            {
                **COMMON,
                "domainFilters": "array",
                "policy": "string",
                "provider": "object",
                "sources": "array",
                "txtOwnerId": "string",
            },
            owner="community",
        ),
        AddonKind(
            "kube-state-metrics",
            "kube-state-metrics",
            "observability",
            ("v2.19.1-eksbuild.1", "v2.17.0-eksbuild.4"),
            (),
            {**COMMON, "replicas": "integer"},
            owner="community",
        ),
        AddonKind(
            "prometheus-node-exporter",
            "prometheus-node-exporter",
            "observability",
            ("v1.12.0-eksbuild.1", "v1.10.2-eksbuild.4"),
            (),
            {**COMMON, "extraArgs": "array"},
            owner="community",
        ),
        AddonKind(
            "aws-secrets-store-csi-driver-provider",
            "aws-secrets-manager",
            "security",
            ("v3.1.1-eksbuild.1", "v2.1.1-eksbuild.1"),
            (),
            {**COMMON, "secrets-store-csi-driver": "object"},
        ),
        AddonKind(
            "aws-guardduty-agent",
            "amazon-guardduty",
            "security",
            ("v1.14.0-eksbuild.1", "v1.12.1-eksbuild.2"),
            (),
            {"resources": "object", "dnsPolicy": "string", "priorityClass": "object"},
        ),
    )
}

__all__ = ("FIRST_MINOR", "KINDS", "AddonKind")
