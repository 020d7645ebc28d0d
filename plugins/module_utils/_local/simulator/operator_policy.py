# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the GPU operator was told: its ClusterPolicy and the ConfigMaps that it names."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ..._core.errors import PlatformError
from .hardware import Board, standard_layouts
from .mig_parted import Entry, Layouts, read_layouts
from .plugin_config import SINGLE, PluginConfig, Sharing, choose_key, read_plugin_config

Object = dict[str, t.Any]
LAYOUTS_KEY = "config.yaml"
SHIPPED_LAYOUTS = "default-mig-parted-config"
PLUGIN = "nvidia-device-plugin-daemonset"
MIG_MANAGER = "nvidia-mig-manager"
DEPLOY_PLUGIN = "nvidia.com/gpu.deploy.device-plugin"
DEPLOY_MIG_MANAGER = "nvidia.com/gpu.deploy.mig-manager"


@dataclass(frozen=True)
class Settings:
    """The operator's settings as far as nodes feel them.

    :param layouts_name: the ConfigMap with MIG layouts; empty for the shipped ones.
    :param layouts: its C(config.yaml); None when it is absent.
    :param plugin_name: the ConfigMap of the device plugin; empty for none.
    :param plugin_data: its keys; None when it is absent.
    """

    namespace: str
    strategy: str = SINGLE
    plugin_enabled: bool = True
    mig_enabled: bool = True
    with_reboot: bool = False
    mig_default: str = ""
    layouts_name: str = ""
    layouts: str | None = None
    plugin_name: str = ""
    plugin_data: Mapping[str, str] | None = None
    plugin_default: str = ""

    def missing(self) -> list[str]:
        """Names of ConfigMaps that the policy names and that are not there."""
        named = ((self.plugin_name, self.plugin_data), (self.layouts_name, self.layouts))
        return [name for name, content in named if name and content is None]

    def plugin_config(self, label: str | None) -> PluginConfig:
        """What the plugin of a node with that label runs with.

        :raises PlatformError: the configuration cannot be used; the plugin's pod crashes.
        """
        if not self.plugin_name:
            return PluginConfig(self.strategy, Sharing())
        if self.plugin_data is None:
            raise PlatformError(f"ConfigMap {self.namespace}/{self.plugin_name} does not exist")
        key = choose_key(self.plugin_data, label=label, default=self.plugin_default)
        config = parsed_plugin_config(self.plugin_data[key]) if key else PluginConfig()
        return PluginConfig(self.strategy, config.sharing)  # the operator sets MIG_STRATEGY, which wins over the file

    def layout(self, name: str, board: Board | None) -> tuple[Entry, ...]:
        """The layout of that name.

        :raises PlatformError: the configuration cannot be read or has no such name.
        """
        if self.layouts_name:
            if self.layouts is None:
                raise PlatformError(f"ConfigMap {self.namespace}/{self.layouts_name} has no {LAYOUTS_KEY}")
            layouts: Layouts = parsed_layouts(self.layouts)
        else:
            layouts = standard_layouts(board) if board else {}
        if name not in layouts:
            raise PlatformError(f"selected mig-config not present: {name}")
        return layouts[name]


@lru_cache(maxsize=32)
def parsed_layouts(text: str) -> Layouts:
    """C(read_layouts), remembered."""
    return read_layouts(text)


@lru_cache(maxsize=64)
def parsed_plugin_config(text: str) -> PluginConfig:
    """C(read_plugin_config), remembered."""
    return read_plugin_config(text)


def settings_of(policy: Object, *, namespace: str, config_maps: Mapping[str, Object]) -> Settings:
    """The settings of a ClusterPolicy (nvidia.com/v1).

    :param config_maps: name -> ConfigMap of the operator's namespace.
    """
    spec = policy.get("spec") or {}
    mig, plugin = spec.get("migManager") or {}, spec.get("devicePlugin") or {}
    mig_config, plugin_config = mig.get("config") or {}, plugin.get("config") or {}
    layouts_name = str(mig_config.get("name") or "")
    if layouts_name == SHIPPED_LAYOUTS and layouts_name not in config_maps:
        layouts_name = ""  # the chart's default name: mig-manager then offers what the board can do
    plugin_name = str(plugin_config.get("name") or "")
    layouts, plugin_data = config_maps.get(layouts_name), config_maps.get(plugin_name)
    environment = {entry["name"]: str(entry.get("value", "")) for entry in mig.get("env") or []}
    return Settings(
        namespace=namespace,
        strategy=str((spec.get("mig") or {}).get("strategy") or SINGLE),
        plugin_enabled=plugin.get("enabled", True) is not False,
        mig_enabled=mig.get("enabled", True) is not False,
        with_reboot=environment.get("WITH_REBOOT", "").lower() == "true",
        mig_default=str(mig_config.get("default") or ""),
        layouts_name=layouts_name,
        layouts=(layouts.get("data") or {}).get(LAYOUTS_KEY) if layouts is not None else None,
        plugin_name=plugin_name,
        plugin_data=(plugin_data.get("data") or {}) if plugin_data is not None else None,
        plugin_default=str(plugin_config.get("default") or ""),
    )


