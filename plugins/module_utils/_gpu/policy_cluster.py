# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the sharing policies of all pools mean for the GPU operator of the cluster."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence

from .._core.errors import PlatformError
from .boards import board
from .device_plugin_config import DevicePluginConfig
from .mig_parted import DISABLED, MigEntry, mig_parted_document
from .policy import DRA, GPU, MIG, MPS, SharingPolicy
from .policy_nodes import Taint, plugin_config, taints

PLUGIN_CONFIG_MAP, MIG_CONFIG_MAP = "aiplatform-device-plugin", "aiplatform-mig-layouts"
DEFAULT_KEY = "exclusive"
MPS_ROOT = "/run/nvidia/mps"


def plugin_configs(policies: Iterable[SharingPolicy]) -> dict[str, DevicePluginConfig]:
    """The keys of the device plugin's ConfigMap; C(exclusive) is always there, for nodes without a label.

    :raises PlatformError: two pools want one key with different contents.
    """
    found: dict[str, DevicePluginConfig] = {}
    for policy in policies:
        if not _managed(policy):
            continue
        found.setdefault(DEFAULT_KEY, DevicePluginConfig(mig_strategy=policy.mig_strategy))
        config = plugin_config(policy)
        if found.setdefault(policy.config_key, config) != config:
            raise PlatformError(
                f"node pool {policy.pool}: its device-plugin configuration {policy.config_key} differs from that of "
                "another pool with the same key"
            )
    return dict(sorted(found.items()))


def plugin_documents(policies: Iterable[SharingPolicy]) -> dict[str, dict[str, t.Any]]:
    """The same as documents, one for each key."""
    return {key: config.to_document() for key, config in plugin_configs(policies).items()}


def mig_layouts(policies: Iterable[SharingPolicy]) -> dict[str, tuple[MigEntry, ...]]:
    """Layout name -> entries, of the pools whose layouts mig-manager applies."""
    return {
        policy.layout.name: policy.layout.entries()
        for policy in policies
        if policy.layout is not None and policy.applied_by == "mig_manager" and _managed(policy)
    }


def mig_document(policies: Iterable[SharingPolicy]) -> dict[str, t.Any]:
    """The mig-parted configuration of the cluster."""
    return mig_parted_document(mig_layouts(policies))


def gpu_taints(policies: Iterable[SharingPolicy]) -> list[Taint]:
    """All taints of GPU pools, once each."""
    found: list[Taint] = []
    for policy in policies:
        found += [taint for taint in taints(policy) if policy.has_gpu and taint not in found]
    return found


def tolerations(
    policies: Iterable[SharingPolicy], own_taints: Iterable[Mapping[str, t.Any]] = ()
) -> list[dict[str, str]]:
    """What the operator's own pods must tolerate: without it a node stays without its plugin.

    :param own_taints: those that the inventory gives its GPU pools besides.
    """
    always = {"key": GPU, "operator": "Exists", "effect": "NoSchedule"}
    more = [
        {"key": taint["key"], "operator": "Equal", "value": taint["value"], "effect": taint["effect"]}
        for taint in gpu_taints(policies)
        if taint["key"] != GPU
    ]
    for taint in own_taints:
        one = {"key": str(taint["key"]), "operator": "Exists", "effect": str(taint["effect"])}
        more += [one] if one not in (always, *more) else []
    return [always, *more]


def operator_values(
    policies: Sequence[SharingPolicy], own_taints: Iterable[Mapping[str, t.Any]] = ()
) -> dict[str, t.Any]:
    """Values of the GPU operator's chart that follow from the policies and from the EKS images.

    Driver and toolkit are off: the accelerated AMIs carry both (facts/gpu-sharing.md §3). The strategy is one for the
    cluster, because the operator's environment variable overrides what a pool's file says.
    """
    managed = [policy for policy in policies if _managed(policy)]
    strategy = managed[0].mig_strategy if managed else "mixed"
    by_manager = any(policy.layout is not None and policy.applied_by == "mig_manager" for policy in managed)
    tolerated = tolerations(managed, own_taints)
    device_plugin: dict[str, t.Any] = {
        "enabled": True,
        "config": {"create": False, "name": PLUGIN_CONFIG_MAP, "default": DEFAULT_KEY},
    }
    if any(policy.mode == MPS for policy in managed):
        device_plugin["mps"] = {"root": MPS_ROOT}
    return {
        "driver": {"enabled": False},
        "toolkit": {"enabled": False},
        "cdi": {"enabled": True},
        "mig": {"strategy": strategy},
        "devicePlugin": device_plugin,
        "migManager": {
            "enabled": by_manager,
            "env": [{"name": "WITH_REBOOT", "value": "true" if _reboots(managed) else "false"}],
            "config": {"create": False, "name": MIG_CONFIG_MAP if by_manager else "", "default": DISABLED},
        },
        "daemonsets": {"tolerations": tolerated},
        "node-feature-discovery": {"worker": {"tolerations": tolerated}},
    }


def _reboots(policies: Iterable[SharingPolicy]) -> bool:
    """Whether a change of the MIG mode takes a reboot on any pool: A100 behind a hypervisor does."""
    return any(
        policy.mode == MIG and one.board is not None and board(one.board).needs_reboot
        for policy in policies
        for one in policy.types
    )


def _managed(policy: SharingPolicy) -> bool:
    """Whether the operator's plugin serves the pool's nodes."""
    return policy.has_gpu and not policy.bottlerocket and policy.mode != DRA


__all__ = (
    "DEFAULT_KEY",
    "MIG_CONFIG_MAP",
    "PLUGIN_CONFIG_MAP",
    "gpu_taints",
    "mig_document",
    "mig_layouts",
    "operator_values",
    "plugin_configs",
    "plugin_documents",
    "tolerations",
)
