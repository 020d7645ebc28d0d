# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replicas that a manifest leaves to somebody else, an autoscaler, although it said them before.

A field that its only owner no longer applies goes back to its default, so that a scaled Deployment would have one pod
until the autoscaler looks again. Hence a second manager of ours takes the value over first; the autoscaler's first
change takes it from that one.
Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .objects import Object, ref_of
from .ownership import applied_fields

SCALED = frozenset(("Deployment.apps", "ReplicaSet.apps", "StatefulSet.apps"))


def keeper(manager: str) -> str:
    """The manager that keeps what the other one let go of."""
    return f"{manager}-kept"


def kept_replicas(desired: Mapping[str, t.Any], live: Mapping[str, t.Any], *, manager: str) -> Object | None:
    """What the keeper applies before this manifest; None when nothing would be lost."""
    if ref_of(desired).group_kind not in SCALED or "replicas" in (desired.get("spec") or {}):
        return None
    fields = applied_fields(live, manager=manager, api_version=str(desired["apiVersion"])) or {}
    if "f:replicas" not in (fields.get("f:spec") or {}):
        return None
    metadata = {key: live["metadata"][key] for key in ("name", "namespace")}
    spec = {"replicas": live["spec"]["replicas"]}
    return {"apiVersion": desired["apiVersion"], "kind": desired["kind"], "metadata": metadata, "spec": spec}


def with_replicas(answer: Object, kept: Object | None) -> Object:
    """The answer of a dry run, in which nobody could keep the replicas first."""
    return {**answer, "spec": {**answer["spec"], **kept["spec"]}} if kept else answer


__all__ = ("keeper", "kept_replicas", "with_replicas")
