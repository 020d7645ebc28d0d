# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The use case of conformance: every check against a cluster, one verdict."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._core.argument_spec import ArgumentSpec
from .._core.concurrency import map_concurrently
from .._core.errors import PlatformError
from .._core.outcome import Context, Outcome, UseCase
from .._k8s.connection import CONNECTION_SPEC
from .._k8s.to_come import ClusterToCome, connect
from .checks import EVALUATORS, KINDS_OF
from .world import World

MOST_NAMED = 5
END = {
    "type": "dict",
    "required": True,
    "options": {"namespace": {"type": "str"}, "labels": {"type": "dict"}, "address": {"type": "str"}},
    "required_one_of": [("namespace", "address")],
}
FLOW = {
    "source": END,
    "target": END,
    "port": {"type": "int", "required": True},
    "protocol": {"type": "str", "choices": ["TCP", "UDP", "SCTP"], "default": "TCP"},
    "allowed": {"type": "bool", "required": True},
}
OBJECTS = {
    "api_version": {"type": "str", "required": True},
    "kind": {"type": "str", "required": True},
    "namespaces": {"type": "list", "elements": "str"},
    "except_namespaces": {"type": "list", "elements": "str"},
    "names": {"type": "list", "elements": "str"},
    "except_names": {"type": "list", "elements": "str"},
    "labels": {"type": "dict"},
    "where": {"type": "str"},
    "at_least": {"type": "int"},
    "at_most": {"type": "int"},
    "ready": {"type": "bool", "default": False},
    "query": {"type": "str"},
    "value": {"type": "raw"},
    "optional": {"type": "bool", "default": False},
}
SERVICES = {
    "namespaces": {"type": "list", "elements": "str"},
    "names": {"type": "list", "elements": "str"},
    "idle": {"type": "list", "elements": "str"},
}
RELEASE = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "version": {"type": "str"},
}
CHECK = {
    "name": {"type": "str", "required": True},
    "area": {"type": "str", "default": "platform"},
    "objects": {"type": "dict", "options": OBJECTS},
    "gpu_sharing": {
        "type": "dict",
        "options": {
            "node_pools": {"type": "list", "elements": "dict", "required": True},
            "mig_strategy": {"type": "str", "choices": ["none", "single", "mixed"], "default": "mixed"},
        },
    },
    "releases": {
        "type": "dict",
        "options": {"named": {"type": "list", "elements": "dict", "options": RELEASE, "default": []}},
    },
    "refused": {
        "type": "dict",
        "options": {"object": {"type": "dict", "required": True}, "because": {"type": "str", "required": True}},
    },
    "services": {"type": "dict", "options": SERVICES},
    "network": {
        "type": "dict",
        "options": {"flows": {"type": "list", "elements": "dict", "required": True, "options": FLOW}},
    },
}
SPEC = ArgumentSpec(
    options={
        "checks": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": CHECK,
            "mutually_exclusive": [tuple(EVALUATORS)],
            "required_one_of": [tuple(EVALUATORS)],
        },
        "require": {"type": "bool", "default": False},
    }
).merge(CONNECTION_SPEC)


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:
    """Run all checks.

    :raises PlatformError: a check failed and C(require) is set; the sentence names what is not so.
    """
    checks = [(one, next(kind for kind in EVALUATORS if one.get(kind) is not None)) for one in options["checks"]]
    client = connect(options, context)
    if isinstance(client, ClusterToCome):
        results = [_result(one, [client.reason]) for one, _kind in checks]
    else:
        kinds = [wanted for one, kind in checks if kind in KINDS_OF for wanted in KINDS_OF[kind](one[kind])]
        world = World(client, clock=context.clock, kinds=kinds)
        results = map_concurrently(lambda pair: _evaluated(*pair, world), checks)
    failed = [one for one in results if not one["passed"]]
    facts = {
        "passed": not failed,
        "counts": {"passed": len(results) - len(failed), "failed": len(failed)},
        "checks": results,
    }
    if failed and options["require"] and not context.check_mode:
        raise PlatformError(sentence(failed, len(results)), **facts)
    return Outcome(facts=facts)


def sentence(failed: list[dict[str, t.Any]], total: int) -> str:
    """What is not so, in one sentence."""
    shown = "; ".join(f"{one['name']}: {one['found'][0]}" for one in failed[:MOST_NAMED])
    more = f"; and {len(failed) - MOST_NAMED} more" if len(failed) > MOST_NAMED else ""
    return f"{len(failed)} of {total} checks failed: {shown}{more}"


def _evaluated(check: Mapping[str, t.Any], kind: str, world: World) -> dict[str, t.Any]:
    try:
        return _result(check, list(EVALUATORS[kind](check[kind], world)))
    except PlatformError as error:
        return _result(check, [error.message])


def _result(check: Mapping[str, t.Any], found: list[str]) -> dict[str, t.Any]:
    return {"name": check["name"], "area": check["area"], "passed": not found, "found": found}


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "sentence")
