# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The use case of mig_profiles: layouts of live pools, rolled node by node."""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from .._core.argument_spec import ArgumentSpec
from .._core.errors import PlatformError
from .._core.outcome import Context, Outcome, UseCase, converge
from .._core.plan import Plan, Step
from .._core.text import listed
from .._gpu.mig_parted import DISABLED, mig_parted_document, read_mig_parted
from .._gpu.policy import SharingPolicy, sharing_policies
from .._gpu.policy_cluster import MIG_CONFIG_MAP, mig_layouts
from .._gpu.policy_nodes import DEPLOY, MIG_CONFIG, POOL_LABEL, allocatable
from .._k8s.client import KubeClient
from .._k8s.connection import CONNECTION_SPEC
from .._k8s.nodes import NodeState, node_state
from .._k8s.nodes_info import list_nodes
from .._k8s.to_come import connect
from .config_maps import ConfigMap, absence, from_text, read_config_map, to_text, write_config_map
from .roll import MIG_STATE, RollSettings, Target, gpu_resources, held, node_slots
from .roller import NodeResult, Roller

LAYOUTS_KEY = "config.yaml"
NEW_LAYOUTS = "aiplatform.eks/new-layouts"
INSTANCE_LABEL = "node.kubernetes.io/instance-type"
MOST_NAMED = 5
DRAIN: dict[str, t.Any] = {
    "on_blocked": {"type": "str", "choices": ["wait", "skip", "fail"], "default": "wait"},
    "timeout": {"type": "int", "default": 900},
    "grace_period": {"type": "int"},
    "evict_unmanaged": {"type": "bool", "default": False},
}
SHARED_OPTIONS: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "node_pools": {"type": "list", "elements": "dict", "required": True},
    "mig_strategy": {"type": "str", "choices": ["none", "single", "mixed"], "default": "mixed"},
    "namespace": {"type": "str", "default": "gpu-operator"},
    "pool_label": {"type": "str", "default": POOL_LABEL},
    "apply_to_nodes": {"type": "bool", "default": True},
}
SPEC = ArgumentSpec(
    options={
        **SHARED_OPTIONS,
        "config_map": {"type": "str", "default": MIG_CONFIG_MAP},
        "max_unavailable": {"type": "str", "default": "1"},
        "max_failures": {"type": "int", "default": 0},
        "drain": {"type": "dict", "options": DRAIN, "apply_defaults": True},
        "node_timeout": {"type": "int", "default": 900},
        "verify_timeout": {"type": "int", "default": 300},
        "retries": {"type": "int", "default": 2},
    }
).merge(CONNECTION_SPEC)


@dataclass(frozen=True)
class Live:
    """What the cluster says before anything is done.

    :param nodes: all nodes.
    """

    config_map: ConfigMap
    nodes: tuple[NodeState, ...]


@dataclass(frozen=True)
class Wanted:
    """What shall be.

    :param during: the ConfigMap while nodes still have their old layouts; C(after) when they have the new ones.
    """

    during: ConfigMap
    after: ConfigMap
    targets: Mapping[str, Target]


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:
    """Make the layouts of the live nodes those of the pools."""
    policies = sharing_policies(options["node_pools"], mig_strategy=options["mig_strategy"])
    client = connect(options, context)
    config_map = read_config_map(client, options["namespace"], options["config_map"], clock=context.clock)
    if options["state"] == "absent":
        empty = Live(config_map, ())
        return absence(client, config_map, context, _facts({}, empty, Wanted(config_map, config_map, {})))
    live = Live(
        config_map=config_map,
        nodes=tuple(node_state(node) for node in list_nodes(client)),
    )
    wanted = wanted_state(policies, live, options)
    settings = roll_settings(options, len(wanted.targets))
    plan = make_plan(live, wanted, policies)
    return converge(
        plan,
        context,
        apply=lambda _plan: _apply(client, context, live, wanted, settings),
        predict=lambda _plan: _predicted(live, wanted),
    )


