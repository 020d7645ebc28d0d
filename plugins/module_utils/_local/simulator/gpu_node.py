# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One node's accelerators: what its programs do at one look, as a pure function of what they see."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..._core.errors import PlatformError
from .controls import FROZEN, NOT_READY, PLUGIN_DOWN, Controls
from .hardware import Board, Gpu, Gpus, pack, unpack
from .mig_manager import CLIENTS, CONFIG, NEVER, REBOOTING, STATE, Manager, Surroundings, turn
from .model import HARDWARE, Machine
from .nvidia import OWNED, Equipment, labels, resources
from .operator_policy import DEPLOY_MIG_MANAGER, MIG_MANAGER, PLUGIN, Settings
from .plugin_config import PluginConfig
from .store import Pod

NVIDIA = "nvidia.com/"
PLUGIN_CONFIG = "nvidia.com/device-plugin.config"
EFA, EFA_PLUGIN = "vpc.amazonaws.com/efa", "efa-k8s-device-plugin"
NEURON, NEURON_CORE, NEURON_PLUGIN = "aws.amazon.com/neuron", "aws.amazon.com/neuroncore", "neuron-device-plugin"
DEPLOYED = (*CLIENTS, "nvidia.com/gpu.deploy.operator-validator", "nvidia.com/gpu.deploy.node-status-exporter")


@dataclass(frozen=True)
class Plugin:
    """A running device plugin.

    :param pod: uid of its pod.
    :param label: the node's label at the time it read its configuration.
    :param error: why it crashes; empty when it runs.
    """

    pod: str = ""
    label: str | None = None
    config: PluginConfig = field(default_factory=PluginConfig)
    error: str = ""


@dataclass(frozen=True)
class Memory:
    """What the node's programs and hardware keep between two looks."""

    gpus: Gpus
    manager: Manager = field(default_factory=Manager)
    plugin: Plugin = field(default_factory=Plugin)


@dataclass(frozen=True)
class Scene:
    """What is seen of a node at one look.

    :param resources: extended resources of the node's capacity.
    :param efa: EFA interfaces of the instance.
    :param built_in: the image has its own device plugin (Bottlerocket): the operator has no say.
    """

    name: str
    labels: Mapping[str, str]
    resources: Mapping[str, str]
    pods: Sequence[Pod]
    machine: Machine
    board: Board | None
    efa: int = 0
    built_in: bool = False

    def daemon(self, name: str) -> Pod | None:
        """The pod of that DaemonSet, terminating ones included."""
        return next((pod for pod in self.pods if pod.owner == name), None)

    def runs(self, image: str) -> bool:
        """Whether a DaemonSet's pod with such an image runs here."""
        daemons = [pod for pod in self.pods if pod.running and pod.owner]
        return any(image in " ".join((pod.owner, *pod.images)) for pod in daemons)

    @property
    def users(self) -> list[Pod]:
        """Running pods that hold accelerators."""
        return [pod for pod in self.pods if pod.running and pod.accelerators and not pod.owner]


@dataclass(frozen=True)
class Aim:
    """What the node should look like, and what happened on the way.

    :param labels: label -> value, None for one to take away; only those that differ.
    :param resources: extended resource -> count; only those that differ.
    :param due: when to look again, on the simulator's clock.
    :param disrupted: pods that held GPUs when the layout changed.
    :param refused: pods that ask for more replicas than the plugin grants, with the number that they ask for.
    """

    memory: Memory
    labels: Mapping[str, str | None]
    annotations: Mapping[str, str]
    resources: Mapping[str, str]
    away: bool
    due: float = NEVER
    disrupted: tuple[Pod, ...] = ()
    refused: tuple[tuple[Pod, int], ...] = ()
    error: str = ""


def first_memory(machine: Machine, *, packed: str | None) -> Memory:
    """The memory of a node that the simulator sees for the first time since it started.

    :param packed: the node's annotation about its GPUs, if an earlier run of the simulator wrote one.
    """
    return Memory(gpus=unpack(packed) if packed else tuple(Gpu() for _other in range(machine.gpus)))


def look(scene: Scene, memory: Memory, *, settings: Settings | None, controls: Controls, now: float) -> Aim:
    """One look at a node."""
    offered = _other_plugins(scene)
    away = controls.fault(NOT_READY, scene.name, scene.labels) is not None
    if not scene.machine.gpus or scene.built_in or settings is None:
        left = {} if scene.built_in else _zeros(scene, offered)
        return Aim(memory, {}, {}, _different(scene, {**left, **offered}), away)
    before = {**scene.labels, **_defaults(scene, settings)}
    done = turn(memory.manager, _surroundings(scene, before, memory, settings=settings, controls=controls, now=now))
    plugin = _plugin(scene, memory.plugin, settings=settings, controls=controls)
    equipment = Equipment(scene.machine, scene.board, done.gpus)
    found, published, plugin = _published(equipment, plugin, before, settings)
    if controls.fault(PLUGIN_DOWN, scene.name, scene.labels):
        published = {}
    wanted = {**_zeros(scene, {**offered, **published}), **offered, **published}
    after: dict[str, str | None] = {**before, **done.labels, **found}
    return Aim(
        memory=Memory(done.gpus, done.manager, plugin),
        labels={name: value for name, value in after.items() if scene.labels.get(name) != value},
        annotations={HARDWARE: pack(done.gpus)} if done.gpus != memory.gpus else {},
        resources=_different(scene, wanted),
        away=away or done.manager.phase == REBOOTING,
        due=done.manager.due,
        disrupted=tuple(scene.users) if done.changed else (),
        refused=_refused(scene, plugin),
        error=done.error or plugin.error,
    )


