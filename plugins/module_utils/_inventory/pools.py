# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The node pools, one by one: what eks_node_pools refuses, what a sharing policy refuses, names that stand twice."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._core.errors import PlatformError
from .._core.text import listed
from .._eks.node_pools.options import SPEC
from .._eks.node_pools.spec import specs_of
from .._gpu.policy import sharing_policy
from .._gpu.policy_boot import boot_settings_for
from .problems import Problem, problem
from .view import Inventory

NAME = "aiplatform_node_pools"
OF_POLICY = ("gpu_sharing", "purpose")
Pool = Mapping[str, t.Any]


def pool_problems(inventory: Inventory) -> list[Problem]:
    """What is wrong with pools whose schema is right."""
    pools = inventory.pools
    if NAME in inventory.broken:
        return []
    if not pools:
        return [problem(NAME, f"{NAME} is empty; name at least one node pool, such as system")]
    names = [str(pool["name"]) for pool in pools]
    found = [
        problem(NAME, f"{NAME}: {listed(twice)} stands there more than once; a name is one node pool")
        for twice in [sorted({name for name in names if names.count(name) > 1})]
        if twice
    ]
    strategy = str(inventory.get("aiplatform_mig_strategy", "mixed"))
    for index, pool in enumerate(pools):
        found += _of_pool(pool, f"{NAME}[{index}]", strategy)
    return found


def _of_pool(pool: Pool, where: str, strategy: str) -> list[Problem]:
    def policy() -> None:
        if found := sharing_policy(pool, mig_strategy=strategy):
            boot_settings_for(pool, found)

    def spec() -> None:
        own = {key: value for key, value in pool.items() if key not in OF_POLICY}
        options = {"pools": SPEC.options["pools"], "on_immutable": SPEC.options["on_immutable"]}
        checked = ArgumentSpecValidator(options).validate({"pools": [own]})
        if checked.error_messages:
            raise PlatformError("; ".join(checked.error_messages))
        specs_of(checked.validated_parameters)

    def minimum() -> None:
        if (pool.get("scaling") or {}).get("max") is None:
            raise PlatformError(
                f"node pool {pool['name']}: scaling.max is missing; say how many nodes it may have, e.g. scaling: "
                "{min: 0, max: 4}"
            )

    return [one for check in (policy, spec, minimum) for one in _said(check, where)]


def _said(check: Callable[[], None], where: str) -> list[Problem]:
    try:
        check()
    except PlatformError as error:
        return [problem(where, f"{where}: {error.message}")]
    return []


__all__ = ("pool_problems",)
