# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The managed node groups of a cluster: read-only."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._aws.session import AWS_SPEC, AwsSession
from ..._core.argument_spec import ArgumentSpec
from ..._core.concurrency import map_concurrently
from ..._core.outcome import Context, Outcome, UseCase
from .facts import pool_facts
from .read import Reader

SPEC = ArgumentSpec(
    options={
        "cluster_name": {"type": "str", "required": True},
        "names": {"type": "list", "elements": "str"},
        "parallel": {"type": "int", "default": 8},
    }
).merge(AWS_SPEC)


def run(options: Mapping[str, t.Any], context: Context, aws: AwsSession | None = None) -> Outcome:  # noqa: ARG001 (the doors' signature)
    """Read the node groups; those that are absent are left out."""
    reader = Reader(aws or AwsSession(options), str(options["cluster_name"]), workers=int(options["parallel"]))
    names = reader.names() if options.get("names") is None else list(options["names"])
    groups = map_concurrently(reader.node_group, sorted(names), workers=reader.workers)
    return Outcome(facts={"pools": [pool_facts(group) for group in groups if group is not None]})


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "run")
