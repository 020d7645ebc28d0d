# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pod identity associations of a cluster: read-only."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._aws.session import AWS_SPEC, AwsSession
from ..._core.argument_spec import ArgumentSpec
from ..._core.outcome import Context, Outcome, UseCase
from .use_case import Associations, facts_of

SPEC = ArgumentSpec(
    options={"cluster_name": {"type": "str", "required": True}, "parallel": {"type": "int", "default": 8}}
).merge(AWS_SPEC)


def run(options: Mapping[str, t.Any], context: Context, aws: AwsSession | None = None) -> Outcome:  # noqa: ARG001 (the doors' signature)
    """Read them all, sorted by namespace and service account."""
    store = Associations(aws or AwsSession(options), str(options["cluster_name"]), workers=int(options["parallel"]))
    ids = store.list()
    return Outcome(facts={"associations": [facts_of(row) for row in store.read([ids[key] for key in sorted(ids)])]})


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "run")
