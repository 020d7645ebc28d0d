# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EC2 placement groups, which moto answers with 500."""

from __future__ import annotations

from ..aws_call import Answers, AwsCall, AwsError, Record
from .places import Rows, matching, tags_of

FILTERS = {"group-name": "GroupName", "strategy": "Strategy", "state": "State", "group-arn": "GroupArn"}


class PlacementGroups:
    """Placement groups of all places."""

    def __init__(self) -> None:
        self.rows = Rows()

    def _row(self, call: AwsCall, name: str) -> Record:
        found = self.rows.of(call.place).get(name)
        if found is None:
            raise AwsError("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.", status=400)
        return found

    def create(self, call: AwsCall) -> Record:
        """CreatePlacementGroup."""
        name = call.parameters["GroupName"]
        if name in self.rows.of(call.place):
            raise AwsError(
                "InvalidPlacementGroup.Duplicate", f"The Placement Group '{name}' already exists.", status=400
            )
        place = call.place
        row: Record = {
            "GroupName": name,
            "State": "available",
            "Strategy": call.parameters.get("Strategy", "cluster"),
            "GroupId": f"pg-{len(self.rows.of(place)) + 1:017x}",
            "GroupArn": f"arn:aws:ec2:{place.region}:{place.account}:placement-group/{name}",
            "Tags": tags_of(call.parameters.get("TagSpecifications"), "placement-group"),
        }
        if row["Strategy"] == "partition":
            row["PartitionCount"] = call.parameters.get("PartitionCount", 1)
        self.rows.of(place)[name] = row
        return {"PlacementGroup": row}

    def describe(self, call: AwsCall) -> Record:
        """DescribePlacementGroups."""
        names = call.parameters.get("GroupNames")
        rows = [self._row(call, name) for name in names] if names else list(self.rows.of(call.place).values())
        ids = call.parameters.get("GroupIds")
        rows = [row for row in rows if not ids or row["GroupId"] in ids]
        return {"PlacementGroups": matching(rows, call.parameters.get("Filters"), FILTERS)}

    def delete(self, call: AwsCall) -> Record:
        """DeletePlacementGroup."""
        name = call.parameters["GroupName"]
        self._row(call, name)
        del self.rows.of(call.place)[name]
        return {}

    def answers(self) -> Answers:
        """The operations."""
        return {
            ("ec2", "CreatePlacementGroup"): self.create,
            ("ec2", "DescribePlacementGroups"): self.describe,
            ("ec2", "DeletePlacementGroup"): self.delete,
        }


__all__ = ("PlacementGroups",)
