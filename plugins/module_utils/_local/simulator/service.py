# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator as one process: watches, the EKS poll, the engine's loop and the control endpoint."""

from __future__ import annotations

import sys
import threading
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..._core.clock import Clock, SystemClock
from ..._k8s.client import KubeClient
from .catalogue import Catalogue
from .control_server import ControlServer, Routes
from .controls import Controls
from .disruptions import Disruptions
from .engine import Engine
from .kube import KubeWriter
from .model import NodeGroup
from .operator_watch import Operator
from .store import Store
from .watching import Feed, Watcher

Groups = Mapping[str, NodeGroup]
ReadGroups = Callable[[], Groups]
LONGEST_WAIT = 30.0
GATHER = 0.02  # seconds that events are gathered before a pass: many come at once
RESTING = frozenset({"ACTIVE", "CREATE_FAILED", "DELETE_FAILED", "DEGRADED"})


@dataclass(frozen=True)
class Paces:
    """Seconds between two reads of EKS: while something moves, and the longest when nothing does."""

    moving: float = 0.5
    resting: float = 2.0


class Service:
    """All parts, wired.

    :param read_groups: reads the node groups; raises to keep what was read before.
    """

    def __init__(
        self,
        *,
        client: KubeClient,
        read_groups: ReadGroups,
        port: int = 0,
        controls: Controls | None = None,
        clock: Clock | None = None,
        paces: Paces | None = None,
    ) -> None:
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._read_groups, self._paces = read_groups, paces or Paces()
        self._complaint = ""
        self.disruptions = Disruptions()
        self.store = Store(self._wake.set)
        kube = KubeWriter(client)
        self.engine = Engine(
            store=self.store,
            kube=kube,
            catalogue=Catalogue(),
            clock=clock or SystemClock(),
            disruptions=self.disruptions,
            complain=self._complain,
        )
        self.engine.world.controls = controls or Controls()
        self._operator = Operator(client=client, kube=kube, changed=self._settings_changed, complain=self._complain)
        nodes = Feed("/api/v1/nodes", self.store.replace_nodes, self.store.put_node, self.store.drop_node)
        pods = Feed("/api/v1/pods", self.store.replace_pods, self.store.put_pod, self.store.drop_pod, "spec.nodeName!=")
        self._watchers = [Watcher(client, feed, complain=self._complain) for feed in (nodes, pods)]
        self._settings_stale = threading.Event()
        self._passes = 0
        self._threads: list[threading.Thread] = []
        self._server = ControlServer(
            Routes(self._health, self._control, self.disruptions.entries, self.disruptions.clear), port=port
        )
        self.port = self._server.port

    def start(self) -> None:
        """Begin; returns at once."""
        self._server.start()
        for watcher in self._watchers:
            watcher.start()
        self._operator.start()
        for work in (self._poll, self._loop):
            thread = threading.Thread(target=work, name=work.__name__, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End the loops and let go of the port."""
        self._stopping.set()
        self._wake.set()
        self._operator.stop()
        for watcher in self._watchers:
            watcher.stop()
        for thread in self._threads:
            thread.join(5)
        self._server.stop()

    def request_stop(self) -> None:
        """Ask for the end from a signal handler: C(wait) returns."""
        self._stopping.set()

    def wait(self) -> None:
        """Return when the end was asked for."""
        self._stopping.wait()

    def _settings_changed(self) -> None:
        self._settings_stale.set()
        self._wake.set()

    def _loop(self) -> None:
        for watcher in self._watchers:
            watcher.listed.wait()
        while not self._stopping.is_set():
            try:
                wait = self._pass()
            except Exception as error:  # noqa: BLE001 (a loop that ends in silence would freeze the simulation)
                self._complain(f"a pass failed and is tried again: {error!r}")
                self.engine.look_at_everything()
                wait = 1.0
            if self._wake.wait(min(wait, LONGEST_WAIT)):
                self._wake.clear()
                self._stopping.wait(GATHER)

    def _pass(self) -> float:
        if self._settings_stale.is_set():
            self._settings_stale.clear()
            settings = self._operator.settings()
            if settings != self.engine.world.settings:
                self.engine.world.settings = settings
                self.engine.look_at_everything()
        wait = self.engine.step()
        self._operator.reconcile(self.engine.world.settings, self.engine.crashed)
        self._passes += 1
        return wait

    def _poll(self) -> None:
        pause = self._paces.moving
        while not self._stopping.is_set():
            try:
                groups = self._read_groups()
            except Exception as error:  # noqa: BLE001 (whatever boto3 raises: the last answer stays in force)
                self._complain(f"EKS cannot be read: {error}")
            else:
                moving = any(group.status not in RESTING for group in groups.values())
                if groups != self.engine.world.groups:
                    self.engine.world.groups, moving = groups, True
                    self.engine.look_at_everything()
                    self._wake.set()
                pause = self._paces.moving if moving else min(self._paces.resting, pause * 1.1)
            self._stopping.wait(pause)

    def _health(self) -> tuple[bool, Mapping[str, t.Any]]:
        ready = all(watcher.listed.is_set() for watcher in self._watchers) and self._passes > 0
        groups = self.engine.world.groups
        return ready, {
            "ready": ready,
            "nodes": len(self.store.nodes()),
            "node_groups": len(groups) if groups is not None else None,
            "cluster_policy": self.engine.world.settings is not None,
            "passes": self._passes,
            "last_complaint": self._complaint,
        }

    def _control(self, document: Mapping[str, t.Any] | None) -> Mapping[str, t.Any]:
        if document is not None:
            self.engine.world.controls = self.engine.world.controls.changed(document)
            self.engine.look_at_everything()
            self._wake.set()
        return self.engine.world.controls.document()

    def _complain(self, sentence: str) -> None:
        if sentence != self._complaint:
            self._complaint = sentence
            sys.stderr.write(f"simulator: {sentence}\n")
            sys.stderr.flush()


__all__ = ("Paces", "Service")
