# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which role a service account gets: all pod identity associations of a cluster."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..._aws.session import AWS_SPEC, AwsSession, Record
from ..._aws.tags import owned_by, users_tags
from ..._core.argument_spec import ArgumentSpec
from ..._core.concurrency import map_concurrently
from ..._core.errors import PlatformError
from ..._core.outcome import Context, Outcome, UseCase, converge
from ..._core.plan import Plan, Step
from ..jobs import Wait
from ..keyed import ABSENT, State, Tagger, Writer, apply_set, overlaid, plan_set
from ..tag_options import TAG_OPTIONS, tags_state, wanted_tags
from ..waiting import Waiting

SPEC = ArgumentSpec(
    options={
        "cluster_name": {"type": "str", "required": True},
        "associations": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "namespace": {"type": "str", "required": True},
                "service_account": {"type": "str", "required": True},
                "role_arn": {"type": "str"},
                "target_role_arn": {"type": "str"},
                "disable_session_tags": {"type": "bool"},
                "policy": {"type": "raw"},
                "tags": {"type": "dict"},
            },
        },
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "prune": {"type": "bool", "default": False},
        **TAG_OPTIONS,
        "parallel": {"type": "int", "default": 8},
    }
).merge(AWS_SPEC)


def key_of(namespace: object, service_account: object) -> str:
    """An association's identity."""
    return f"{namespace}/{service_account}"


def words_of(key: str) -> str:
    """The association in a sentence."""
    return f"pod identity {key}"


def state_of(association: Record) -> State:
    """The association in the user's terms."""
    policy = association.get("policy")
    return {
        "role_arn": association.get("roleArn"),
        "target_role_arn": association.get("targetRoleArn"),
        "disable_session_tags": bool(association.get("disableSessionTags")),
        "policy": json.loads(policy) if policy else None,
        "tags": tags_state(association.get("tags") or {}),
    }


def facts_of(association: Record) -> Record:
    """What the modules return of an association."""
    return {
        "namespace": association.get("namespace"),
        "service_account": association.get("serviceAccount"),
        "id": association.get("associationId"),
        "arn": association.get("associationArn"),
        "owner": association.get("ownerArn"),
        **state_of(association),
        "tags": users_tags(association.get("tags") or {}),
    }


@dataclass(frozen=True)
class Associations:
    """The associations of one cluster."""

    aws: AwsSession
    cluster: str
    workers: int = 8

    def list(self) -> dict[str, str]:
        """The ids of all associations, by key; none when the cluster is absent."""
        rows = self.aws.pages(
            "eks",
            "ListPodIdentityAssociations",
            {"clusterName": self.cluster},
            items="associations",
            doing=f"list the pod identities of cluster {self.cluster}",
            absent=ABSENT,
        )
        return {key_of(row["namespace"], row["serviceAccount"]): str(row["associationId"]) for row in rows}

    def read(self, ids: Sequence[str]) -> Sequence[Record]:
        """These associations, all at once; those that are gone are left out."""
        found = map_concurrently(self._one, ids, workers=self.workers)
        return [row for row in found if row is not None]

    def _one(self, association: str) -> Record | None:
        answer = self.aws.call(
            "eks",
            "DescribePodIdentityAssociation",
            {"clusterName": self.cluster, "associationId": association},
            doing=f"read pod identity {association} of cluster {self.cluster}",
            absent=ABSENT,
        )
        return t.cast("Record", answer["association"]) if answer else None


@dataclass(frozen=True)
class _Writes:
    aws: AwsSession
    cluster: str
    live: Mapping[str, Record]
    store: Associations

    def create(self, key: str, step: Step) -> Iterable[Wait]:
        namespace, account = key.split("/", 1)
        state = step.after or {}
        parameters = {
            "clusterName": self.cluster,
            "namespace": namespace,
            "serviceAccount": account,
            **_parameters(state),
            "tags": state["tags"],
        }
        self.aws.do("eks", "CreatePodIdentityAssociation", parameters, doing=f"create {step.target}")
        return ()

    def update(self, key: str, step: Step) -> Iterable[Wait]:
        live, before, after = self.live[key], step.before or {}, step.after or {}
        if _parameters(before) != _parameters(after):
            where = {"clusterName": self.cluster, "associationId": live["associationId"]}
            parameters = {**where, **_parameters(after)}
            self.aws.do("eks", "UpdatePodIdentityAssociation", parameters, doing=f"update {step.target}")
        Tagger(self.aws).write(str(live["associationArn"]), before["tags"], after["tags"], words=step.target)
        return ()

    def delete(self, key: str, step: Step) -> Iterable[Wait]:
        parameters = {"clusterName": self.cluster, "associationId": self.live[key]["associationId"]}
        doing = f"delete {step.target}"
        self.aws.call("eks", "DeletePodIdentityAssociation", parameters, doing=doing, absent=ABSENT)
        return ()

    def read(self, key: str) -> Record | None:
        association = self.store.list().get(key) if key not in self.live else str(self.live[key]["associationId"])
        rows = self.store.read([association]) if association else []
        return rows[0] if rows else None


