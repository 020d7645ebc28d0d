# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converge a set of objects: read, plan, apply in waves, remove what left, wait.

Check mode is the same run with writes that the server judges and does not store, so that what it says is what happens.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from .._core.concurrency import map_concurrently
from .._core.errors import PlatformError
from .._core.outcome import Context, Outcome, UseCase
from .._core.plan import NO_CHANGE, Plan, Step
from .apply_engine import ESTABLISHED_WITHIN, Engine, ObjectResult, record_writer
from .apply_plan import Member, SetPlan, plan_absent, plan_present
from .apply_read import Reader
from .apply_set import Record, read_parent
from .apply_settings import SPEC, Settings, settings_of
from .apply_write import Manner, Writer
from .client import KubeClient
from .desired import Desired, desired_objects, groups_made, raise_problems
from .discovery import ApiKind, Discovery, discover
from .masking import MaskRule, masked_pair, presentable
from .objects import Ref, ref_of
from .retry import FIRST_LOOK_FOR
from .to_come import connect, expecting
from .wait import Waiter
from .waves import definitions_of

CHANGES = frozenset(("created", "configured", "recreated", "pruned", "deleted"))
MOST_NAMED = 5
LOOKS = 3  # requests of the first look: two of the discovery, and the record


@dataclass(frozen=True)
class _Cluster:
    """What the first requests tell."""

    discovery: Discovery
    record: Record


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:
    """Make the set's members what the options say."""
    settings = settings_of(options)
    client = connect(options, context, connections=settings.workers)
    reader = Reader(client, clock=context.clock, workers=settings.workers, foresee=context.check_mode)
    cluster = _look(client, reader, settings)
    if context.check_mode:
        cluster = replace(cluster, discovery=expecting(cluster.discovery, settings.documents))
    plan = _plan(settings, reader, cluster)
    engine = _engine(settings, client, plan, context)
    results = engine.apply(plan, removal_action="pruned" if settings.present else "deleted")
    outcome = outcome_of(results, settings)
    _raise_failures(results, outcome)
    try:
        engine.wait(plan, results)
    except PlatformError as error:
        error.details.update(outcome.facts, changed=outcome.changed)
        raise
    return outcome


def _look(client: KubeClient, reader: Reader, settings: Settings) -> _Cluster:
    looks: tuple[Callable[[], t.Any], ...] = (
        partial(discover, client),
        partial(reader.get, settings.apply_set.parent_path, retry_for=FIRST_LOOK_FOR),
        *[client.connect_ahead] * (_lists_to_come(settings) - LOOKS),
    )
    discovery, parent, *_connected = map_concurrently(lambda look: look(), looks, workers=max(2, len(looks)))
    return _Cluster(
        discovery.with_definitions(definitions_of(settings.documents)), read_parent(settings.apply_set, parent)
    )


def _lists_to_come(settings: Settings) -> int:
    """How many kinds will be listed at once."""
    kinds = {(document["apiVersion"], document["kind"]) for document in settings.documents}
    return min(settings.workers, len(kinds))


def _plan(settings: Settings, reader: Reader, cluster: _Cluster) -> SetPlan:
    if not settings.present:
        return _removal_plan(settings, reader, cluster)
    desired = desired_objects(
        settings.documents,
        discovery=cluster.discovery,
        apply_set=settings.apply_set,
        namespace=settings.apply_set.namespace,
    )
    plan = partial(_plan_of, settings, cluster, desired)
    kinds = _kinds(cluster, [one.kind for one in desired])
    places = _places(settings, cluster, frozenset(one.ref.namespace for one in desired if one.ref.namespace))
    if not cluster.record.exists:  # a new set: what will be asked of its objects is asked at once
        guess = plan({})
        members, problems = reader.members_and_objections(guess, kinds, namespaces=places)
        if not members:
            raise_problems(problems)
            return guess
    else:
        members = reader.members(settings.apply_set, kinds, namespaces=places)
    found = plan(members)
    raise_problems(reader.objections(found))
    return found


def _plan_of(
    settings: Settings, cluster: _Cluster, desired: Sequence[Desired], members: Mapping[Ref, Member]
) -> SetPlan:
    return plan_present(
        desired,
        members,
        apply_set=settings.apply_set,
        record=cluster.record,
        manager=settings.manager,
        legacy_managers=settings.legacy_managers,
        mask=settings.mask,
        prune=settings.prune,
        guards=settings.guards,
    )


