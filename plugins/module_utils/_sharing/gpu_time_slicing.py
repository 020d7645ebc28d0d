# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The use case of gpu_time_slicing: device-plugin sharing of live pools, proved by what the nodes then offer."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from .._core.argument_spec import ArgumentSpec
from .._core.clock import Pace, wait_until
from .._core.concurrency import map_concurrently
from .._core.outcome import Context, Outcome, UseCase, converge
from .._core.plan import Plan, Step
from .._gpu.device_plugin_config import read_device_plugin_config
from .._gpu.policy import DRA, MIG, SharingPolicy, sharing_policies
from .._gpu.policy_cluster import DEFAULT_KEY, PLUGIN_CONFIG_MAP, plugin_documents
from .._gpu.policy_nodes import PLUGIN_CONFIG, allocatable
from .._k8s.client import KubeClient
from .._k8s.connection import CONNECTION_SPEC
from .._k8s.eviction import PodState, delete_pod, pod_state
from .._k8s.nodes import NodeState, node_state, patch_node
from .._k8s.nodes_info import list_nodes
from .._k8s.retry import send
from .._k8s.to_come import connect
from .config_maps import ConfigMap, absence, from_text, read_config_map, to_text, write_config_map
from .mig_profiles import INSTANCE_LABEL, SHARED_OPTIONS
from .roll import PLUGIN, gpu_resources

RESTARTS = "aiplatform.eks/restart-pending"
RESTARTED = "aiplatform.eks/device-plugin-config"
MOST_NAMED = 5
SPEC = ArgumentSpec(
    options={
        **SHARED_OPTIONS,
        "config_map": {"type": "str", "default": PLUGIN_CONFIG_MAP},
        "wait_timeout": {"type": "int", "default": 300},
        "parallel": {"type": "int", "default": 16},
    }
).merge(CONNECTION_SPEC)


@dataclass(frozen=True)
class Aim:
    """What a node is to have.

    :param key: of the ConfigMap, the label's value.
    :param change: the change of the key's content that the plugin restarts for; empty without one.
    :param restart: the plugin that runs there has read other content under this key.
    :param gives: resources afterwards; None where they are not ours to promise (MIG layouts are mig_profiles' part).
    """

    pool: str
    key: str
    change: str
    restart: bool
    gives: Mapping[str, int] | None

    def reached(self, node: NodeState) -> bool:
        """Whether the node offers what it should."""
        return self.gives is None or gpu_resources(node) == dict(self.gives)


@dataclass(frozen=True)
class Wanted:
    """The ConfigMap while plugins still have to restart, the ConfigMap afterwards, and the nodes."""

    during: ConfigMap
    after: ConfigMap
    aims: Mapping[str, Aim] = field(default_factory=dict)


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:
    """Make the sharing of the live nodes that of the pools."""
    policies = sharing_policies(options["node_pools"], mig_strategy=options["mig_strategy"])
    client = connect(options, context)
    live = read_config_map(client, options["namespace"], options["config_map"], clock=context.clock)
    if options["state"] == "absent":
        return absence(client, live, context, _facts((), Wanted(live, live)))
    nodes = [node_state(node) for node in list_nodes(client)]
    wanted = wanted_state(policies, live, nodes, options)
    plan = make_plan(live, nodes, wanted, policies)
    return converge(
        plan,
        context,
        apply=lambda _plan: _Applier(client, context, options).apply(live, nodes, wanted),
        predict=lambda _plan: _facts(nodes, wanted),
    )


