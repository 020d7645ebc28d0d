# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What network policies let through, by the rules of the API."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._conformance.network import End, Flow, Policies, selects

NAMESPACES = {"a": {"team": "one"}, "b": {}}
A, B = End("a", {"app": "one"}), End("b", {"app": "two"})


def named(namespace: str) -> dict[str, t.Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}


def policy(namespace: str, **spec: t.Any) -> dict[str, t.Any]:
    return {"metadata": {"namespace": namespace, "name": "x"}, "spec": {"podSelector": {}, **spec}}


DENY = [policy(name, policyTypes=["Ingress", "Egress"]) for name in ("a", "b")]
OUT = policy("a", policyTypes=["Egress"], egress=[{"to": [named("b")]}])
IN = policy("b", policyTypes=["Ingress"], ingress=[{"from": [named("a")]}])


def web(block: dict[str, t.Any]) -> dict[str, t.Any]:
    rule = {"to": [{"ipBlock": block}], "ports": [{"protocol": "TCP", "port": 443}]}
    return policy("a", policyTypes=["Egress"], egress=[rule])


@pytest.mark.parametrize(
    ("policies", "flow", "allowed"),
    [
        ([], Flow(A, B, 80), True),
        (DENY, Flow(A, B, 80), False),
        (DENY, Flow(End("c"), End("c"), 80), True),
        (DENY, Flow(End("c"), B, 80), False),
        ([*DENY, OUT], Flow(A, B, 80), False),
        ([*DENY, IN], Flow(A, B, 80), False),
        ([*DENY, OUT, IN], Flow(A, B, 80), True),
        ([*DENY, OUT, IN], Flow(B, A, 80), False),
        ([*DENY, web({"cidr": "0.0.0.0/0"})], Flow(A, End(address="52.1.2.3"), 443), True),
        ([*DENY, web({"cidr": "0.0.0.0/0"})], Flow(A, End(address="52.1.2.3"), 80), False),
        ([*DENY, web({"cidr": "0.0.0.0/0"})], Flow(A, End(address="52.1.2.3"), 443, "UDP"), False),
        ([*DENY, web({"cidr": "0.0.0.0/0"})], Flow(A, B, 443), False),
        ([*DENY, web({"cidr": "::/0"})], Flow(A, End(address="fd00:ec2::23"), 443), True),
        (
            [*DENY, web({"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]})],
            Flow(A, End(address="169.254.169.254"), 443),
            False,
        ),
        # A namespace and a pod selector in one peer must both match; a pod selector alone means the own namespace.
        (
            [policy("b", ingress=[{"from": [{**named("a"), "podSelector": {"matchLabels": {"app": "x"}}}]}])],
            Flow(A, B, 1),
            False,
        ),
        ([policy("b", ingress=[{"from": [{"podSelector": {}}]}])], Flow(A, B, 1), False),
        ([policy("b", ingress=[{"from": [{"podSelector": {}}]}])], Flow(End("b"), B, 1), True),
        (
            [policy("b", ingress=[{"from": [{"namespaceSelector": {"matchLabels": {"team": "one"}}}]}])],
            Flow(A, B, 1),
            True,
        ),
        ([policy("b", ingress=[{"from": [{"namespaceSelector": {}}]}])], Flow(A, B, 1), True),
        # A rule without peers or without ports is about all of them; a policy without types with egress is about both.
        ([policy("b", ingress=[{}])], Flow(A, B, 1), True),
        ([policy("a", egress=[{"ports": [{"port": 8000, "endPort": 9000}]}])], Flow(A, B, 8500), True),
        ([policy("a", egress=[{"ports": [{"port": 8000, "endPort": 9000}]}])], Flow(A, B, 9001), False),
        ([policy("a", egress=[{"ports": [{"port": "http"}]}])], Flow(A, B, 80), False),
        ([policy("b", podSelector={"matchLabels": {"app": "other"}})], Flow(A, B, 80), True),
    ],
)
def test_a_flow(policies: list[dict[str, t.Any]], flow: Flow, allowed: bool) -> None:
    assert Policies(policies, NAMESPACES).allows(flow) is allowed


@pytest.mark.parametrize(
    ("operator", "values", "matches"),
    [
        ("In", ["x", "y"], True),
        ("NotIn", ["x"], False),
        ("Exists", None, True),
        ("DoesNotExist", None, False),
    ],
)
def test_expressions_of_selectors(operator: str, values: list[str] | None, matches: bool) -> None:
    selector = {"matchExpressions": [{"key": "app", "operator": operator, **({"values": values} if values else {})}]}
    assert selects(selector, {"app": "x"}) is matches
    absent = {"Exists": False, "DoesNotExist": True, "In": False, "NotIn": True}[operator]
    assert selects(selector, {}) is absent
