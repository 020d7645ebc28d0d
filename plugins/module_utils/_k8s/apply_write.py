# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes to one cluster: server-side apply, hand-over of old managers, re-creation, deletion.

In check mode the same code runs with C(dryRun=All): the API server judges every write and stores none.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from .._core.clock import Clock, Pace, wait_until
from .._core.errors import PlatformError
from .apply_plan import GUARDED, Member
from .client import APPLY_PATCH, JSON_PATCH, KubeClient
from .desired import Desired
from .errors import KubeApiError
from .masking import presentable
from .objects import Object, Ref, annotations_of
from .ownership import applied_fields, migration, without_orphans
from .replicas import keeper, kept_replicas, with_replicas
from .retry import send

RECREATE = "aiplatform.eks/recreate"
ON_IMMUTABLE = "on_immutable"
IMMUTABLE_WORDS = ("immutable", "updates to statefulset spec", "may not be changed", "cannot change roleref")
WORKLOAD_GROUPS = frozenset(("apps", "batch"))  # the collector learns of new custom kinds only twice a minute
GONE_PACE = Pace(first=0.05, factor=1.5, longest=2.0)
GONE_WITHIN = 120.0


@dataclass(frozen=True)
class Manner:
    """How objects are written.

    :param manager: our field manager.
    :param force: whether fields of other managers are taken over.
    :param recreate: V(on_immutable) deletes and makes anew what refuses a change of an immutable field.
    :param legacy_managers: managers whose fields are handed over to us first.
    :param dry_run: ask the server, store nothing.
    :param before: read an object that is no member yet, so that the diff can show what it was.
    :param kinds: (group, kind) that this run makes.
    """

    manager: str
    force: bool = True
    recreate: str = "never"
    legacy_managers: tuple[str, ...] = ()
    dry_run: bool = False
    before: bool = False
    kinds: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Written:
    """What a write did.

    :param action: created, configured, unchanged or recreated.
    :param live: the server's answer; the document itself where the server cannot be asked yet.
    """

    action: str
    before: Object | None
    after: Object | None
    live: Object = field(repr=False)


