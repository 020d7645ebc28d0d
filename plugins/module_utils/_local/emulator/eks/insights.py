# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Insights: what keeps a cluster from being upgraded, as the faults say; by default all is well."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from fnmatch import fnmatchcase

from ..faults import InsightRule
from .errors import not_found
from .session import Operations, Session, page
from .store import Cluster, Record

UPGRADE = "UPGRADE_READINESS"
CHECKS = (
    "Kubelet version skew",
    "kube-proxy version skew",
    "EKS add-on version compatibility",
    "Cluster health issues",
)
DETAILS = ("recommendation", "additionalInfo", "resources", "categorySpecificSummary")


def _next(version: str) -> str:
    major, _other, minor = version.partition(".")
    return f"{major}.{int(minor) + 1}"


def of_cluster(eks: Session, cluster: Cluster) -> list[Record]:
    """All insights of a cluster, with their details."""
    rules = [rule for rule in eks.faults.insights if fnmatchcase(cluster.name, rule.cluster)]
    named = {rule.name for rule in rules}
    rules += [InsightRule(name=name) for name in CHECKS if name not in named]
    return [_insight(cluster, rule) for rule in rules]


def _insight(cluster: Cluster, rule: InsightRule) -> Record:
    digest = hashlib.sha256(f"{cluster.arn}/{rule.category}/{rule.name}".encode()).digest()
    created = cluster.body["createdAt"]
    status = {"status": rule.status, "reason": rule.reason or f"{rule.name}: {rule.status.lower()}."}
    return {
        "id": str(uuid.UUID(bytes=digest[:16], version=4)),
        "name": rule.name,
        "category": rule.category,
        "kubernetesVersion": rule.kubernetes_version or _next(cluster.body["version"]),
        "lastRefreshTime": cluster.hidden.get("insights_refreshed", created),
        "lastTransitionTime": created,
        "description": f"Checks for: {rule.name}.",
        "insightStatus": status,
        "recommendation": rule.recommendation or "No action is needed.",
        "additionalInfo": {},
        "resources": [],
        "categorySpecificSummary": {"deprecationDetails": [], "addonCompatibilityDetails": []},
    }


def blocks(insight: Mapping[str, object], version: str) -> bool:
    """Whether EKS refuses an update to that version because of it."""
    status = insight["insightStatus"]
    return (
        insight["category"] == UPGRADE
        and insight["kubernetesVersion"] == version
        and isinstance(status, Mapping)
        and status["status"] == "ERROR"
    )


def list_insights(eks: Session, request: Record) -> Record:
    """ListInsights, filtered by category, version and status."""
    wanted = request.get("filter") or {}
    rows = [
        {key: value for key, value in row.items() if key not in DETAILS}
        for row in of_cluster(eks, eks.cluster(request["clusterName"]))
        if row["category"] in (wanted.get("categories") or [row["category"]])
        and row["kubernetesVersion"] in (wanted.get("kubernetesVersions") or [row["kubernetesVersion"]])
        and row["insightStatus"]["status"] in (wanted.get("statuses") or [row["insightStatus"]["status"]])
    ]
    return page(rows, request, "insights")


def describe_insight(eks: Session, request: Record) -> Record:
    """DescribeInsight."""
    for row in of_cluster(eks, eks.cluster(request["clusterName"])):
        if row["id"] == request["id"]:
            return {"insight": row}
    raise not_found(f"No insight found with id: {request['id']}")


def start_insights_refresh(eks: Session, request: Record) -> Record:
    """StartInsightsRefresh: done at once."""
    eks.cluster(request["clusterName"]).hidden["insights_refreshed"] = eks.now()
    return {"message": "Insights refresh has been started", "status": "IN_PROGRESS"}


def describe_insights_refresh(eks: Session, request: Record) -> Record:
    """DescribeInsightsRefresh."""
    cluster = eks.cluster(request["clusterName"])
    at = cluster.hidden.get("insights_refreshed", cluster.body["createdAt"])
    return {"message": "Insights refresh has completed", "status": "COMPLETED", "startedAt": at, "endedAt": at}


OPERATIONS: Operations = {
    "ListInsights": list_insights,
    "DescribeInsight": describe_insight,
    "StartInsightsRefresh": start_insights_refresh,
    "DescribeInsightsRefresh": describe_insights_refresh,
}

__all__ = ("OPERATIONS", "blocks", "of_cluster")
