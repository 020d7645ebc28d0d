# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection-wide variables, C(aiplatform_*)."""

from __future__ import annotations

import typing as t

from .._eks.node_pools.options import POOL
from .._eks.node_pools.options import SPEC as POOLS

Options = dict[str, dict[str, t.Any]]
PREFIX = "aiplatform_"

# A pool of the inventory: what eks_node_pools takes, and what the labels, taints and shares follow from.
POOL_OF_INVENTORY: Options = {
    **POOL,
    "gpu_sharing": {"type": "dict"},
    "purpose": {"type": "str"},
}

# Namespaces that one role makes and others must know of.
NAMESPACES: Options = {
    name: {"type": "str"}
    for name in ("gpu_operator", "linkerd", "linkerd_cni", "linkerd_viz", "monitoring", "monitoring_nodes")
}

VARIABLES: Options = {
    "aiplatform_cloud": {"type": "str", "choices": ["aws", "local"]},
    "aiplatform_cluster": {"type": "str", "required": True},
    "aiplatform_region": {"type": "str", "required": True},
    "aiplatform_environment": {"type": "str"},
    "aiplatform_kubernetes_version": {"type": "str"},
    "aiplatform_node_pools": {
        **POOLS.options["pools"],
        "options": POOL_OF_INVENTORY,
    },
    "aiplatform_pool_scaling": {"type": "dict"},
    "aiplatform_components": {"type": "list", "elements": "str"},
    "aiplatform_remove_unlisted": {"type": "bool"},
    "aiplatform_namespaces": {"type": "dict", "options": NAMESPACES},
    "aiplatform_tags": {"type": "dict"},
    "aiplatform_cost_center": {"type": "str"},
    "aiplatform_mig_strategy": {"type": "str", "choices": ["none", "single", "mixed"]},
    "aiplatform_budget_per_month": {"type": "float"},
    "aiplatform_chart_mirror": {"type": "str"},
    "aiplatform_stand_in_charts": {"type": "bool"},
    "aiplatform_poll_interval": {"type": "float"},
    "aiplatform_in_process": {"type": "bool"},
    "aiplatform_private_variables": {"type": "list", "elements": "str"},
}

__all__ = ("POOL_OF_INVENTORY", "PREFIX", "VARIABLES")
