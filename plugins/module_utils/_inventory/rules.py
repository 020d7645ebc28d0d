# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules between variables that no schema says: names, versions, zones, ranges, tenants, money."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from collections.abc import Callable, Mapping

from .._aws.tags import check_tags
from .._core.errors import PlatformError
from .._core.text import listed, nearest
from .._eks.preflight.plan import HOURS_PER_MONTH, pool_demand, price
from .._gpu.tenants import tenants
from .places import places
from .problems import Problem, not_among, problem
from .regions import REGIONS
from .roles import components
from .view import Inventory

CLUSTER_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,40}$")
BUCKET_PREFIX = re.compile(r"^[a-z0-9][a-z0-9-]{1,39}$")
VERSION = re.compile(r"^1\.(2[5-9]|[3-9]\d)$")
LUSTRE_STEP = 2400


def names(inventory: Inventory) -> list[Problem]:
    """Names of the cluster and of the buckets, the region, the version, the components, the tags."""
    found = []
    cluster = inventory.get("aiplatform_cluster")
    if cluster is not None and not CLUSTER_NAME.match(str(cluster)):
        found.append(
            problem(
                "aiplatform_cluster",
                f"aiplatform_cluster is {cluster!r}; wanted are 1 to 41 letters, digits, - and _, beginning with a "
                "letter or digit",
            )
        )
    prefix = inventory.get("foundation_bucket_prefix")
    if prefix is not None and not BUCKET_PREFIX.match(str(prefix)):
        found.append(
            problem(
                "foundation_bucket_prefix",
                f"foundation_bucket_prefix is {prefix!r}; wanted are 2 to 40 lower case letters, digits and -",
            )
        )
    region = inventory.get("aiplatform_region")
    if region is not None and region not in REGIONS:
        close = nearest(str(region), REGIONS)
        hint = f"; did you mean {close!r}?" if close else f"; EKS is in {listed(REGIONS)}"
        found.append(problem("aiplatform_region", f"aiplatform_region is {region!r}, where there is no EKS{hint}"))
    return found + _version(inventory) + _components(inventory) + _tags(inventory)


def _version(inventory: Inventory) -> list[Problem]:
    name = "aiplatform_kubernetes_version"
    version = inventory.get(name)
    if version is None or (isinstance(version, str) and VERSION.match(version)):
        return []
    hint = " in quotes: without them 1.30 is the number 1.3" if isinstance(version, float) else ""
    return [problem(name, f'{name} is {version!r}; wanted is a minor version such as "1.36"{hint}')]


def _components(inventory: Inventory) -> list[Problem]:
    known, wanted = components(inventory.roles), inventory.get("aiplatform_components", [])
    if not isinstance(wanted, list):
        return [problem("aiplatform_components", f"found {wanted!r}; wanted is a list of {listed(known)}")]
    return [
        not_among(f"aiplatform_components[{index}]", name, known)
        for index, name in enumerate(wanted)
        if name not in known
    ]


def _tags(inventory: Inventory) -> list[Problem]:
    tags = inventory.get("aiplatform_tags", {})
    try:
        check_tags({str(key): str(value) for key, value in tags.items()}, of="aiplatform_tags")
    except PlatformError as error:
        return [problem("aiplatform_tags", error.message)]
    return []


def network(inventory: Inventory) -> list[Problem]:
    """Zones, the network's range, an existing network, and the fast file system in a zone of them."""
    if "foundation_existing_network" in inventory.broken:
        return []
    found, broken = [], inventory.broken
    region, zones = inventory.get("aiplatform_region"), inventory.get("foundation_zones")
    if zones is None and region and "foundation_zones" not in broken:
        zones = [f"{region}{letter}" for letter in "abc"]
    existing = inventory.get("foundation_existing_network", {})
    if not existing:
        found += _zones(zones, region) if zones is not None else []
        found += _range(inventory.get("foundation_vpc_cidr")) if "foundation_vpc_cidr" not in broken else []
    elif missing := [name for name in ("vpc_id", "private_subnet_ids") if not existing.get(name)]:
        found.append(
            problem(
                "foundation_existing_network",
                f"foundation_existing_network has no {listed(missing)}; name them, or leave the variable empty and a "
                "network is made",
            )
        )
    return found + _lustre(inventory, [] if existing else zones or [])


def _zones(zones: list[str], region: t.Any) -> list[Problem]:
    name = "foundation_zones"
    if len(zones) != 3 or len(set(zones)) != 3:
        return [problem(name, f"{name} is {listed(zones)}; wanted are three different zones")]
    pattern = re.compile(rf"^{re.escape(str(region))}[a-z]$")
    return [
        problem(f"{name}[{index}]", f"{name}[{index}] is {zone!r}; wanted is a zone of {region}, such as {region}a")
        for index, zone in enumerate(zones)
        if region in REGIONS and not pattern.match(str(zone))
    ]


