# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may do what in a cluster: all access entries with their policies.

EKS makes entries by itself (for the node role of a managed node group), so an entry that appears while we write is
taken over, not an error.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..._aws.errors import AwsError
from ..._aws.session import AWS_SPEC, AwsSession, Record
from ..._aws.tags import owned_by, users_tags
from ..._core.argument_spec import ArgumentSpec
from ..._core.concurrency import map_concurrently
from ..._core.errors import PlatformError
from ..._core.outcome import Context, Outcome, UseCase, converge
from ..._core.plan import Plan, Step
from ..._core.reconcile import keyed_changes
from ..jobs import Wait
from ..keyed import ABSENT, State, Tagger, Writer, apply_set, overlaid, plan_set
from ..tag_options import TAG_OPTIONS, tags_state, wanted_tags
from ..waiting import BUSY, Waiting

TYPES = ("STANDARD", "FARGATE_LINUX", "EC2_LINUX", "EC2_WINDOWS", "EC2", "HYBRID_LINUX", "HYPERPOD_LINUX")
CLUSTER_SCOPE = "cluster"

SPEC = ArgumentSpec(
    options={
        "cluster_name": {"type": "str", "required": True},
        "entries": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "principal_arn": {"type": "str", "required": True},
                "type": {"type": "str", "choices": list(TYPES)},
                "username": {"type": "str"},
                "groups": {"type": "list", "elements": "str"},
                "policies": {
                    "type": "list",
                    "elements": "dict",
                    "options": {
                        "policy": {"type": "str", "required": True},
                        "namespaces": {"type": "list", "elements": "str"},
                    },
                },
                "tags": {"type": "dict"},
            },
        },
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "prune": {"type": "bool", "default": False},
        **TAG_OPTIONS,
        "parallel": {"type": "int", "default": 8},
    }
).merge(AWS_SPEC)


def words_of(principal: str) -> str:
    """The entry in a sentence."""
    return f"access entry {principal}"


def policy_arn(policy: str, principal: str) -> str:
    """The ARN of an access policy, from its name or ARN, in the principal's partition."""
    if policy.startswith("arn:"):
        return policy
    partition = principal.split(":")[1] if principal.startswith("arn:") else "aws"
    return f"arn:{partition}:eks::aws:cluster-access-policy/{policy}"


def state_of(entry: Record) -> State:
    """An entry in the user's terms; C(policies) maps each ARN to C(cluster) or its namespaces."""
    return {
        "type": entry.get("type"),
        "username": entry.get("username"),
        "groups": sorted(entry.get("kubernetesGroups") or []),
        "policies": {row["policyArn"]: _scope(row.get("accessScope") or {}) for row in entry.get("policies") or []},
        "tags": tags_state(entry.get("tags") or {}),
    }


def _scope(scope: Record) -> str | list[str]:
    return CLUSTER_SCOPE if scope.get("type") == "cluster" else sorted(scope.get("namespaces") or [])


def facts_of(entry: Record) -> Record:
    """What the modules return of an entry."""
    state = state_of(entry)
    return {
        "principal_arn": entry.get("principalArn"),
        "arn": entry.get("accessEntryArn"),
        **state,
        "policies": policies_of(state),
        "tags": users_tags(entry.get("tags") or {}),
    }


def policies_of(state: State) -> list[Record]:
    """The policies as the option has them."""
    return [
        {"policy": arn, "namespaces": [] if scope == CLUSTER_SCOPE else list(scope)}
        for arn, scope in sorted(state["policies"].items())
    ]