def _surroundings(
    scene: Scene, before: Mapping[str, str], memory: Memory, *, settings: Settings, controls: Controls, now: float
) -> Surroundings:
    manager = scene.daemon(MIG_MANAGER)
    return Surroundings(
        name=scene.name,
        labels=before,
        board=scene.board,
        gpus=memory.gpus,
        pod=manager.uid if manager and manager.running else "",
        plugin_there=scene.daemon(PLUGIN) is not None,
        busy=bool(scene.users),
        settings=settings,
        controls=controls,
        now=now,
    )


def _defaults(scene: Scene, settings: Settings) -> dict[str, str]:
    """Labels that the operator sets where nobody else did."""
    wanted = {"nvidia.com/gpu.present": "true", **dict.fromkeys(DEPLOYED, "true")}
    if scene.board and settings.mig_enabled:
        wanted[DEPLOY_MIG_MANAGER] = "true"
        if settings.mig_default:
            wanted[CONFIG] = settings.mig_default
    return {name: value for name, value in wanted.items() if name not in scene.labels}


def _plugin(scene: Scene, plugin: Plugin, *, settings: Settings, controls: Controls) -> Plugin:
    """The plugin reads its configuration when its pod starts and when the node's label changes, at no other time."""
    pod, label = scene.daemon(PLUGIN), scene.labels.get(PLUGIN_CONFIG)
    if pod is None or not pod.running:
        return replace(plugin, pod="")
    if plugin.pod == pod.uid and plugin.label == label and not plugin.error:  # a crashing one reads it again and again
        return plugin
    ran = plugin != Plugin()
    if ran and plugin.label == label and controls.fault(FROZEN, scene.name, scene.labels):
        return replace(plugin, pod=pod.uid)
    try:
        return Plugin(pod.uid, label, settings.plugin_config(label))
    except PlatformError as error:
        return Plugin(pod.uid, label, plugin.config, error.message)


def _published(
    equipment: Equipment, plugin: Plugin, before: Mapping[str, str], settings: Settings
) -> tuple[dict[str, str | None], dict[str, int], Plugin]:
    """GFD's labels and the plugin's resources; a plugin that does not run leaves the labels as they are."""
    if not plugin.pod or plugin.error:
        return {}, {}, plugin
    config, strategy = plugin.config, settings.strategy
    try:
        found: dict[str, str | None] = dict(labels(equipment, strategy=strategy, sharing=config.sharing))
    except PlatformError as error:
        return {}, {}, replace(plugin, error=error.message)
    stale = {name: None for name in before if OWNED.match(name) and name not in found}
    try:
        return {**found, **stale}, resources(equipment, strategy=strategy, sharing=config.sharing), plugin
    except PlatformError as error:
        return {**found, **stale}, {}, replace(plugin, error=error.message)


def _refused(scene: Scene, plugin: Plugin) -> tuple[tuple[Pod, int], ...]:
    if not plugin.pod or plugin.error:
        return ()
    asked = ((pod, plugin.config.sharing.refused(pod.accelerators)) for pod in scene.users)
    return tuple((pod, count) for pod, count in asked if count)


def _other_plugins(scene: Scene) -> dict[str, int]:
    """EFA and Neuron devices, where their own plugins run."""
    found: dict[str, int] = {}
    if scene.efa and scene.runs(EFA_PLUGIN):
        found[EFA] = scene.efa
    if scene.machine.neuron_devices and scene.runs(NEURON_PLUGIN):
        found |= {NEURON: scene.machine.neuron_devices, NEURON_CORE: scene.machine.neuron_cores}
    return found


def _zeros(scene: Scene, offered: Mapping[str, int]) -> dict[str, int]:
    """A resource whose plugin is gone stays on the node with 0, as the kubelet leaves it."""
    known = (NVIDIA, EFA, NEURON)
    return {name: 0 for name in scene.resources if name.startswith(known) and name not in offered}


def _different(scene: Scene, wanted: Mapping[str, int]) -> dict[str, str]:
    return {name: str(count) for name, count in wanted.items() if scene.resources.get(name) != str(count)}


def extended(resource_list: t.Mapping[str, str]) -> dict[str, str]:
    """The extended resources of a node's capacity."""
    return {name: str(count) for name, count in resource_list.items() if "/" in name}


__all__ = ("PLUGIN_CONFIG", "STATE", "Aim", "Memory", "Plugin", "Scene", "extended", "first_memory", "look")
