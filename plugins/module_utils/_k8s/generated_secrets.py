# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The use case of k8s_generated_secrets: Secrets with values that are made once, and that nobody ever sees."""

from __future__ import annotations

import base64
import secrets
import typing as t
from collections import Counter
from collections.abc import Mapping, Sequence

from .._core.argument_spec import ArgumentSpec
from .._core.concurrency import map_concurrently
from .._core.errors import PlatformError
from .._core.outcome import Context, Outcome, UseCase, converge
from .._core.plan import Plan, Step
from .._core.text import listed
from .client import MERGE_PATCH, KubeClient, Object
from .connection import CONNECTION_SPEC
from .errors import KubeApiError
from .retry import send
from .to_come import connect

MANAGED_BY, MANAGER = "app.kubernetes.io/managed-by", "aiplatform.eks"
ENTROPY_BYTES = 32
ENTRY = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "texts": {"type": "dict", "default": {}},
    "generated": {"type": "list", "elements": "str", "default": []},
}
SPEC = ArgumentSpec(
    options={
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "secrets": {"type": "list", "elements": "dict", "required": True, "no_log": False, "options": ENTRY},
    }
).merge(CONNECTION_SPEC)


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:
    """Make what is missing, or take all away."""
    wanted: Sequence[Mapping[str, t.Any]] = options["secrets"]
    check_entries(wanted)
    client = connect(options, context)
    live = map_concurrently(lambda one: _read(client, one, context), wanted)
    planner = _present if options["state"] == "present" else _absent
    steps = [step for one, found in zip(wanted, live, strict=True) if (step := planner(one, found)) is not None]

    def apply(plan: Plan) -> dict[str, t.Any]:
        for step in plan.pending:
            _write(client, step, context)
        return {}

    return converge(Plan(steps=tuple(steps)), context, apply=apply, predict=lambda _plan: {})


def check_entries(entries: Sequence[Mapping[str, t.Any]]) -> None:
    """Refuse what would make one value overwrite another.

    :raises PlatformError: a Secret stands twice, or a key of it has a text and is generated too.
    """
    names = Counter(_name(one) for one in entries)
    if twice := sorted(name for name, times in names.items() if times > 1):
        raise PlatformError(f"secrets: {listed(twice)} stands twice; name all keys of a Secret in one entry")
    for one in entries:
        if both := sorted(set(one.get("texts") or {}) & set(one.get("generated") or ())):
            raise PlatformError(
                f"Secret {_name(one)}: {listed(both)} stands in texts and in generated; leave it in one of the two"
            )


def _name(one: Mapping[str, t.Any]) -> str:
    return f"{one['namespace']}/{one['name']}"


def _path(one: Mapping[str, t.Any]) -> str:
    return f"/api/v1/namespaces/{one['namespace']}/secrets/{one['name']}"


def _read(client: KubeClient, one: Mapping[str, t.Any], context: Context) -> Object | None:
    try:
        live = send(client, "GET", _path(one), clock=context.clock).body
    except KubeApiError as error:
        if error.status != 404:
            raise
        return None
    manager = (live["metadata"].get("labels") or {}).get(MANAGED_BY)
    if manager != MANAGER:
        raise PlatformError(
            f"Secret {_name(one)} is there and not ours (label {MANAGED_BY} is {manager!r}, not "
            f"{MANAGER!r}); name another Secret, or use that one by reference"
        )
    return live


def _present(one: Mapping[str, t.Any], live: Object | None) -> Step | None:
    """Texts become what they shall be; a generated value that is there stays for ever."""
    data: Mapping[str, str] = (live or {}).get("data") or {}
    texts = {key: _encoded(str(value)) for key, value in one["texts"].items()}
    changed = [key for key, value in texts.items() if data.get(key) != value]
    missing = [key for key in one["generated"] if key not in data]
    if live is not None and not changed and not missing:
        return None
    target = f"Secret {_name(one)}"
    keys = sorted({*data, *texts, *one["generated"]})
    write = {"one": one, "data": {key: texts[key] for key in changed}, "generate": missing, "live": live}
    if live is None:
        return Step("create", target, after={"keys": keys}, payload=write)
    before = {"keys": sorted(data)}
    reason = f"set {', '.join(sorted({*changed, *missing}))}"
    return Step("update", target, before=before, after={"keys": keys}, reason=reason, payload=write)


def _absent(one: Mapping[str, t.Any], live: Object | None) -> Step | None:
    if live is None:
        return None
    keys = sorted((live.get("data") or {}).keys())
    return Step("delete", f"Secret {_name(one)}", before={"keys": keys}, payload={"one": one})


def _write(client: KubeClient, step: Step, context: Context) -> None:
    """Values are made here, at the last moment, and go nowhere else."""
    one = step.payload["one"]
    if step.action == "delete":
        _delete(client, one, context)
        return
    data = {**step.payload["data"], **{key: _encoded(_generated()) for key in step.payload["generate"]}}
    metadata: dict[str, t.Any] = {"name": one["name"], "namespace": one["namespace"], "labels": {MANAGED_BY: MANAGER}}
    body: dict[str, t.Any] = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
    if step.action == "create":
        send(client, "POST", _path(one).rpartition("/")[0], clock=context.clock, body=body)
        return
    # Refused when somebody changed it since it was read.
    metadata["resourceVersion"] = step.payload["live"]["metadata"]["resourceVersion"]
    send(client, "PATCH", _path(one), clock=context.clock, body=body, content_type=MERGE_PATCH)


def _delete(client: KubeClient, one: Mapping[str, t.Any], context: Context) -> None:
    """Delete; one that is gone by now, such as with its namespace, is fine."""
    try:
        send(client, "DELETE", _path(one), clock=context.clock)
    except KubeApiError as error:
        if error.status != 404:
            raise


def _generated() -> str:
    """Letters, digits, minus and underscore: fits into addresses and shells."""
    return secrets.token_urlsafe(ENTROPY_BYTES)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "check_entries")
