# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes of a cluster with what they offer: read-only."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._core.argument_spec import ArgumentSpec
from .._core.clock import Pace, wait_until
from .._core.outcome import Context, Outcome, UseCase
from .._core.text import listed
from .client import KubeClient, Object
from .connection import CONNECTION_SPEC
from .listing import list_all
from .to_come import connect

SPEC = ArgumentSpec(
    options={
        "label_selector": {"type": "str"},
        "minimum_ready": {"type": "int", "default": 0},
        "wait_timeout": {"type": "int", "default": 600},
    }
).merge(CONNECTION_SPEC)
POOL_LABELS = ("eks.amazonaws.com/nodegroup", "karpenter.sh/nodepool")
PACE = Pace(first=0.2, factor=1.5, longest=5.0)


def node_summary(node: Object) -> dict[str, t.Any]:
    """What users ask about a node, from its API object."""
    metadata, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    labels: Object = metadata.get("labels") or {}
    conditions = {entry["type"]: entry["status"] for entry in status.get("conditions") or []}
    return {
        "name": metadata["name"],
        "node_pool": next((labels[key] for key in POOL_LABELS if key in labels), ""),
        "ready": conditions.get("Ready") == "True",
        "schedulable": not spec.get("unschedulable", False),
        "provider_id": spec.get("providerID", ""),
        "labels": labels,
        "taints": [
            {"key": taint["key"], "value": taint.get("value", ""), "effect": taint["effect"]}
            for taint in spec.get("taints") or []
        ],
        "capacity": status.get("capacity") or {},
        "allocatable": status.get("allocatable") or {},
    }


def list_nodes(client: KubeClient, label_selector: str | None = None) -> list[Object]:
    """All nodes, page by page, sorted by name."""
    return list_all(client, "/api/v1/nodes", label_selector=label_selector)


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:
    """List the nodes; wait until enough of them are ready, when the task asks for that.

    :raises TimedOutError: too few became ready in time.
    """
    client = connect(options, context)
    wanted = int(options.get("minimum_ready") or 0)

    def look() -> tuple[bool, list[dict[str, t.Any]]]:
        nodes = [node_summary(node) for node in list_nodes(client, options.get("label_selector"))]
        return context.check_mode or sum(node["ready"] for node in nodes) >= wanted, nodes

    nodes = wait_until(
        look,
        clock=context.clock,
        timeout=float(options.get("wait_timeout") or 0),
        pace=PACE,
        describe=lambda nodes, elapsed: _too_few(nodes, wanted, elapsed, options.get("label_selector")),
    )
    return Outcome(facts={"nodes": nodes})


def _too_few(nodes: list[dict[str, t.Any]], wanted: int, elapsed: float, selector: str | None) -> str:
    late = [str(node["name"]) for node in nodes if not node["ready"]]
    which = f" with {selector}" if selector else ""
    return (
        f"{len(nodes) - len(late)} of {wanted} nodes{which} are ready after {elapsed:.0f} s"
        f"{f'; not ready: {listed(late[:5])}' if late else ''}; look at the node pools' health and raise wait_timeout"
    )


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "list_nodes", "node_summary")
