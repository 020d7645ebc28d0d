# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All objects of a kind, page by page."""

from __future__ import annotations

import typing as t

from .client import JSON, KubeClient, Object

PAGE = 500


def list_all(
    client: KubeClient,
    path: str,
    *,
    label_selector: str | None = None,
    field_selector: str | None = None,
    accept: str = JSON,
) -> list[Object]:
    """The objects of a collection, sorted by namespace and name.

    :param path: of the collection, e.g. C(/api/v1/nodes).
    :param accept: C(METADATA_LIST) for their metadata alone.
    :raises KubeApiError: the server refuses.
    """
    found: list[Object] = []
    query: dict[str, t.Any] = {"limit": PAGE, "labelSelector": label_selector, "fieldSelector": field_selector}
    while True:
        page = client.request("GET", path, query=query, accept=accept).body
        found.extend(page.get("items") or [])
        query["continue"] = page.get("metadata", {}).get("continue")
        if not query["continue"]:
            return sorted(found, key=lambda one: (one["metadata"].get("namespace", ""), str(one["metadata"]["name"])))


__all__ = ("PAGE", "list_all")
