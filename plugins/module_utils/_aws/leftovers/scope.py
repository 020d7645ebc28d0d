# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What belongs to a cluster: its names and the tags by which AWS, Kubernetes and we mark its objects."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..tags import OWNER_TAG

Record = Mapping[str, t.Any]


@dataclass(frozen=True)
class Finding:
    """One object that is still there.

    :param kind: what it is, in words: C(load balancer).
    :param id: how AWS calls it.
    :param reason: why it is the cluster's.
    :param monthly_usd: what it costs a month when nothing uses it; None when unknown.
    """

    kind: str
    id: str
    reason: str
    monthly_usd: float | None = 0.0

    def as_result(self) -> dict[str, t.Any]:
        """The finding as plain data."""
        cost = None if self.monthly_usd is None else round(self.monthly_usd, 2)
        return {"kind": self.kind, "id": self.id, "reason": self.reason, "monthly_usd": cost}


@dataclass(frozen=True)
class Scope:
    """The cluster whose traces are looked for.

    :param vpc_id: its network, when it was ours; everything that hangs in it is a trace.
    """

    cluster: str
    vpc_id: str | None = None

    @property
    def tags(self) -> dict[str, tuple[str, ...]]:
        """Tag keys and the values that mark the cluster's objects; no values: any.

        Sources: the AWS cloud provider and load balancer controller (kubernetes.io/cluster, elbv2.k8s.aws), the EBS
        CSI driver (ebs.csi.aws.com/cluster-name), the VPC CNI (cluster.k8s.amazonaws.com/name), EKS, Karpenter.
        """
        return {
            OWNER_TAG: (self.cluster,),
            f"kubernetes.io/cluster/{self.cluster}": (),
            "elbv2.k8s.aws/cluster": (self.cluster,),
            "ebs.csi.aws.com/cluster-name": (self.cluster,),
            "KubernetesCluster": (self.cluster,),
            "cluster.k8s.amazonaws.com/name": (self.cluster,),
            "eks:cluster-name": (self.cluster,),
            "aws:eks:cluster-name": (self.cluster,),
            "karpenter.k8s.aws/cluster": (self.cluster,),
        }

    def marked(self, tags: Mapping[str, str]) -> str | None:
        """The tag that makes an object the cluster's, as C(key=value), or None."""
        for key, values in self.tags.items():
            if key in tags and (not values or tags[key] in values):
                return f"tag {key}={tags[key]}"
        return None

    def reason(self, record: Record) -> str | None:
        """Why an EC2-style record (Tags, VpcId) is the cluster's, or None."""
        marked = self.marked(tags_of(record))
        if marked is None and self.vpc_id and self.vpc_id in (record.get("VpcId"), record.get("VPCId")):
            return f"in {self.vpc_id}"
        return marked


def tags_of(record: Record) -> dict[str, str]:
    """The tags of a record in any of AWS's three spellings."""
    tags: t.Any = record.get("Tags") or record.get("TagSet") or record.get("tags") or []
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    if isinstance(tags, Sequence):
        return {str(tag.get("Key", tag.get("TagKey"))): str(tag.get("Value", tag.get("TagValue", ""))) for tag in tags}
    return {}


__all__ = ("Finding", "Record", "Scope", "tags_of")
