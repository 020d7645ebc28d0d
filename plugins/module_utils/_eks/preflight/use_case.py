# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask AWS whether a plan can be had and what it costs, before the first write. Reads only; works partly offline."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ..._aws.errors import AwsError
from ..._aws.session import AWS_SPEC, AwsSession
from ..._core.argument_spec import ArgumentSpec
from ..._core.concurrency import map_concurrently
from ..._core.errors import PlatformError
from ..._core.outcome import Context, Outcome, UseCase
from . import questions
from .plan import HOURS_PER_MONTH, PoolDemand, Price, pool_demand, price, quota_demands
from .questions import Answers

WORKERS = 12
PRICE_LIST_REGION = "us-east-1"  # the endpoint is in few regions and knows the prices of all
IMAGE_ARCH = {"amd64": "x86_64", "arm64": "arm64"}
SPEC = ArgumentSpec(
    options={
        "pools": {"type": "list", "elements": "dict", "required": True},
        "kubernetes_version": {"type": "str"},
        "subnets": {"type": "list", "elements": "str", "default": []},
        "zones": {"type": "list", "elements": "str", "default": []},
        "budget_per_month": {"type": "float"},
        "offline": {"type": "bool", "default": False},
    }
).merge(AWS_SPEC)

Question = Callable[[], object]


def ask(session: AwsSession, options: Mapping[str, t.Any], pools: Sequence[PoolDemand]) -> Answers:
    """Ask everything at once; a question without an answer becomes a sentence."""
    answers = Answers()
    prices = AwsSession({**options, "region": PRICE_LIST_REGION})
    zones = list(options["zones"])
    if options["subnets"]:
        ids = options["subnets"]
        _try(answers, lambda: zones.extend(questions.subnets(session, answers, pools, ids)))
    todo: list[Question] = [
        lambda: questions.identity(session, answers),
        lambda: questions.offerings(session, answers, pools, sorted(set(zones))),
        *(partial(questions.quota, session, answers, demand) for demand in quota_demands(pools)),
        *(partial(questions.on_demand_price, prices, answers, name, region=session.region) for name in _types(pools)),
    ]
    if options.get("kubernetes_version"):
        todo.extend(_images(session, answers, options["kubernetes_version"], pools))
    map_concurrently(lambda question: _try(answers, question), todo, workers=WORKERS)
    return answers


def _images(session: AwsSession, answers: Answers, version: str, pools: Sequence[PoolDemand]) -> list[Question]:
    kinds = sorted({(IMAGE_ARCH[entry.arch], _variant(entry)) for pool in pools for entry in pool.types})
    return [partial(questions.image, session, answers, version, arch=arch, variant=variant) for arch, variant in kinds]


def _variant(entry: t.Any) -> str:
    return "nvidia" if entry.has_gpu else "neuron" if entry.has_neuron else "standard"


def _types(pools: Sequence[PoolDemand]) -> list[str]:
    return sorted({entry.name for pool in pools for entry in pool.types})


def _try(answers: Answers, question: Question) -> None:
    try:
        question()
    except AwsError as error:
        answers.could_not_ask.append(error.message)


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:  # noqa: ARG001 (the doors' signature)
    """Ask, compare with the plan, and refuse what cannot be had or is over the budget."""
    pools = [pool_demand(pool) for pool in options["pools"]]
    answers = Answers() if options["offline"] else ask(AwsSession(options), options, pools)
    if options["offline"]:
        answers.could_not_ask.append("offline: AWS was not asked; prices are those of the table (us-east-1, 2026-07)")
    table = {entry.name: entry.price for pool in pools for entry in pool.types}
    cost = price(pools, {**table, **answers.prices})
    _budget(answers, cost, options.get("budget_per_month"))
    facts = {
        "identity": answers.identity,
        "quotas": sorted(answers.quotas, key=lambda entry: str(entry["code"])),
        "offerings": {name: sorted(zones) for name, zones in sorted(answers.offerings.items())},
        "price": _price_facts(cost, answers, _types(pools)),
        "problems": sorted(answers.problems),
        "could_not_ask": sorted(set(answers.could_not_ask)),
    }
    if answers.problems:
        raise PlatformError("; ".join(sorted(answers.problems)), **facts)
    return Outcome(facts=facts, warnings=tuple(sorted(answers.warnings)))


def _budget(answers: Answers, cost: Price, budget: float | None) -> None:
    monthly = cost.first * HOURS_PER_MONTH
    if budget is not None and monthly > budget:
        answers.problems.append(
            f"the plan costs {monthly:,.0f} USD a month at first, the budget is {budget:,.0f}; "
            "lower scaling.min or scaling.desired of the dearest pools, or raise aiplatform_budget_per_month"
        )


def _price_facts(cost: Price, answers: Answers, types: Sequence[str]) -> dict[str, t.Any]:
    return {
        "per_hour": {"least": cost.least, "first": cost.first, "most": cost.most},
        "per_month": {
            "least": round(cost.least * HOURS_PER_MONTH, 2),
            "first": round(cost.first * HOURS_PER_MONTH, 2),
            "most": round(cost.most * HOURS_PER_MONTH, 2),
        },
        "from_price_list": [name for name in types if name in answers.prices],
        "from_table": [name for name in types if name not in answers.prices and name not in cost.unknown],
        "unknown": list(cost.unknown),
    }


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "ask")
