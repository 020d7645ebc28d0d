# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Switches that make the data plane misbehave on purpose, and the speed of its parts."""

from __future__ import annotations

import fnmatch
import typing as t
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace

from ..._core.errors import PlatformError
from ..._core.text import unknown_name

STUCK, FAILED, SLOW = "stuck_pending", "failed", "slow"
FROZEN, NOT_READY, PLUGIN_DOWN = "plugin_not_restarted", "not_ready", "plugin_down"
KINDS = (STUCK, FAILED, SLOW, FROZEN, NOT_READY, PLUGIN_DOWN)
PLACEMENTS = ("lowest", "highest", "random")


@dataclass(frozen=True)
class Fault:
    """A fault of some nodes.

    :param kind: V(stuck_pending), V(failed), V(slow), V(plugin_not_restarted), V(plugin_down) or V(not_ready).
    :param nodes: a pattern of node names (C(*), C(ip-10-0-1-*)), or C(label=value).
    :param times: how often it strikes each node (MIG changes only); None for always.
    :param seconds: how much longer V(slow) takes.
    """

    kind: str
    nodes: str = "*"
    times: int | None = None
    seconds: float = 5.0

    def hits(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether the node is one of those meant."""
        key, equals, value = self.nodes.partition("=")
        return labels.get(key) == value if equals else fnmatch.fnmatchcase(name, self.nodes)


@dataclass(frozen=True)
class Delays:
    """How long things take, in seconds. The real ones are minutes; these keep a rehearsal quick.

    :param mig: from C(pending) to the new layout.
    :param mode: more for a change of the MIG mode.
    :param reboot: how long a node is away.
    :param drain: how long a node that EKS scales down or deletes waits for its pods.
    """

    mig: float = 0.5
    mode: float = 0.5
    reboot: float = 2.0
    drain: float = 60.0


@dataclass(frozen=True)
class Controls:
    """All switches.

    :param placement: which legal start the driver takes: V(lowest), V(highest) or V(random) with C(seed).
    """

    faults: tuple[Fault, ...] = ()
    delays: Delays = field(default_factory=Delays)
    placement: str = "lowest"
    seed: int = 1

    def fault(self, kind: str, name: str, labels: Mapping[str, str], struck: int = 0) -> Fault | None:
        """The first fault of that kind that strikes the node.

        :param struck: how often this kind struck the node before.
        """
        for fault in self.faults:
            if fault.kind == kind and fault.hits(name, labels) and (fault.times is None or struck < fault.times):
                return fault
        return None

    def document(self) -> dict[str, t.Any]:
        """The value as JSON."""
        return asdict(self)

    def changed(self, document: Mapping[str, t.Any]) -> Controls:
        """These switches with those of the document in their place; what it does not name stays.

        :raises PlatformError: an unknown name or a value of the wrong kind.
        """
        _known("switch", document, {one.name for one in fields(self)})
        found: dict[str, t.Any] = {}
        if "faults" in document:
            found["faults"] = tuple(_fault(entry) for entry in _sequence(document["faults"]))
        if "delays" in document:
            found["delays"] = _delays(self.delays, document["delays"])
        if "placement" in document:
            if document["placement"] not in PLACEMENTS:
                raise PlatformError(unknown_name("placement", str(document["placement"]), PLACEMENTS))
            found["placement"] = document["placement"]
        if "seed" in document:
            found["seed"] = int(document["seed"])
        return replace(self, **found)


def _sequence(value: t.Any) -> list[t.Any]:
    if not isinstance(value, list):
        raise PlatformError(f"faults must be a list, found {type(value).__name__}")
    return value


def _fault(entry: t.Any) -> Fault:
    if not isinstance(entry, Mapping) or "kind" not in entry:
        raise PlatformError(f"a fault is a mapping with a kind, found {entry!r}")
    _known("key of a fault", entry, {one.name for one in fields(Fault)})
    if entry["kind"] not in KINDS:
        raise PlatformError(unknown_name("fault", str(entry["kind"]), KINDS))
    return Fault(**dict(entry))


def _delays(delays: Delays, document: Mapping[str, t.Any]) -> Delays:
    _known("delay", document, {one.name for one in fields(Delays)})
    return replace(delays, **{name: float(value) for name, value in document.items()})


def _known(what: str, document: t.Any, names: set[str]) -> None:
    if not isinstance(document, Mapping):
        raise PlatformError(f"a mapping was expected, found {type(document).__name__}")
    for name in document:
        if name not in names:
            raise PlatformError(unknown_name(what, str(name), names))


__all__ = (
    "FAILED",
    "FROZEN",
    "KINDS",
    "NOT_READY",
    "PLUGIN_DOWN",
    "SLOW",
    "STUCK",
    "Controls",
    "Delays",
    "Fault",
)
