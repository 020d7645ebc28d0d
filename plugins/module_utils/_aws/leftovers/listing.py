# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listings whose continuation token has another name in the answer than in the request."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..session import AwsSession


def list_all(
    session: AwsSession,
    service: str,
    operation: str,
    parameters: Mapping[str, t.Any],
    items: str,
    marker: tuple[str, str],
) -> list[t.Any]:
    """All records of a listing, page by page.

    :param marker: (in the answer, in the request) names of the continuation token.
    """
    found: list[t.Any] = []
    query = dict(parameters)
    in_answer, in_request = marker
    while True:
        answer = session.do(service, operation, query, doing=f"list {items} of {service}")
        found.extend(answer.get(items) or [])
        if not answer.get(in_answer):
            return found
        query[in_request] = answer[in_answer]


__all__ = ("list_all",)
