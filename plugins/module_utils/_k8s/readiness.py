# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an object has reached what its spec asks for: kstatus' rules (cli-utils 0.37) with their holes closed.

Closed holes: a Job is ready when it is complete, not when it has started; a failed Pod is a failure; a load balancer
needs its address; an APIService and known custom resources need their condition even before a controller has seen them;
C(status.conditions) may be JSON null.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .kind_readiness import CURRENT, KIND_RULES, Live, Readiness, by_ready_condition, failed, progressing, words
from .objects import condition_of, ref_of


@dataclass(frozen=True)
class WaitRule:
    """When an object counts as ready, said by the user or by our table instead of the kind's own rule.

    :param kind: the objects' kind.
    :param group: their API group; None for any.
    :param namespace: their namespace; None for any.
    :param name: their name; None for any.
    :param condition: the type of a condition that must have C(status).
    :param query: a JMESPath expression over the object that must give C(value), or anything true without one.
    :param skip: do not wait for these objects at all.
    """

    kind: str
    group: str | None = None
    namespace: str | None = None
    name: str | None = None
    condition: str | None = None
    status: str = "True"
    query: str | None = None
    value: t.Any = None
    skip: bool = False

    def matches(self, live: Live) -> bool:
        """Whether the rule speaks of this object."""
        ref = ref_of(live)
        wanted = (
            (self.kind, ref.kind),
            (self.group, ref.group),
            (self.namespace, ref.namespace),
            (self.name, ref.name),
        )
        return all(one is None or one == other for one, other in wanted)


KNOWN_RULES = (
    WaitRule("APIService", "apiregistration.k8s.io", condition="Available"),
    WaitRule("Certificate", "cert-manager.io", condition="Ready"),
    WaitRule("Issuer", "cert-manager.io", condition="Ready"),
    WaitRule("ClusterIssuer", "cert-manager.io", condition="Ready"),
    WaitRule("ExternalSecret", "external-secrets.io", condition="Ready"),
    WaitRule("SecretStore", "external-secrets.io", condition="Ready"),
    WaitRule("ClusterSecretStore", "external-secrets.io", condition="Ready"),
    WaitRule("EC2NodeClass", "karpenter.k8s.aws", condition="Ready"),
    WaitRule("NodePool", "karpenter.sh", condition="Ready"),
    WaitRule("InferenceService", "serving.kserve.io", condition="Ready"),
    WaitRule("ScaledObject", "keda.sh", condition="Ready"),
    WaitRule("ClusterQueue", "kueue.x-k8s.io", condition="Active"),
    WaitRule("LocalQueue", "kueue.x-k8s.io", condition="Active"),
    WaitRule("ClusterPolicy", "nvidia.com", query="status.state", value="ready"),
    WaitRule("RayCluster", "ray.io", query="status.state", value="ready"),
)


def readiness(
    live: Live, *, rules: Iterable[WaitRule] = (), search: Callable[[str, t.Any], t.Any] | None = None
) -> Readiness:
    """How far the object is.

    :param rules: the user's own; they win over the table, the table over the kind's rule.
    :param search: evaluates a JMESPath expression; needed when a rule has a query.
    """
    rule = next((rule for rule in (*rules, *KNOWN_RULES) if rule.matches(live)), None)
    if rule and rule.skip:
        return CURRENT
    if (live.get("metadata") or {}).get("deletionTimestamp"):
        return Readiness("terminating", "is being deleted")
    if common := _common(live):
        return common
    if rule and (rule.condition or rule.query):
        return _by_rule(live, rule, search)
    return KIND_RULES.get(ref_of(live).group_kind, by_ready_condition)(live)


def _common(live: Live) -> Readiness | None:
    status = live.get("status") or {}
    observed = status.get("observedGeneration")
    if observed is not None and observed != live["metadata"].get("generation"):
        return progressing("its controller has not seen the newest change")
    if (stalled := condition_of(live, "Stalled")).get("status") == "True":
        return failed(words(stalled, "is stalled"))
    if (reconciling := condition_of(live, "Reconciling")).get("status") == "True":
        return progressing(words(reconciling, "is being reconciled"))
    return None


def _by_rule(live: Live, rule: WaitRule, search: Callable[[str, t.Any], t.Any] | None) -> Readiness:
    if rule.condition:
        condition = condition_of(live, rule.condition)
        if condition.get("status") != rule.status:
            return progressing(words(condition, f"condition {rule.condition} is {condition.get('status', 'absent')}"))
    if rule.query:
        found = search(rule.query, live) if search else None
        if found != rule.value if rule.value is not None else not found:
            wanted = f", wanted is {rule.value!r}" if rule.value is not None else ""
            return progressing(f"{rule.query} is {found!r}{wanted}")
    return CURRENT


__all__ = ("KNOWN_RULES", "Readiness", "WaitRule", "readiness")
