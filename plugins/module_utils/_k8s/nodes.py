# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes as operations see them: a small record, and cordoning that remembers who did it."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from .._core.clock import Clock
from .client import MERGE_PATCH, KubeClient, Object
from .retry import send

OPERATION = "aiplatform.eks/operation"


@dataclass(frozen=True)
class NodeState:
    """What matters of a node.

    :param schedulable: not cordoned by anybody.
    :param operation: the operation of ours that holds the node, or empty; it alone may uncordon.
    :param allocatable: extended resources only, zero counts left out.
    """

    name: str
    ready: bool = True
    schedulable: bool = True
    operation: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    allocatable: Mapping[str, int] = field(default_factory=dict)

    @property
    def available(self) -> bool:
        """Whether new pods may come."""
        return self.ready and self.schedulable


def node_state(live: Object) -> NodeState:
    """The record of an API object."""
    metadata, spec, status = live["metadata"], live.get("spec") or {}, live.get("status") or {}
    conditions = {entry["type"]: entry["status"] for entry in status.get("conditions") or []}
    annotations = metadata.get("annotations") or {}
    counts = {name: value for name, value in (status.get("allocatable") or {}).items() if "/" in name}
    return NodeState(
        name=metadata["name"],
        ready=conditions.get("Ready") == "True",
        schedulable=not spec.get("unschedulable", False),
        operation=annotations.get(OPERATION, ""),
        labels=metadata.get("labels") or {},
        annotations={name: value for name, value in annotations.items() if name.startswith("aiplatform.eks/")},
        allocatable={name: int(value) for name, value in counts.items() if str(value).isdigit() and int(value)},
    )


def cordon_patch(operation: str, node: NodeState) -> dict[str, t.Any]:
    """Takes a node out for an operation; a node that somebody else cordoned is marked, so that it stays cordoned."""
    mark = operation if node.schedulable or node.operation else f"{operation};already-cordoned"
    return {"metadata": {"annotations": {OPERATION: mark}}, "spec": {"unschedulable": True}}


def uncordon_patch(node: NodeState) -> dict[str, t.Any]:
    """Gives a node back; one that was cordoned before the operation stays so."""
    patch: dict[str, t.Any] = {"metadata": {"annotations": {OPERATION: None}}}
    if not node.operation.endswith(";already-cordoned"):
        patch["spec"] = {"unschedulable": None}
    return patch


def patch_node(client: KubeClient, name: str, patch: Mapping[str, t.Any], *, clock: Clock) -> Object:
    """Write a merge patch and return the node afterwards.

    :raises KubeApiError: the server refuses it.
    """
    path = f"/api/v1/nodes/{name}"
    return send(client, "PATCH", path, clock=clock, body=patch, content_type=MERGE_PATCH).body


__all__ = ("OPERATION", "NodeState", "cordon_patch", "node_state", "patch_node", "uncordon_patch")