def _range(text: t.Any) -> list[Problem]:
    name = "foundation_vpc_cidr"
    try:
        block = ipaddress.ip_network(str(text))
    except ValueError as error:
        return [problem(name, f"{name} is {text!r}: {error}; wanted is a range such as 10.0.0.0/16")]
    if block.version != 4 or not 16 <= block.prefixlen <= 18:
        return [problem(name, f"{name} is {text!r}; wanted is an IPv4 range from /16 to /18, such as 10.0.0.0/16")]
    if not block.is_private:
        return [problem(name, f"{name} is {text!r}, which is not private; wanted is a range such as 10.0.0.0/16")]
    return []


def _lustre(inventory: Inventory, zones: list[str]) -> list[Problem]:
    if not inventory.get("foundation_fsx", False):
        return []
    found = []
    size = int(inventory.get("foundation_fsx_storage_gib", 1200))
    if size not in (1200, LUSTRE_STEP) and (size <= 0 or size % LUSTRE_STEP):
        near = 1200 if size <= 1200 else (size // LUSTRE_STEP + 1) * LUSTRE_STEP
        found.append(
            problem(
                "foundation_fsx_storage_gib",
                f"foundation_fsx_storage_gib is {size}; possible are 1200, 2400 and multiples of 2400: "
                f"the next is {near}",
            )
        )
    zone = inventory.get("foundation_fsx_zone")
    if zone is not None and zones and zone not in zones:
        found.append(not_among("foundation_fsx_zone", zone, zones))
    return found


def governance(inventory: Inventory) -> list[Problem]:
    """Tenants, one by one: their names, priorities, exceptions and quotas against what the pools can have."""
    parts = (
        "governance_namespaces",
        "governance_priority_classes",
        "governance_pod_security_exceptions",
        "governance_quotas",
        "aiplatform_node_pools",
    )
    if inventory.broken & set(parts) or "governance" not in inventory.roles:
        return []
    spaces: list[Mapping[str, t.Any]] = inventory.get(parts[0], [])
    shared: dict[str, t.Any] = {
        "pools": inventory.pools,
        "priority_classes": [str(one["name"]) for one in inventory.get(parts[1], [])],
        "exceptions": inventory.get(parts[2], []),
        "mig_strategy": str(inventory.get("aiplatform_mig_strategy", "mixed")),
    }
    others = [str(one["name"]) for one in spaces] + list(inventory.get("governance_other_namespaces", []))
    quotas: Mapping[str, t.Any] = inventory.get(parts[3], {})
    found = _said(lambda: tenants(spaces, other_namespaces=others, **{**shared, "pools": []}), parts[0])
    for name, quota in quotas.items():
        only = [one for one in spaces if one["name"] == name]
        if only:
            found += _said(
                lambda only=only, name=name, quota=quota: tenants(  # type: ignore[misc]
                    only, quotas={name: quota}, other_namespaces=others, **shared
                ),
                f"governance_quotas.{name}",
            )
        else:
            found.append(not_among(f"governance_quotas.{name}", name, [one["name"] for one in spaces]))
    return found


def _said(action: Callable[[], object], variable: str) -> list[Problem]:
    try:
        action()
    except PlatformError as error:
        return [problem(variable, error.message)]
    return []


def volumes(inventory: Inventory) -> list[Problem]:
    """Shared volumes whose file system the foundation makes."""
    found = []
    needs = {"efs": "foundation_efs", "fsx": "foundation_fsx"}
    for index, volume in enumerate(inventory.get("storage_shared_volumes", [])):
        switch = needs.get(str(volume.get("source")))
        if switch and switch not in inventory.broken and not inventory.get(switch, False):
            found.append(
                problem(
                    f"storage_shared_volumes[{index}].source",
                    f"storage_shared_volumes[{index}].source is {volume['source']}, but {switch} is false; set "
                    f"{switch}: true, or choose another source",
                )
            )
    return found


def budget(inventory: Inventory) -> list[Problem]:
    """The price of the first nodes, by the table, against the budget."""
    name = "aiplatform_budget_per_month"
    limit = inventory.get(name)
    if limit is None or "aiplatform_node_pools" in inventory.broken:
        return []
    if float(limit) <= 0:
        return [problem(name, f"{name} is {limit}; wanted is a sum of USD above 0")]
    demands = [pool_demand(pool) for pool in inventory.pools]
    table = {entry.name: entry.price for demand in demands for entry in demand.types}
    monthly = price(demands, table).first * HOURS_PER_MONTH
    if monthly <= float(limit):
        return []
    return [
        problem(
            name,
            f"{name} is {float(limit):,.0f}, but the first nodes cost {monthly:,.0f} USD a month (table of us-east-1, "
            "on demand); lower scaling.min or scaling.desired of the dearest pools, or raise the budget",
        )
    ]


RULES: tuple[Callable[[Inventory], list[Problem]], ...] = (names, network, governance, volumes, places, budget)

__all__ = ("RULES",)
