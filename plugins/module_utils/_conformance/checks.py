# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks: each takes what was asked and the world, and gives a sentence for everything that is not so."""

from __future__ import annotations

import ipaddress
import typing as t
from collections.abc import Callable, Iterator, Mapping

from .._core.errors import PlatformError
from .._gpu.policy import sharing_policies
from .._gpu.policy_nodes import POOL_LABEL
from .._k8s.client import Object
from .._k8s.nodes import node_state
from .._k8s.objects import ref_of
from .._k8s.readiness import readiness
from .._sharing.gpu_sharing_info import cluster_policy, complaints, node_facts
from .choice import Asked, is_meant, missing
from .network import End, Flow
from .services import SERVICE_KINDS, services
from .world import NAMESPACE, NODE, POLICY, Kind, World, search


def objects(asked: Asked, world: World) -> Iterator[str]:
    """Objects of a kind are there, as many as wanted, ready, and hold what is wanted."""
    kind = str(asked["kind"])
    found = world.objects(str(asked["api_version"]), kind)
    if found is None:
        if asked.get("optional"):
            return
        yield f"the cluster serves no {kind} in {asked['api_version']}"
        return
    chosen = [one for one in found if is_meant(asked, one)]
    yield from missing(asked, chosen)
    for one in chosen:
        if asked.get("ready") and not (state := readiness(one, search=search())).ready:
            yield f"{ref_of(one)} {state.message or state.state}"
        if query := asked.get("query"):
            yield from _unlike(one, str(query), asked.get("value"))


def _unlike(one: Object, query: str, wanted: t.Any) -> Iterator[str]:
    if one["kind"] == "Secret":
        raise PlatformError(
            f"a check queries {query} of {ref_of(one)}: what a Secret holds is not shown; check its name"
        )
    found = search()(query, one)
    if (found != wanted) if wanted is not None else not found:
        yield f"{ref_of(one)}: {query} is {found!r}" + ("" if wanted is None else f", wanted is {wanted!r}")


def gpu_sharing(asked: Asked, world: World) -> Iterator[str]:
    """Nodes offer what their pools' sharing policies promise."""
    policies = sharing_policies(asked["node_pools"], mig_strategy=str(asked.get("mig_strategy") or "mixed"))
    nodes = [node_state(one) for one in world.objects(*NODE) or ()]
    facts = {
        "cluster_policy": cluster_policy(world.client, world.clock),
        "nodes": node_facts(policies, nodes, POOL_LABEL),
    }
    yield from complaints(facts, managed=any(one.has_gpu and not one.bottlerocket for one in policies))


def releases(asked: Asked, world: World) -> Iterator[str]:
    """Every release of the cluster is deployed, and those that are named are there."""
    for (namespace, name), history in sorted(world.releases.items()):
        if history.newest.status != "deployed":
            yield f"release {namespace}/{name} is {history.newest.status} (revision {history.newest.revision})"
    for one in asked.get("named") or ():
        found = world.releases.get((one["namespace"], one["name"]))
        if found is None:
            yield f"release {one['namespace']}/{one['name']} is not there"
        elif one.get("version") and found.newest.chart_version != one["version"]:
            yield (
                f"release {one['namespace']}/{one['name']} is of chart version {found.newest.chart_version}, wanted is "
                f"{one['version']}"
            )


def refused(asked: Asked, world: World) -> Iterator[str]:
    """The API server refuses an object, for the reason that is wanted."""
    document = asked["object"]
    said = world.refusal(document)
    if said is None:
        yield f"the API server takes {ref_of(document)}, wanted is its refusal ({asked['because']})"
    elif str(asked["because"]) not in said:
        yield f"{ref_of(document)} is refused, but not for {asked['because']!r}: {said}"


def network(asked: Asked, world: World) -> Iterator[str]:
    """Network policies let through what they should, and nothing else of what is asked."""
    for one in asked["flows"]:
        flow = Flow(_end(one["source"]), _end(one["target"]), int(one["port"]), str(one.get("protocol") or "TCP"))
        if world.policies.allows(flow) != one["allowed"]:
            yield f"{flow} is {'denied' if one['allowed'] else 'allowed'} by the network policies"


def _end(said: Asked) -> End:
    if address := said.get("address"):
        try:
            ipaddress.ip_address(str(address))
        except ValueError as error:
            raise PlatformError(
                f"a flow names the address {str(address)!r}; wanted is one IPv4 or IPv6 address such as 192.0.2.1"
            ) from error
    return End(
        namespace=str(said.get("namespace") or ""),
        labels=said.get("labels") or {},
        address=str(said.get("address") or ""),
    )


KINDS_OF: Mapping[str, Callable[[Asked], tuple[Kind, ...]]] = {
    "objects": lambda asked: ((str(asked["api_version"]), str(asked["kind"])),),
    "gpu_sharing": lambda _asked: (NODE,),
    "network": lambda _asked: (NAMESPACE, POLICY),
    "services": lambda _asked: SERVICE_KINDS,
}
EVALUATORS: Mapping[str, Callable[[Asked, World], Iterator[str]]] = {
    "objects": objects,
    "gpu_sharing": gpu_sharing,
    "releases": releases,
    "refused": refused,
    "network": network,
    "services": services,
}

__all__ = ("EVALUATORS", "KINDS_OF")
