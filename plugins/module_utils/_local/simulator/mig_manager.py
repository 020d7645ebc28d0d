# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""mig-manager on one node: a pure state machine.

Source: facts/gpu-sharing.md §2.1 (mig-parted v0.15.0, pkg/mig/reconfigure). Label C(nvidia.com/mig.config) ->
C(nvidia.com/mig.config.state): an applied layout goes straight to V(success); otherwise V(pending), the GPU clients are
paused by their labels, the device plugin's pod must go, then the layout is applied. V(failed) stays until the label
changes or the manager's pod is replaced. It never looks at users' pods.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..._core.errors import PlatformError
from .controls import FAILED, SLOW, STUCK, Controls
from .hardware import Board, Gpus, aims, apply_layout, changes_mode, chooser, is_applied, with_modes
from .mig_parted import Entry
from .operator_policy import DEPLOY_MIG_MANAGER, DEPLOY_PLUGIN, Settings

CONFIG = "nvidia.com/mig.config"
STATE = "nvidia.com/mig.config.state"
PAUSED = "paused-for-mig-change"
CLIENTS = (
    DEPLOY_PLUGIN,
    "nvidia.com/gpu.deploy.gpu-feature-discovery",
    "nvidia.com/gpu.deploy.dcgm-exporter",
    "nvidia.com/gpu.deploy.dcgm",
    "nvidia.com/gpu.deploy.nvsm",
)
PATIENCE = 300.0  # seconds that mig-manager waits for the plugin's pod to go
NEVER = math.inf
IDLE, STOPPING, APPLYING, REBOOTING = "idle", "stopping", "applying", "rebooting"


@dataclass(frozen=True)
class Manager:
    """Where the manager of one node stands.

    :param handled: the label's value and the manager's pod that were last dealt with.
    :param due: when the present phase ends, on the simulator's clock.
    :param struck: how often each fault struck.
    :param applied: counts the layouts applied; part of the seed of random placements.
    """

    phase: str = IDLE
    handled: tuple[str, str] = ("", "")
    target: str = ""
    due: float = NEVER
    struck: tuple[tuple[str, int], ...] = ()
    applied: int = 0

    def hit(self, kind: str) -> Manager:
        """The manager after one more fault of that kind."""
        struck = dict(self.struck)
        struck[kind] = struck.get(kind, 0) + 1
        return replace(self, struck=tuple(struck.items()))


@dataclass(frozen=True)
class Surroundings:
    """What the manager sees at one moment.

    :param pod: uid of its own pod; empty when none runs.
    :param plugin_there: a pod of the device plugin is still on the node.
    :param busy: a user's pod holds GPUs of the node.
    """

    name: str
    labels: Mapping[str, str]
    board: Board | None
    gpus: Gpus
    pod: str
    plugin_there: bool
    busy: bool
    settings: Settings
    controls: Controls
    now: float

    @property
    def layout(self) -> dict[int, Entry]:
        """What the label asks of each GPU.

        :raises PlatformError: the configuration or the layout cannot be used.
        """
        return self.layout_of(self.labels[CONFIG])

    def layout_of(self, name: str) -> dict[int, Entry]:
        """What the layout of that name asks of each GPU."""
        return aims(self.board, self.gpus, self.settings.layout(name, self.board))


@dataclass(frozen=True)
class Turn:
    """The result of one look.

    :param labels: label -> new value.
    :param changed: the layout was touched: whoever used the GPUs was disrupted.
    :param error: why the state is V(failed).
    """

    manager: Manager
    gpus: Gpus
    labels: Mapping[str, str]
    changed: bool = False
    error: str = ""


def turn(manager: Manager, seen: Surroundings) -> Turn:
    """One look at the node."""
    still = Turn(manager, seen.gpus, {})
    if manager.phase == IDLE:
        wanted = seen.labels.get(CONFIG, "")
        disabled = seen.labels.get(DEPLOY_MIG_MANAGER) == "false"
        if disabled or not seen.pod or not wanted or manager.handled == (wanted, seen.pod):
            return still
        return _begin(replace(manager, handled=(wanted, seen.pod), target=wanted), seen)
    if manager.phase == STOPPING:
        return _stopping(manager, seen)
    if seen.now < manager.due:
        return still
    return _rebooted(manager, seen) if manager.phase == REBOOTING else _apply(manager, seen)


