# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The members of an apply set and how far each is: read-only."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._core.outcome import Context, Outcome, UseCase
from .apply_plan import Member
from .apply_read import Reader
from .apply_set import ApplySet, read_parent
from .apply_settings import INFO_SPEC
from .discovery import discover
from .readiness import readiness
from .to_come import connect

WORKERS = 16


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:
    """List the set's members with their readiness."""
    apply_set = ApplySet(options["name"], options["namespace"])
    client = connect(options, context, connections=WORKERS)
    reader = Reader(client, clock=context.clock, workers=WORKERS)
    record = read_parent(apply_set, reader.get(apply_set.parent_path))
    members: Mapping[t.Any, Member] = {}
    if record.group_kinds:
        discovery = discover(client)
        kinds = [kind for name in sorted(record.group_kinds) if (kind := discovery.preferred(name))]
        members = reader.members(apply_set, kinds, namespaces=record.namespaces)
    objects = [summary(members[ref]) for ref in sorted(members)]
    return Outcome(
        facts={
            "apply_set": apply_set.id,
            "exists": record.exists,
            "ready": all(entry["ready"] for entry in objects),
            "objects": objects,
        }
    )


def summary(member: Member) -> dict[str, t.Any]:
    """What users ask about a member: who it is and how far it is."""
    state = readiness(member.live)
    return {
        "api_version": member.kind.api_version,
        "kind": member.ref.kind,
        "namespace": member.ref.namespace,
        "name": member.ref.name,
        "ready": state.ready,
        "status": state.state,
        "message": state.message,
    }


USE_CASE = UseCase(spec=INFO_SPEC, run=run)

__all__ = ("USE_CASE", "summary")
