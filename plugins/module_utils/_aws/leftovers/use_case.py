# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a teardown left of a cluster and what it costs a month: read-only, every listing at once."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._core.argument_spec import ArgumentSpec
from ..._core.concurrency import map_concurrently
from ..._core.errors import PlatformError
from ..._core.outcome import Context, Outcome, UseCase
from ..._core.text import listed
from ..errors import AwsError
from ..session import AWS_SPEC, AwsSession
from .kinds import KINDS, Kind
from .lookups import LOOKUPS
from .scope import Finding, Scope

WORKERS = 12
SHOWN = 5
SPEC = ArgumentSpec(
    options={
        "cluster_name": {"type": "str", "required": True},
        "vpc_id": {"type": "str"},
        "allowed_kinds": {"type": "list", "elements": "str", "default": []},
        "fail_on_leftovers": {"type": "bool", "default": True},
    }
).merge(AWS_SPEC)

Found: t.TypeAlias = "tuple[list[Finding], str | None]"


def look(session: AwsSession, scope: Scope) -> tuple[list[Finding], list[str]]:
    """All findings, sorted by kind and id, and a sentence for every listing that could not be asked."""
    kinds: list[Kind | str] = [*KINDS, *LOOKUPS]
    answers = map_concurrently(lambda kind: _ask(session, scope, kind), kinds, workers=WORKERS)
    findings = [finding for found, _error in answers for finding in found]
    return (
        sorted(findings, key=lambda finding: (finding.kind, finding.id)),
        sorted(error for _found, error in answers if error),
    )


def _ask(session: AwsSession, scope: Scope, kind: Kind | str) -> Found:
    try:
        if isinstance(kind, str):
            return LOOKUPS[kind](session, scope), None
        return [finding for record in kind.records(session, scope) if (finding := kind.read(record, scope))], None
    except AwsError as error:
        return [], error.message


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:  # noqa: ARG001 (the doors' signature)
    """Look, and fail when something is left that is not allowed."""
    session = AwsSession(options)
    findings, unasked = look(session, Scope(options["cluster_name"], options.get("vpc_id")))
    left = [finding for finding in findings if finding.kind not in options["allowed_kinds"]]
    monthly = round(sum(finding.monthly_usd or 0.0 for finding in left), 2)
    facts = {
        "leftovers": [finding.as_result() for finding in left],
        "allowed": [finding.as_result() for finding in findings if finding not in left],
        "monthly_usd": monthly,
        "could_not_ask": unasked,
    }
    if left and options["fail_on_leftovers"]:
        raise PlatformError(_sentence(options["cluster_name"], left, monthly), **facts)
    return Outcome(facts=facts, warnings=tuple(unasked))


def _sentence(cluster: str, left: list[Finding], monthly: float) -> str:
    shown = [f"{finding.kind} {finding.id} ({finding.reason})" for finding in left[:SHOWN]]
    if len(left) > SHOWN:
        shown.append(f"{len(left) - SHOWN} more")
    return (
        f"{len(left)} things of cluster {cluster} are left, about {monthly:.2f} USD a month: {listed(shown)}; "
        "delete them, or name their kinds in allowed_kinds when they are meant to stay"
    )


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "look")