def _removal_plan(settings: Settings, reader: Reader, cluster: _Cluster) -> SetPlan:
    """Kinds that the cluster does not serve (any more) have no members."""
    refs = [(str(document["apiVersion"]), ref_of(document)) for document in settings.documents]
    kinds = [kind for api_version, ref in refs if (kind := cluster.discovery.find(api_version, ref.kind))]
    named = frozenset(ref.namespace for _api_version, ref in refs if ref.namespace)
    members = reader.members(settings.apply_set, _kinds(cluster, kinds), namespaces=_places(settings, cluster, named))
    return plan_absent(members, apply_set=settings.apply_set, record=cluster.record, guards=settings.guards)


def _kinds(cluster: _Cluster, wanted: Sequence[ApiKind]) -> list[ApiKind]:
    """These kinds and those that the record names."""
    others = sorted(cluster.record.group_kinds - {kind.group_kind for kind in wanted})
    return [*wanted, *(kind for group_kind in others if (kind := cluster.discovery.preferred(group_kind)))]


def _places(settings: Settings, cluster: _Cluster, named: frozenset[str]) -> frozenset[str]:
    return named | cluster.record.namespaces | {settings.apply_set.namespace}


def _engine(settings: Settings, client: KubeClient, plan: SetPlan, context: Context) -> Engine:
    """The engine of a real run, or of a run whose writes are judged and not stored."""
    clock, selector = context.clock, settings.apply_set.selector
    documents = [item.desired for item in plan.items]
    manner = Manner(
        manager=settings.manager,
        force=settings.force,
        recreate=settings.recreate,
        legacy_managers=settings.legacy_managers,
        dry_run=context.check_mode,
        before=context.diff_mode,
        kinds=groups_made(definitions_of(one.document for one in documents)),
    )

    def waiter(timeout: float) -> Waiter:
        return Waiter(
            client,
            clock=clock,
            selector=selector,
            rules=settings.wait_rules,
            timeout=timeout,
            fail_fast=settings.fail_fast,
        )

    waits = settings.wait and not context.check_mode
    real = record_writer(client, settings.apply_set, clock=clock, manager=settings.manager)
    return Engine(
        Writer(client, manner, clock=clock),
        record=(lambda _record: None) if context.check_mode else real,
        waiter=waiter(settings.wait_timeout) if waits else None,
        definitions=None if context.check_mode else waiter(ESTABLISHED_WITHIN),
        clock=clock,
        workers=settings.workers,
        manager=settings.manager,
        mask=settings.mask,
        removal_timeout=settings.wait_timeout,
    )


def outcome_of(results: Sequence[ObjectResult], settings: Settings) -> Outcome:
    """The task's result: counts, one entry per object, the diff of what changed with secrets masked."""
    ordered = sorted(results, key=lambda result: (result.wave, result.ref))
    plan = Plan(tuple(_step(result, settings.mask) for result in ordered if result.action in CHANGES))
    counts = Counter(result.action for result in ordered)
    facts = {
        "apply_set": settings.apply_set.id,
        "counts": dict(sorted(counts.items())),
        "objects": [result.summary() for result in ordered],
        "steps": plan.summaries(),
    }
    return Outcome(changed=plan.changed, facts=facts, diff=tuple(plan.diff()))


def _step(result: ObjectResult, mask: Sequence[MaskRule]) -> Step:
    before, after = masked_pair(presentable(result.before), presentable(result.after), mask)
    action = result.action if result.action in CHANGES else NO_CHANGE
    return Step(action, str(result.ref), before, after)


def _raise_failures(results: Sequence[ObjectResult], outcome: Outcome) -> None:
    failures = [result for result in results if result.action == "failed"]
    if not failures:
        return
    shown = "; ".join(result.reason for result in failures[:MOST_NAMED])
    more = f"; and {len(failures) - MOST_NAMED} more" if len(failures) > MOST_NAMED else ""
    raise PlatformError(
        f"{len(failures)} of {len(results)} objects failed: {shown}{more}", changed=outcome.changed, **outcome.facts
    )


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "outcome_of")
