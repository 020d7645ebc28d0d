# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The price list's GetProducts for EC2, which moto has not: on-demand Linux prices from the project's own table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from ...._core.errors import PlatformError
from ...._gpu.instances import instance_type
from ..aws_call import Answers, AwsCall, Record

FILTERED = ("instanceType", "regionCode")


def _price(name: str, own: Mapping[str, float]) -> float | None:
    if name in own:
        return own[name]
    try:
        return instance_type(name).price
    except PlatformError:
        return None


def _product(name: str, region: str, price: float) -> str:
    sku = name.upper().replace(".", "")
    dimension = {
        "unit": "Hrs",
        "description": f"${price} per On Demand Linux {name} Instance Hour",
        "pricePerUnit": {"USD": f"{price:.10f}"},
        "beginRange": "0",
        "endRange": "Inf",
    }
    return json.dumps(
        {
            "product": {
                "productFamily": "Compute Instance",
                "sku": sku,
                "attributes": {
                    "instanceType": name,
                    "regionCode": region,
                    "operatingSystem": "Linux",
                    "tenancy": "Shared",
                    "preInstalledSw": "NA",
                    "capacitystatus": "Used",
                },
            },
            "serviceCode": "AmazonEC2",
            "terms": {
                "OnDemand": {f"{sku}.JRTCKXETXF": {"sku": sku, "priceDimensions": {f"{sku}.6YS6EN2CT7": dimension}}}
            },
            "publicationDate": "2026-07-20T00:00:00Z",
        }
    )


def answers(own: Callable[[], Mapping[str, float]]) -> Answers:
    """The operations.

    :param own: prices that are set, USD per hour by instance type.
    """

    def products(call: AwsCall) -> Record:
        wanted = {one["Field"]: one["Value"] for one in call.parameters.get("Filters") or ()}
        name, region = (wanted.get(key, "") for key in FILTERED)
        price = _price(name, own())
        rows = [_product(name, region or call.place.region, price)] if price is not None else []
        if wanted.get("operatingSystem", "Linux") != "Linux" or call.parameters["ServiceCode"] != "AmazonEC2":
            rows = []
        return {"FormatVersion": "aws_v1", "PriceList": rows}

    return {("pricing", "GetProducts"): products}


__all__ = ("answers",)
