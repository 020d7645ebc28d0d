# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""State of a small emulated service: rows by account and region."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence

from ..aws_call import Record
from ..eks.neighbours import Place


class Rows:
    """Rows by key, for each account and region."""

    def __init__(self) -> None:
        self._rows: dict[Place, dict[str, Record]] = {}

    def of(self, place: Place) -> dict[str, Record]:
        """The rows of a place."""
        return self._rows.setdefault(place, {})

    def clear(self) -> None:
        """Forget them."""
        self._rows.clear()


def tags_of(specifications: Iterable[Mapping[str, t.Any]] | None, kind: str) -> list[Record]:
    """The tags of an EC2 request for a kind of resource."""
    return [tag for one in specifications or () if one.get("ResourceType") == kind for tag in one.get("Tags") or ()]


def matching(
    rows: Iterable[Record], filters: Sequence[Mapping[str, t.Any]] | None, names: Mapping[str, str]
) -> list[Record]:
    """The rows that meet an EC2 request's filters: C(tag:KEY), C(tag-key) and those of names.

    :param names: member of the row by name of the filter.
    """
    return [row for row in rows if all(_meets(row, one, names) for one in filters or ())]


def _meets(row: Record, wanted: Mapping[str, t.Any], names: Mapping[str, str]) -> bool:
    name, values = str(wanted["Name"]), wanted.get("Values") or ()
    tags = {tag["Key"]: tag["Value"] for tag in row.get("Tags") or ()}
    if name.startswith("tag:"):
        return tags.get(name.removeprefix("tag:")) in values
    if name == "tag-key":
        return any(key in values for key in tags)
    return name in names and str(row.get(names[name])) in values


__all__ = ("Rows", "matching", "tags_of")
