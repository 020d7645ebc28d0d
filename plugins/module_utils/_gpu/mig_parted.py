# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mig-parted configuration: named layouts as values, their document, and a strict reader.

Source: facts/gpu-sharing.md §1.1 (mig-parted v0.15.0, api/spec/v1). Whether a profile exists on a board and whether a
layout fits is not part of the format: the sharing policy checks that before it writes.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._core.errors import PlatformError
from .._core.text import unknown_name

PROFILE = re.compile(r"^(?:[1-9]\d*c\.)?[1-9]\d*g\.[1-9]\d*gb(?:\+[a-z0-9]+(?:[.,][a-z0-9]+)*|-[a-z0-9]+)?$")
DEVICE_ID = re.compile(r"^0x[0-9A-Fa-f]{8}(?::0x[0-9A-Fa-f]{8})?$")
LABEL_VALUE = re.compile(r"^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
TOP_KEYS = ("mig-configs", "version")
ENTRY_KEYS = ("device-filter", "devices", "mig-devices", "mig-enabled")
DISABLED = "all-disabled"


@dataclass(frozen=True)
class MigEntry:
    """What a layout asks of some GPUs; later entries override earlier ones.

    :param devices: indices of GPUs, or None for all of them.
    :param mig_devices: (profile, instances per GPU), sorted; None leaves MIG mode off.
    :param device_filter: C(0xDDDDVVVV) ids, of which a GPU must have one; empty for every GPU.
    """

    devices: tuple[int, ...] | None = None
    mig_devices: tuple[tuple[str, int], ...] | None = None
    device_filter: tuple[str, ...] = ()

    def to_document(self) -> dict[str, t.Any]:
        """The entry as mig-parted reads it."""
        document: dict[str, t.Any] = {"devices": "all" if self.devices is None else list(self.devices)}
        if self.device_filter:
            document["device-filter"] = list(self.device_filter)
        document["mig-enabled"] = self.mig_devices is not None
        if self.mig_devices is not None:
            document["mig-devices"] = dict(self.mig_devices)
        return document


Layouts = Mapping[str, tuple[MigEntry, ...]]


def mig_parted_document(layouts: Layouts) -> dict[str, t.Any]:
    """The whole C(config.yaml): the given layouts and V(all-disabled), sorted by name.

    A custom ConfigMap replaces all names that mig-manager ships, so V(all-disabled) must stand in it too: the operator
    gives it to nodes without a label.
    """
    named: dict[str, tuple[MigEntry, ...]] = {DISABLED: (MigEntry(),), **layouts}
    return {
        "version": "v1",
        "mig-configs": {name: [entry.to_document() for entry in named[name]] for name in sorted(named)},
    }


def read_mig_parted(document: t.Any, *, where: str = "mig-parted configuration") -> dict[str, tuple[MigEntry, ...]]:
    """The layouts of a document by name.

    :param where: begins each sentence, e.g. C(ConfigMap gpu-operator/mig-layouts).
    :raises PlatformError: what mig-parted refuses, and device filters and names that could never match.
    """
    top = _mapping(document, "the document", TOP_KEYS, where)
    if "version" not in top:
        raise PlatformError(f"{where}: version is missing; mig-parted wants 'v1'")
    if top["version"] != "v1":
        raise PlatformError(f"{where}: version is {top['version']!r}; mig-parted knows only 'v1'")
    configs = top.get("mig-configs") or {}
    if not isinstance(configs, Mapping):
        raise PlatformError(f"{where}: mig-configs is {type(configs).__name__}; wanted is a mapping of names to lists")
    return {str(name): _layout(str(name), entries, where) for name, entries in configs.items()}


def _layout(name: str, entries: t.Any, where: str) -> tuple[MigEntry, ...]:
    if not LABEL_VALUE.match(name):
        raise PlatformError(f"{where}: the layout's name {name!r} cannot be the value of a node label")
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        raise PlatformError(f"{where}: layout {name} is {entries!r}; wanted is a list with at least one entry")
    return tuple(_entry(entry, f"layout {name}, entry {index}", where) for index, entry in enumerate(entries))


def _entry(content: t.Any, here: str, where: str) -> MigEntry:
    entry = _mapping(content, here, ENTRY_KEYS, where)
    for key in ("devices", "mig-enabled"):
        if key not in entry:
            raise PlatformError(f"{where}: {here} has no {key}, which mig-parted requires")
    enabled = entry["mig-enabled"]
    if not isinstance(enabled, bool):
        raise PlatformError(f"{where}: {here}: mig-enabled is {enabled!r}; wanted is true or false")
    if enabled and "mig-devices" not in entry:
        raise PlatformError(f"{where}: {here} enables MIG without mig-devices ({{}} for no instances)")
    instances = _instances(entry.get("mig-devices") or {}, here, where)
    if instances and not enabled:
        raise PlatformError(f"{where}: {here} has mig-devices while mig-enabled is false")
    return MigEntry(
        devices=_devices(entry["devices"], here, where),
        mig_devices=instances if enabled else None,
        device_filter=_filter(entry.get("device-filter"), here, where),
    )


def _instances(content: t.Any, here: str, where: str) -> tuple[tuple[str, int], ...]:
    if not isinstance(content, Mapping):
        raise PlatformError(f"{where}: {here}: mig-devices is {type(content).__name__}; wanted is profile -> count")
    for profile, count in content.items():
        if not isinstance(profile, str) or not PROFILE.match(profile):
            raise PlatformError(f"{where}: {here}: {profile!r} is no profile name such as 1g.10gb or 1g.10gb+me")
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise PlatformError(f"{where}: {here}: {profile} is {count!r}; wanted is a count of 0 or more")
    if content and not any(content.values()):
        raise PlatformError(f"{where}: {here}: every count of mig-devices is 0, which mig-parted refuses")
    return tuple(sorted(content.items()))


def _devices(content: t.Any, here: str, where: str) -> tuple[int, ...] | None:
    if content == "all":
        return None
    indices = content if isinstance(content, list) else []
    if not indices or not all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in indices):
        raise PlatformError(f"{where}: {here}: devices is {content!r}; wanted is 'all' or a list of GPU indices")
    return tuple(indices)


def _filter(content: t.Any, here: str, where: str) -> tuple[str, ...]:
    ids = [content] if isinstance(content, str) else content or []
    if not isinstance(ids, list):
        raise PlatformError(f"{where}: {here}: device-filter is {content!r}; wanted is an id or a list of ids")
    for one in ids:
        if not isinstance(one, str) or not DEVICE_ID.match(one):
            raise PlatformError(
                f"{where}: {here}: device-filter {one!r} never matches; wanted is an id like 0x20B010DE"
            )
    return tuple(ids)


def _mapping(content: t.Any, here: str, keys: tuple[str, ...], where: str) -> Mapping[str, t.Any]:
    if not isinstance(content, Mapping):
        raise PlatformError(f"{where}: {here} is {type(content).__name__}; wanted is a mapping")
    for key in content:
        if key not in keys:
            raise PlatformError(f"{where}: {unknown_name(f'key in {here}', str(key), keys)}")
    return content


__all__ = ("DISABLED", "PROFILE", "Layouts", "MigEntry", "mig_parted_document", "read_mig_parted")
