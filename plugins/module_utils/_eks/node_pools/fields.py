# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Groups of a node group's fields between the API's names and the options' names."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

Fields = dict[str, t.Any]

TO_API = {"strategy": "updateStrategy", "overrides": "nodeRepairConfigOverrides"}
FROM_API = {name: option for option, name in TO_API.items()}
# A part that EKS leaves out of its answer has this value.
SILENT: dict[str, Fields] = {
    "update": {"strategy": "default"},
    "node_repair": {"enabled": False},
    "warm_pool": {"enabled": False},
}
EXCLUSIVE = (
    ("max_unavailable", "max_unavailable_percentage"),
    ("max_unhealthy_node_threshold_count", "max_unhealthy_node_threshold_percentage"),
    ("max_parallel_nodes_repaired_count", "max_parallel_nodes_repaired_percentage"),
)


def given_parts(options: Mapping[str, t.Any] | None) -> Fields | None:
    """The parts of an option group that were given; overrides in a fixed order."""
    if options is None:
        return None
    found: Fields = {key: value for key, value in options.items() if value is not None}
    if "overrides" in found:
        found["overrides"] = _in_order(given_parts(row) or {} for row in found["overrides"])
    return found


def from_api(group: str, fields: Mapping[str, t.Any] | None) -> Fields:
    """A group as EKS describes it, in the options' names."""
    found: Fields = dict(SILENT[group])
    for name, value in (fields or {}).items():
        option = FROM_API.get(name) or _snake(name)
        if option == "overrides":
            value = _in_order({_snake(key): inner for key, inner in row.items()} for row in value)  # noqa: PLW2901
        found[option] = str(value).lower() if option == "strategy" else value
    return found


def to_api(fields: Mapping[str, t.Any]) -> Fields:
    """A group in the API's names."""
    found: Fields = {}
    for option, value in fields.items():
        name = TO_API.get(option) or _camel(option)
        if option == "overrides":
            value = [{_camel(key): inner for key, inner in row.items()} for row in value]  # noqa: PLW2901
        found[name] = str(value).upper() if option == "strategy" else value
    return found


def overlaid(live: Mapping[str, t.Any], wanted: Mapping[str, t.Any] | None) -> Fields:
    """The live group with the wanted parts; the twin of a wanted part (count, percentage) goes."""
    if not wanted:
        return dict(live)
    gone = {other for pair in EXCLUSIVE for one, other in (pair, pair[::-1]) if one in wanted}
    return {**{key: value for key, value in live.items() if key not in gone}, **wanted}


def _in_order(rows: t.Iterable[Fields]) -> list[Fields]:
    return sorted(rows, key=lambda row: [str(row[key]) for key in sorted(row)])


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match.group().lower()}", name)


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match.group(1).upper(), name)


__all__ = ("Fields", "from_api", "given_parts", "overlaid", "to_api")