def _begin(manager: Manager, seen: Surroundings) -> Turn:
    try:
        wanted = seen.layout
    except PlatformError as error:
        return _end(manager, seen, "failed", error=error.message)
    if is_applied(seen.gpus, wanted):
        return _end(manager, seen, "success")
    labels = {STATE: "pending", **{name: PAUSED for name in CLIENTS if seen.labels.get(name) not in (None, "false")}}
    stopped = _stopping(replace(manager, phase=STOPPING, due=seen.now + PATIENCE), seen)
    return replace(stopped, labels={**labels, **stopped.labels})


def _stopping(manager: Manager, seen: Surroundings) -> Turn:
    stuck = seen.controls.fault(STUCK, seen.name, seen.labels, dict(manager.struck).get(STUCK, 0))
    if stuck or seen.now >= manager.due:  # the script ends, the labels stay paused, the state stays pending
        idle = replace(manager, phase=IDLE, due=NEVER)
        return Turn(idle.hit(STUCK) if stuck else idle, seen.gpus, {})
    if seen.plugin_there:
        return Turn(manager, seen.gpus, {})
    try:
        wanted = seen.layout_of(manager.target)
    except PlatformError as error:
        return _end(manager, seen, "failed", error=error.message)
    slow = seen.controls.fault(SLOW, seen.name, seen.labels, dict(manager.struck).get(SLOW, 0))
    delays = seen.controls.delays
    wait = delays.mig + (delays.mode if changes_mode(seen.gpus, wanted) else 0) + (slow.seconds if slow else 0)
    later = replace(manager, phase=APPLYING, due=seen.now + wait)
    return Turn(later.hit(SLOW) if slow else later, seen.gpus, {})


def _apply(manager: Manager, seen: Surroundings) -> Turn:
    if seen.controls.fault(FAILED, seen.name, seen.labels, dict(manager.struck).get(FAILED, 0)):
        return _end(manager.hit(FAILED), seen, "failed", error="the simulator was asked to let it fail")
    try:
        wanted = seen.layout_of(manager.target)
    except PlatformError as error:
        return _end(manager, seen, "failed", error=error.message)
    if seen.board is None:
        return _end(manager, seen, "success")
    if seen.board.needs_reset and changes_mode(seen.gpus, wanted):
        if not seen.settings.with_reboot:
            message = "the MIG mode waits for a reset of the GPU: WITH_REBOOT is not set and a VM cannot reset it"
            return _end(manager, seen, "failed", error=message)
        later = replace(manager, phase=REBOOTING, due=seen.now + seen.controls.delays.reboot)
        return Turn(later, seen.gpus, {STATE: "rebooting"}, changed=True)
    if seen.busy:
        return _end(manager, seen, "failed", error="In use by another client", changed=True)
    choose = chooser(seen.controls.placement, seen.controls.seed + hash_of(seen.name) + manager.applied)
    gpus, fault = apply_layout(seen.board, seen.gpus, wanted, choose)
    manager = replace(manager, applied=manager.applied + 1)
    return _end(manager, replace(seen, gpus=gpus), "failed" if fault else "success", error=fault, changed=True)


def _rebooted(manager: Manager, seen: Surroundings) -> Turn:
    try:
        gpus = with_modes(seen.gpus, seen.layout_of(manager.target))
    except PlatformError as error:
        return _end(manager, seen, "failed", error=error.message)
    return replace(_apply(manager, replace(seen, gpus=gpus, busy=False)), changed=False)


def _end(manager: Manager, seen: Surroundings, state: str, *, error: str = "", changed: bool = False) -> Turn:
    labels = {STATE: state, **{name: "true" for name in CLIENTS if seen.labels.get(name) == PAUSED}}
    return Turn(replace(manager, phase=IDLE, due=NEVER), seen.gpus, labels, changed=changed, error=error)


def hash_of(name: str) -> int:
    """A small number that stays the same between runs."""
    return sum(index * ord(letter) for index, letter in enumerate(name, 1)) % 100_003


__all__ = (
    "CLIENTS",
    "CONFIG",
    "IDLE",
    "NEVER",
    "PAUSED",
    "REBOOTING",
    "STATE",
    "Manager",
    "Surroundings",
    "Turn",
    "turn",
)
