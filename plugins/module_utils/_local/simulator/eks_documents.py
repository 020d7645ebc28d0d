# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where node groups are read from: the emulator's own state, or the EKS API."""

from __future__ import annotations

import json
import typing as t
import urllib.error
from collections.abc import Callable
from functools import partial

from ansible.module_utils.urls import open_url

from ..._core.concurrency import map_concurrently
from ..._core.errors import PlatformError
from .eks_reader import Document

STATE = "/aiplatform-control/state"
SECONDS = 20
READERS = 4
NOT_FOUND = 404


class EksDocuments:
    """The node groups of an endpoint, as DescribeNodegroup gives them.

    Our emulator hands out everything in one request, which leaves the log of calls to its users and is never
    throttled on purpose; any other endpoint is asked by ListClusters, ListNodegroups and DescribeNodegroup.

    :param cluster: look at this cluster only; empty for all.
    :param eks: makes a boto3 client of EKS when it is needed.
    """

    def __init__(self, *, endpoint: str, region: str, cluster: str, eks: Callable[[], t.Any]) -> None:
        self._endpoint, self._region, self._cluster, self._make = endpoint.rstrip("/"), region, cluster, eks
        self._eks: t.Any = None

    def read(self) -> list[Document]:
        """All node groups.

        :raises PlatformError: nobody answers.
        """
        if self._eks is None:
            try:
                return self._of_emulator()
            except urllib.error.HTTPError as error:
                if error.code != NOT_FOUND:
                    raise PlatformError(f"{self._endpoint}{STATE}: {error}") from error
                self._eks = self._make()
            except (OSError, ValueError) as error:
                raise PlatformError(f"{self._endpoint}{STATE}: {error}") from error
        return self._of_api()

    def _of_emulator(self) -> list[Document]:
        url = self._endpoint + STATE
        with open_url(url, timeout=SECONDS) as answer:
            clusters = json.load(answer)["clusters"]
        return [
            group
            for one in clusters
            if one["region"] == self._region and self._cluster in ("", one["cluster"]["name"])
            for group in one["nodegroup"]
        ]

    def _of_api(self) -> list[Document]:
        found: list[Document] = []
        for cluster in [self._cluster] if self._cluster else self._all("list_clusters", "clusters"):
            try:
                names = self._all("list_nodegroups", "nodegroups", clusterName=cluster)
                found += map_concurrently(partial(self._describe, cluster), names, workers=READERS)
            except self._eks.exceptions.ResourceNotFoundException:
                continue  # gone between two calls
        return found

    def _describe(self, cluster: str, name: str) -> Document:
        answer = self._eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)
        return t.cast("Document", answer["nodegroup"])

    def _all(self, operation: str, key: str, **arguments: str) -> list[str]:
        pages = self._eks.get_paginator(operation).paginate(**arguments)
        return [name for page in pages for name in page[key]]


__all__ = ("EksDocuments",)
