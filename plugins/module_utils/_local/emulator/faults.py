# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong, and how slowly: the emulator's switches as one value, read from a JSON document.

The document, every key optional::

    seed: 1                             # of the dice and of the ids
    delays: {cluster: 3, nodegroup.create: 5}     # seconds; KIND or KIND.VERB (create, update, delete); 0 by default
    throttle: {eks: 0.2, "*": 0.05}     # share of the calls of a service that are refused as too many
    server_errors: {eks: 0.1}           # share that fails with 5xx before anything is done
    lost_answers: {eks: 0.1}            # share that is carried out and then answered with 5xx
    slow: {eks: 0.5}                    # seconds added to each answer of a service
    create_failures: [{kind: nodegroup, name: "gpu-*", status: CREATE_FAILED, code: NodeCreationFailure, message: ...}]
    update_failures: [{kind: nodegroup, name: "*", code: PodEvictionFailure, message: ...}]
    no_capacity: [p5.48xlarge]          # node groups of these instance types end as CREATE_FAILED
    denied: [eks:CreateNodegroup]       # calls that are answered with AccessDenied
    check_roles: true                   # roles must exist in IAM
    insights: [{cluster: "*", category: UPGRADE_READINESS, status: ERROR, name: ..., reason: ...}]
    quotas: {ec2/L-417A185B: 96}        # service quotas other than the emulator's own
    prices: {p5.48xlarge: 55.04}        # USD per hour other than the project's own table
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase

from ..._core.errors import PlatformError
from ..._core.text import listed

KINDS = ("addon", "cluster", "fargateprofile", "nodegroup", "stack", "stackresource")
VERBS = ("create", "update", "delete")
ANY = "*"


@dataclass(frozen=True)
class Failure:
    """Resources that fail.

    :param name: a shell pattern of the resource's name.
    :param status: what a failed creation ends as: C(CREATE_FAILED) or C(DEGRADED).
    :param code: an issue or error code of the service.
    """

    kind: str
    name: str = ANY
    status: str = "CREATE_FAILED"
    code: str = "InternalFailure"
    message: str = "The emulator was asked to let this fail."

    def meets(self, kind: str, name: str) -> bool:
        """Whether it is about this resource."""
        return kind == self.kind and fnmatchcase(name, self.name)


@dataclass(frozen=True)
class InsightRule:
    """An insight that clusters show.

    :param cluster: a shell pattern of the cluster's name.
    :param status: C(PASSING), C(WARNING), C(ERROR) or C(UNKNOWN).
    :param kubernetes_version: the version it speaks of; by default the next minor one.
    """

    cluster: str = ANY
    category: str = "UPGRADE_READINESS"
    name: str = "Deprecated APIs removed in the next Kubernetes version"
    status: str = "PASSING"
    reason: str = ""
    kubernetes_version: str = ""
    recommendation: str = ""


@dataclass(frozen=True)
class Faults:
    """The switches; see the module."""

    seed: int = 0
    delays: Mapping[str, float] = field(default_factory=dict)
    throttle: Mapping[str, float] = field(default_factory=dict)
    server_errors: Mapping[str, float] = field(default_factory=dict)
    lost_answers: Mapping[str, float] = field(default_factory=dict)
    slow: Mapping[str, float] = field(default_factory=dict)
    create_failures: tuple[Failure, ...] = ()
    update_failures: tuple[Failure, ...] = ()
    no_capacity: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    check_roles: bool = False
    insights: tuple[InsightRule, ...] = ()
    quotas: Mapping[str, float] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Mapping[str, t.Any]) -> Faults:
        """The switches of a document.

        :raises PlatformError: when a key is unknown or a value cannot be.
        """
        known = {one.name for one in fields(cls)}
        if unknown := sorted(set(document) - known):
            raise PlatformError(f"faults: unknown {listed(unknown)}; known are {listed(sorted(known))}")
        values = dict(document)
        for key in ("throttle", "server_errors", "lost_answers"):
            values[key] = _numbers(document, key, highest=1.0)
        for key in ("quotas", "prices"):
            values[key] = _numbers(document, key, highest=1e9)
        values["slow"] = _numbers(document, "slow", highest=600.0)
        values["delays"] = _delays(document)
        for key in ("create_failures", "update_failures"):
            values[key] = tuple(_one(Failure, entry, key) for entry in document.get(key, ()))
        values["insights"] = tuple(_one(InsightRule, entry, "insights") for entry in document.get("insights", ()))
        for key in ("no_capacity", "denied"):
            values[key] = tuple(str(one) for one in document.get(key, ()))
        return cls(**values)

    def delay(self, kind: str, verb: str) -> float:
        """Seconds that creating, updating or deleting something of that kind takes."""
        return self.delays.get(f"{kind}.{verb}", self.delays.get(kind, 0.0))

    def create_failure(self, kind: str, name: str) -> Failure | None:
        """How the creation of this resource fails, if it does."""
        return next((one for one in self.create_failures if one.meets(kind, name)), None)

    def update_failure(self, kind: str, name: str) -> Failure | None:
        """How updates of this resource fail, if they do."""
        return next((one for one in self.update_failures if one.meets(kind, name)), None)

    def denies(self, service: str, operation: str) -> bool:
        """Whether the caller may not do this."""
        return any(fnmatchcase(f"{service}:{operation}", pattern) for pattern in self.denied)


def of_service(table: Mapping[str, float], service: str) -> float:
    """The figure of a service, or the one of all services."""
    return table.get(service, table.get(ANY, 0.0))


def _numbers(document: Mapping[str, t.Any], key: str, *, highest: float) -> dict[str, float]:
    found = {}
    for service, value in dict(document.get(key, {})).items():
        if not isinstance(value, int | float) or not 0 <= value <= highest:
            raise PlatformError(f"faults: {key}.{service} is {value!r}; it must be a number from 0 to {highest:g}")
        found[str(service)] = float(value)
    return found


def _delays(document: Mapping[str, t.Any]) -> dict[str, float]:
    found = _numbers(document, "delays", highest=86400.0)
    for key in found:
        kind, _other, verb = key.partition(".")
        if kind not in KINDS or verb not in ("", *VERBS):
            raise PlatformError(
                f"faults: delays.{key} is unknown; kinds are {listed(KINDS)}, verbs after a dot {listed(VERBS)}"
            )
    return found


R = t.TypeVar("R", Failure, InsightRule)


def _one(kind: type[R], entry: Mapping[str, t.Any], key: str) -> R:
    try:
        return kind(**entry)
    except TypeError:
        known = [one.name for one in fields(kind)]
        raise PlatformError(f"faults: an entry of {key} is {entry!r}; its keys are {listed(known)}") from None


__all__ = ("KINDS", "VERBS", "Failure", "Faults", "InsightRule", "of_service")
