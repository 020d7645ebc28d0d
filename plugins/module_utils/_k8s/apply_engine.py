# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of an apply set: waves of writes, removal of what left, waiting, the record."""

from __future__ import annotations

import itertools
import typing as t
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from .._core.clock import Clock
from .._core.concurrency import map_concurrently
from .._core.errors import PlatformError
from .apply_plan import Item, Removal, SetPlan, fixpoint_to_keep
from .apply_set import ApplySet, Record, parent_document
from .apply_write import Writer, Written
from .client import APPLY_PATCH, KubeClient
from .errors import KubeApiError
from .masking import MaskRule
from .objects import Object, Ref
from .retry import send
from .wait import Waiter
from .waves import SLOW_KINDS, is_definition

ESTABLISHED_WITHIN = 60.0
BETWEEN_SLOW_ONES = 3
A = t.TypeVar("A")


@dataclass(frozen=True)
class ObjectResult:
    """What became of one object.

    :param action: created, configured, unchanged, recreated, pruned, deleted, kept, skipped or failed.
    :param live: the object as the server has it now; takes no part in the task's result.
    :param reason: why it was kept, skipped or failed.
    :param fixpoint: the digest to remember of what the server made of the object; or empty.
    :param ms: milliseconds that its writes took.
    """

    ref: Ref
    api_version: str
    action: str
    wave: int
    ms: int = 0
    reason: str = ""
    fixpoint: str = ""
    before: Object | None = None
    after: Object | None = None
    live: Object | None = None

    def summary(self) -> dict[str, t.Any]:
        """The entry of the task's result: no body."""
        return {
            "api_version": self.api_version,
            "kind": self.ref.kind,
            "namespace": self.ref.namespace,
            "name": self.ref.name,
            "action": self.action,
            "wave": self.wave,
            "ms": self.ms,
            "reason": self.reason,
        }


class Engine:
    """Carries out plans.

    :param record: writes the set's record, or deletes it (None); does nothing in check mode.
    :param waiter: waits for readiness; None when nobody wants to wait.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        record: Callable[[Record | None], None],
        waiter: Waiter | None,
        definitions: Waiter | None,
        clock: Clock,
        workers: int,
        manager: str,
        mask: Sequence[MaskRule],
        removal_timeout: float,
    ) -> None:
        self._writer = writer
        self._record = record
        self._waiter = waiter
        self._definitions = definitions
        self._clock = clock
        self._workers = workers
        self._manager = manager
        self._mask = tuple(mask)
        self._removal_timeout = removal_timeout

    def apply(self, plan: SetPlan, *, removal_action: str) -> list[ObjectResult]:
        """Carry out the plan; the result names every object, failed ones too.

        Nothing is removed, and later waves are skipped, when a write failed.
        """
        results = [_unchanged(item) for item in plan.items if item.unchanged]
        waves = sorted({item.desired.wave for item in plan.writes})
        pending_record = not plan.record.covers(plan.union_record()) and bool(plan.items)
        failed = False
        for wave in waves:
            items = spread(item for item in plan.writes if item.desired.wave == wave)
            if failed:
                results += [_skipped(item) for item in items]
                continue
            if pending_record and not self._namespace_is_to_come(plan, items):
                self._record(plan.union_record())
                pending_record = False
            done = self._timed(self._apply_one, items)
            results += done
            failed = any(result.action == "failed" for result in done) or not self._established(items, done, results)
        if not failed:
            results += self._remove(plan, removal_action)
            self._close(plan, results, pending=pending_record)
        return results

    def wait(self, plan: SetPlan, results: Iterable[ObjectResult]) -> None:
        """Return when every object of the plan is ready."""
        if self._waiter:
            live = {result.ref: result.live for result in results}
            targets = [(item.desired, live.get(item.desired.ref) or {}) for item in plan.items]
            self._waiter.wait([(desired, found) for desired, found in targets if found])

    def _namespace_is_to_come(self, plan: SetPlan, items: Iterable[Item]) -> bool:
        """Whether this wave makes the namespace in which the record will lie."""
        return any(
            item.live is None and item.desired.ref == Ref("", "Namespace", "", plan.apply_set.namespace)
            for item in items
        )

    def _apply_one(self, item: Item) -> ObjectResult:
        desired = item.desired
        result = ObjectResult(desired.ref, desired.kind.api_version, "failed", desired.wave)
        try:
            written: Written = self._writer.apply(desired, item.live)
        except PlatformError as error:
            return replace(result, reason=error.message)
        return replace(
            result,
            action=written.action,
            fixpoint=fixpoint_to_keep(desired, written.live, manager=self._manager, mask=self._mask),
            before=written.before,
            after=written.after,
            live=written.live,
        )

    def _timed(self, work: Callable[[A], ObjectResult], items: Sequence[A]) -> list[ObjectResult]:
        def timed(item: A) -> ObjectResult:
            self._clock.heed()
            start = self._clock.now()
            result = work(item)
            return replace(result, ms=round((self._clock.now() - start) * 1000))

        return map_concurrently(timed, items, workers=self._workers)

    def _established(self, items: Sequence[Item], done: Sequence[ObjectResult], results: list[ObjectResult]) -> bool:
        """Wait until the CustomResourceDefinitions of a wave are served; a failure becomes the object's result."""
        live = {result.ref: result.live for result in done if result.live}
        targets = [(item.desired, live[item.desired.ref]) for item in items if is_definition(item.desired.document)]
        if not targets or self._definitions is None:
            return True
        try:
            self._definitions.wait(targets)
        except PlatformError as error:
            refs = {desired.ref for desired, _live in targets}
            results[:] = [
                replace(result, action="failed", reason=error.message) if result.ref in refs else result
                for result in results
            ]
            return False
        return True

    def _remove(self, plan: SetPlan, action: str) -> list[ObjectResult]:
        results = [_removed(removal, "kept", removal.kept) for removal in plan.removals if removal.kept]
        failed = False
        for wave in sorted({removal.wave for removal in plan.leaving}, reverse=True):
            leaving = [removal for removal in plan.leaving if removal.wave == wave]
            if failed:
                results += [_removed(removal, "skipped", "an earlier wave failed") for removal in leaving]
                continue
            done = self._timed(lambda removal: self._remove_one(removal, action), leaving)
            results += done
            failed = any(result.action == "failed" for result in done)
        return results

    def _remove_one(self, removal: Removal, action: str) -> ObjectResult:
        try:
            self._writer.delete(removal.member)
            if self._waiter:
                self._writer.await_gone(removal.member, timeout=self._removal_timeout)
        except PlatformError as error:
            return _removed(removal, "failed", error.message)
        return _removed(removal, action)

    def _close(self, plan: SetPlan, results: Sequence[ObjectResult], *, pending: bool) -> None:
        """Write the record as it is now to be, if it is not so already; a set without members has none."""
        if any(result.action in ("failed", "skipped") for result in results):
            return
        if not plan.items and not any(removal.kept for removal in plan.removals):
            if plan.record.exists:
                self._record(None)
            return
        fixpoints = frozenset({item.fixpoint for item in plan.items} | {result.fixpoint for result in results}) - {""}
        wanted = replace(plan.wanted_record(), fixpoints=fixpoints, exists=True)
        union = plan.union_record()
        if pending or wanted != (plan.record if plan.record.covers(union) else union):
            self._record(wanted)


