# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EC2 capacity: on-demand capacity reservations and capacity blocks, which moto answers with 500."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ...._core.errors import PlatformError
from ...._gpu.instances import instance_type
from ..aws_call import Answer, Answers, AwsCall, AwsError, Record
from .places import Rows, matching, tags_of

FILTERS = {
    "instance-type": "InstanceType",
    "state": "State",
    "availability-zone": "AvailabilityZone",
    "instance-platform": "InstancePlatform",
    "tenancy": "Tenancy",
    "instance-match-criteria": "InstanceMatchCriteria",
    "reservation-type": "ReservationType",
}
BLOCK_DISCOUNT = 0.6
GIVEN = ("InstanceType", "InstancePlatform", "AvailabilityZone", "EndDate", "EndDateType", "InstanceMatchCriteria")


class Capacity:
    """Capacity reservations of all places."""

    def __init__(self) -> None:
        self.rows = Rows()
        self._numbers: Iterator[int] = itertools.count(1)

    def _row(self, call: AwsCall, key: str) -> Record:
        found = self.rows.of(call.place).get(key)
        if found is None:
            raise AwsError(
                "InvalidCapacityReservationId.NotFound", f"The capacity reservation '{key}' does not exist", status=400
            )
        return found

    def _add(self, call: AwsCall, **members: object) -> Record:
        key = f"cr-{next(self._numbers):017x}"
        prefix = f"arn:aws:ec2:{call.place.region}:{call.place.account}"
        row: Record = {
            "CapacityReservationId": key,
            "OwnerId": call.place.account,
            "CapacityReservationArn": f"{prefix}:capacity-reservation/{key}",
            "InstancePlatform": "Linux/UNIX",
            "Tenancy": "default",
            "EbsOptimized": False,
            "EphemeralStorage": False,
            "State": "active",
            "StartDate": datetime.now(tz=UTC),
            "CreateDate": datetime.now(tz=UTC),
            "EndDateType": "unlimited",
            "InstanceMatchCriteria": "open",
            "ReservationType": "default",
            "Tags": tags_of(call.parameters.get("TagSpecifications"), "capacity-reservation"),
            **members,
        }
        row["AvailableInstanceCount"] = row["TotalInstanceCount"]
        self.rows.of(call.place)[key] = row
        return row

    def create(self, call: AwsCall) -> Record:
        """CreateCapacityReservation."""
        wanted = call.parameters
        members = {key: wanted[key] for key in GIVEN if key in wanted}
        return {"CapacityReservation": self._add(call, TotalInstanceCount=wanted["InstanceCount"], **members)}

    def describe(self, call: AwsCall) -> Record:
        """DescribeCapacityReservations."""
        ids = call.parameters.get("CapacityReservationIds")
        rows = [self._row(call, key) for key in ids] if ids else list(self.rows.of(call.place).values())
        return {"CapacityReservations": matching(rows, call.parameters.get("Filters"), FILTERS)}

    def modify(self, call: AwsCall) -> Record:
        """ModifyCapacityReservation: count and end."""
        row = self._row(call, call.parameters["CapacityReservationId"])
        if (count := call.parameters.get("InstanceCount")) is not None:
            row["AvailableInstanceCount"] += count - row["TotalInstanceCount"]
            row["TotalInstanceCount"] = count
        row |= {key: call.parameters[key] for key in ("EndDate", "EndDateType") if key in call.parameters}
        return {"Return": True}

    def cancel(self, call: AwsCall) -> Record:
        """CancelCapacityReservation; a capacity block cannot be cancelled."""
        row = self._row(call, call.parameters["CapacityReservationId"])
        if row["ReservationType"] == "capacity-block":
            raise AwsError("OperationNotPermitted", "Capacity Blocks cannot be cancelled", status=400)
        row |= {"State": "cancelled", "AvailableInstanceCount": 0}
        return {"Return": True}

    @staticmethod
    def _offer(call: AwsCall) -> Record:
        wanted = call.parameters
        name, count = wanted.get("InstanceType", "p5.48xlarge"), wanted.get("InstanceCount", 1)
        hours = wanted["CapacityDurationHours"]
        try:
            price = instance_type(name).price or 0.0
        except PlatformError:
            raise AwsError("InvalidParameterValue", f"Capacity Blocks do not have {name}", status=400) from None
        start = wanted.get("StartDateRange") or datetime.now(tz=UTC) + timedelta(days=1)
        return {
            "CapacityBlockOfferingId": f"cbo-{name.replace('.', '-')}-{count}-{hours}",
            "InstanceType": name,
            "AvailabilityZone": f"{call.place.region}a",
            "InstanceCount": count,
            "StartDate": start,
            "EndDate": start + timedelta(hours=hours),
            "CapacityBlockDurationHours": hours,
            "UpfrontFee": f"{price * BLOCK_DISCOUNT * count * hours:.2f}",
            "CurrencyCode": "USD",
            "Tenancy": "default",
        }

    def offerings(self, call: AwsCall) -> Record:
        """DescribeCapacityBlockOfferings: one, from tomorrow."""
        return {"CapacityBlockOfferings": [self._offer(call)]}

    def purchase(self, call: AwsCall) -> Record:
        """PurchaseCapacityBlock."""
        _other, *name, count, hours = call.parameters["CapacityBlockOfferingId"].split("-")
        start = datetime.now(tz=UTC) + timedelta(days=1)
        row = self._add(
            call,
            InstanceType=".".join(("-".join(name[:-1]), name[-1])),
            TotalInstanceCount=int(count),
            AvailabilityZone=f"{call.place.region}a",
            State="scheduled",
            ReservationType="capacity-block",
            StartDate=start,
            EndDate=start + timedelta(hours=int(hours)),
            EndDateType="limited",
            InstanceMatchCriteria="targeted",
        )
        return {"CapacityReservation": row}

    def answers(self) -> Answers:
        """The operations."""
        table: dict[str, Answer] = {
            "CreateCapacityReservation": self.create,
            "DescribeCapacityReservations": self.describe,
            "ModifyCapacityReservation": self.modify,
            "CancelCapacityReservation": self.cancel,
            "DescribeCapacityBlockOfferings": self.offerings,
            "PurchaseCapacityBlock": self.purchase,
        }
        return {("ec2", operation): answer for operation, answer in table.items()}


__all__ = ("Capacity",)
