# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The releases of a cluster as helm's records say them: read-only."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._core.argument_spec import ArgumentSpec
from .._core.outcome import Context, Outcome, UseCase
from .._k8s.connection import CONNECTION_SPEC
from .._k8s.to_come import connect
from .records import History, read_all

SPEC = ArgumentSpec(options={"namespace": {"type": "str"}}).merge(CONNECTION_SPEC)


def release_facts(history: History) -> dict[str, t.Any]:
    """What a user may see of a release: no values, no manifest."""
    newest = history.newest
    return {
        "name": newest.name,
        "namespace": newest.namespace,
        "revision": newest.revision,
        "status": newest.status,
        "chart": newest.chart_name,
        "chart_version": newest.chart_version,
        "app_version": newest.app_version,
        "stand_in": newest.stand_in,
        "deployed_revision": history.deployed.revision if history.deployed else None,
    }


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:
    """List the releases."""
    found = read_all(connect(options, context), options.get("namespace"))
    return Outcome(facts={"releases": [release_facts(history) for _key, history in sorted(found.items())]})


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "release_facts")
