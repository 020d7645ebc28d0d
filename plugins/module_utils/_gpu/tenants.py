# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The namespaces of the inventory with everything that follows from them: checked, completed, ready for templates."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from .._core.errors import PlatformError
from .._core.text import listed, unknown_name
from .quotas import Pools, resource_quota

LEVELS = ("restricted", "baseline", "privileged")
# Classes that Kubernetes brings and that only the cluster's own pods may use.
SYSTEM_PRIORITIES = ("system-cluster-critical", "system-node-critical")
NOTHING_SAID: Mapping[str, t.Any] = {
    "pod_security": "restricted",
    "priority_classes": (),
    "calls": (),
    "https": (),
    "egress": (),
    "mesh": True,
    "ingress_cidrs": (),
    "disruption_budgets": (),
    "limits": {},
}
Entries = Sequence[Mapping[str, t.Any]]


def tenants(
    namespaces: Entries,
    *,
    pools: Pools = (),
    quotas: Mapping[str, Mapping[str, t.Any]] | None = None,
    priority_classes: Sequence[str] = (),
    exceptions: Entries = (),
    other_namespaces: Sequence[str] = (),
    mig_strategy: str = "mixed",
) -> list[dict[str, t.Any]]:
    """The namespaces, each with C(callers) (who may reach it), C(foreign_priorities) and C(hard) (its quota).

    C(called_from_outside_mesh): whether somebody may reach it who has no identity of the mesh.

    :param namespaces: C(name) and what else is said; see NOTHING_SAID.
    :param quotas: namespace -> quota, as C(resource_quota) takes it.
    :param exceptions: C({namespace, level, reason}) of namespaces that Pod Security does not restrict.
    :param other_namespaces: namespaces of others that may be called.
    :raises PlatformError: a name that nothing answers to, a namespace twice, an exception that is not listed, or a
        quota that the pools cannot carry.
    """
    names = [str(one["name"]) for one in namespaces]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PlatformError(f"governance_namespaces: {listed(twice)} stand twice; names of namespaces are unique")
    for name in quotas or {}:
        if name not in names:
            raise PlatformError(f"governance_quotas: {unknown_name('namespace', str(name), names)}")
    levels = {str(one["namespace"]): str(one["level"]) for one in exceptions}
    found = [{**NOTHING_SAID, **one} for one in namespaces]
    for one in found:
        where = f"governance_namespaces: {one['name']}"
        _check_names(one["calls"], [*names, *other_namespaces], "namespace to call", where)
        _check_names(one["priority_classes"], priority_classes, "priority class", where)
        _check_level(one, levels, where)
        one["callers"] = [str(other["name"]) for other in found if one["name"] in other["calls"]]
        unmeshed = [other for other in found if one["name"] in other["calls"] and not other["mesh"]]
        one["called_from_outside_mesh"] = bool(unmeshed or one["ingress_cidrs"])
        one["foreign_priorities"] = [
            name for name in (*priority_classes, *SYSTEM_PRIORITIES) if name not in one["priority_classes"]
        ]
        wish = (quotas or {}).get(one["name"]) or {}
        one["hard"] = resource_quota(wish, pools, mig_strategy=mig_strategy, where=f"governance_quotas.{one['name']}")
    return found


def _check_names(names: Sequence[str], known: Sequence[str], kind: str, where: str) -> None:
    for name in names:
        if name not in known:
            raise PlatformError(f"{where}: {unknown_name(kind, str(name), known)}")


def _check_level(one: Mapping[str, t.Any], levels: Mapping[str, str], where: str) -> None:
    level = str(one["pod_security"])
    if level not in LEVELS:
        raise PlatformError(f"{where}: {unknown_name('Pod Security level', level, LEVELS)}")
    allowed = levels.get(str(one["name"]), LEVELS[0])
    if LEVELS.index(level) > LEVELS.index(allowed):
        raise PlatformError(
            f"{where}: its Pod Security is {level}, and governance_pod_security_exceptions allows {allowed}; list the "
            "namespace there with its level and the reason, or restrict it"
        )


__all__ = ("LEVELS", "tenants")
