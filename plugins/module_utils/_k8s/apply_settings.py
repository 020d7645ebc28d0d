# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of k8s_apply_set and k8s_apply_set_info, and what they mean."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from .._core.argument_spec import ArgumentSpec
from .._core.errors import PlatformError
from .apply_plan import GUARDED, Guards
from .apply_set import ApplySet
from .connection import CONNECTION_SPEC
from .manifests import opened, parse_manifests
from .masking import DEFAULT_RULES, MaskRule
from .objects import Object
from .readiness import WaitRule

MANAGER = "aiplatform.eks"
LEGACY_MANAGERS = ["kubectl-client-side-apply"]
NEVER, ON_IMMUTABLE = "never", "on_immutable"
SET_OPTIONS: Mapping[str, Mapping[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "default": "default"},
}
SPEC = ArgumentSpec(
    options={
        **SET_OPTIONS,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "objects": {"type": "raw", "no_log": True},
        "templates": {"type": "list", "elements": "str"},
        "files": {"type": "list", "elements": "str"},
        "field_manager": {"type": "str", "default": MANAGER},
        "force_conflicts": {"type": "bool", "default": True},
        "migrate_managers": {"type": "list", "elements": "str", "default": LEGACY_MANAGERS},
        "recreate": {"type": "str", "choices": [NEVER, ON_IMMUTABLE], "default": NEVER},
        "prune": {"type": "bool", "default": True},
        "prune_limit": {"type": "int", "default": 20},
        "deletable_kinds": {"type": "list", "elements": "str", "choices": list(GUARDED), "default": []},
        "mask": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {"kind": {"type": "str", "required": True}, "path": {"type": "str", "required": True}},
        },
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 300},
        "fail_fast": {"type": "bool", "default": True},
        "wait_conditions": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "kind": {"type": "str", "required": True},
                "group": {"type": "str"},
                "namespace": {"type": "str"},
                "name": {"type": "str"},
                "condition": {"type": "str"},
                "status": {"type": "str", "default": "True"},
                "query": {"type": "str"},
                "value": {"type": "raw"},
                "skip": {"type": "bool", "default": False},
            },
            "required_one_of": [["condition", "query", "skip"]],
        },
        "connections": {"type": "int", "default": 16},
    },
).merge(CONNECTION_SPEC)
INFO_SPEC = ArgumentSpec(options=SET_OPTIONS).merge(CONNECTION_SPEC)


@dataclass(frozen=True)
class Settings:
    """The options as values.

    :param documents: the objects, from all sources, in their order.
    """

    apply_set: ApplySet
    present: bool
    documents: tuple[Object, ...]
    manager: str
    force: bool
    legacy_managers: tuple[str, ...]
    recreate: str
    prune: bool
    guards: Guards
    mask: tuple[MaskRule, ...]
    wait: bool
    wait_timeout: float
    fail_fast: bool
    wait_rules: tuple[WaitRule, ...]
    workers: int


def settings_of(options: Mapping[str, t.Any]) -> Settings:
    """The options as values.

    :raises PlatformError: a manifest cannot be read, a number is out of range.
    """
    workers = int(options["connections"])
    if not 1 <= workers <= 64:
        raise PlatformError(f"connections is {workers}, wanted is a number from 1 to 64")
    return Settings(
        apply_set=ApplySet(options["name"], options["namespace"]),
        present=options["state"] == "present",
        documents=tuple(documents_of(options.get("objects"))),
        manager=options["field_manager"],
        force=options["force_conflicts"],
        legacy_managers=tuple(options["migrate_managers"]),
        recreate=options["recreate"],
        prune=options["prune"],
        guards=Guards(
            frozenset(options["deletable_kinds"]), None if options["prune_limit"] < 0 else options["prune_limit"]
        ),
        mask=(*DEFAULT_RULES, *(MaskRule(entry["kind"], entry["path"]) for entry in options["mask"])),
        wait=options["wait"],
        wait_timeout=float(options["wait_timeout"]),
        fail_fast=options["fail_fast"],
        wait_rules=tuple(wait_rule(entry) for entry in options["wait_conditions"]),
        workers=workers,
    )


def documents_of(objects: t.Any) -> list[Object]:
    """The objects of option C(objects): a list, one object, or YAML or JSON text.

    The action plugin hands everything over as one JSON text, so that no single value of it counts as a secret.
    """
    if isinstance(objects, str):
        if objects.startswith("["):
            try:
                return list(opened(json.loads(objects), source="objects"))
            except ValueError:
                pass  # YAML in flow style
        return parse_manifests(objects, source="objects")
    return list(opened([objects] if isinstance(objects, Mapping) else objects or [], source="objects"))


def wait_rule(entry: Mapping[str, t.Any]) -> WaitRule:
    """The rule of one entry of option C(wait_conditions)."""
    names = ("kind", "group", "namespace", "name", "condition", "status", "query", "value", "skip")
    return WaitRule(**{name: entry[name] for name in names if entry.get(name) is not None})


__all__ = ("INFO_SPEC", "SPEC", "Settings", "documents_of", "settings_of", "wait_rule")
