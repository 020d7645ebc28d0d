# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes of a cluster with what they offer: read-only."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._core.argument_spec import ArgumentSpec
from .._core.outcome import Context, Outcome, UseCase
from .client import KubeClient, Object
from .connection import CONNECTION_SPEC

SPEC = ArgumentSpec(options={"label_selector": {"type": "str"}}).merge(CONNECTION_SPEC)
PAGE = 500


def node_summary(node: Object) -> dict[str, t.Any]:
    """What users ask about a node, from its API object."""
    metadata, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    conditions = {entry["type"]: entry["status"] for entry in status.get("conditions") or []}
    return {
        "name": metadata["name"],
        "ready": conditions.get("Ready") == "True",
        "schedulable": not spec.get("unschedulable", False),
        "provider_id": spec.get("providerID", ""),
        "labels": metadata.get("labels") or {},
        "taints": [
            {"key": taint["key"], "value": taint.get("value", ""), "effect": taint["effect"]}
            for taint in spec.get("taints") or []
        ],
        "capacity": status.get("capacity") or {},
        "allocatable": status.get("allocatable") or {},
    }


def list_nodes(client: KubeClient, label_selector: str | None = None) -> list[Object]:
    """All nodes, page by page, sorted by name."""
    nodes: list[Object] = []
    query: dict[str, t.Any] = {"limit": PAGE, "labelSelector": label_selector}
    while True:
        page = client.request("GET", "/api/v1/nodes", query=query).body
        nodes.extend(page.get("items") or [])
        query["continue"] = page.get("metadata", {}).get("continue")
        if not query["continue"]:
            return sorted(nodes, key=lambda node: str(node["metadata"]["name"]))


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:  # noqa: ARG001 (the doors' signature)
    """List the nodes."""
    nodes = list_nodes(KubeClient(options), options.get("label_selector"))
    return Outcome(facts={"nodes": [node_summary(node) for node in nodes]})


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "list_nodes", "node_summary")
