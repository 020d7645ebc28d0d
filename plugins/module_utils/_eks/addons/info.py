# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The managed add-ons of a cluster: read-only."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._aws.session import AWS_SPEC, AwsSession
from ..._core.argument_spec import ArgumentSpec
from ..._core.outcome import Context, Outcome, UseCase
from .state import Addons, facts_of

SPEC = ArgumentSpec(
    options={"cluster_name": {"type": "str", "required": True}, "parallel": {"type": "int", "default": 8}}
).merge(AWS_SPEC)


def run(options: Mapping[str, t.Any], context: Context, aws: AwsSession | None = None) -> Outcome:  # noqa: ARG001 (the doors' signature)
    """Read them all, sorted by name."""
    store = Addons(aws or AwsSession(options), str(options["cluster_name"]), workers=int(options["parallel"]))
    rows = store.read(sorted(store.names()))
    return Outcome(facts={"addons": [facts_of(row) for row in rows.values()]})


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "run")