def daemon_sets(policy: Object, *, namespace: str) -> list[Object]:
    """The DaemonSets that the operator makes and that the simulator gives a meaning to.

    Their pods are real: a taint that C(daemonsets.tolerations) does not tolerate leaves a node without its plugin.
    """
    spec = policy.get("spec") or {}
    wanted = (("devicePlugin", PLUGIN, DEPLOY_PLUGIN), ("migManager", MIG_MANAGER, DEPLOY_MIG_MANAGER))
    return [
        daemon_set(policy, name=name, namespace=namespace, selector=selector)
        for part, name, selector in wanted
        if (spec.get(part) or {}).get("enabled", True) is not False
    ]


def daemon_set(policy: Object, *, name: str, namespace: str, selector: str) -> Object:
    """One of the operator's DaemonSets."""
    common = (policy.get("spec") or {}).get("daemonsets") or {}
    surge = (common.get("rollingUpdate") or {}).get("maxUnavailable") or "1"
    always = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    tolerations = [*(common.get("tolerations") or []), always]
    labels = {"app": name, **(common.get("labels") or {})}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {**labels, "app.kubernetes.io/part-of": "gpu-operator"},
            "ownerReferences": [
                {
                    "apiVersion": policy["apiVersion"],
                    "kind": policy["kind"],
                    "name": policy["metadata"]["name"],
                    "uid": policy["metadata"]["uid"],
                    "controller": True,
                }
            ],
        },
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "updateStrategy": _strategy(common, surge),
            "template": {
                "metadata": {"labels": labels, "annotations": dict(common.get("annotations") or {})},
                "spec": {
                    "nodeSelector": {selector: "true"},
                    "tolerations": [one for number, one in enumerate(tolerations) if one not in tolerations[:number]],
                    "priorityClassName": common.get("priorityClassName") or "system-node-critical",
                    "containers": [{"name": name, "image": f"nvcr.io/nvidia/{name}:simulated"}],
                },
            },
        },
    }


def _strategy(common: Mapping[str, t.Any], unavailable: t.Any) -> Object:
    if common.get("updateStrategy") == "OnDelete":
        return {"type": "OnDelete"}
    number = int(unavailable) if str(unavailable).isdigit() else unavailable
    return {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": number}}


def policy_status(settings: Settings, *, crashed: Mapping[str, str], now: str) -> Object:
    """The status of the ClusterPolicy: V(ready), or V(notReady) with the reason.

    :param crashed: node -> error of its device plugin.
    """
    message = ""
    if missing := settings.missing():
        names = ", ".join(f"{settings.namespace}/{name}" for name in missing)
        message = f"ConfigMap {names} does not exist: the pods that mount it cannot start"
    elif crashed:
        node, error = min(crashed.items())
        message = f"the device plugin crashes on {len(crashed)} node(s), {node} the first: {error}"
    ready = not message
    return {
        "state": "ready" if ready else "notReady",
        "namespace": settings.namespace,
        "conditions": [
            _condition("Ready", ready, reason="Reconciled" if ready else "OperandNotReady", message=message, now=now),
            _condition("Error", not ready, reason="Ready" if ready else "OperandNotReady", message=message, now=now),
        ],
    }


def _condition(kind: str, met: bool, *, reason: str, message: str, now: str) -> Object:
    status = "True" if met else "False"
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": now}


__all__ = (
    "DEPLOY_MIG_MANAGER",
    "DEPLOY_PLUGIN",
    "LAYOUTS_KEY",
    "MIG_MANAGER",
    "PLUGIN",
    "Settings",
    "daemon_sets",
    "policy_status",
    "settings_of",
)
