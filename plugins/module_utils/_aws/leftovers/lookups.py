# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kinds whose tags come from a second call: load balancers, target groups, IAM roles, identity providers, buckets."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Iterator

from .. import monthly_cost as cost
from ..session import AwsSession
from ..tags import OWNER_TAG
from .scope import Finding, Record, Scope, tags_of

TAG_BATCH = 20
TRUSTED = ("eks.amazonaws.com", "pods.eks.amazonaws.com", "ec2.amazonaws.com")
Lookup = Callable[[AwsSession, Scope], list[Finding]]


def _listed(session: AwsSession, service: str, operation: str, items: str, marker: tuple[str, str]) -> list[Record]:
    return session.pages(service, operation, {}, items=items, marker=marker, doing=f"list {items} of {service}")


def load_balancers(session: AwsSession, scope: Scope) -> list[Finding]:
    """Application and network load balancers."""
    records = _listed(session, "elbv2", "DescribeLoadBalancers", "LoadBalancers", ("NextMarker", "Marker"))
    return list(_elbv2(session, scope, records, "load balancer", "LoadBalancerArn", cost.LOAD_BALANCER))


def target_groups(session: AwsSession, scope: Scope) -> list[Finding]:
    """Target groups, also those without a load balancer."""
    records = _listed(session, "elbv2", "DescribeTargetGroups", "TargetGroups", ("NextMarker", "Marker"))
    return list(_elbv2(session, scope, records, "target group", "TargetGroupArn", 0.0))


def _elbv2(
    session: AwsSession, scope: Scope, records: list[Record], kind: str, key: str, price: float
) -> Iterator[Finding]:
    for start in range(0, len(records), TAG_BATCH):
        batch = {str(record[key]): record for record in records[start : start + TAG_BATCH]}
        answer = session.do(
            "elbv2", "DescribeTags", {"ResourceArns": list(batch)}, doing=f"read the tags of {len(batch)} {kind}s"
        )
        tags = {str(entry["ResourceArn"]): entry for entry in answer["TagDescriptions"]}
        for arn, record in batch.items():
            if reason := scope.reason({**record, **tags.get(arn, {})}):
                yield Finding(kind, arn, reason, price)


def roles(session: AwsSession, scope: Scope) -> list[Finding]:
    """IAM roles of the cluster's name that AWS services or its pods may assume."""
    prefix = f"{scope.cluster}-"
    records = _listed(session, "iam", "ListRoles", "Roles", ("Marker", "Marker"))
    return [
        Finding("role", str(record["RoleName"]), f"its name begins with {prefix}")
        for record in records
        if str(record["RoleName"]).startswith(prefix)
        and any(service in str(record.get("AssumeRolePolicyDocument")) for service in TRUSTED)
    ]


def identity_providers(session: AwsSession, scope: Scope) -> list[Finding]:
    """OpenID Connect providers with the cluster's tag."""
    doing = "list the identity providers"
    answer = session.do("iam", "ListOpenIDConnectProviders", {}, doing=doing)
    found = []
    for entry in answer["OpenIDConnectProviderList"]:
        arn = str(entry["Arn"])
        tags = session.do(
            "iam", "ListOpenIDConnectProviderTags", {"OpenIDConnectProviderArn": arn}, doing=f"read the tags of {arn}"
        )
        if reason := scope.marked(tags_of(tags)):
            found.append(Finding("identity provider", arn, reason))
    return found


def buckets(session: AwsSession, scope: Scope) -> list[Finding]:
    """Buckets of the cluster's name or with our tag; their content is not priced."""
    found: list[Finding] = []
    ours = re.compile(re.escape(scope.cluster.lower().replace("_", "-")) + r"-\d{12}-(artefacts|models|backups|logs)")
    for record in session.do("s3", "ListBuckets", {}, doing="list the buckets").get("Buckets") or []:
        name = str(record["Name"])
        if ours.fullmatch(name):
            found.append(Finding("bucket", name, "has the cluster's name", None))
        elif _owned_bucket(session, name, scope):
            found.append(Finding("bucket", name, f"tag {OWNER_TAG}={scope.cluster}", None))
    return found


def _owned_bucket(session: AwsSession, name: str, scope: Scope) -> bool:
    if scope.cluster.lower().replace("_", "-") not in name:
        return False
    absent = ("NoSuchTagSet", "NoSuchBucket")
    answer = session.call("s3", "GetBucketTagging", {"Bucket": name}, doing=f"read the tags of {name}", absent=absent)
    return bool(answer and scope.marked(tags_of({"Tags": t.cast("t.Any", answer["TagSet"])})))


LOOKUPS: dict[str, Lookup] = {
    "load balancers": load_balancers,
    "target groups": target_groups,
    "roles": roles,
    "identity providers": identity_providers,
    "buckets": buckets,
}

__all__ = ("LOOKUPS", "Lookup")
