# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which nodes a node group gets, keeps and loses: a pure function of the group and the nodes that exist.

A version roll follows updateConfig as EKS does with the DEFAULT strategy: a new node first; when it is Ready, an old
one is cordoned, emptied through the eviction API and taken away; at most C(maxUnavailable) at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .model import FleetNode, NodeGroup, Subnet


@dataclass(frozen=True)
class FleetPlan:
    """What to do now.

    :param create: serial number and subnet of each node to create.
    :param drain: nodes to cordon and empty.
    """

    create: tuple[tuple[int, Subnet], ...] = ()
    drain: tuple[str, ...] = ()


def plan_fleet(group: NodeGroup, nodes: Sequence[FleetNode], *, next_serial: int) -> FleetPlan:
    """The next step of one group; calling it again after each step ends in the wanted state.

    :param nodes: the group's nodes.
    :param next_serial: the first serial number that no node of the group ever had.
    """
    active = [node for node in nodes if not node.draining]
    old = [node for node in active if node.origin.revision != group.revision]
    slots = max(0, group.parallel - sum(node.draining for node in nodes)) if old else 0
    allowed = group.wanted + (min(slots, len(old)) if group.wanted else 0)
    missing = max(0, allowed - len(active))
    create = _spread(group, active, missing, next_serial)
    return FleetPlan(create=create, drain=_surplus(group, active, old=old, slots=slots))


def _spread(group: NodeGroup, active: Iterable[FleetNode], count: int, serial: int) -> tuple[tuple[int, Subnet], ...]:
    if not group.subnets:
        return ()
    used = Counter(node.zone for node in active)
    created: list[tuple[int, Subnet]] = []
    for number in range(count):
        subnet = min(group.subnets, key=lambda candidate: used[candidate.zone])
        used[subnet.zone] += 1
        created.append((serial + number, subnet))
    return tuple(created)


def _surplus(group: NodeGroup, active: Sequence[FleetNode], *, old: Sequence[FleetNode], slots: int) -> tuple[str, ...]:
    if len(active) <= group.wanted:
        return ()
    if not old or group.wanted == 0:
        return tuple(node.name for node in _least_wanted(group, active)[: len(active) - group.wanted])
    ready = sum(node.ready for node in active)
    spare = max(0, ready - group.wanted)
    return tuple(node.name for node in _least_wanted(group, active)[: min(spare, max(slots, 0))])


def _least_wanted(group: NodeGroup, active: Sequence[FleetNode]) -> list[FleetNode]:
    """Old revisions first, then from the fullest zone, the youngest first: so zones stay even."""
    rest, ordered = list(active), []
    zones = Counter(node.zone for node in rest)
    while rest:
        victim = max(rest, key=lambda n: (n.origin.revision != group.revision, zones[n.zone], n.origin.serial))
        rest.remove(victim)
        zones[victim.zone] -= 1
        ordered.append(victim)
    return ordered


__all__ = ("FleetPlan", "plan_fleet")
