# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags of sets of objects: options, and the wanted tags of one object."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._aws.tags import OWNER_TAG, check_tags, tag_changes, users_tags

TAG_OPTIONS: dict[str, dict[str, t.Any]] = {"tags": {"type": "dict"}, "purge_tags": {"type": "bool", "default": True}}


def tags_state(live: Mapping[str, str]) -> dict[str, str]:
    """The tags that a state shows: the user's, and our mark of ownership."""
    mark = {OWNER_TAG: live[OWNER_TAG]} if OWNER_TAG in live else {}
    return {**users_tags(live), **mark}


def wanted_tags(
    live: Mapping[str, str], options: Mapping[str, t.Any], given: Mapping[str, t.Any] | None, *, cluster: str, of: str
) -> dict[str, str]:
    """The tags that an object should have: the task's, the object's own over them, our mark.

    :param live: the tags that it has.
    :param options: the task's C(tags) and C(purge_tags).
    :param given: the object's own tags.
    """
    before = tags_state(live)
    if options.get("tags") is None and given is None:
        return {**before, OWNER_TAG: cluster}
    wanted = {str(key): str(value) for key, value in {**(options.get("tags") or {}), **(given or {})}.items()}
    check_tags(wanted, of=of)
    changes = tag_changes(users_tags(live), wanted, purge=bool(options["purge_tags"]))
    kept = {key: value for key, value in before.items() if key not in changes.delete}
    return {**kept, **wanted, OWNER_TAG: cluster}


__all__ = ("TAG_OPTIONS", "tags_state", "wanted_tags")