def wanted_state(
    policies: Sequence[SharingPolicy], live: ConfigMap, nodes: Sequence[NodeState], options: Mapping[str, t.Any]
) -> Wanted:
    """What the pools ask of the ConfigMap and of each node.

    A key that no pool wants stays while a node of somebody else names it: the plugin there would crash without it.
    """
    ours = {key: to_text(document) for key, document in plugin_documents(policies).items()}
    by_pool = {policy.pool: policy for policy in policies if policy.has_gpu and not policy.bottlerocket}
    managed = {node.name: policy for node in nodes if (policy := by_pool.get(_pool(node, options)))}
    foreign = {node.labels.get(PLUGIN_CONFIG, "") for node in nodes if node.name not in managed}
    data = {**{key: text for key, text in live.data.items() if key in foreign}, **ours}
    for key, text in data.items():
        where = f"{live}, key {key}"
        read_device_plugin_config(from_text(text, where=where), where=where)
    pending = _pending(live, ours)
    aims: dict[str, Aim] = {}
    for node in nodes if options["apply_to_nodes"] else ():
        policy = managed.get(node.name)
        if policy is None or policy.mode == DRA:
            continue
        change = pending.get(policy.config_key, "")
        restart = bool(change) and node.annotations.get(RESTARTED) != change
        aims[node.name] = Aim(policy.pool, policy.config_key, change, restart, _gives(policy, node))
    place = (options["namespace"], options["config_map"])
    text = ",".join(f"{key}={change}" for key, change in sorted(pending.items()))
    marks = {RESTARTS: text} if text else {}
    left = {} if options["apply_to_nodes"] else marks
    return Wanted(
        during=ConfigMap(*place, data=data, annotations=marks),
        after=ConfigMap(*place, data=data, annotations=left),
        aims=aims,
    )


def _pending(live: ConfigMap, ours: Mapping[str, str]) -> dict[str, str]:
    """Key -> name of the change that plugins must restart for: one of a run that was killed, or one of this run.

    A change is named by the version of the ConfigMap that it replaces, so a node that restarted for an earlier one
    restarts again. New keys count: a running plugin may not see them yet.
    """
    said = (entry.partition("=") for entry in live.annotations.get(RESTARTS, "").split(",") if entry)
    found = {key: change for key, _equals, change in said if key in ours}
    if live.exists:
        found |= {key: live.version for key, text in ours.items() if live.data.get(key) != text}
    return found


def _pool(node: NodeState, options: Mapping[str, t.Any]) -> str:
    return node.labels.get(options["pool_label"], "")


def _gives(policy: SharingPolicy, node: NodeState) -> Mapping[str, int] | None:
    one = next((each for each in policy.types if each.name == node.labels.get(INSTANCE_LABEL)), None)
    if policy.mode == MIG or one is None:
        return None
    return {name: count for name, count in allocatable(policy, one).items() if name.startswith("nvidia.com/")}


def make_plan(live: ConfigMap, nodes: Sequence[NodeState], wanted: Wanted, policies: Sequence[SharingPolicy]) -> Plan:
    """A step for the ConfigMap, and one for each node whose label or plugin is not right.

    A node that only does not offer its resources yet is awaited: its plugin is at work.
    """
    steps: list[Step] = []
    if not live.exists:
        steps.append(Step("create", str(wanted.after), None, dict(wanted.after.data)))
    elif (live.data, live.annotations) != (wanted.after.data, wanted.after.annotations):
        before, after = {**live.data, **live.annotations}, {**wanted.after.data, **wanted.after.annotations}
        steps.append(Step("update", str(wanted.after), before, after))
    for node in nodes:
        aim = wanted.aims.get(node.name)
        if aim is None or not _todo(node, aim):
            continue
        why = "the device plugin restarts, because its configuration changed" if aim.restart else ""
        now: dict[str, t.Any] = {"config": node.labels.get(PLUGIN_CONFIG), "resources": gpu_resources(node)}
        then: dict[str, t.Any] = {
            "config": aim.key,
            "resources": gpu_resources(node) if aim.gives is None else dict(aim.gives),
        }
        steps.append(Step("update", f"node {node.name} of pool {aim.pool}", now, then, reason=why))
    late = any(aim is not None and not aim.reached(node) for node in nodes for aim in [wanted.aims.get(node.name)])
    warnings = tuple(warning for policy in policies for warning in policy.warnings)
    return Plan(tuple(steps), warnings=warnings, awaits=late)


def _todo(node: NodeState, aim: Aim) -> bool:
    return aim.restart or node.labels.get(PLUGIN_CONFIG) != aim.key


def _facts(nodes: Sequence[NodeState], wanted: Wanted) -> dict[str, t.Any]:
    found = {node.name: node for node in nodes}
    return {
        "config_map": {"namespace": wanted.after.namespace, "name": wanted.after.name},
        "default_config": DEFAULT_KEY,
        "restarted": sorted(name for name, aim in wanted.aims.items() if aim.restart),
        "nodes": {
            name: {
                "pool": aim.pool,
                "config": aim.key,
                "resources": gpu_resources(found[name]) if aim.gives is None else dict(aim.gives),
                "changed": _todo(found[name], aim),
            }
            for name, aim in sorted(wanted.aims.items())
        },
    }


