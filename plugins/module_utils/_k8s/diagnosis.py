# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a workload does not become ready: which of its pods, which container, and the newest warning about it."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .client import KubeClient
from .errors import KubeApiError
from .objects import Object, Ref, condition_of, ref_of

WORKLOADS = frozenset(("Deployment.apps", "StatefulSet.apps", "DaemonSet.apps", "ReplicaSet.apps", "Job.batch"))
HOPELESS_AFTER: Mapping[str, float] = {
    "InvalidImageName": 0.0,
    "ErrImageNeverPull": 0.0,
    "CreateContainerConfigError": 20.0,
    "CreateContainerError": 30.0,
    "ImagePullBackOff": 45.0,
    "CrashLoopBackOff": 45.0,
}


@dataclass(frozen=True)
class Trouble:
    """What ails a workload.

    :param reason: the field's word for it, e.g. C(CrashLoopBackOff).
    :param sentence: the pod, the container and the message.
    """

    reason: str
    sentence: str


def trouble_of_pod(pod: Mapping[str, t.Any]) -> Trouble | None:
    """What ails one pod, or None."""
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = (container.get("state") or {}).get("waiting") or {}
        reason = waiting.get("reason")
        if reason and reason not in ("ContainerCreating", "PodInitializing"):
            message = waiting.get("message") or _last_end(container)
            return Trouble(reason, f"pod {name}, container {container['name']}: {reason}{_colon(message)}")
    scheduled = condition_of(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        reason = str(scheduled.get("reason") or "Unschedulable")
        return Trouble(reason, f"pod {name}: {reason}{_colon(scheduled.get('message'))}")
    if status.get("phase") == "Failed":
        reason = str(status.get("reason") or "Failed")
        return Trouble(reason, f"pod {name}: {reason}{_colon(status.get('message'))}")
    return None


def _last_end(container: Mapping[str, t.Any]) -> str:
    ended = (container.get("lastState") or {}).get("terminated") or {}
    return f"exit code {ended['exitCode']}" if "exitCode" in ended else ""


def _colon(text: t.Any) -> str:
    return f": {' '.join(str(text).split())[:300]}" if text else ""


class Diagnostician:
    """Looks at pods and events; best effort, since the user may not be allowed to see them."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    def trouble(self, live: Mapping[str, t.Any]) -> Trouble | None:
        """What ails this workload or pod, or None when nothing is seen."""
        ref = ref_of(live)
        if ref.group_kind == "Pod":
            return trouble_of_pod(live)
        if ref.group_kind not in WORKLOADS:
            return None
        failure = condition_of(live, "ReplicaFailure")
        if failure.get("status") == "True":
            reason = str(failure.get("reason"))
            return Trouble(reason, f"{reason}{_colon(failure.get('message'))}")
        selector = ((live.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
        query = {"labelSelector": ",".join(f"{key}={value}" for key, value in selector.items())}
        pods = self._look(f"/api/v1/namespaces/{ref.namespace}/pods", query) if selector else []
        return next((trouble for pod in pods if (trouble := trouble_of_pod(pod))), None)

    def sentence(self, ref: Ref, message: str, live: Mapping[str, t.Any] | None) -> str:
        """The object, why it is not ready, what ails its pods, and the newest event about that.

        :param live: the object as it is now; None when there is none.
        """
        parts = [f"{ref}: {message}"]
        trouble = self.trouble(live) if live else None
        if trouble and trouble.sentence not in parts[0]:
            parts.append(trouble.sentence)
        if warning := self.warning(_pod_of(trouble.sentence, ref) if trouble else ref):
            parts.append(warning)
        return ", ".join(parts)

    def warning(self, ref: Ref) -> str:
        """The newest warning event about the object, as a sentence; empty without one."""
        query = {"fieldSelector": f"involvedObject.name={ref.name},involvedObject.kind={ref.kind},type=Warning"}
        events = self._look(f"/api/v1/namespaces/{ref.namespace or 'default'}/events", query)
        return newest_warning(events)

    def _look(self, path: str, query: Mapping[str, str]) -> list[Object]:
        try:
            found = self._client.request("GET", path, query=query, timeout=10).body.get("items") or []
        except KubeApiError:
            return []
        return t.cast("list[Object]", found)


def _pod_of(sentence: str, ref: Ref) -> Ref:
    words = sentence.split()
    if len(words) > 1 and words[0] == "pod":
        return Ref("", "Pod", ref.namespace, words[1].rstrip(",:"))
    return ref


def newest_warning(events: Iterable[Mapping[str, t.Any]]) -> str:
    """The newest of these events as a sentence; empty without one."""
    ordered = sorted(events, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    return f"event {ordered[-1].get('reason')}{_colon(ordered[-1].get('message'))}" if ordered else ""


__all__ = ("HOPELESS_AFTER", "WORKLOADS", "Diagnostician", "Trouble", "newest_warning", "trouble_of_pod")