def spread(items: Iterable[Item]) -> list[Item]:
    """Slow ones early, but never so many at once that they hold all connections while they queue at the server."""
    found = list(items)
    slow = [item for item in found if item.desired.ref.group_kind in SLOW_KINDS]
    others = iter([item for item in found if item.desired.ref.group_kind not in SLOW_KINDS])
    ordered: list[Item] = []
    for item in slow:
        ordered += [item, *itertools.islice(others, BETWEEN_SLOW_ONES)]
    return [*ordered, *others]


def _unchanged(item: Item) -> ObjectResult:
    desired = item.desired
    return ObjectResult(desired.ref, desired.kind.api_version, "unchanged", desired.wave, live=item.live)


def _skipped(item: Item) -> ObjectResult:
    desired = item.desired
    return ObjectResult(desired.ref, desired.kind.api_version, "skipped", desired.wave, reason="an earlier wave failed")


def _removed(removal: Removal, action: str, reason: str = "") -> ObjectResult:
    member = removal.member
    return ObjectResult(member.ref, member.kind.api_version, action, removal.wave, reason=reason, before=member.live)


def record_writer(
    client: KubeClient, apply_set: ApplySet, *, clock: Clock, manager: str
) -> Callable[[Record | None], None]:
    """What writes the set's record."""

    def write(record: Record | None) -> None:
        if record is None:
            _forget(client, apply_set, clock)
            return
        send(
            client,
            "PATCH",
            apply_set.parent_path,
            clock=clock,
            query={"fieldManager": manager, "force": "true"},
            body=parent_document(apply_set, record),
            content_type=APPLY_PATCH,
        )

    return write


def _forget(client: KubeClient, apply_set: ApplySet, clock: Clock) -> None:
    try:
        send(client, "DELETE", apply_set.parent_path, clock=clock)
    except KubeApiError as error:
        if error.status != 404:  # it went with its namespace
            raise


__all__ = ("ESTABLISHED_WITHIN", "Engine", "ObjectResult", "record_writer", "spread")