def roll_settings(options: Mapping[str, t.Any], nodes: int) -> RollSettings:
    """The module's options as settings.

    :raises PlatformError: max_unavailable is neither a number nor a percentage.
    """
    try:
        places = node_slots(str(options["max_unavailable"]), max(1, nodes))
    except ValueError as error:
        raise PlatformError(
            f"max_unavailable is {options['max_unavailable']!r}; wanted is a number of nodes (2) or a percentage (10%)"
        ) from error
    drain = options["drain"]
    return RollSettings(
        max_unavailable=places,
        max_failures=options["max_failures"],
        node_timeout=options["node_timeout"],
        verify_timeout=options["verify_timeout"],
        drain_timeout=drain["timeout"],
        on_blocked=drain["on_blocked"],
        evict_unmanaged=drain["evict_unmanaged"],
        grace=drain.get("grace_period"),
        retries=options["retries"],
    )


def wanted_state(policies: Sequence[SharingPolicy], live: Live, options: Mapping[str, t.Any]) -> Wanted:
    """What the pools ask of the ConfigMap and of each node.

    :raises PlatformError: the live ConfigMap cannot be read, or a node is of another type than its pool.
    """
    layouts = mig_layouts(policies)
    text = live.config_map.data.get(LAYOUTS_KEY, "")
    document = from_text(text, where=str(live.config_map)) if text else None
    known = read_mig_parted(document, where=str(live.config_map)) if document else {}
    by_pool = {policy.pool: policy for policy in policies if policy.has_gpu and not policy.bottlerocket}
    pending = set(filter(None, live.config_map.annotations.get(NEW_LAYOUTS, "").split(",")))
    new = {name for name in layouts if live.config_map.exists and name not in known} | (pending & set(layouts))
    targets: dict[str, Target] = {}
    for node in live.nodes if options["apply_to_nodes"] else ():
        policy = by_pool.get(node.labels.get(options["pool_label"], ""))
        target = _target(node, policy, new) if policy else None
        if target is not None:
            targets[node.name] = target
    used = {node.labels[MIG_CONFIG] for node in live.nodes if MIG_CONFIG in node.labels}
    stays = {node.labels[MIG_CONFIG] for node in live.nodes if MIG_CONFIG in node.labels and node.name not in targets}
    during = {name: known[name] for name in used if name in known} | layouts
    after = {name: known[name] for name in stays if name in known} | layouts
    place = (options["namespace"], options["config_map"])
    marks = {NEW_LAYOUTS: ",".join(sorted(new))} if new else {}
    left = {} if options["apply_to_nodes"] else marks
    return Wanted(
        during=ConfigMap(*place, data={LAYOUTS_KEY: to_text(mig_parted_document(during))}, annotations=marks),
        after=ConfigMap(*place, data={LAYOUTS_KEY: to_text(mig_parted_document(after))}, annotations=left),
        targets=targets,
    )


def _target(node: NodeState, policy: SharingPolicy, new: set[str]) -> Target | None:
    """What a node of a pool is to become; None when mig-manager has no business on it."""
    if policy.applied_by != "mig_manager":
        return None
    manager = f"{DEPLOY}mig-manager"
    if policy.layout is None and node.labels.get(MIG_CONFIG, DISABLED) == DISABLED and not held(node):
        return None  # never was a MIG node, or is none any more
    one = next((each for each in policy.types if each.name == node.labels.get(INSTANCE_LABEL)), None)
    if one is None:
        raise PlatformError(
            f"node {node.name} of pool {policy.pool} is a {node.labels.get(INSTANCE_LABEL, 'node without a type')}; "
            f"the pool's instance types are {listed(each.name for each in policy.types)}: its layout cannot be derived"
        )
    name = policy.layout.name if policy.layout else DISABLED
    return Target(
        pool=policy.pool,
        layout=name,
        allocatable={key: count for key, count in allocatable(policy, one).items() if key.startswith("nvidia.com/")},
        labels={manager: "true"} if node.labels.get(manager) == "false" else {},
        fresh=name in new,
    )


