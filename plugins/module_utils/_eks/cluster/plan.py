# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the live cluster to the plan: one step per kind of change, one minor version at a time."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field

from ..._aws.session import Record
from ..._aws.tags import tag_changes, users_tags
from ..._core.errors import PlatformError
from ..._core.plan import Plan, Step
from ..._core.text import listed
from ..health import issues_in_words
from .creation import create_parameters, encryption_parameter
from .fields import KINDS, MODES, encryption_key, fixed_of
from .spec import ClusterSpec, minor_of

MOVING = ("CREATING", "UPDATING", "PENDING")
Blockers = Callable[[str], tuple[list[str], list[str]]]


@dataclass(frozen=True)
class Call:
    """What apply does in one step: an operation of EKS and its parameters."""

    operation: str
    parameters: Record = field(default_factory=dict)


def state_of(cluster: Record) -> Record:
    """The cluster in the user's terms."""
    return {
        "version": cluster.get("version"),
        **{kind.option: kind.read(cluster) for kind in KINDS},
        "encryption_key": encryption_key(cluster),
        **fixed_of(cluster),
        "tags": users_tags(cluster.get("tags") or {}),
    }


def plan_cluster(spec: ClusterSpec, cluster: Record | None, blockers: Blockers) -> Plan:
    """The plan that makes the cluster as wanted.

    :param blockers: the upgrade insights of a version: (errors, warnings) in words.
    :raises PlatformError: when the cluster failed, or a wish cannot come true.
    """
    if cluster is None or cluster.get("status") == "DELETING":
        return _creation(spec, cluster)
    if cluster.get("status") == "FAILED":
        issues = "; ".join(issues_in_words((cluster.get("health") or {}).get("issues") or [])) or "EKS gives no reason"
        raise PlatformError(f"{spec.words} is FAILED: {issues}; delete it and make it anew")
    _refuse_fixed(spec, cluster)
    warnings: list[str] = []
    steps = [*_tag_steps(spec, cluster), *_kind_steps(spec, cluster), *_encryption_step(spec, cluster)]
    steps += _version_steps(spec, cluster, blockers, warnings)
    return Plan(tuple(steps), tuple(warnings), awaits=cluster.get("status") in MOVING)


def plan_removal(spec: ClusterSpec, cluster: Record | None) -> Plan:
    """The plan that deletes the cluster.

    :raises PlatformError: when it is protected and the task does not say that it no longer is.
    """
    if cluster is None:
        return Plan()
    if cluster.get("status") == "DELETING":
        return Plan(awaits=True)
    steps = []
    if cluster.get("deletionProtection"):
        if spec.given.get("deletion_protection") is not False:
            raise PlatformError(
                f"{spec.words} is protected from deletion; set deletion_protection to false to delete it"
            )
        call = Call("UpdateClusterConfig", {"name": spec.name, "deletionProtection": False})
        before, after = {"deletion_protection": True}, {"deletion_protection": False}
        steps.append(Step("update", spec.words, before, after, payload=call))
    call = Call("DeleteCluster", {"name": spec.name})
    steps.append(Step("delete", spec.words, state_of(cluster), None, payload=call))
    return Plan(tuple(steps))


def _creation(spec: ClusterSpec, cluster: Record | None) -> Plan:
    missing = [option for option in ("role_arn",) if option not in spec.fixed]
    missing += [option for option in ("subnets",) if not spec.given.get(option)]
    if missing:
        raise PlatformError(f"{spec.words}: {listed(missing)} is missing, and the cluster is to be made")
    after = {
        "version": spec.version,
        **{kind.option: kind.wanted(None, spec.given[kind.option]) for kind in KINDS if kind.option in spec.given},
        "encryption_key": spec.encryption_key,
        **spec.fixed,
        "tags": dict(spec.tags or {}),
    }
    reason = "the old one is still being deleted" if cluster else ""
    call = Call("CreateCluster", create_parameters(spec, after))
    return Plan((Step("create", spec.words, None, after, reason, call),))


def _refuse_fixed(spec: ClusterSpec, cluster: Record) -> None:
    live = fixed_of(cluster)
    wrong = [f"{key} ({live[key]} -> {value})" for key, value in spec.fixed.items() if live[key] != value]
    if wrong:
        raise PlatformError(f"{spec.words}: EKS cannot change {listed(wrong)}; a new cluster is needed for that")


