# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The questions to AWS before anything is written: each answers with problems, never with an exception of its own."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..._aws.errors import AwsError
from ..._aws.session import AwsSession
from ..._core.text import listed
from .plan import PoolDemand, QuotaDemand

ADDRESSES_PER_NODE = 16  # one prefix of the VPC CNI and the node's own interfaces
OPERATING_SYSTEM = "Linux"


@dataclass
class Answers:
    """What AWS said.

    :param problems: sentences that forbid the plan.
    :param warnings: sentences that do not.
    :param could_not_ask: sentences about questions without an answer.
    """

    identity: dict[str, str] = field(default_factory=dict)
    quotas: list[dict[str, t.Any]] = field(default_factory=list)
    offerings: dict[str, list[str]] = field(default_factory=dict)
    prices: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    could_not_ask: list[str] = field(default_factory=list)


def identity(session: AwsSession, answers: Answers) -> None:
    """Who we are."""
    who = session.do("sts", "GetCallerIdentity", {}, doing="ask who we are")
    answers.identity = {"account": str(who["Account"]), "arn": str(who["Arn"])}


def quota(session: AwsSession, answers: Answers, demand: QuotaDemand) -> None:
    """One EC2 quota against the plan."""
    parameters = {"ServiceCode": "ec2", "QuotaCode": demand.code}
    answer = session.do("service-quotas", "GetServiceQuota", parameters, doing=f"read the quota {demand.label}")
    limit = float(answer["Quota"]["Value"])
    answers.quotas.append(
        {"code": demand.code, "name": demand.label, "vcpu_limit": limit, "least": demand.least, "most": demand.most}
    )
    ask = f"ask for a higher quota {demand.code} or lower scaling"
    if demand.least > limit:
        answers.problems.append(
            f"the quota of {demand.label} is {limit:.0f} vCPUs, the plan needs at least {demand.least}; {ask}.min"
        )
    elif demand.most > limit:
        answers.warnings.append(
            f"the quota of {demand.label} is {limit:.0f} vCPUs, full pools would need {demand.most}; {ask}.max"
        )


def offerings(session: AwsSession, answers: Answers, pools: Sequence[PoolDemand], zones: Sequence[str]) -> None:
    """In which zones the types of the pools are sold."""
    names = sorted({entry.name for pool in pools for entry in pool.types})
    parameters = {
        "LocationType": "availability-zone",
        "Filters": [{"Name": "instance-type", "Values": names}],
    }
    for entry in session.pages(
        "ec2",
        "DescribeInstanceTypeOfferings",
        parameters,
        items="InstanceTypeOfferings",
        marker="NextToken",
        doing="read where the instance types are sold",
    ):
        answers.offerings.setdefault(str(entry["InstanceType"]), []).append(str(entry["Location"]))
    for pool in pools:
        sold = {zone for entry in pool.types for zone in answers.offerings.get(entry.name, [])}
        where = sold & set(zones) if zones else sold
        if not where:
            types = listed((entry.name for entry in pool.types), conjunction="or")
            answers.problems.append(
                f"node pool {pool.name}: {types} is not sold in {listed(zones) or session.region} "
                f"(it is in {listed(sorted(sold)) or 'no zone of the region'}); choose other zones or another type"
            )


def subnets(session: AwsSession, answers: Answers, pools: Sequence[PoolDemand], subnet_ids: Sequence[str]) -> list[str]:
    """Free addresses of the subnets against full pools; returns the subnets' zones."""
    answer = session.do("ec2", "DescribeSubnets", {"SubnetIds": list(subnet_ids)}, doing="look at the subnets")
    free = sum(int(entry["AvailableIpAddressCount"]) for entry in answer["Subnets"])
    wanted = sum(pool.nodes[2] for pool in pools) * ADDRESSES_PER_NODE
    if wanted > free:
        answers.warnings.append(
            f"the subnets have {free} free addresses, full pools would take about {wanted}; use larger subnets"
        )
    return sorted({str(entry["AvailabilityZone"]) for entry in answer["Subnets"]})


def image(session: AwsSession, answers: Answers, version: str, *, arch: str, variant: str) -> None:
    """Whether EKS has an image for that version, architecture and variant (standard, nvidia, neuron)."""
    name = f"/aws/service/eks/optimized-ami/{version}/amazon-linux-2023/{arch}/{variant}/recommended/image_id"
    doing = f"look for the {variant} image of Kubernetes {version}"
    if session.call("ssm", "GetParameter", {"Name": name}, doing=doing, absent=("ParameterNotFound",)) is None:
        answers.problems.append(
            f"EKS has no AL2023 {variant} image for Kubernetes {version} on {arch}; choose a version that has one"
        )


def on_demand_price(session: AwsSession, answers: Answers, name: str, *, region: str) -> None:
    """The hourly on-demand price of one type in a region, from the price list.

    :param session: of a region that has the price list's endpoint (us-east-1 has).
    """
    wanted = {
        "instanceType": name,
        "regionCode": region,
        "operatingSystem": OPERATING_SYSTEM,
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
    }
    filters = [{"Type": "TERM_MATCH", "Field": key, "Value": value} for key, value in wanted.items()]
    answer = session.do(
        "pricing", "GetProducts", {"ServiceCode": "AmazonEC2", "Filters": filters}, doing=f"ask for the price of {name}"
    )
    for text in answer.get("PriceList") or []:
        if (found := _hourly(json.loads(text))) is not None:
            answers.prices[name] = found
            return
    raise AwsError(f"cannot ask for the price of {name}: the price list has none for {region}")


def _hourly(product: Mapping[str, t.Any]) -> float | None:
    for term in (product.get("terms", {}).get("OnDemand") or {}).values():
        for dimension in term.get("priceDimensions", {}).values():
            amount = float(dimension.get("pricePerUnit", {}).get("USD") or 0)
            if amount > 0:
                return amount
    return None


__all__ = ("Answers", "identity", "image", "offerings", "on_demand_price", "quota", "subnets")
