# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All managed add-ons of a cluster."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from ..._aws.session import AWS_SPEC, AwsSession, Record
from ..._aws.tags import owned_by, users_tags
from ..._core.argument_spec import ArgumentSpec
from ..._core.concurrency import map_concurrently
from ..._core.errors import PlatformError
from ..._core.outcome import Context, Outcome, UseCase, converge
from ..._core.plan import Plan, Step
from ..._core.text import listed
from ..health import issues_in_words
from ..jobs import Job, Wait
from ..keyed import State, Tagger, Writer, apply_set, overlaid, plan_set
from ..tag_options import TAG_OPTIONS, wanted_tags
from ..waiting import Steps, Waiting, look_updated, waiting_options, when_free
from .state import Addons, configuration_of, facts_of, state_of, words_of

CONFLICTS = ("none", "overwrite", "preserve")
FAILED = ("CREATE_FAILED", "DELETE_FAILED")
MOVING = ("CREATING", "UPDATING")
# An add-on whose pods wait for nodes: it heals when the nodes come.
PATIENT = frozenset({"InsufficientNumberOfReplicas"})

SPEC = ArgumentSpec(
    options={
        "cluster_name": {"type": "str", "required": True},
        "addons": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "name": {"type": "str", "required": True},
                "version": {"type": "str"},
                "configuration": {"type": "raw"},
                "role_arn": {"type": "str"},
                "pod_identities": {"type": "dict"},
                "namespace": {"type": "str"},
                "resolve_conflicts": {"type": "str", "choices": list(CONFLICTS)},
                "needs": {"type": "list", "elements": "str", "default": []},
                "tags": {"type": "dict"},
            },
        },
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "prune": {"type": "bool", "default": False},
        "preserve": {"type": "bool", "default": False},
        "resolve_conflicts": {"type": "str", "choices": list(CONFLICTS), "default": "overwrite"},
        "recreate_failed": {"type": "bool", "default": False},
        "degraded": {"type": "str", "choices": ["fail", "warn"], "default": "fail"},
        **TAG_OPTIONS,
        "parallel": {"type": "int", "default": 8},
        **waiting_options(1200),
    }
).merge(AWS_SPEC)


@dataclass(frozen=True)
class _Writes:
    aws: AwsSession
    cluster: str
    live: Mapping[str, Record]
    store: Addons
    conflicts: Mapping[str, str]
    preserve: bool
    waiting: Waiting
    patient: bool

    def create(self, key: str, step: Step) -> Steps:
        after = step.after or {}
        conflicts = self.conflicts[key]
        parameters = {
            **self._where(key),
            **_parameters(after),
            "resolveConflicts": "OVERWRITE" if conflicts == "overwrite" else "NONE",
            "tags": after["tags"],
        }
        if after.get("namespace"):
            parameters["namespaceConfig"] = {"namespace": after["namespace"]}
        self.aws.do("eks", "CreateAddon", parameters, doing=f"create {step.target}")
        if self.waiting.wait:
            yield self.until_active(key)

    def update(self, key: str, step: Step) -> Steps:
        before, after = step.before or {}, step.after or {}
        live = self.live[key]
        if live.get("status") in MOVING:
            yield self.until_active(key)
        if _parameters(before) != _parameters(after) or step.reason:
            conflicts = self.conflicts[key].upper()
            parameters = {**self._where(key), **_parameters(after, clear=True), "resolveConflicts": conflicts}
            doing = f"update {step.target}"
            answer = yield from when_free(
                lambda: self.aws.do("eks", "UpdateAddon", parameters, doing=doing), lambda: self.until_active(key)
            )
            if self.waiting.wait:
                update = {"name": self.cluster, "addonName": key, "updateId": str(answer["update"]["id"])}
                look = partial(look_updated, self.aws, step.target, update)
                yield Wait(look, f"the update of {step.target}", self.waiting.timeout)
        Tagger(self.aws).write(str(live["addonArn"]), before["tags"], after["tags"], words=step.target)

    def delete(self, key: str, step: Step) -> Steps:
        parameters = {**self._where(key), "preserve": self.preserve and step.action == "delete"}
        if self.live[key].get("status") != "DELETING":
            doing = f"delete {step.target}"
            yield from when_free(
                lambda: self.aws.do("eks", "DeleteAddon", parameters, doing=doing), lambda: self.until_active(key)
            )
        if self.waiting.wait or step.action == "recreate":
            yield Wait(lambda: self._gone(key), step.target, self.waiting.timeout)

    def read(self, key: str) -> Record | None:
        return self.store.one(key)

    def settle(self, key: str) -> Job[Record | None]:
        """Wait for what an earlier run began."""
        yield self.until_active(key)
        return self.read(key)

    def until_active(self, key: str) -> Wait:
        """Wait for ACTIVE."""
        return Wait(lambda: self._active(key), words_of(key), self.waiting.timeout)

    def _where(self, key: str) -> Record:
        return {"clusterName": self.cluster, "addonName": key}

    def _active(self, key: str) -> tuple[bool, str]:
        addon = self.store.status(key)
        if addon is None:
            raise PlatformError(f"{words_of(key)} of cluster {self.cluster} vanished while it was waited for")
        status = str(addon.get("status"))
        issues = (addon.get("health") or {}).get("issues") or []
        if status in (*FAILED, "UPDATE_FAILED"):
            raise PlatformError(f"{words_of(key)} is {status}: {_issues(addon)}")
        if status == "DEGRADED":
            if self.patient:
                return True, status
            if not issues or any(issue.get("code") not in PATIENT for issue in issues):
                raise PlatformError(f"{words_of(key)} is DEGRADED: {_issues(addon)}")
        return status == "ACTIVE", f"{status} ({_issues(addon)})" if issues else status

    def _gone(self, key: str) -> tuple[bool, str]:
        addon = self.store.status(key)
        if addon is not None and addon.get("status") == "DELETE_FAILED":
            raise PlatformError(f"{words_of(key)} is DELETE_FAILED: {_issues(addon)}")
        return addon is None, str((addon or {}).get("status"))