class _Applier:
    """Applies a plan's content: ConfigMap, labels, restarts, proof."""

    def __init__(self, client: KubeClient, context: Context, options: Mapping[str, t.Any]) -> None:
        self._client, self._clock = client, context.clock
        self._namespace, self._timeout = options["namespace"], options["wait_timeout"]
        self._workers = options["parallel"]

    def apply(self, live: ConfigMap, nodes: Sequence[NodeState], wanted: Wanted) -> dict[str, t.Any]:
        """Make it so.

        :raises PlatformError: some nodes do not offer what they should in time.
        """
        write_config_map(self._client, live, wanted.during, clock=self._clock)
        todo = [node for node in nodes if node.name in wanted.aims and _todo(node, wanted.aims[node.name])]
        plugins = self._plugins() if todo else {}

        def change(node: NodeState) -> None:
            self._change(node, wanted.aims[node.name], plugins.get(node.name))

        map_concurrently(change, todo, workers=self._workers, errors="all")
        replaced = {plugins[name].uid for name, aim in wanted.aims.items() if aim.restart and name in plugins}
        late = [node for node in nodes if node.name in wanted.aims and not wanted.aims[node.name].reached(node)]
        self._prove({node.name: wanted.aims[node.name] for node in (*todo, *late)}, replaced)
        write_config_map(self._client, wanted.during, wanted.after, clock=self._clock)
        return _facts(nodes, wanted)

    def _plugins(self) -> dict[str, PodState]:
        """The device plugin's pods by node."""
        path, query = f"/api/v1/namespaces/{self._namespace}/pods", {"labelSelector": f"app={PLUGIN}"}
        items = send(self._client, "GET", path, clock=self._clock, query=query).body.get("items") or []
        found = [pod for pod in map(pod_state, items) if pod is not None]
        return {pod.node: pod for pod in sorted(found, key=lambda pod: not pod.deleting)}

    def _change(self, node: NodeState, aim: Aim, plugin: PodState | None) -> None:
        """Label, then restart, then the stamp: killed in between, the restart happens again and does no harm."""
        if node.labels.get(PLUGIN_CONFIG) != aim.key:
            patch = {"metadata": {"labels": {PLUGIN_CONFIG: aim.key}}}
            patch_node(self._client, node.name, patch, clock=self._clock)
        if aim.restart:
            if plugin is not None:
                delete_pod(self._client, plugin, clock=self._clock)
            stamp = {"metadata": {"annotations": {RESTARTED: aim.change}}}
            patch_node(self._client, node.name, stamp, clock=self._clock)

    def _prove(self, aims: Mapping[str, Aim], replaced: Set[str]) -> None:
        """Wait until the nodes offer what they should, said by plugins that have read the new content.

        :param replaced: uids of plugin pods that were deleted: what they said does not count.
        """
        if not aims:
            return

        def look() -> tuple[bool, list[str]]:
            states = {state.name: state for state in map(node_state, list_nodes(self._client))}
            plugins = self._plugins() if replaced else {}
            gone = not replaced & {pod.uid for pod in plugins.values()}
            wrong = [
                f"node {name} offers {gpu_resources(states[name]) or 'nothing'} instead of {dict(aim.gives or {})}"
                for name, aim in sorted(aims.items())
                if name in states and not aim.reached(states[name])
            ]
            wrong += [
                f"node {name} has no running device plugin yet"
                for name, aim in sorted(aims.items())
                if replaced and aim.restart and not (name in plugins and plugins[name].running)
            ]
            return gone and not wrong, wrong

        def describe(wrong: list[str], elapsed: float) -> str:
            more = f"; and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
            return (
                f"{len(wrong)} of {len(aims)} nodes do not share as they should after {elapsed:.0f} s: "
                f"{'; '.join(wrong[:MOST_NAMED])}{more}. Look at the logs of {PLUGIN} in {self._namespace}"
            )

        wait_until(look, clock=self._clock, timeout=self._timeout, pace=Pace(0.2, 1.5, 5.0), describe=describe)


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("SPEC", "USE_CASE", "make_plan", "wanted_state")
