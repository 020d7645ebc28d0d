# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The use case of gpu_sharing_info: what the nodes of the pools offer, against what their policies promise."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from .._core.argument_spec import ArgumentSpec
from .._core.clock import Clock, Pace, wait_until
from .._core.outcome import Context, Outcome, UseCase
from .._gpu.policy import SharingPolicy, sharing_policies
from .._gpu.policy_nodes import MIG_CONFIG, PLUGIN_CONFIG, allocatable, product_label
from .._k8s.client import KubeClient
from .._k8s.connection import CONNECTION_SPEC
from .._k8s.errors import KubeApiError
from .._k8s.nodes import NodeState, node_state
from .._k8s.nodes_info import list_nodes
from .._k8s.retry import send
from .._k8s.to_come import connect
from .mig_profiles import INSTANCE_LABEL, SHARED_OPTIONS
from .roll import MIG_STATE, gpu_resources

POLICIES = "/apis/nvidia.com/v1/clusterpolicies"
NEEDED = ("node_pools", "mig_strategy", "pool_label")
MOST_NAMED = 5
SPEC = ArgumentSpec(
    options={
        **{name: SHARED_OPTIONS[name] for name in NEEDED},
        "require": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 0},
    }
).merge(CONNECTION_SPEC)


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:
    """Look, once or until everything is right."""
    policies = sharing_policies(options["node_pools"], mig_strategy=options["mig_strategy"])
    client = connect(options, context)
    managed = any(policy.has_gpu and not policy.bottlerocket for policy in policies)

    def look() -> tuple[bool, Mapping[str, t.Any]]:
        facts: dict[str, t.Any] = {
            "cluster_policy": cluster_policy(client, context.clock),
            "nodes": node_facts(policies, [node_state(node) for node in list_nodes(client)], options["pool_label"]),
        }
        facts["ready"] = not complaints(facts, managed=managed)
        return bool(facts["ready"]) or context.check_mode or not options["require"], facts

    def describe(facts: Mapping[str, t.Any], elapsed: float) -> str:
        found = complaints(facts, managed=managed)
        more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        return f"GPUs are not shared as the inventory says after {elapsed:.0f} s: {'; '.join(found[:MOST_NAMED])}{more}"

    pace = Pace(0.5, 1.5, 5.0)
    return Outcome(
        facts=wait_until(look, clock=context.clock, timeout=options["wait_timeout"], pace=pace, describe=describe)
    )


def cluster_policy(client: KubeClient, clock: Clock) -> dict[str, t.Any]:
    """State and message of the GPU operator's ClusterPolicy."""
    try:
        items = send(client, "GET", POLICIES, clock=clock).body.get("items") or []
    except KubeApiError as error:
        if error.status != 404:
            raise
        items = []
    if not items:
        return {"state": "absent", "message": "the GPU operator is not installed"}
    status = items[0].get("status") or {}
    messages = [str(one.get("message") or "") for one in status.get("conditions") or []]
    return {"state": status.get("state") or "unknown", "message": next(filter(None, messages), "")}


def node_facts(
    policies: Sequence[SharingPolicy], nodes: Sequence[NodeState], pool_label: str
) -> dict[str, dict[str, t.Any]]:
    """For each node of the pools what it offers and what it should."""
    by_pool = {policy.pool: policy for policy in policies if policy.has_gpu}
    found: dict[str, dict[str, t.Any]] = {}
    for node in nodes:
        policy = by_pool.get(node.labels.get(pool_label, ""))
        one = next(
            (each for each in policy.types if each.name == node.labels.get(INSTANCE_LABEL)) if policy else iter(()),
            None,
        )
        if policy is None or one is None:
            continue
        promised = {name: count for name, count in allocatable(policy, one).items() if name.startswith("nvidia.com/")}
        offered = gpu_resources(node)
        found[node.name] = {
            "pool": policy.pool,
            "mode": policy.mode,
            "ready": node.ready,
            "schedulable": node.schedulable,
            "promised": promised,
            "offered": offered,
            "right": node.ready and offered == promised,
            "device_plugin_config": node.labels.get(PLUGIN_CONFIG),
            "mig_layout": node.labels.get(MIG_CONFIG),
            "mig_state": node.labels.get(MIG_STATE),
            "product": node.labels.get("nvidia.com/gpu.product"),
            "product_promised": product_label(policy, one),
        }
    return found


def complaints(facts: Mapping[str, t.Any], *, managed: bool) -> list[str]:
    """Sentences about everything that is not right.

    :param managed: whether any pool needs the operator.
    """
    found: list[str] = []
    state = facts["cluster_policy"]
    if managed and state["state"] != "ready":
        found.append(f"the ClusterPolicy is {state['state']} ({state['message'] or 'without a message'})")
    for name, node in sorted(facts["nodes"].items()):
        if not node["ready"]:
            found.append(f"node {name} of pool {node['pool']} is not ready")
        elif not node["right"]:
            offered = node["offered"] or "nothing"
            found.append(f"node {name} of pool {node['pool']} offers {offered} instead of {node['promised']}")
    return found


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "cluster_policy", "complaints", "node_facts")
