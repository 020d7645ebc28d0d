from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.preflight import plan, questions, use_case

SYSTEM = {"name": "system", "instance_types": ["m7i.2xlarge"], "scaling": {"min": 3, "max": 10, "desired": None}}
A100 = {"name": "a100", "instance_types": ["p4de.24xlarge"], "scaling": {"min": 1, "max": 4, "desired": None}}
SPOT = {"name": "h100", "instance_types": ["p5.48xlarge"], "scaling": {"min": 0, "max": 2}, "capacity_type": "spot"}


PRICE_QUERY = {
    "ServiceCode": "AmazonEC2",
    "Filters": [
        {"Type": "TERM_MATCH", "Field": key, "Value": value}
        for key, value in {
            "instanceType": "p4de.24xlarge",
            "regionCode": "eu-west-1",
            "operatingSystem": "Linux",
            "tenancy": "Shared",
            "preInstalledSw": "NA",
            "capacitystatus": "Used",
        }.items()
    ],
}


def demands(*pools: dict[str, t.Any]) -> list[plan.PoolDemand]:
    return [plan.pool_demand(pool) for pool in pools]


def test_vcpus_are_counted_against_their_quota() -> None:
    assert plan.quota_demands(demands(SYSTEM, A100, SPOT)) == (
        plan.QuotaDemand("L-1216C47A", "on-demand standard instances", 24, 80),
        plan.QuotaDemand("L-417A185B", "on-demand p instances", 96, 384),
        plan.QuotaDemand("L-7212CCBC", "spot p instances", 0, 384),
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("g5.xlarge", "g"),
        ("trn1.32xlarge", "trn"),
        ("inf2.xlarge", "inf"),
        ("p5.48xlarge", "p"),
        ("m7g.large", "standard"),
    ],
)
def test_the_class_of_a_type(name: str, expected: str) -> None:
    assert plan.quota_class(plan.instance_type(name)) == expected


@pytest.mark.parametrize(("limit", "problems", "warnings"), [(1000.0, 0, 0), (100.0, 0, 1), (64.0, 1, 0)])
def test_a_quota_refuses_or_warns(stubbed: t.Any, limit: float, problems: int, warnings: int) -> None:
    session, stubs = stubbed("service-quotas")
    stubs["service-quotas"].add_response(
        "get_service_quota", {"Quota": {"Value": limit}}, {"ServiceCode": "ec2", "QuotaCode": "L-417A185B"}
    )
    answers = questions.Answers()
    questions.quota(session, answers, plan.QuotaDemand("L-417A185B", "on-demand p instances", 96, 384))
    assert (len(answers.problems), len(answers.warnings)) == (problems, warnings)
    assert all("L-417A185B" in text for text in (*answers.problems, *answers.warnings))


def test_a_type_that_no_zone_sells_is_refused(stubbed: t.Any) -> None:
    session, stubs = stubbed("ec2")
    stubs["ec2"].add_response(
        "describe_instance_type_offerings",
        {"InstanceTypeOfferings": [{"InstanceType": "p4de.24xlarge", "Location": "us-east-1d"}]},
        {
            "LocationType": "availability-zone",
            "Filters": [{"Name": "instance-type", "Values": ["p4de.24xlarge"]}],
        },
    )
    answers = questions.Answers()
    questions.offerings(session, answers, demands(A100), ["us-east-1a", "us-east-1b"])
    assert answers.problems == [
        "node pool a100: p4de.24xlarge is not sold in us-east-1a and us-east-1b (it is in us-east-1d); "
        "choose other zones or another type"
    ]


def test_a_missing_image_is_refused(stubbed: t.Any) -> None:
    session, stubs = stubbed("ssm")
    stubs["ssm"].add_client_error("get_parameter", "ParameterNotFound", "none", 400)
    answers = questions.Answers()
    questions.image(session, answers, "1.99", arch="x86_64", variant="nvidia")
    assert answers.problems == [
        "EKS has no AL2023 nvidia image for Kubernetes 1.99 on x86_64; choose a version that has one"
    ]


def test_the_price_list_is_read(stubbed: t.Any) -> None:
    session, stubs = stubbed("pricing")
    product = {"terms": {"OnDemand": {"a": {"priceDimensions": {"b": {"pricePerUnit": {"USD": "27.5"}}}}}}}
    stubs["pricing"].add_response("get_products", {"PriceList": [json.dumps(product)]}, PRICE_QUERY)
    answers = questions.Answers()
    questions.on_demand_price(session, answers, "p4de.24xlarge", region="eu-west-1")
    assert answers.prices == {"p4de.24xlarge": 27.5}


def offline(**options: t.Any) -> dict[str, t.Any]:
    return {"pools": [SYSTEM, A100], "subnets": [], "zones": [], "offline": True, **options}


def test_offline_prices_come_from_the_table_and_say_so() -> None:
    facts = use_case.run(offline(), Context()).facts
    assert facts["price"]["from_table"] == ["m7i.2xlarge", "p4de.24xlarge"]
    assert facts["price"]["per_hour"]["least"] == pytest.approx(0.10 + 3 * 0.4032 + 27.44705, abs=1e-3)
    assert facts["could_not_ask"] == ["offline: AWS was not asked; prices are those of the table (us-east-1, 2026-07)"]


def test_a_plan_over_the_budget_is_refused_with_the_way_out() -> None:
    with pytest.raises(
        PlatformError, match=r"the plan costs 20,9\d\d USD a month at first, the budget is 5,000; lower"
    ):
        use_case.run(offline(budget_per_month=5000.0), Context())


def test_an_unknown_type_is_refused_with_the_nearest() -> None:
    with pytest.raises(PlatformError, match=r"unknown instance type 'p4dd.24xlarge'.*did you mean 'p4d"):
        use_case.run(offline(pools=[{"name": "a", "instance_types": ["p4dd.24xlarge"]}]), Context())