def _tag_steps(spec: ClusterSpec, cluster: Record) -> list[Step]:
    live = cluster.get("tags") or {}
    changes = tag_changes(live, spec.tags, purge=spec.purge_tags)
    put = {**changes.create, **{key: new for key, (_old, new) in changes.update.items()}}
    steps = []
    before = users_tags(live)
    after = {key: value for key, value in {**before, **put}.items() if key not in changes.delete}
    arn = str(cluster.get("arn"))
    middle = {**before, **put}
    if put:
        call = Call("TagResource", {"resourceArn": arn, "tags": put})
        steps.append(Step("update", spec.words, {"tags": before}, {"tags": middle}, payload=call))
    if changes.delete:
        call = Call("UntagResource", {"resourceArn": arn, "tagKeys": sorted(changes.delete)})
        steps.append(Step("update", spec.words, {"tags": middle}, {"tags": after}, payload=call))
    return steps


def _kind_steps(spec: ClusterSpec, cluster: Record) -> list[Step]:
    steps = []
    for kind in KINDS:
        if kind.option not in spec.given:
            continue
        live = kind.read(cluster)
        wanted = kind.wanted(live, spec.given[kind.option])
        for before, after in _stations(kind.option, live, wanted, spec):
            call = Call("UpdateClusterConfig", {"name": spec.name, **kind.write(before, after)})
            steps.append(Step("update", spec.words, {kind.option: before}, {kind.option: after}, payload=call))
    return steps


def _stations(option: str, live: t.Any, wanted: t.Any, spec: ClusterSpec) -> list[tuple[t.Any, t.Any]]:
    """The changes from the live value to the wanted one; EKS opens access entries one mode at a time, never back."""
    if live == wanted:
        return []
    if option == "endpoint" and not (wanted["public"] or wanted["private"]):
        raise PlatformError(f"{spec.words}: endpoint would be neither public nor private; nobody could reach it")
    if option != "authentication_mode":
        return [(live, wanted)]
    one, other = MODES.index(live), MODES.index(wanted)
    if other < one:
        raise PlatformError(f"{spec.words}: authentication_mode {live} cannot go back to {wanted}; leave it at {live}")
    return [(MODES[n], MODES[n + 1]) for n in range(one, other)]


def _encryption_step(spec: ClusterSpec, cluster: Record) -> list[Step]:
    live = encryption_key(cluster)
    if spec.encryption_key is None or live == spec.encryption_key:
        return []
    if live:
        raise PlatformError(
            f"{spec.words}: Secrets are encrypted with {live}, which EKS cannot change to {spec.encryption_key}; "
            "rotate that key, or make a new cluster"
        )
    parameters = {"clusterName": spec.name, "encryptionConfig": encryption_parameter(spec.encryption_key)}
    before, after = {"encryption_key": None}, {"encryption_key": spec.encryption_key}
    return [Step("update", spec.words, before, after, payload=Call("AssociateEncryptionConfig", parameters))]


def _version_steps(spec: ClusterSpec, cluster: Record, blockers: Blockers, warnings: list[str]) -> list[Step]:
    live = str(cluster.get("version"))
    if spec.version is None or spec.version == live:
        return []
    first, last = minor_of(live), minor_of(spec.version)
    if last < first:
        raise PlatformError(f"{spec.words}: version is {live} and cannot go down to {spec.version}")
    steps = []
    for minor in range(first + 1, last + 1):
        target = f"1.{minor}"
        refuse_blocked(spec, target, blockers, warnings)
        call = Call("UpdateClusterVersion", {"name": spec.name, "version": target})
        before, after = {"version": f"1.{minor - 1}"}, {"version": target}
        steps.append(Step("upgrade", spec.words, before, after, payload=call))
    return steps


def refuse_blocked(spec: ClusterSpec, version: str, blockers: Blockers, warnings: list[str]) -> None:
    """Let the upgrade insights of EKS speak before a version is taken.

    :raises PlatformError: naming every insight in error, unless the user turned the gate down.
    """
    if spec.insights == "ignore":
        return
    errors, hints = blockers(version)
    if errors and spec.insights == "require":
        raise PlatformError(
            f"{spec.words} is not ready for {version}: {'; '.join(errors)}; mend that, or set insights to warn"
        )
    warnings += [f"{spec.words}, upgrade to {version}: {words}" for words in [*errors, *hints]]


__all__ = ("Call", "plan_cluster", "plan_removal", "refuse_blocked", "state_of")
