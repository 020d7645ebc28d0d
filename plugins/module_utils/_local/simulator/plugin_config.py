# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of NVIDIA's device plugin, read as the plugin reads it: what it refuses, what it ignores.

Source: facts/gpu-sharing.md §1.3 (k8s-device-plugin v0.20.0, api/config/v1).
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..._core.errors import PlatformError
from .yaml_text import load_mapping

PREFIX = "nvidia.com/"
NONE, SINGLE, MIXED = "none", "single", "mixed"
TIME_SLICING, MPS = "time-slicing", "mps"
NAME = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
LONGEST_NAME = 63


@dataclass(frozen=True)
class Sharing:
    """How resources are replicated.

    :param strategy: V(none), V(time-slicing) or V(mps).
    :param replicas: resource name with prefix -> replicas of each device.
    :param renamed: resources are published as C(<name>.shared).
    :param one_each: a container that asks for more than one replica is refused (C(failRequestsGreaterThanOne)).
    """

    strategy: str = NONE
    replicas: Mapping[str, int] = field(default_factory=dict)
    renamed: bool = False
    one_each: bool = False

    def of(self, resource: str) -> int:
        """Replicas of each device of that resource; 1 when it is not shared."""
        return self.replicas.get(resource, 1)

    def published(self, resource: str) -> str:
        """The name under which the resource is published."""
        return f"{resource}.shared" if self.renamed and self.of(resource) > 1 else resource

    def refused(self, requests: Iterable[tuple[str, int]]) -> int:
        """The first request that the plugin refuses to allocate; 0 when it grants all."""
        shared = {self.published(resource) for resource, replicas in self.replicas.items() if replicas > 1}
        return next((count for name, count in requests if self.one_each and name in shared and count > 1), 0)


@dataclass(frozen=True)
class PluginConfig:
    """What the plugin runs with.

    :param mig_strategy: the file's C(flags.migStrategy), or None when the file is silent.
    """

    mig_strategy: str | None = None
    sharing: Sharing = Sharing()


def choose_key(data: Mapping[str, str], *, label: str | None, default: str) -> str | None:
    """The key of the ConfigMap that a node uses; None when it uses none.

    :param label: the node's label C(nvidia.com/device-plugin.config).
    :param default: C(devicePlugin.config.default) of the ClusterPolicy; empty for none.
    :raises PlatformError: the label or the default names a key that is not there: the plugin's pod crashes.
    """
    wanted = label or default
    if wanted:
        if wanted not in data:
            raise PlatformError(f"Cannot find configuration named {wanted!r}")
        return wanted
    if "default" in data:
        return "default"
    return next(iter(data)) if len(data) == 1 else None


def read_plugin_config(text: str) -> PluginConfig:
    """The configuration of one key of the ConfigMap.

    :raises PlatformError: the plugin's own parser refuses the text. Unknown and misplaced keys pass, as upstream.
    """
    document = load_mapping(text, what="the device plugin's configuration")
    version = document.get("version") or "v1"
    if version != "v1":
        raise PlatformError(f"unknown version: {version}")
    flags = document.get("flags") or {}
    strategy = flags.get("migStrategy")
    if strategy not in (None, NONE, SINGLE, MIXED):
        raise PlatformError(f"unknown MIG strategy: {strategy}")
    return PluginConfig(mig_strategy=strategy, sharing=_sharing(document.get("sharing") or {}))


def _sharing(sharing: Mapping[str, t.Any]) -> Sharing:
    if sharing.get("mps") is not None:
        return _replicated(sharing["mps"], MPS)
    if sharing.get("timeSlicing") is not None:
        return _replicated(sharing["timeSlicing"], TIME_SLICING)
    return Sharing()


def _replicated(block: Mapping[str, t.Any], strategy: str) -> Sharing:
    resources = block.get("resources") or []
    if not resources:
        raise PlatformError("no resources specified")
    replicas = dict(_resource(resource) for resource in resources)
    return Sharing(
        strategy=strategy,
        replicas=replicas,
        renamed=bool(block.get("renameByDefault")),
        one_each=bool(block.get("failRequestsGreaterThanOne", strategy == MPS)),
    )


def _resource(resource: Mapping[str, t.Any]) -> tuple[str, int]:
    name = resource.get("name")
    if not name:
        raise PlatformError("no resource name specified")
    full = name if str(name).startswith(PREFIX) else f"{PREFIX}{name}"
    if len(full) > LONGEST_NAME or not NAME.match(full.removeprefix(PREFIX)):
        raise PlatformError(f"incorrect format for resource name: {name}")
    replicas = resource.get("replicas")
    if replicas is None:
        raise PlatformError("no replicas specified")
    if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 2:
        raise PlatformError("number of replicas must be >= 2")
    return full, replicas


__all__ = (
    "MIXED",
    "MPS",
    "NONE",
    "SINGLE",
    "TIME_SLICING",
    "PluginConfig",
    "Sharing",
    "choose_key",
    "read_plugin_config",
)
