# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All managed node groups of a cluster: read, plan, apply."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._aws.session import AwsSession, Record
from ..._core.outcome import Context, Outcome, UseCase, converge
from ..._core.plan import Plan
from ..waiting import Waiting
from .apply import Applier
from .facts import pool_facts
from .options import SPEC
from .plan import plan_pools, plan_removal
from .read import Reader, Reading
from .spec import specs_of
from .templates import Templates
from .wanted import Policy


def run(options: Mapping[str, t.Any], context: Context, aws: AwsSession | None = None) -> Outcome:
    """Make the node pools as wanted."""
    session = aws or AwsSession(options)
    cluster, workers = str(options["cluster_name"]), int(options["parallel"])
    specs = specs_of(options)
    reader = Reader(
        session, cluster, workers=workers, verify=bool(options["verify_records"]), hold_labels=options["hold_labels"]
    )
    policy = Policy(cluster, purge_tags=options["purge_tags"], recreate_failed=options["recreate_failed"])
    if options["state"] == "absent":
        reading = reader.read_for_removal(specs)
        plan = plan_removal(reading, policy)
    else:
        reading = reader.read(specs, prune=bool(options["prune"]))
        plan = plan_pools(reading, policy)
    applier = Applier(
        aws=session,
        cluster=cluster,
        reader=reader,
        templates=Templates(session, cluster, keep=max(1, int(options["keep_launch_template_versions"]))),
        clock=context.clock,
        waiting=Waiting.of(options),
    )
    return converge(
        plan,
        context,
        apply=lambda wanted: _facts(wanted, reading, applier.apply(wanted, reading)),
        predict=lambda wanted: _facts(wanted, reading, {}),
    )


def _facts(plan: Plan, reading: Reading, groups: Mapping[str, Record]) -> dict[str, t.Any]:
    after = {step.target: step.after for step in plan.steps}
    pending = {step.target for step in plan.pending}
    found = []
    for pool in reading.pools:
        words, live = pool.spec.words, pool.node_group or {}
        if words in groups:
            if groups[words]:
                found.append(pool_facts(groups[words], name=pool.spec.name))
        elif words in pending:
            if after[words] is not None:
                found.append(pool_facts(live, name=pool.spec.name, after=after[words]))
        elif live:
            found.append(pool_facts(live, name=pool.spec.name))
    return {"pools": found, "held": [held.to_dict() for pool in reading.pools for held in pool.held]}


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "run")
