# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which apply sets of ours a cluster holds: one LIST of their records, read-only."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._core.argument_spec import ArgumentSpec
from .._core.outcome import Context, Outcome, UseCase
from .apply_read import Reader
from .apply_set import ID, set_of_parent
from .connection import CONNECTION_SPEC
from .discovery import ApiKind
from .to_come import connect

SPEC = ArgumentSpec(options={}).merge(CONNECTION_SPEC)
RECORDS = ApiKind("", "v1", "ConfigMap", "configmaps", namespaced=True)


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:
    """List the sets, sorted by name and namespace."""
    reader = Reader(connect(options, context, connections=1), clock=context.clock, workers=1)
    found = [one for record in reader.collect(RECORDS, selector=ID) if (one := set_of_parent(record))]
    rows = [{"name": one.name, "namespace": one.namespace, "apply_set": one.id} for one in found]
    return Outcome(facts={"sets": sorted(rows, key=lambda row: (row["name"], row["namespace"]))})


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE",)
