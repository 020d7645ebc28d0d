# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse a pool whose subnets lie in zones that do not offer its instance types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._aws.session import AwsSession
from ..._core.errors import PlatformError
from .spec import PoolSpec


def check_zones(aws: AwsSession, specs: Sequence[PoolSpec]) -> None:
    """Ask EC2 where the subnets lie and what is offered there, in two calls.

    :raises PlatformError: naming the first pool that would have nowhere to be.
    """
    subnets = sorted({subnet for spec in specs for subnet in spec.subnets})
    types = sorted({name for spec in specs for name in spec.every_type})
    if not subnets or not types:
        return
    zones = _zones(aws, subnets)
    offers = _offers(aws, types, sorted(set(zones.values())))
    for spec in specs:
        places = sorted({zones[subnet] for subnet in spec.subnets})
        for name in spec.every_type:
            if not any((name, zone) in offers for zone in places):
                raise PlatformError(
                    f"{spec.words}: none of its zones {', '.join(places)} offers {name}; "
                    "choose subnets in other zones or another instance type"
                )


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


__all__ = ("check_zones",)
