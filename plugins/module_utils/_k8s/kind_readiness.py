# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far an object of a built-in kind is: kstatus' rules (sigs.k8s.io/cli-utils 0.37) with their holes closed.

A Job is ready when it is complete, not when it has started; a failed Pod is a failure; a load
balancer needs an address.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .objects import condition_of

State = t.Literal["current", "progressing", "failed", "terminating"]
Live = Mapping[str, t.Any]
NO_DEADLINE = 2147483647


@dataclass(frozen=True)
class Readiness:
    """How far an object is.

    :param state: current, progressing, failed (will not get there by itself) or terminating.
    :param message: why it is not current, in words.
    """

    state: State
    message: str = ""

    @property
    def ready(self) -> bool:
        """Whether the object is as its spec wants it."""
        return self.state == "current"


CURRENT = Readiness("current")


def progressing(message: str) -> Readiness:
    """Not there yet."""
    return Readiness("progressing", message)


def failed(message: str) -> Readiness:
    """Will not get there by itself."""
    return Readiness("failed", message)


def words(condition: Mapping[str, t.Any], otherwise: str) -> str:
    """The sentence with the reason and the message of a condition behind it."""
    found = ": ".join(str(condition[key]) for key in ("reason", "message") if condition.get(key))
    return f"{otherwise} ({found})" if found else otherwise


def _count(status: Mapping[str, t.Any], name: str) -> int:
    return int(status.get(name) or 0)


def _replicas(live: Live) -> int:
    wanted = (live.get("spec") or {}).get("replicas")
    return 1 if wanted is None else int(wanted)


def _deployment(live: Live) -> Readiness:
    spec, status = live.get("spec") or {}, live.get("status") or {}
    progress = condition_of(live, "Progressing")
    if progress.get("reason") == "ProgressDeadlineExceeded":
        return failed(words(progress, "did not progress in time"))
    wanted = _replicas(live)
    replicas, updated = _count(status, "replicas"), _count(status, "updatedReplicas")
    available, ready = _count(status, "availableReplicas"), _count(status, "readyReplicas")
    if updated < wanted:
        return progressing(f"{updated} of {wanted} replicas updated")
    if replicas > wanted:
        return progressing(f"{replicas - wanted} old replicas still there")
    if available < wanted or ready < wanted:
        return progressing(f"{min(available, ready)} of {wanted} replicas available")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline not in (None, NO_DEADLINE) and progress.get("reason") != "NewReplicaSetAvailable":
        return progressing("the new ReplicaSet is not available yet")
    if condition_of(live, "Available").get("status") != "True":
        return progressing("not available yet")
    return CURRENT


def _stateful_set(live: Live) -> Readiness:
    spec, status = live.get("spec") or {}, live.get("status") or {}
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return CURRENT
    wanted, replicas, ready = _replicas(live), _count(status, "replicas"), _count(status, "readyReplicas")
    if replicas != wanted or ready < wanted:
        return progressing(f"{ready} of {wanted} replicas ready")
    partition = _count(strategy.get("rollingUpdate") or {}, "partition")
    if partition:
        updated = _count(status, "updatedReplicas")
        enough = updated >= wanted - partition
        return CURRENT if enough else progressing(f"{updated} of {wanted - partition} replicas updated")
    if wanted > _count(status, "currentReplicas") or status.get("currentRevision") != status.get("updateRevision"):
        return progressing(f"{_count(status, 'updatedReplicas')} of {wanted} replicas updated")
    return CURRENT


def _daemon_set(live: Live) -> Readiness:
    status = live.get("status") or {}
    if status.get("observedGeneration") is None or status.get("desiredNumberScheduled") is None:
        return progressing("its controller has not seen it yet")
    wanted = _count(status, "desiredNumberScheduled")
    for name, what in (
        ("currentNumberScheduled", "scheduled"),
        ("updatedNumberScheduled", "updated"),
        ("numberAvailable", "available"),
        ("numberReady", "ready"),
    ):
        if _count(status, name) < wanted:
            return progressing(f"{_count(status, name)} of {wanted} pods {what}")
    return CURRENT