def _issues(addon: Record) -> str:
    return "; ".join(issues_in_words((addon.get("health") or {}).get("issues") or [])) or "EKS gives no reason"


def _parameters(state: Mapping[str, t.Any], *, clear: bool = False) -> Record:
    """The API's fields; with C(clear) also those that are to be emptied."""
    configuration = state.get("configuration")
    identities = [{"serviceAccount": key, "roleArn": role} for key, role in (state.get("pod_identities") or {}).items()]
    parameters = {
        "addonVersion": state.get("version"),
        "configurationValues": json.dumps(configuration, sort_keys=True)
        if configuration
        else ("{}" if clear else None),
        "serviceAccountRoleArn": state.get("role_arn"),
        "podIdentityAssociations": identities or ([] if clear else None),
    }
    return {key: value for key, value in parameters.items() if value is not None}


def run(options: Mapping[str, t.Any], context: Context, aws: AwsSession | None = None) -> Outcome:
    """Make the add-ons as wanted."""
    session = aws or AwsSession(options)
    cluster, workers = str(options["cluster_name"]), int(options["parallel"])
    store = Addons(session, cluster, workers=workers)
    given = _given(options)
    names = sorted({*given, *store.names()}) if options["prune"] else list(given)
    live = store.read(names)
    plan = _plan(options, given, live, _versions(store, given, workers) if options["state"] == "present" else {})
    writes = _Writes(
        aws=session,
        cluster=cluster,
        live=live,
        store=store,
        conflicts={key: row.get("resolve_conflicts") or options["resolve_conflicts"] for key, row in given.items()},
        preserve=bool(options["preserve"]),
        waiting=Waiting.of(options),
        patient=options["degraded"] == "warn",
    )

    def apply(wanted: Plan) -> dict[str, t.Any]:
        rows: dict[str, Record | None] = {**live, **_apply(wanted, writes, given, context)}
        return {"addons": [facts_of(row) for key in given if (row := rows.get(key))]}

    return converge(plan, context, apply=apply, predict=lambda wanted: {"addons": _predicted(given, live, wanted)})


def _apply(
    plan: Plan, writes: _Writes, given: Mapping[str, Mapping[str, t.Any]], context: Context
) -> dict[str, Record | None]:
    writer = Writer(writes.create, writes.update, writes.delete, writes.read)
    moving = [key for key, row in writes.live.items() if row.get("status") in MOVING and key in given]
    return apply_set(
        plan,
        writer,
        clock=context.clock,
        waiting=writes.waiting,
        after={key: frozenset(row["needs"]) for key, row in given.items()},
        settle={key: writes.settle(key) for key in moving} if writes.waiting.wait else {},
    )


