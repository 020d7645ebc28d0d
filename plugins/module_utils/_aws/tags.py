# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags: whose an object is, and what leads from the live tags to the wanted ones."""

from __future__ import annotations

from collections.abc import Mapping

from .._core.errors import PlatformError
from .._core.reconcile import KeyedChanges, keyed_changes

OWNER_TAG = "aiplatform.eks/cluster"
RECORD_PREFIX = "aiplatform.eks/"
FOREIGN_PREFIXES = ("aws:", "eks:", RECORD_PREFIX)
MOST_TAGS = 50
OUR_TAGS = 4

Tags = Mapping[str, str]


def owned_by(tags: Tags, cluster: str) -> bool:
    """Whether this collection made the object for that cluster."""
    return tags.get(OWNER_TAG) == cluster


def users_tags(tags: Tags) -> dict[str, str]:
    """The tags without those of AWS and without our records."""
    return {key: value for key, value in sorted(tags.items()) if not key.startswith(FOREIGN_PREFIXES)}


def tag_changes(live: Tags, wanted: Tags | None, *, purge: bool) -> KeyedChanges[str, str]:
    """What leads to the wanted tags; None leaves the user's tags alone.

    :param purge: whether tags that nobody wants are taken away (never those of AWS, never our records).
    """
    if wanted is None:
        return keyed_changes({}, {})
    return keyed_changes(live, wanted, prune=lambda key, _value: purge and not key.startswith(FOREIGN_PREFIXES))


def check_tags(tags: Tags, *, of: str) -> None:
    """Refuse tags that AWS or we reserve.

    :raises PlatformError: naming the tag.
    """
    if reserved := [key for key in tags if key.startswith(("aws:", RECORD_PREFIX))]:
        raise PlatformError(f"{of}: the prefix of tag {reserved[0]!r} is reserved; choose another key")
    if len(tags) > MOST_TAGS - OUR_TAGS:
        raise PlatformError(
            f"{of}: {len(tags)} tags, at most {MOST_TAGS - OUR_TAGS} are possible (AWS allows {MOST_TAGS}, "
            f"{OUR_TAGS} are ours)"
        )


__all__ = ("MOST_TAGS", "OWNER_TAG", "RECORD_PREFIX", "Tags", "check_tags", "owned_by", "tag_changes", "users_tags")