def _replica_set(live: Live) -> Readiness:
    status, wanted = live.get("status") or {}, _replicas(live)
    if (failure := condition_of(live, "ReplicaFailure")).get("status") == "True":
        return progressing(words(failure, "cannot make its pods"))
    least = min(_count(status, name) for name in ("fullyLabeledReplicas", "availableReplicas", "readyReplicas"))
    if least < wanted or _count(status, "replicas") > wanted:
        return progressing(f"{least} of {wanted} replicas ready")
    return CURRENT


def _pod(live: Live) -> Readiness:
    status = live.get("status") or {}
    phase = status.get("phase")
    if phase == "Succeeded":
        return CURRENT
    if phase == "Failed":
        return failed(words(status, "the pod failed"))
    if phase == "Running":
        if condition_of(live, "Ready").get("status") == "True":
            return CURRENT
        if looping := crash_loops(live):
            return failed(looping)
        return progressing("containers are not ready")
    scheduled = condition_of(live, "PodScheduled")
    if scheduled.get("reason") == "Unschedulable":
        return progressing(words(scheduled, "no node takes it"))
    return progressing(f"phase {phase or 'unknown'}")


def crash_loops(pod: Live) -> str:
    """Which container of a pod ends again and again; empty when none does."""
    for container in (pod.get("status") or {}).get("containerStatuses") or []:
        if ((container.get("state") or {}).get("waiting") or {}).get("reason") == "CrashLoopBackOff":
            return f"container {container.get('name')} ends again and again (CrashLoopBackOff)"
    return ""


def _job(live: Live) -> Readiness:
    if (failure := condition_of(live, "Failed")).get("status") == "True":
        return failed(words(failure, "the job failed"))
    if condition_of(live, "Complete").get("status") == "True" or (live.get("spec") or {}).get("suspend"):
        return CURRENT
    status = live.get("status") or {}
    return progressing(f"{_count(status, 'succeeded')} succeeded, {_count(status, 'active')} active pods")


def _claim(live: Live) -> Readiness:
    phase = (live.get("status") or {}).get("phase")
    if phase == "Bound":
        return CURRENT
    return failed("its volume is lost") if phase == "Lost" else progressing(f"phase {phase or 'unknown'}")


def _service(live: Live) -> Readiness:
    if (live.get("spec") or {}).get("type") != "LoadBalancer":
        return CURRENT
    ingress = ((live.get("status") or {}).get("loadBalancer") or {}).get("ingress")
    return CURRENT if ingress else progressing("the load balancer has no address yet")


def _definition(live: Live) -> Readiness:
    names = condition_of(live, "NamesAccepted")
    if names.get("status") == "False":
        return failed(words(names, "its names are not accepted"))
    established = condition_of(live, "Established")
    if established.get("status") == "True":
        return CURRENT
    if established.get("status") == "False" and established.get("reason") != "Installing":
        return failed(words(established, "cannot be established"))
    return progressing("not established yet")


def _namespace(live: Live) -> Readiness:
    phase = (live.get("status") or {}).get("phase")
    return CURRENT if phase == "Active" else progressing(f"phase {phase or 'unknown'}")


def _always(_live: Live) -> Readiness:
    return CURRENT


def by_ready_condition(live: Live) -> Readiness:
    """The rule of every other kind: condition Ready, if it has one."""
    ready = condition_of(live, "Ready")
    if ready.get("status", "True") == "True":
        return CURRENT
    return progressing(words(ready, f"condition Ready is {ready['status']}"))


KIND_RULES: Mapping[str, Callable[[Live], Readiness]] = {
    "Deployment.apps": _deployment,
    "StatefulSet.apps": _stateful_set,
    "DaemonSet.apps": _daemon_set,
    "ReplicaSet.apps": _replica_set,
    "Pod": _pod,
    "Job.batch": _job,
    "PersistentVolumeClaim": _claim,
    "Service": _service,
    "CustomResourceDefinition.apiextensions.k8s.io": _definition,
    "Namespace": _namespace,
    "ConfigMap": _always,
    "Secret": _always,
    "CronJob.batch": _always,
    "PodDisruptionBudget.policy": _always,
}

__all__ = (
    "CURRENT",
    "KIND_RULES",
    "Live",
    "Readiness",
    "State",
    "by_ready_condition",
    "crash_loops",
    "failed",
    "progressing",
    "words",
)