class Writer:
    """Writes in one manner."""

    def __init__(self, client: KubeClient, manner: Manner, *, clock: Clock) -> None:
        self._client = client
        self._manner = manner
        self._clock = clock
        self._query = {"dryRun": "All"} if manner.dry_run else {}

    def apply(self, desired: Desired, live: Object | None) -> Written:
        """Apply one object.

        :param live: the object as it is known to be; None when it is no member yet.
        :raises PlatformError: the server refuses it; the sentence names the object and the fields.
        """
        if live is None and self._manner.before:
            live = self._get(desired)
        if live is not None and live["metadata"].get("deletionTimestamp"):
            self._await_gone(desired.ref, desired.path, str(live["metadata"].get("uid")))
            live = None
        kept = None
        if live is not None:
            live = self._handed_over(desired, live)
            kept = kept_replicas(desired.document, live, manager=self._manner.manager)
        try:
            if kept and not self._manner.dry_run:
                self._patch(desired, kept=kept)
            status, answer = self._patch(desired)
        except KubeApiError as error:
            if self._is_to_come(error):
                return Written("created", None, desired.document, desired.document)
            if self._may_recreate(desired, error):
                return self._recreated(desired, live or self._get(desired))
            raise refusal(desired.ref, error) from error
        if not self._manner.dry_run and (migrated := self._handed_over(desired, answer)) is not answer:
            status, answer = self._patch(desired)
            live = live or migrated
        elif self._manner.dry_run:  # the hand-over cannot be part of a dry run: what it takes away is computed
            answer = with_replicas(without_orphans(answer, self._manner.legacy_managers), kept)
        return self._written(desired, live, status, answer)

    def _written(self, desired: Desired, live: Object | None, status: int, answer: Object) -> Written:
        if status == 201:
            return Written("created", None, desired.document, answer)
        if live is not None and equal_content(live, answer, manager=self._manner.manager):
            return Written("unchanged", live, answer, answer)
        return Written("configured", live, answer, answer)

    def _patch(self, desired: Desired, *, kept: Object | None = None) -> tuple[int, Object]:
        manager = self._manner.manager
        answer = send(
            self._client,
            "PATCH",
            desired.path,
            clock=self._clock,
            kind_is_new=(desired.ref.group, desired.ref.kind) in self._manner.kinds and not self._manner.dry_run,
            query={
                "fieldManager": keeper(manager) if kept else manager,
                "force": "true" if self._manner.force else "false",
                "fieldValidation": "Strict",
                **self._query,
            },
            body=kept or desired.document,
            content_type=APPLY_PATCH,
        )
        return answer.status, answer.body

    def _get(self, desired: Desired) -> Object | None:
        try:
            return send(self._client, "GET", desired.path, clock=self._clock).body
        except KubeApiError as error:
            if error.status == 404:
                return None
            raise refusal(desired.ref, error) from error

    def _handed_over(self, desired: Desired, live: Object) -> Object:
        """The object after the fields of old managers became ours; itself when there are none."""
        patch = migration(live, manager=self._manner.manager, managers=self._manner.legacy_managers)
        if patch is None or self._manner.dry_run:
            return live
        try:
            answer = send(self._client, "PATCH", desired.path, clock=self._clock, body=patch, content_type=JSON_PATCH)
        except KubeApiError as error:
            if error.status != 409:
                raise refusal(desired.ref, error) from error
            fresh = self._get(desired)  # somebody wrote in between: look again, once more
            return self._handed_over(desired, fresh) if fresh else live
        return answer.body

    def _is_to_come(self, error: KubeApiError) -> bool:
        """Whether a dry run fails only since this run or a step before it makes the namespace or the kind."""
        return self._manner.dry_run and error.status == 404

    def _may_recreate(self, desired: Desired, error: KubeApiError) -> bool:
        wanted = annotations_of(desired.document).get(RECREATE, self._manner.recreate)
        text = " ".join([str(error), *(cause.get("message", "") for cause in error.causes)]).lower()
        return (
            wanted == ON_IMMUTABLE
            and desired.ref.kind not in GUARDED
            and error.status == 422
            and any(word in text for word in IMMUTABLE_WORDS)
        )

    def _recreated(self, desired: Desired, live: Object | None) -> Written:
        if live is None or self._manner.dry_run:
            return Written("recreated", live, desired.document, desired.document)
        orphan = desired.ref.group_kind == "StatefulSet.apps"  # its pods stay and are adopted by the new one
        self.delete(Member(desired.ref, desired.kind, live), policy="Orphan" if orphan else None)
        self._await_gone(desired.ref, desired.path, str(live["metadata"]["uid"]))
        try:
            _status, answer = self._patch(desired)
        except KubeApiError as error:
            raise refusal(desired.ref, error) from error
        return Written("recreated", live, desired.document, answer)

    def delete(self, member: Member, *, policy: str | None = None) -> bool:
        """Delete one object, only if it is still the one that was read.

        :param policy: propagation; without it workloads go after their pods (Foreground), all others at once.
        :returns: whether it was there.
        :raises PlatformError: the server refuses.
        """
        uid = member.live["metadata"]["uid"]
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": policy or ("Foreground" if member.ref.group in WORKLOAD_GROUPS else "Background"),
            "preconditions": {"uid": uid},
            **({"dryRun": ["All"]} if self._manner.dry_run else {}),
        }
        try:
            send(self._client, "DELETE", _path(member), clock=self._clock, body=body)
        except KubeApiError as error:
            if error.status == 404 or (error.status == 409 and "uid" in str(error).lower()):
                return False
            raise refusal(member.ref, error) from error
        return True

    def await_gone(self, member: Member, *, timeout: float) -> None:
        """Return when the object is gone.

        :raises TimedOutError: it still is there; the sentence names the finalizers that hold it.
        """
        if not self._manner.dry_run:
            self._await_gone(member.ref, _path(member), str(member.live["metadata"]["uid"]), timeout=timeout)

    def _await_gone(self, ref: Ref, path: str, uid: str, *, timeout: float = GONE_WITHIN) -> None:
        def look() -> tuple[bool, Object]:
            try:
                live = send(self._client, "GET", path, clock=self._clock).body
            except KubeApiError as error:
                if error.status == 404:
                    return True, {}
                raise refusal(ref, error) from error
            return live["metadata"].get("uid") != uid, live

        if self._manner.dry_run:
            return
        wait_until(
            look,
            clock=self._clock,
            timeout=timeout,
            pace=GONE_PACE,
            describe=lambda live, elapsed: (
                f"{ref} is still there after {elapsed:.0f} s; finalizers hold it: "
                f"{', '.join(live['metadata'].get('finalizers') or ['none'])}"
            ),
        )


def _path(member: Member) -> str:
    return member.kind.path(namespace=member.ref.namespace, name=member.ref.name)


def equal_content(live: Mapping[str, t.Any], answer: Mapping[str, t.Any], *, manager: str) -> bool:
    """Whether an apply changed nothing that a user or an owner would see."""
    api_version = str(answer.get("apiVersion"))
    return presentable(live) == presentable(answer) and applied_fields(
        live, manager=manager, api_version=api_version
    ) == applied_fields(answer, manager=manager, api_version=api_version)


def refusal(ref: Ref, error: KubeApiError) -> PlatformError:
    """The server's refusal as a sentence about the object, with the fields that it names."""
    conflicts = [cause for cause in error.causes if cause.get("reason") == "FieldManagerConflict"]
    if conflicts:
        fields = ", ".join(f"{cause.get('field')} ({cause.get('message')})" for cause in conflicts)
        return PlatformError(
            f"{ref}: {len(conflicts)} field(s) belong to other managers: {fields}; "
            "leave them out, or set force_conflicts to true"
        )
    if error.status == 403 and "being terminated" in str(error):
        return PlatformError(f"{ref}: namespace {ref.namespace} is being deleted; wait until it is gone")
    return PlatformError(f"{ref}: {error.message.partition(': ')[2] or error.message}")


__all__ = ("ON_IMMUTABLE", "RECREATE", "Manner", "Writer", "Written", "equal_content", "refusal")
