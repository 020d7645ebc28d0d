# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start and stop the programs of a local cloud: all that can start does, and a dead one is noticed at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from .._core.clock import Clock
from .._core.concurrency import map_concurrently
from .._core.errors import PlatformError, TimedOutError
from .._k8s.client import KubeClient, Object
from .control_plane import Blueprint, Component
from .control_plane_objects import apply_rights, change_stages, digests, namespaces_work, stages_are_served
from .processes import Process, answers, last_lines, port_is_free, spawn, stop
from .run_folder import CloudState, RunFolder

LOOK_SECONDS = 0.05
PORT_TAKEN = "address already in use"


class ChildDiedError(PlatformError):
    """A program ended while we waited for it.

    :param port_taken: its log says that another program has its port.
    """

    def __init__(self, message: str, *, port_taken: bool) -> None:
        super().__init__(message)
        self.port_taken = port_taken


@dataclass
class Launcher:
    """One start: keeps what runs already, starts the rest in the order of their needs, or nothing at all.

    :param state: what runs; grows with every program and is written each time, so that nothing is ever lost.
    :param timeout: seconds for the whole start.
    """

    blueprint: Blueprint
    state: CloudState
    stages: Mapping[str, Object]
    clock: Clock
    timeout: float
    started: dict[str, Process] = field(default_factory=dict)

    @property
    def folder(self) -> RunFolder:
        """The run folder."""
        return self.blueprint.folder

    @cached_property
    def client(self) -> KubeClient:
        """The administrator's client."""
        return KubeClient({"kubeconfig": str(self.folder.kubeconfig("admin"))})

    def start(self, names: Iterable[str]) -> CloudState:
        """Start these components and wait until all answer; when one does not, stop those that this call started.

        :raises PlatformError: a port is taken, a program ends or does not get ready; the sentence names its log.
        """
        components = {name: self.blueprint.component(name) for name in names}
        try:
            self._check_ports(components.values())
            self._run(components)
        except BaseException:
            stop(reversed(self.started.values()))
            raise
        return self.state

    def _check_ports(self, components: Iterable[Component]) -> None:
        for component in components:
            port = self.blueprint.ports[component.name]
            if not port_is_free(port):
                raise PlatformError(
                    f"port {port} of 127.0.0.1, wanted for {component.name}, is taken by another program: "
                    "end that program, or give another port, or stop this local cloud and start it again"
                )

    def _run(self, components: Mapping[str, Component]) -> None:
        deadline = self.clock.now() + self.timeout
        waiting, ready = dict(components), set(self.state.processes) - set(components)
        while missing := [name for name in components if name not in ready]:
            for name in [name for name, one in waiting.items() if self._may_start(one, components, ready)]:
                self._spawn(waiting.pop(name))
            self._notice_deaths()
            if self.clock.now() > deadline:
                raise TimedOutError(self._overdue(missing))
            ready |= set(self._that_answer([components[name] for name in missing if name in self.started]))
            if len(ready) < len(components):
                self.clock.sleep(LOOK_SECONDS)
        while "kube-controller-manager" in components and not namespaces_work(self.client):
            self._notice_deaths()
            if self.clock.now() > deadline:
                raise TimedOutError(self._overdue(["kube-controller-manager"]))
            self.clock.sleep(LOOK_SECONDS)

    def _may_start(self, component: Component, starting: Mapping[str, Component], ready: set[str]) -> bool:
        if any(name in starting and name not in ready for name in component.needs):
            return False
        return not component.objects or self._objects_are_there()

    def _objects_are_there(self) -> bool:
        """Whether rights and stages are applied; takes the next step towards it, without waiting."""
        if not self.state.stages:
            if not self._rights_applied:
                return False
            if not stages_are_served(self.client):
                return False
            change_stages(self.client, self.stages)
            self._keep(replace(self.state, stages=digests(self.stages)))
        return True

    @cached_property
    def _rights_applied(self) -> bool:
        apply_rights(self.client)
        return True

    def _spawn(self, component: Component) -> None:
        process = spawn(
            component.command,
            log=self.folder.log(component.name),
            folder=self.folder.path,
            environment=component.environment,
        )
        self.started[component.name] = process
        self._keep(replace(self.state, processes={**self.state.processes, component.name: process}))

    def _keep(self, state: CloudState) -> None:
        self.state = state
        self.folder.write(state)

    def _that_answer(self, components: list[Component]) -> list[str]:
        healthy = map_concurrently(
            lambda one: answers(one.health, authority=self.folder.authority, timeout=2), components
        )
        return [one.name for one, good in zip(components, healthy, strict=True) if good]

    def _notice_deaths(self) -> None:
        for name, process in self.started.items():
            if process.alive:
                continue
            log = self.folder.log(name)
            end = last_lines(log)
            raise ChildDiedError(
                f"{name} ended while the local cloud was starting; its log {log} ends with: {end or '(nothing)'}",
                port_taken=PORT_TAKEN in last_lines(log, 20),
            )

    def _overdue(self, missing: list[str]) -> str:
        name = next((one for one in missing if one in self.started), missing[0])
        log = self.folder.log(name)
        return (
            f"{name} was not ready after {self.timeout:g} s; its log {log} ends with: {last_lines(log) or '(nothing)'}"
        )


def unhealthy(
    components: Iterable[Component], processes: Mapping[str, Process], folder: RunFolder, *, timeout: float
) -> dict[str, str]:
    """Of the components that ought to run, those that do not, each with the reason.

    While a program is dead, the others are not asked: they may wait for it.
    """
    todo = list(components)
    sick = {one.name: "it was not started" for one in todo if one.name not in processes}
    sick |= {
        one.name: "its process has ended" for one in todo if one.name in processes and not processes[one.name].alive
    }
    if sick:
        return sick
    good = map_concurrently(lambda one: answers(one.health, authority=folder.authority, timeout=timeout), todo)
    return {
        one.name: f"it runs but does not answer at {one.health}"
        for one, answered in zip(todo, good, strict=True)
        if not answered
    }


__all__ = ("ChildDiedError", "Launcher", "unhealthy")