def _parameters(state: Mapping[str, t.Any]) -> Record:
    policy = state.get("policy")
    parameters = {
        "roleArn": state.get("role_arn"),
        "targetRoleArn": state.get("target_role_arn"),
        "disableSessionTags": state.get("disable_session_tags"),
        "policy": json.dumps(policy, sort_keys=True) if policy else None,
    }
    return {key: value for key, value in parameters.items() if value is not None}


def run(options: Mapping[str, t.Any], context: Context, aws: AwsSession | None = None) -> Outcome:
    """Make the associations as wanted."""
    session = aws or AwsSession(options)
    cluster = str(options["cluster_name"])
    store = Associations(session, cluster, workers=int(options["parallel"]))
    given = _given(options)
    ids = store.list()
    read = [association for key, association in ids.items() if key in given or options["prune"]]
    live = {key_of(row["namespace"], row["serviceAccount"]): row for row in store.read(read)}
    plan = _plan(options, given, live)
    writes = _Writes(session, cluster, live, store)
    writer = Writer(writes.create, writes.update, writes.delete, writes.read)
    waiting = Waiting.of({"wait": True, "wait_timeout": 60, "poll_interval": 1, "parallel": options["parallel"]})

    def apply(wanted: Plan) -> dict[str, t.Any]:
        results = apply_set(wanted, writer, clock=context.clock, waiting=waiting)
        return {"associations": _facts(given, {**live, **results})}

    return converge(
        plan, context, apply=apply, predict=lambda wanted: {"associations": _predicted(given, live, wanted)}
    )


def _given(options: Mapping[str, t.Any]) -> dict[str, Mapping[str, t.Any]]:
    keys = [key_of(row["namespace"], row["service_account"]) for row in options["associations"]]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise PlatformError(
            f"associations: {', '.join(twice)} stands there more than once; a service account has one role"
        )
    return dict(zip(keys, options["associations"], strict=True))


def _plan(options: Mapping[str, t.Any], given: Mapping[str, Mapping[str, t.Any]], live: Mapping[str, Record]) -> Plan:
    cluster = str(options["cluster_name"])
    states = {key: state_of(row) for key, row in live.items()}
    if options["state"] == "absent":
        return plan_set(states, {}, words=words_of, removed=[key for key in states if key in given])
    wanted = {key: _wanted(key, row, live.get(key), options) for key, row in given.items()}
    ours = [key for key, row in live.items() if key not in given and owned_by(row.get("tags") or {}, cluster)]
    plan = plan_set(states, wanted, words=words_of, removed=ours if options["prune"] else [])
    for step in plan.pending:
        owner = (live.get(str(step.payload)) or {}).get("ownerArn")
        if owner:
            raise PlatformError(f"{step.target} belongs to {owner}; change it there (eks_addons, pod_identities)")
    return plan


def _wanted(key: str, row: Mapping[str, t.Any], live: Record | None, options: Mapping[str, t.Any]) -> State:
    if live is None and not row.get("role_arn"):
        raise PlatformError(f"{words_of(key)}: role_arn is missing, and the association is to be made")
    policy = row.get("policy")
    fields = {
        "role_arn": row.get("role_arn"),
        "target_role_arn": row.get("target_role_arn"),
        "disable_session_tags": row.get("disable_session_tags"),
        "policy": json.loads(policy) if isinstance(policy, str) and policy else policy,
    }
    state = overlaid(state_of(live or {}), fields)
    tags = (live or {}).get("tags") or {}
    state["tags"] = wanted_tags(tags, options, row.get("tags"), cluster=str(options["cluster_name"]), of=words_of(key))
    return state


def _facts(given: Mapping[str, t.Any], rows: Mapping[str, Record | None]) -> list[Record]:
    return [facts_of(row) for key in given if (row := rows.get(key))]


def _predicted(given: Mapping[str, t.Any], live: Mapping[str, Record], plan: Plan) -> list[Record]:
    steps = {str(step.payload): step for step in plan.steps}
    found = []
    for key in given:
        step = steps.get(key)
        if step is None or step.after is None:
            continue
        namespace, account = key.split("/", 1)
        base = facts_of(live.get(key) or {"namespace": namespace, "serviceAccount": account})
        found.append({**base, **step.after, "tags": users_tags(step.after["tags"])})
    return found


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "Associations", "facts_of", "run")
