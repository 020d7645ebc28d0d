# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The strict reader of NVIDIA's mig-parted format: one C(config.yaml) with named layouts.

Source: facts/gpu-sharing.md §1.1 (mig-parted v0.15.0, api/spec/v1 and pkg/types). What upstream does not check (whether
a profile exists or a geometry fits) is not checked here either: that shows when the layout is applied.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from ..._core.errors import PlatformError
from .yaml_text import load_mapping

PROFILE = re.compile(r"^(?:[1-9]\d*c\.)?[1-9]\d*g\.[1-9]\d*gb(?:\+[a-z0-9]+(?:[.,][a-z0-9]+)*|-[a-z0-9]+)?$")
ENTRY_KEYS = frozenset({"devices", "device-filter", "mig-enabled", "mig-devices"})
ALL = "all"


@dataclass(frozen=True)
class Entry:
    """One step of a layout.

    :param devices: GPU indices, or None for all GPUs.
    :param device_filter: C(0xDDDDVVVV) ids that the GPU must have one of; empty for every GPU.
    :param mig_devices: profile -> instances per GPU.
    """

    devices: tuple[int, ...] | None
    mig_enabled: bool
    mig_devices: tuple[tuple[str, int], ...] = ()
    device_filter: tuple[str, ...] = ()

    def matches(self, index: int, pci_ids: t.Collection[str]) -> bool:
        """Whether this entry speaks of the GPU with that index and these PCI device ids."""
        if self.devices is not None and index not in self.devices:
            return False
        return not self.device_filter or any(_id(wanted) in pci_ids for wanted in self.device_filter)


Layouts = Mapping[str, tuple[Entry, ...]]


def read_layouts(text: str) -> Layouts:
    """The layouts of a C(config.yaml) by name.

    :raises PlatformError: the text is refused by mig-parted's own parser.
    """
    document = load_mapping(text, what="the mig-parted configuration")
    unexpected = sorted(set(document) - {"version", "mig-configs"})
    if unexpected:
        raise PlatformError(f"unexpected field: {unexpected[0]}")
    if "version" not in document:
        raise PlatformError("unable to parse with missing 'version' field")
    if document["version"] != "v1":
        raise PlatformError(f"unknown version: {document['version']}")
    configs = document.get("mig-configs") or {}
    if not isinstance(configs, Mapping):
        raise PlatformError("mig-configs must be a mapping of names to lists")
    return {str(name): _entries(str(name), entries) for name, entries in configs.items()}


def _entries(name: str, entries: t.Any) -> tuple[Entry, ...]:
    if not isinstance(entries, list) or not entries:
        raise PlatformError(f"mig-configs.{name}: at least one entry is needed")
    return tuple(_entry(f"mig-configs.{name}[{index}]", entry) for index, entry in enumerate(entries))


def _entry(where: str, entry: t.Any) -> Entry:
    if not isinstance(entry, Mapping):
        raise PlatformError(f"{where}: a mapping was expected")
    unexpected = sorted(set(entry) - ENTRY_KEYS)
    if unexpected:
        raise PlatformError(f"{where}: unexpected field: {unexpected[0]}")
    for key in ("devices", "mig-enabled"):
        if key not in entry:
            raise PlatformError(f"{where}: missing required field: {key}")
    enabled = entry["mig-enabled"]
    if not isinstance(enabled, bool):
        raise PlatformError(f"{where}: mig-enabled must be true or false, found {enabled!r}")
    if enabled and "mig-devices" not in entry:
        raise PlatformError(f"{where}: missing required field when mig-enabled is true: mig-devices")
    instances = _instances(where, entry.get("mig-devices") or {})
    if instances and not enabled:
        raise PlatformError(f"{where}: mig-devices must be empty when mig-enabled is false")
    return Entry(
        devices=_devices(where, entry["devices"]),
        mig_enabled=enabled,
        mig_devices=instances,
        device_filter=_filter(where, entry.get("device-filter")),
    )


def _devices(where: str, value: t.Any) -> tuple[int, ...] | None:
    if value == ALL:
        return None
    if isinstance(value, str):
        raise PlatformError(f"{where}: invalid string input for devices: {value}")
    if isinstance(value, list) and all(isinstance(index, int) and not isinstance(index, bool) for index in value):
        return tuple(value)
    raise PlatformError(f"{where}: devices must be 'all' or a list of integers, found {value!r}")


def _instances(where: str, value: t.Any) -> tuple[tuple[str, int], ...]:
    if not isinstance(value, Mapping):
        raise PlatformError(f"{where}: mig-devices must be a mapping of profiles to counts")
    for profile, count in value.items():
        if not PROFILE.match(str(profile)):
            raise PlatformError(f"{where}: invalid MIG profile: {profile}")
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise PlatformError(f"{where}: invalid count for {profile}: {count!r}")
    if value and not any(value.values()):
        raise PlatformError(f"{where}: all counts of mig-devices are 0")
    return tuple((str(profile), count) for profile, count in value.items() if count)


def _filter(where: str, value: t.Any) -> tuple[str, ...]:
    if value in (None, "", []):
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise PlatformError(f"{where}: device-filter must be a string or a list of strings, found {value!r}")


def _id(text: str) -> str:
    return text.partition(":")[0].upper().replace("0X", "0x")


__all__ = ("Entry", "Layouts", "read_layouts")
