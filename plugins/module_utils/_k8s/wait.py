# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting until objects are ready: one watch per kind, an end as soon as nothing more can come.

Objects that are ready by what is already known of them cost no request.
"""

from __future__ import annotations

import threading
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from .._core.clock import Clock, Heartbeat
from .._core.errors import MissingLibraryError, PlatformError, TimedOutError
from .client import KubeClient
from .desired import Desired
from .diagnosis import HOPELESS_AFTER, Diagnostician
from .discovery import ApiKind
from .errors import KubeApiError
from .kind_readiness import Readiness
from .objects import Object, Ref
from .readiness import WaitRule, readiness
from .retry import is_passing

try:
    import jmespath  # type: ignore[import-untyped]  # jmespath brings no types
except ImportError:
    jmespath = None

WATCH_SECONDS = 30.0
LOOK_AT_PODS_EVERY = 5.0
RECONNECT_AFTER = 0.5
MOST_NAMED = 5


class Tracker:
    """How far every object is; watchers report, one thread waits.

    :param rules: the user's wait rules.
    """

    def __init__(self, wanted: Iterable[Ref], rules: Sequence[WaitRule]) -> None:
        self._rules = rules
        self._changed = threading.Condition()
        self._search = jmespath.search if jmespath else None
        self.states: dict[Ref, Readiness] = {ref: Readiness("progressing", "not seen yet") for ref in wanted}
        self.live: dict[Ref, Object] = {}
        self.stopped = threading.Event()

    def saw(self, ref: Ref, live: Object) -> None:
        """Take a newer state of an object."""
        if ref not in self.states:
            return
        with self._changed:
            self.live[ref] = live
            self.states[ref] = readiness(live, rules=self._rules, search=self._search)
            self._changed.notify_all()

    def lost(self, ref: Ref) -> None:
        """The object was deleted while we waited for it."""
        self.fail(ref, "was deleted by somebody else")

    def fail(self, ref: Ref, message: str) -> None:
        """The object will not become ready."""
        if ref not in self.states:
            return
        with self._changed:
            self.states[ref] = Readiness("failed", message)
            self._changed.notify_all()

    def pending(self) -> list[Ref]:
        """The objects that may still become ready."""
        return [ref for ref, state in self.states.items() if state.state not in ("current", "failed")]

    def unready(self) -> list[Ref]:
        """The objects that are not ready, for whatever reason."""
        return [ref for ref, state in self.states.items() if not state.ready]

    def pause(self, seconds: float) -> None:
        """Return when something changed, or after that many seconds."""
        with self._changed:
            if self.pending():
                self._changed.wait(seconds)


class Waiter:
    """Waits for the objects of one run.

    :param selector: the labels that all waited objects carry.
    :param timeout: seconds for all of them together.
    :param fail_fast: end as soon as a pod cannot start any more, instead of at the timeout.
    """

    def __init__(
        self,
        client: KubeClient,
        *,
        clock: Clock,
        selector: str,
        rules: Sequence[WaitRule],
        timeout: float,
        fail_fast: bool,
    ) -> None:
        if jmespath is None and any(rule.query for rule in rules):
            raise MissingLibraryError("wait_conditions with a query need the Python package 'jmespath': pip install it")
        self._client = client
        self._clock = clock
        self._selector = selector
        self._rules = tuple(rules)
        self._timeout = timeout
        self._fail_fast = fail_fast
        self._doctor = Diagnostician(client)
        self._troubled: dict[Ref, tuple[str, float]] = {}

    def wait(self, targets: Sequence[tuple[Desired, Object]]) -> None:
        """Return when all objects are ready.

        :param targets: the objects with what is known of them.
        :raises PlatformError: some cannot become ready; the sentence says which, why, which pod and which event.
        :raises TimedOutError: the time is over.
        """
        tracker = self._tracker(targets)
        if not tracker.pending():
            return self._verdict(tracker, 0.0)
        tracker = self._without_late_claims(targets, tracker)
        start = self._clock.now()
        pending = set(tracker.pending())
        for kind in dict.fromkeys(desired.kind for desired, _live in targets if desired.ref in pending):
            self._start(kind, {desired.ref for desired, _live in targets if desired.kind == kind}, tracker, start)
        try:
            self._until_settled(tracker, start)
        finally:
            tracker.stopped.set()
        return self._verdict(tracker, self._clock.now() - start)

    def _tracker(self, targets: Sequence[tuple[Desired, Object]]) -> Tracker:
        tracker = Tracker((desired.ref for desired, _live in targets), self._rules)
        for desired, live in targets:
            tracker.saw(desired.ref, live)
        return tracker

    def _without_late_claims(self, targets: Sequence[tuple[Desired, Object]], tracker: Tracker) -> Tracker:
        """The tracker, with claims that bind only when a pod comes counted as ready while they are pending."""
        claims = [ref for ref in tracker.pending() if ref.group_kind == "PersistentVolumeClaim"]
        if not claims:
            return tracker
        try:
            classes = self._client.request("GET", "/apis/storage.k8s.io/v1/storageclasses").body.get("items") or []
        except KubeApiError:
            return tracker
        late = late_classes(classes)
        self._rules = (*self._rules, *(
            WaitRule("PersistentVolumeClaim", "", ref.namespace, ref.name, skip=True)
            for ref in claims
            if (tracker.live[ref].get("spec") or {}).get("storageClassName", "") in late
        ))  # fmt: skip
        return self._tracker(targets)

    def _until_settled(self, tracker: Tracker, start: float) -> None:
        looked, heart = start, Heartbeat(self._clock)
        while tracker.pending():
            elapsed = self._clock.now() - start
            if elapsed >= self._timeout:
                return
            tracker.pause(min(1.0, self._timeout - elapsed))
            heart.beat(partial(_progress, tracker))
            if self._fail_fast and self._clock.now() - looked >= LOOK_AT_PODS_EVERY:
                looked = self._clock.now()
                self._look_at_pods(tracker)

    def _look_at_pods(self, tracker: Tracker) -> None:
        for ref in tracker.pending():
            trouble = self._doctor.trouble(tracker.live[ref]) if ref in tracker.live else None
            if trouble is None or trouble.reason not in HOPELESS_AFTER:
                self._troubled.pop(ref, None)
                continue
            reason, since = self._troubled.get(ref, ("", 0.0))
            if reason != trouble.reason:
                since = self._clock.now()
                self._troubled[ref] = (trouble.reason, since)
            if self._clock.now() - since >= HOPELESS_AFTER[trouble.reason]:
                tracker.fail(ref, trouble.sentence)

    def _start(self, kind: ApiKind, refs: set[Ref], tracker: Tracker, start: float) -> None:
        threading.Thread(target=self._follow, args=(kind, refs, tracker, start), daemon=True).start()

    def _follow(self, kind: ApiKind, refs: set[Ref], tracker: Tracker, start: float) -> None:
        """One kind: LIST, then watch from there; again when the watch ends or breaks."""
        namespaces = {ref.namespace for ref in refs}
        path = kind.path(namespace=next(iter(namespaces)) if len(namespaces) == 1 else "")
        while not tracker.stopped.is_set() and self._clock.now() - start < self._timeout:
            try:
                version = self._list(kind, path, refs, tracker)
                self._watch(kind, path, version, tracker)
            except KubeApiError as error:
                if error.status == 403 and len(namespaces) > 1:  # not allowed everywhere: one by one
                    for namespace in namespaces:
                        self._start(kind, {ref for ref in refs if ref.namespace == namespace}, tracker, start)
                    return
                if not (is_passing(error) or error.status == 410):
                    for ref in refs & set(tracker.pending()):
                        tracker.fail(ref, f"cannot be watched: {error.message}")
                    return
                tracker.stopped.wait(RECONNECT_AFTER)

    def _list(self, kind: ApiKind, path: str, refs: set[Ref], tracker: Tracker) -> str:
        body = self._client.request("GET", path, query={"labelSelector": self._selector}).body
        seen: set[Ref] = set()
        for item in body.get("items") or []:
            seen.add(self._saw(kind, item, tracker))
        for ref in refs - seen:
            tracker.lost(ref)
        return str((body.get("metadata") or {}).get("resourceVersion"))

    def _watch(self, kind: ApiKind, path: str, version: str, tracker: Tracker) -> None:
        seconds = max(1.0, min(WATCH_SECONDS, self._timeout))
        query = {
            "labelSelector": self._selector,
            "watch": "true",
            "resourceVersion": version,
            "timeoutSeconds": int(seconds),
        }
        for event in self._client.stream(path, query=query, timeout=seconds + 10):
            if tracker.stopped.is_set():
                return
            if event.get("type") == "ERROR":
                status = event.get("object") or {}
                raise KubeApiError(str(status.get("message")), status=int(status.get("code") or 500))
            ref = self._saw(kind, event["object"], tracker)
            if event.get("type") == "DELETED":
                tracker.lost(ref)

    def _saw(self, kind: ApiKind, item: Object, tracker: Tracker) -> Ref:
        item["apiVersion"], item["kind"] = kind.api_version, kind.kind
        metadata = item["metadata"]
        ref = Ref(kind.group, kind.kind, str(metadata.get("namespace") or ""), str(metadata["name"]))
        tracker.saw(ref, item)
        return ref

    def _verdict(self, tracker: Tracker, elapsed: float) -> None:
        unready = tracker.unready()
        if not unready:
            return
        shown = "; ".join(
            self._doctor.sentence(ref, tracker.states[ref].message, tracker.live.get(ref))
            for ref in unready[:MOST_NAMED]
        )
        more = f"; and {len(unready) - MOST_NAMED} more" if len(unready) > MOST_NAMED else ""
        details = {str(ref): tracker.states[ref].message for ref in unready}
        if tracker.pending():
            raise TimedOutError(
                f"{len(unready)} of {len(tracker.states)} objects are not ready after {elapsed:.0f} s: {shown}{more}",
                unready=details,
            )
        raise PlatformError(
            f"{len(unready)} of {len(tracker.states)} objects cannot become ready: {shown}{more}", unready=details
        )


def _progress(tracker: Tracker) -> str:
    pending = tracker.pending()
    first = "; ".join(f"{ref}: {tracker.states[ref].message}" for ref in pending[:MOST_NAMED])
    return f"{len(pending)} of {len(tracker.states)} objects are not ready yet: {first}"


def late_classes(classes: Iterable[Mapping[str, t.Any]]) -> frozenset[str]:
    """The names of storage classes that bind a claim only when a pod uses it; the empty name for the default one."""
    late: set[str] = set()
    for one in classes:
        if one.get("volumeBindingMode") == "WaitForFirstConsumer":
            late.add(str(one["metadata"]["name"]))
            annotations = one["metadata"].get("annotations") or {}
            if annotations.get("storageclass.kubernetes.io/is-default-class") == "true":
                late.add("")
    return frozenset(late)


__all__ = ("Tracker", "Waiter", "late_classes")
