# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the namespaces that components stand in are ones that somebody makes.

Check mode foresees what stands in a namespace that is to come. A misspelt one never comes: only here can that be told.
"""

from __future__ import annotations

from collections.abc import Iterator

from .problems import Problem, not_among
from .view import Inventory

TENANTS, OTHERS, VOLUMES = "governance_namespaces", "governance_other_namespaces", "storage_shared_volumes"
# Components that stand in a tenant's namespace, and the variable that names it.
TENANTS_COMPONENTS = {"mlflow": "mlflow_namespace", "vllm": "vllm_namespace"}


def places(inventory: Inventory) -> list[Problem]:
    """Namespaces of components and of shared volumes that are neither a tenant's nor said to be somebody else's."""
    if inventory.broken & {TENANTS, OTHERS, VOLUMES} or "governance" not in inventory.roles:
        return []
    tenants = [str(one["name"]) for one in inventory.get(TENANTS, [])]
    known = [*tenants, *map(str, inventory.get(OTHERS, []))]
    return [
        Problem(found.variable, f"{found.message}; list one that is there already in {OTHERS}")
        for variable, name in _named(inventory)
        if name not in known
        for found in (not_among(variable, name, known),)
    ]


def _named(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """Variables that name namespaces, each with a name."""
    chosen = inventory.get("aiplatform_components", [])
    for component, variable in TENANTS_COMPONENTS.items():
        if component in chosen and (name := inventory.get(variable)):
            yield variable, str(name)
    for index, volume in enumerate(inventory.get(VOLUMES, [])):
        for at, name in enumerate(volume.get("namespaces") or ()):
            yield f"{VOLUMES}[{index}].namespaces[{at}]", str(name)


__all__ = ("places",)