@dataclass(frozen=True)
class Entries:
    """The access entries of one cluster."""

    aws: AwsSession
    cluster: str
    workers: int = 8

    def names(self) -> list[str]:
        """All principals; none when the cluster is absent."""
        parameters = {"clusterName": self.cluster}
        doing = f"list the access entries of cluster {self.cluster}"
        return self.aws.pages("eks", "ListAccessEntries", parameters, items="accessEntries", doing=doing, absent=ABSENT)

    def read(self, principals: Sequence[str]) -> dict[str, Record]:
        """These entries with their policies, all at once; those that are absent are left out."""
        found = map_concurrently(self.one, principals, workers=self.workers)
        return {str(row["principalArn"]): row for row in found if row is not None}

    def one(self, principal: str) -> Record | None:
        """One entry with its policies."""
        where = {"clusterName": self.cluster, "principalArn": principal}
        doing = f"read {words_of(principal)}"
        answer = self.aws.call("eks", "DescribeAccessEntry", where, doing=doing, absent=ABSENT)
        if answer is None:
            return None
        entry: Record = dict(answer["accessEntry"])
        if entry.get("type", "STANDARD") == "STANDARD":
            items = "associatedAccessPolicies"
            entry["policies"] = self.aws.pages("eks", "ListAssociatedAccessPolicies", where, items=items, doing=doing)
        return entry


@dataclass(frozen=True)
class _Writes:
    aws: AwsSession
    cluster: str
    live: Mapping[str, Record]
    store: Entries

    def create(self, key: str, step: Step) -> Iterable[Wait]:
        after = step.after or {}
        parameters = {"type": after["type"], "username": after.get("username"), "kubernetesGroups": after["groups"]}
        given = {name: value for name, value in parameters.items() if value}
        where = {"clusterName": self.cluster, "principalArn": key}
        try:
            self.aws.do(
                "eks", "CreateAccessEntry", {**where, **given, "tags": after["tags"]}, doing=f"create {step.target}"
            )
        except AwsError as error:
            if error.code != BUSY:
                raise
            self._take_over(key, step)
            return ()
        self._policies(key, {}, after["policies"], step.target)
        return ()

    def _take_over(self, key: str, step: Step) -> None:
        entry = self.store.one(key)
        if entry is None:
            raise PlatformError(f"{step.target} appeared and vanished while it was made; run again")
        wanted = {name: value for name, value in (step.after or {}).items() if name != "username" or value}
        after = overlaid(state_of(entry), wanted)
        _refuse_type(step.target, state_of(entry), after)
        self._write(entry, state_of(entry), after, step.target)

    def update(self, key: str, step: Step) -> Iterable[Wait]:
        self._write(self.live[key], step.before or {}, step.after or {}, step.target)
        return ()

    def delete(self, key: str, step: Step) -> Iterable[Wait]:
        where = {"clusterName": self.cluster, "principalArn": key}
        self.aws.call("eks", "DeleteAccessEntry", where, doing=f"delete {step.target}", absent=ABSENT)
        return ()

    def read(self, key: str) -> Record | None:
        return self.store.one(key)

    def _write(self, entry: Record, before: Mapping[str, t.Any], after: Mapping[str, t.Any], words: str) -> None:
        principal = str(entry["principalArn"])
        fields: Record = {}
        if before["groups"] != after["groups"]:
            fields["kubernetesGroups"] = after["groups"]
        if before["username"] != after["username"]:
            fields["username"] = after["username"]
        if fields:
            where = {"clusterName": self.cluster, "principalArn": principal}
            self.aws.do("eks", "UpdateAccessEntry", {**where, **fields}, doing=f"update {words}")
        self._policies(principal, before["policies"], after["policies"], words)
        Tagger(self.aws).write(str(entry["accessEntryArn"]), before["tags"], after["tags"], words=words)

    def _policies(self, principal: str, before: Mapping[str, t.Any], after: Mapping[str, t.Any], words: str) -> None:
        where = {"clusterName": self.cluster, "principalArn": principal}
        changes = keyed_changes(before, after)
        put = {**changes.create, **{arn: new for arn, (_old, new) in changes.update.items()}}
        for arn, scope in sorted(put.items()):
            cluster_wide = scope == CLUSTER_SCOPE
            access = {"type": "cluster"} if cluster_wide else {"type": "namespace", "namespaces": scope}
            parameters = {**where, "policyArn": arn, "accessScope": access}
            self.aws.do("eks", "AssociateAccessPolicy", parameters, doing=f"grant {arn} to {words}")
        for arn in sorted(changes.delete):
            parameters = {**where, "policyArn": arn}
            self.aws.do("eks", "DisassociateAccessPolicy", parameters, doing=f"take {arn} from {words}")