def _given(options: Mapping[str, t.Any]) -> dict[str, Mapping[str, t.Any]]:
    names = [str(row["name"]) for row in options["addons"]]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PlatformError(f"addons: {', '.join(twice)} stands there more than once")
    for row in options["addons"]:
        if unknown := [need for need in row["needs"] if need not in names]:
            raise PlatformError(f"{words_of(row['name'])} needs {listed(unknown)}, which is not in addons; add it")
        if isinstance(row.get("configuration"), str) and isinstance(configuration_of(row["configuration"]), str):
            raise PlatformError(f"{words_of(row['name'])}: configuration is neither a dictionary nor JSON")
        if row.get("role_arn") and row.get("pod_identities"):
            raise PlatformError(f"{words_of(row['name'])}: give role_arn or pod_identities, not both")
    return dict(zip(names, options["addons"], strict=True))


def _versions(store: Addons, given: Mapping[str, Mapping[str, t.Any]], workers: int) -> dict[str, str]:
    """The versions behind C(default) and C(latest)."""
    asked = [(name, str(row["version"])) for name, row in given.items() if row.get("version") in ("default", "latest")]
    if not asked:
        return {}
    kubernetes = store.cluster_version()
    found = map_concurrently(lambda one: store.version(one[0], one[1], kubernetes), asked, workers=workers)
    return {name: version for (name, _wish), version in zip(asked, found, strict=True)}


def _plan(
    options: Mapping[str, t.Any],
    given: Mapping[str, Mapping[str, t.Any]],
    live: Mapping[str, Record],
    versions: Mapping[str, str],
) -> Plan:
    cluster = str(options["cluster_name"])
    states = {key: state_of(row) for key, row in live.items()}
    if options["state"] == "absent":
        return plan_set(states, {}, words=words_of, removed=[key for key in states if key in given])
    wanted = {key: _wanted(key, row, live.get(key), options, versions.get(key)) for key, row in given.items()}
    recreated, repeated, problems, warnings = _judged(options, given, live, states, wanted)
    if problems:
        raise PlatformError("; ".join(problems), problems=problems)
    ours = [key for key, row in live.items() if key not in given and owned_by(row.get("tags") or {}, cluster)]
    plan = plan_set(
        states,
        wanted,
        words=words_of,
        removed=ours if options["prune"] else [],
        recreated=recreated,
        repeated=repeated,
        warnings=warnings,
    )
    moving = any(row.get("status") in MOVING for key, row in live.items() if key in given)
    return Plan(plan.steps, plan.warnings, awaits=moving)


def _judged(
    options: Mapping[str, t.Any],
    given: Iterable[str],
    live: Mapping[str, Record],
    states: Mapping[str, State],
    wanted: Mapping[str, State],
) -> tuple[dict[str, str], dict[str, str], list[str], list[str]]:
    """What the status of each add-on means: (to be made anew, to be sent again, problems, warnings)."""
    recreated: dict[str, str] = {}
    repeated: dict[str, str] = {}
    problems, warnings = [], []
    for key in given:
        row = live.get(key)
        status = str((row or {}).get("status"))
        words = f"{words_of(key)} is {status}: {_issues(row or {})}"
        if row is not None and states[key]["namespace"] != wanted[key]["namespace"]:
            problems.append(f"{words_of(key)}: EKS cannot move it from {states[key]['namespace']} to another namespace")
        if status == "DELETING":
            recreated[key] = "the old one is still being deleted"
        elif status in FAILED and options["recreate_failed"]:
            recreated[key] = f"it is {status}"
        elif status in FAILED:
            problems.append(f"{words}; set recreate_failed to make it anew")
        elif status == "UPDATE_FAILED":
            repeated[key] = "its last update failed"
        elif status == "DEGRADED" and options["degraded"] == "warn":
            warnings.append(words)
        elif status == "DEGRADED" and states[key] == wanted[key]:
            problems.append(words)
    return recreated, repeated, problems, warnings


def _wanted(
    key: str, row: Mapping[str, t.Any], live: Record | None, options: Mapping[str, t.Any], version: str | None
) -> State:
    configuration = row.get("configuration")
    identities = row.get("pod_identities")
    fields = {
        "version": version or row.get("version"),
        "configuration": configuration_of(configuration) if isinstance(configuration, str) else configuration,
        "role_arn": row.get("role_arn"),
        "pod_identities": None
        if identities is None
        else {str(name): str(identities[name]) for name in sorted(identities)},
        "namespace": row.get("namespace"),
    }
    state = overlaid(state_of(live or {}), fields)
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
            base = facts_of(live.get(key) or {"addonName": key})
            status = "ACTIVE" if step.changes else base["status"]
            found.append({**base, **step.after, "status": status, "tags": users_tags(step.after["tags"])})
    return found


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "run")
