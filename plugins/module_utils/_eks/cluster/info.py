# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters of a region: read-only."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._aws.session import AWS_SPEC, AwsSession, Record
from ..._core.argument_spec import ArgumentSpec
from ..._core.concurrency import map_concurrently
from ..._core.outcome import Context, Outcome, UseCase
from .facts import cluster_facts

SPEC = ArgumentSpec(options={"names": {"type": "list", "elements": "str"}}).merge(AWS_SPEC)
ABSENT = ("ResourceNotFoundException",)


def run(options: Mapping[str, t.Any], context: Context, aws: AwsSession | None = None) -> Outcome:  # noqa: ARG001 (the doors' signature)
    """Read the clusters; those that are absent are left out."""
    session = aws or AwsSession(options)

    def read(name: str) -> Record | None:
        doing = f"read cluster {name}"
        answer = session.call("eks", "DescribeCluster", {"name": name}, doing=doing, absent=ABSENT)
        return t.cast("Record", answer["cluster"]) if answer else None

    names = options.get("names")
    if names is None:
        names = session.pages("eks", "ListClusters", {}, items="clusters", doing="list the clusters")
    found = map_concurrently(read, sorted(names), workers=8)
    return Outcome(facts={"clusters": [cluster_facts(cluster) for cluster in found if cluster is not None]})


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "run")