def run(options: Mapping[str, t.Any], context: Context, aws: AwsSession | None = None) -> Outcome:
    """Make the access entries as wanted."""
    session = aws or AwsSession(options)
    cluster = str(options["cluster_name"])
    store = Entries(session, cluster, workers=int(options["parallel"]))
    given = _given(options)
    names = sorted({*given, *store.names()}) if options["prune"] else list(given)
    live = store.read(names)
    plan = _plan(options, given, live)
    writes = _Writes(session, cluster, live, store)
    writer = Writer(writes.create, writes.update, writes.delete, writes.read)
    waiting = Waiting.of({"wait": True, "wait_timeout": 60, "poll_interval": 1, "parallel": options["parallel"]})

    def apply(wanted: Plan) -> dict[str, t.Any]:
        rows: dict[str, Record | None] = {**live, **apply_set(wanted, writer, clock=context.clock, waiting=waiting)}
        return {"entries": [facts_of(row) for key in given if (row := rows.get(key))]}

    return converge(plan, context, apply=apply, predict=lambda wanted: {"entries": _predicted(given, live, wanted)})


def _given(options: Mapping[str, t.Any]) -> dict[str, Mapping[str, t.Any]]:
    keys = [str(row["principal_arn"]) for row in options["entries"]]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise PlatformError(f"entries: {', '.join(twice)} stands there more than once; a principal has one entry")
    for row in options["entries"]:
        kind = row.get("type") or "STANDARD"
        if kind != "STANDARD" and any(row.get(option) for option in ("policies", "groups", "username")):
            raise PlatformError(
                f"{words_of(row['principal_arn'])}: an entry of type {kind} has no username, groups or policies; "
                "drop them"
            )
    return dict(zip(keys, options["entries"], strict=True))


def _plan(options: Mapping[str, t.Any], given: Mapping[str, Mapping[str, t.Any]], live: Mapping[str, Record]) -> Plan:
    cluster = str(options["cluster_name"])
    states = {key: state_of(row) for key, row in live.items()}
    if options["state"] == "absent":
        return plan_set(states, {}, words=words_of, removed=[key for key in states if key in given])
    wanted = {key: _wanted(key, row, live.get(key), options) for key, row in given.items()}
    for key, state in wanted.items():
        if key in states:
            _refuse_type(words_of(key), states[key], state)
    ours = [key for key, row in live.items() if key not in given and owned_by(row.get("tags") or {}, cluster)]
    return plan_set(states, wanted, words=words_of, removed=ours if options["prune"] else [])


def _refuse_type(words: str, live: Mapping[str, t.Any], wanted: Mapping[str, t.Any]) -> None:
    if live["type"] != wanted["type"]:
        raise PlatformError(
            f"{words} is of type {live['type']}, which EKS cannot change to {wanted['type']}; delete the entry first"
        )


def _wanted(key: str, row: Mapping[str, t.Any], live: Record | None, options: Mapping[str, t.Any]) -> State:
    policies = row.get("policies")
    fields = {
        "type": row.get("type"),
        "username": row.get("username"),
        "groups": None if row.get("groups") is None else sorted(row["groups"]),
        "policies": None
        if policies is None
        else {policy_arn(one["policy"], key): sorted(one.get("namespaces") or []) or CLUSTER_SCOPE for one in policies},
    }
    state = overlaid(state_of(live or {"type": "STANDARD"}), fields)
    tags = (live or {}).get("tags") or {}
    cluster = str(options["cluster_name"])
    state["tags"] = wanted_tags(tags, options, row.get("tags"), cluster=cluster, of=words_of(key))
    return state


def _predicted(given: Mapping[str, t.Any], live: Mapping[str, Record], plan: Plan) -> list[Record]:
    steps = {str(step.payload): step for step in plan.steps}
    found = []
    for key in given:
        step = steps.get(key)
        if step is not None and step.after is not None:
            after = dict(step.after)
            base = facts_of(live.get(key) or {"principalArn": key})
            found.append({**base, **after, "policies": policies_of(after), "tags": users_tags(after["tags"])})
    return found


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "Entries", "facts_of", "run")
