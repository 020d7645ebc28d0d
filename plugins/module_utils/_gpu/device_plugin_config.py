# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of NVIDIA's device plugin: a value, its document, and a reader stricter than the plugin's own.

Source: facts/gpu-sharing.md §1.3 (k8s-device-plugin v0.20.0, api/config/v1). The plugin ignores unknown and misplaced
keys (k8s-device-plugin#1433); this reader refuses them and says where they belong.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from .._core.errors import PlatformError
from .._core.text import unknown_name

PREFIX = "nvidia.com/"
NAME = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
LONGEST_NAME = 63
MIG_STRATEGIES = ("none", "single", "mixed")
BLOCKS = {"timeSlicing": "time_slicing", "mps": "mps"}
# Every key that the plugin knows, by the path of the mapping that it stands in.
KEYS: Mapping[str, frozenset[str]] = {
    "": frozenset({"version", "flags", "sharing", "imex"}),
    "flags": frozenset({
        "migStrategy", "failOnInitError", "mpsRoot", "nvidiaDriverRoot", "nvidiaDevRoot", "gdrcopyEnabled",
        "gdsEnabled", "mofedEnabled", "useNodeFeatureAPI", "deviceDiscoveryStrategy", "plugin", "gfd",
    }),
    "flags.plugin": frozenset({
        "passDeviceSpecs", "deviceListStrategy", "deviceIDStrategy", "cdiAnnotationPrefix", "nvidiaCTKPath",
        "containerDriverRoot", "sharedDevicesAllocationPolicy",
    }),
    "flags.gfd": frozenset({"oneshot", "noTimestamp", "sleepInterval", "outputFile", "machineTypeFile"}),
    "imex": frozenset({"channelIDs", "required"}),
    "sharing": frozenset(BLOCKS),
    "sharing.timeSlicing": frozenset({"renameByDefault", "failRequestsGreaterThanOne", "resources"}),
    "sharing.mps": frozenset({"renameByDefault", "failRequestsGreaterThanOne", "resources"}),
    "sharing.timeSlicing.resources": frozenset({"name", "replicas"}),
    "sharing.mps.resources": frozenset({"name", "replicas"}),
}  # fmt: skip
IGNORED = {"devices", "rename"}  # of a resource: parsed by the plugin, then ignored with a warning


@dataclass(frozen=True)
class DevicePluginConfig:
    """What the plugin of a node runs with.

    :param sharing: V(none), V(time_slicing) or V(mps).
    :param replicas: (resource name with its prefix, replicas of each device), sorted.
    :param rename: publish C(<name>.shared) instead of C(<name>).
    :param fail_requests_greater_than_one: a pod that asks for two replicas fails instead of getting no more.
    :param mig_strategy: C(flags.migStrategy); the operator's environment variable overrides it.
    """

    sharing: str = "none"
    replicas: tuple[tuple[str, int], ...] = ()
    rename: bool = False
    fail_requests_greater_than_one: bool = False
    mig_strategy: str | None = None

    def to_document(self) -> dict[str, t.Any]:
        """The document as the plugin reads it: explicit, so that no default of a version matters."""
        document: dict[str, t.Any] = {"version": "v1"}
        if self.mig_strategy is not None:
            document["flags"] = {"migStrategy": self.mig_strategy}
        if self.sharing != "none":
            block = next(name for name, mode in BLOCKS.items() if mode == self.sharing)
            document["sharing"] = {
                block: {
                    "renameByDefault": self.rename,
                    "failRequestsGreaterThanOne": self.fail_requests_greater_than_one,
                    "resources": [{"name": name, "replicas": count} for name, count in self.replicas],
                }
            }
        return document

    def published(self, resource: str) -> str:
        """The name under which a resource is published."""
        return f"{resource}.shared" if self.rename and resource in dict(self.replicas) else resource


def read_device_plugin_config(document: t.Any, *, where: str = "device plugin configuration") -> DevicePluginConfig:
    """The value of a document, checked more strictly than the plugin does.

    :param where: begins each sentence, e.g. C(ConfigMap gpu-operator/device-plugin, key shared).
    :raises PlatformError: what the plugin refuses, and what it would silently ignore.
    """
    top = _mapping(document, "", where)
    if top.get("version", "v1") != "v1":
        raise PlatformError(f"{where}: version is {top['version']!r}; the plugin knows only 'v1'")
    flags = _mapping(top.get("flags") or {}, "flags", where)
    for part in ("plugin", "gfd"):
        _mapping(flags.get(part) or {}, f"flags.{part}", where)
    _mapping(top.get("imex") or {}, "imex", where)
    strategy = flags.get("migStrategy")
    if strategy not in (None, *MIG_STRATEGIES):
        raise PlatformError(f"{where}: {unknown_name('flags.migStrategy', str(strategy), MIG_STRATEGIES)}")
    sharing = _mapping(top.get("sharing") or {}, "sharing", where)
    if len(sharing) > 1:
        raise PlatformError(f"{where}: sharing has timeSlicing and mps; the plugin would take mps alone: keep one")
    if not sharing:
        return DevicePluginConfig(mig_strategy=strategy)
    (block,) = sharing
    return _shared(sharing[block], f"sharing.{block}", BLOCKS[block], strategy, where)


def _shared(content: t.Any, path: str, mode: str, strategy: str | None, where: str) -> DevicePluginConfig:
    block = _mapping(content or {}, path, where)
    if mode == "mps" and strategy == "mixed":
        raise PlatformError(f"{where}: sharing.mps cannot go with flags.migStrategy mixed: the plugin refuses it")
    resources = block.get("resources")
    if not isinstance(resources, list) or not resources:
        raise PlatformError(
            f"{where}: {path}.resources is {resources!r}; wanted is at least one resource (to share nothing, leave "
            "out sharing)"
        )
    replicas: dict[str, int] = {}
    for index, resource in enumerate(resources):
        name, count = _resource(resource, f"{path}.resources", index, where)
        if name in replicas:
            raise PlatformError(f"{where}: {path}.resources names {name} twice")
        if mode == "mps" and name.startswith(f"{PREFIX}mig-"):
            raise PlatformError(f"{where}: {path} shares {name}; MPS does not work on MIG devices")
        replicas[name] = count
    return DevicePluginConfig(
        sharing=mode,
        replicas=tuple(sorted(replicas.items())),
        rename=_boolean(block, "renameByDefault", path, where, default=False),
        fail_requests_greater_than_one=_boolean(
            block, "failRequestsGreaterThanOne", path, where, default=mode == "mps"
        ),
        mig_strategy=strategy,
    )


def _resource(resource: t.Any, path: str, index: int, where: str) -> tuple[str, int]:
    here = f"{path}[{index}]"
    if isinstance(resource, Mapping) and (ignored := sorted(IGNORED & set(resource))):
        raise PlatformError(f"{where}: {here} has {ignored[0]}, which the plugin ignores: take it out")
    entry = _mapping(resource, path, where, shown=here)
    name, count = entry.get("name"), entry.get("replicas")
    if not isinstance(name, str) or not name:
        raise PlatformError(f"{where}: {here} has no name")
    full = name if name.startswith(PREFIX) else f"{PREFIX}{name}"
    if len(full) > LONGEST_NAME or not NAME.match(full.removeprefix(PREFIX)):
        raise PlatformError(
            f"{where}: {here}.name is {name!r}; wanted is a resource name of at most {LONGEST_NAME} characters"
        )
    if not isinstance(count, int) or isinstance(count, bool) or count < 2:
        raise PlatformError(
            f"{where}: {here}.replicas is {count!r}; the plugin wants an integer of 2 or more (to share nothing, leave "
            "out sharing)"
        )
    return full, count


def _boolean(block: Mapping[str, t.Any], key: str, path: str, where: str, *, default: bool) -> bool:
    value = block.get(key, default)
    if not isinstance(value, bool):
        raise PlatformError(f"{where}: {path}.{key} is {value!r}; wanted is true or false")
    return value


def _mapping(content: t.Any, path: str, where: str, *, shown: str = "") -> Mapping[str, t.Any]:
    place = shown or path or "the document"
    if not isinstance(content, Mapping):
        raise PlatformError(f"{where}: {place} is {type(content).__name__}; wanted is a mapping")
    for key in content:
        if key in KEYS[path]:
            continue
        homes = sorted(other or "the top" for other, keys in KEYS.items() if key in keys)
        if homes:
            raise PlatformError(
                f"{where}: {key} stands in {place}, where the plugin would ignore it; it belongs in "
                f"{' or '.join(homes)}"
            )
        raise PlatformError(f"{where}: {unknown_name(f'key in {place}', str(key), KEYS[path])}")
    return content


__all__ = ("PREFIX", "DevicePluginConfig", "read_device_plugin_config")
