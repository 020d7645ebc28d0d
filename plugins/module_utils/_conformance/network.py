# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What network policies let through: their semantics as the API defines them, without a packet.

A pod that no policy selects for a direction is open in it; one that some policy selects is closed but for what the
rules of all policies that select it add up to. A flow between two pods needs both: the
way out of the one and into the other.
An address block matches addresses; whether it also matches pods is left to the implementation, so here it does not.
Source: https://kubernetes.io/docs/concepts/services-networking/network-policies
"""

from __future__ import annotations

import ipaddress
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Live = Mapping[str, t.Any]
INGRESS, EGRESS = "Ingress", "Egress"
NAME_LABEL = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class End:
    """One end of a flow: pods of a namespace by their labels, or an address outside the cluster."""

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = ""

    def __str__(self) -> str:
        shown = ",".join(f"{key}={value}" for key, value in sorted(self.labels.items()))
        return self.address or f"{self.namespace}/{shown or 'any pod'}"


@dataclass(frozen=True)
class Flow:
    """Traffic that somebody asks about."""

    source: End
    target: End
    port: int
    protocol: str = "TCP"

    def __str__(self) -> str:
        return f"{self.source} to {self.target} port {self.port}/{self.protocol}"


class Policies:
    """All network policies and namespaces of a cluster.

    :param policies: the live NetworkPolicy objects.
    :param namespaces: labels of each namespace, by name.
    """

    def __init__(self, policies: Iterable[Live], namespaces: Mapping[str, Mapping[str, str]]) -> None:
        self._policies = tuple(policies)
        self._namespaces = namespaces

    def allows(self, flow: Flow) -> bool:
        """Whether the flow is let out of its source and into its target."""
        return self._open(EGRESS, flow.source, flow.target, flow) and self._open(
            INGRESS, flow.target, flow.source, flow
        )

    def _open(self, direction: str, here: End, there: End, flow: Flow) -> bool:
        if here.address:
            return True
        selecting = [
            one["spec"]
            for one in self._policies
            if one["metadata"]["namespace"] == here.namespace
            and direction in _directions(one["spec"])
            and selects(one["spec"].get("podSelector"), here.labels)
        ]
        return not selecting or any(
            self._matches(rule, there, here.namespace, flow, "to" if direction == EGRESS else "from")
            for spec in selecting
            for rule in spec.get(direction.lower()) or ()
        )

    def _matches(self, rule: Live, there: End, namespace: str, flow: Flow, key: str) -> bool:
        peers: Sequence[Live] = rule.get(key) or ()
        ports: Sequence[Live] = rule.get("ports") or ()
        reached = not peers or any(self._is_peer(peer, there, namespace) for peer in peers)
        return reached and (not ports or any(_is_port(port, flow) for port in ports))

    def _is_peer(self, peer: Live, there: End, namespace: str) -> bool:
        if there.address:
            return "ipBlock" in peer and _in_block(peer["ipBlock"], there.address)
        if "ipBlock" in peer:
            return False
        near = (
            selects(peer["namespaceSelector"], self._labels_of(there.namespace))
            if peer.get("namespaceSelector") is not None
            else there.namespace == namespace
        )
        return near and selects(peer.get("podSelector"), there.labels)

    def _labels_of(self, namespace: str) -> Mapping[str, str]:
        """Its labels; the API server gives every namespace its name as one, also those that are to come."""
        return {NAME_LABEL: namespace, **self._namespaces.get(namespace, {})}


def selects(selector: Live | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches; an empty or absent one matches everything."""
    chosen = selector or {}
    wanted: Mapping[str, str] = chosen.get("matchLabels") or {}
    return wanted.items() <= labels.items() and all(
        _expression(one, labels) for one in chosen.get("matchExpressions") or ()
    )


def _expression(one: Live, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(one["key"]), one.get("values") or ()
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[one["operator"]]


def _directions(spec: Live) -> Sequence[str]:
    return spec.get("policyTypes") or (INGRESS, *((EGRESS,) if spec.get("egress") else ()))


def _is_port(port: Live, flow: Flow) -> bool:
    """A named port is that of the container, which a flow does not tell: it does not match."""
    if (port.get("protocol") or "TCP") != flow.protocol:
        return False
    first = port.get("port")
    if first is None:
        return True
    return isinstance(first, int) and first <= flow.port <= int(port.get("endPort") or first)


def _in_block(block: Live, address: str) -> bool:
    found = ipaddress.ip_address(address)
    return found in ipaddress.ip_network(block["cidr"], strict=False) and not any(
        found in ipaddress.ip_network(hole, strict=False) for hole in block.get("except") or ()
    )


__all__ = ("End", "Flow", "Policies", "selects")
