# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep a pool out of zones that do not offer its instance types.

One subnet in such a zone is enough to fail a node group: its autoscaling group tries there as well, and EKS takes the
failed launch for the group's (C(AsgInstanceLaunchFailures)). What was left out stands as a record on the node group, so
that an unchanged pool costs no question.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..._aws.session import AwsSession, Record
from ..._core.errors import PlatformError
from .spec import PoolSpec
from .state import SUBNETS_TAG


def offered_subnets(aws: AwsSession, specs: Sequence[PoolSpec]) -> dict[str, PoolSpec]:
    """The pools that lose subnets, without them, by name: EC2 says in two calls where they lie and what is offered.

    :raises PlatformError: naming the first pool that would have nowhere to be.
    """
    subnets = sorted({subnet for spec in specs for subnet in spec.subnets})
    types = sorted({name for spec in specs for name in spec.every_type})
    if not subnets or not types:
        return {}
    zones = _zones(aws, subnets)
    offers = _offers(aws, types, sorted(set(zones.values())))
    narrowed = {}
    for spec in specs:
        places = sorted({zones[subnet] for subnet in spec.subnets})
        for name in spec.every_type:
            if not any((name, zone) in offers for zone in places):
                raise PlatformError(
                    f"{spec.words}: none of its zones {', '.join(places)} offers {name}; "
                    "choose subnets in other zones or another instance type"
                )
        kept = tuple(one for one in spec.subnets if any((name, zones[one]) in offers for name in spec.every_type))
        if len(kept) < len(spec.subnets) and spec.every_type:
            narrowed[spec.name] = replace(spec, subnets=kept, subnets_record=_digest(spec.subnets))
    return narrowed


def as_recorded(spec: PoolSpec, group: Record | None) -> PoolSpec:
    """The wish with the subnets of the live node group, where it was made from this very wish without some of them."""
    record = ((group or {}).get("tags") or {}).get(SUBNETS_TAG)
    if group is None or not record or record != _digest(spec.subnets):
        return spec
    return replace(spec, subnets=tuple(sorted(group.get("subnets") or ())), subnets_record=record)


def _digest(subnets: Sequence[str]) -> str:
    return hashlib.sha256(",".join(sorted(subnets)).encode()).hexdigest()[:16]


def _zones(aws: AwsSession, subnets: Sequence[str]) -> Mapping[str, str]:
    rows = aws.pages(
        "ec2",
        "DescribeSubnets",
        {"SubnetIds": list(subnets)},
        items="Subnets",
        marker="NextToken",
        doing=f"read the subnets {', '.join(subnets)}",
    )
    return {row["SubnetId"]: row["AvailabilityZone"] for row in rows}


def _offers(aws: AwsSession, types: Sequence[str], zones: Sequence[str]) -> set[tuple[str, str]]:
    filters = [{"Name": "instance-type", "Values": list(types)}, {"Name": "location", "Values": list(zones)}]
    rows = aws.pages(
        "ec2",
        "DescribeInstanceTypeOfferings",
        {"LocationType": "availability-zone", "Filters": filters},
        items="InstanceTypeOfferings",
        marker="NextToken",
        doing="read which zones offer the instance types",
    )
    return {(row["InstanceType"], row["Location"]) for row in rows}


__all__ = ("as_recorded", "offered_subnets")
