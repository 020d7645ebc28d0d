# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags of every kind of resource, by ARN."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import EksError, invalid_parameter
from .session import Operations, Session
from .store import Record, Resource

MOST = 50


def checked(tags: Mapping[str, str] | None) -> dict[str, str]:
    """The tags of a create operation.

    :raises EksError: InvalidParameterException.
    """
    found = dict(tags or {})
    if problem := _problem(found):
        raise invalid_parameter(problem)
    return found


def _problem(tags: Mapping[str, str]) -> str | None:
    if len(tags) > MOST:
        return f"The number of tags must be at most {MOST}"
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            return f"Tag key {key} cannot start with the reserved prefix aws:"
        if not 1 <= len(key) <= 128 or len(value) > 256:
            return f"Tag key {key[:128]}: keys have 1 to 128 characters, values at most 256"
    return None


def _tagged(eks: Session, arn: str) -> Resource:
    found = eks.region.find(arn)
    if found is None:
        raise EksError("NotFoundException", f"Resource was not found: {arn}")
    return found


def tag_resource(eks: Session, request: Record) -> Record:
    """TagResource."""
    resource = _tagged(eks, request["resourceArn"])
    tags = {**(resource.body.get("tags") or {}), **request["tags"]}
    if problem := _problem(tags):
        raise EksError("BadRequestException", problem)
    resource.body["tags"] = tags
    return {}


def untag_resource(eks: Session, request: Record) -> Record:
    """UntagResource; a key that is not there is no error."""
    resource = _tagged(eks, request["resourceArn"])
    gone = set(request["tagKeys"])
    resource.body["tags"] = {key: value for key, value in (resource.body.get("tags") or {}).items() if key not in gone}
    return {}


def list_tags_for_resource(eks: Session, request: Record) -> Record:
    """ListTagsForResource."""
    return {"tags": _tagged(eks, request["resourceArn"]).body.get("tags") or {}}


OPERATIONS: Operations = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}

__all__ = ("OPERATIONS", "checked")