def make_plan(live: Live, wanted: Wanted, policies: Iterable[SharingPolicy]) -> Plan:
    """A step for the ConfigMap, and one for each node that is not right."""
    steps: list[Step] = []
    before, after = live.config_map, wanted.after
    if not before.exists:
        steps.append(Step("create", str(after), None, dict(after.data)))
    elif (before.data, before.annotations) != (after.data, after.annotations):
        steps.append(
            Step("update", str(after), {**before.data, **before.annotations}, {**after.data, **after.annotations})
        )
    for node in live.nodes:
        target = wanted.targets.get(node.name)
        if target is None or (target.reached(node) and not held(node)):
            continue
        steps.append(Step("roll", f"node {node.name} of pool {target.pool}", _said(node), _promised(target)))
    return Plan(tuple(steps), warnings=tuple(warning for policy in policies for warning in policy.warnings))


def _said(node: NodeState) -> dict[str, t.Any]:
    return {
        "layout": node.labels.get(MIG_CONFIG),
        "state": node.labels.get(MIG_STATE),
        "resources": gpu_resources(node),
        "held": held(node),
    }


def _promised(target: Target) -> dict[str, t.Any]:
    return {"layout": target.layout, "state": "success", "resources": dict(target.allocatable), "held": False}


def _facts(results: Mapping[str, NodeResult], live: Live, wanted: Wanted) -> dict[str, t.Any]:
    before = {node.name: node.labels.get(MIG_CONFIG) for node in live.nodes}
    nodes = {
        name: {**asdict(result), "layout": wanted.targets[name].layout, "layout_before": before[name]}
        for name, result in sorted(results.items())
    }
    counts = Counter(result.result for result in results.values())
    return {
        "config_map": {"namespace": wanted.after.namespace, "name": wanted.after.name},
        "nodes": nodes,
        "counts": {kind: counts[kind] for kind in ("changed", "unchanged", "skipped", "failed", "waiting")},
    }


def _predicted(live: Live, wanted: Wanted) -> dict[str, t.Any]:
    by_name = {node.name: node for node in live.nodes}
    results = {}
    for name, target in wanted.targets.items():
        right = target.reached(by_name[name]) and not held(by_name[name])
        results[name] = NodeResult(target.pool, "unchanged" if right else "changed")
    return _facts(results, live, wanted)


def _apply(
    client: KubeClient, context: Context, live: Live, wanted: Wanted, settings: RollSettings
) -> Mapping[str, t.Any]:
    write_config_map(client, live.config_map, wanted.during, clock=context.clock)
    results: dict[str, NodeResult] = {}
    if wanted.targets:
        results = Roller(client, clock=context.clock, targets=wanted.targets, settings=settings).run()
    facts = _facts(results, live, wanted)
    _raise_failures(results, facts)
    if all(result.result in ("changed", "unchanged") for result in results.values()):
        write_config_map(client, wanted.during, wanted.after, clock=context.clock)
    return facts


def _raise_failures(results: Mapping[str, NodeResult], facts: Mapping[str, t.Any]) -> None:
    failed = {name: result for name, result in sorted(results.items()) if result.result == "failed"}
    waiting = [name for name, result in results.items() if result.result == "waiting"]
    if not failed and not waiting:
        return
    said = [f"node {name}: {result.message}" for name, result in list(failed.items())[:MOST_NAMED]]
    if len(failed) > MOST_NAMED:
        said.append(f"and {len(failed) - MOST_NAMED} more")
    if waiting:
        why = "after these failures" if failed else "because as many nodes as max_unavailable allows are out already"
        said.append(f"{len(waiting)} node(s) were not begun {why}")
    raise PlatformError("; ".join(said) + ". Run the task again: it goes on from here", changed=True, **facts)


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = (
    "INSTANCE_LABEL",
    "SHARED_OPTIONS",
    "USE_CASE",
    "Live",
    "Wanted",
    "make_plan",
    "roll_settings",
    "wanted_state",
)
