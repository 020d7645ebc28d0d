# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local cloud of one run folder: Kubernetes, an AWS and simulated nodes, started or stopped."""

from __future__ import annotations

import sys
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from .._core.argument_spec import ArgumentSpec
from .._core.clock import Clock
from .._core.errors import PlatformError
from .._core.outcome import Context, Outcome, UseCase, converge
from .._core.plan import Plan
from .._k8s.client import Object
from .binaries import find_binaries, provide_binaries
from .control_plane import AWS, PORT_NAMES, Blueprint, environment_of
from .control_plane_objects import change_stages, digests, read_stages
from .control_plane_secrets import write_secrets
from .launcher import ChildDiedError, Launcher, unhealthy
from .local_cloud_plan import VERSIONS, Decision, Finding, Wish, components, decide_start, decide_stop
from .processes import free_ports, port_is_free, stop, strays
from .run_folder import CloudState, RunFolder

SPEC = ArgumentSpec(
    options={
        "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
        "run_dir": {"type": "path", "required": True},
        "home": {"type": "path"},
        "region": {"type": "str", "default": "us-east-1"},
        "aws": {"type": "bool", "default": True},
        "simulator": {"type": "bool", "default": True},
        "stages": {"type": "list", "elements": "path", "default": []},
        "api_port": {"type": "int", "default": 0},
        "aws_port": {"type": "int", "default": 0},
        "download_urls": {"type": "dict", "default": {}},
        "timeout": {"type": "int", "default": 120},
    },
    required_if=(("state", "started", ("home",)),),
)
ATTEMPTS = 3
LOOK_SECONDS = 10.0
SETTLE_SECONDS = 10.0
ROUNDS = 3
INSIDE = Path("ansible_collections/aiplatform/eks/plugins/module_utils/_local")


@dataclass(frozen=True)
class LocalCloud:
    """One local cloud, as the options describe it."""

    folder: RunFolder
    home: Path
    region: str
    names: tuple[str, ...]
    stages: Mapping[str, Object]
    fixed_ports: Mapping[str, int]
    download_urls: Mapping[str, str]
    timeout: float
    clock: Clock
    wish: Wish = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "wish", Wish(self.names, self.region, digests(self.stages)))

    def blueprint(self, *, binaries: Path, ports: Mapping[str, int]) -> Blueprint:
        """The commands for these ports."""
        return Blueprint(self.folder, binaries, ports, self.region, sys.executable, python_path(self.home))

    def find(self) -> Finding:
        """What is there, without touching it."""
        state = self.folder.read()
        alive = {name: process for name, process in state.processes.items() if process.alive}
        known = {process.pid for process in alive.values()}
        sick: dict[str, str] = {}
        if alive and set(PORT_NAMES) <= set(state.ports):
            blueprint = self.blueprint(binaries=Path(state.binaries), ports=state.ports)
            wanted = [blueprint.component(name) for name in self.names]
            sick = unhealthy(wanted, state.processes, self.folder, timeout=LOOK_SECONDS)
        return Finding(
            state=state,
            alive=alive,
            sick=sick,
            forgotten=tuple(process for process in strays(self.folder.path) if process.pid not in known),
            have_binaries=find_binaries(self.home / "controlplane") is not None,
        )

    def apply(self) -> CloudState:
        """Look again with the lock held, then do what is to be done.

        :raises PlatformError: it cannot be done; a fresh start leaves nothing behind but logs.
        """
        with self.folder.locked():
            for _round in range(ROUNDS):
                finding = self.find()
                decision = decide_start(self.wish, finding)
                if decision.mode == "fresh":
                    return self._start_fresh(decision)
                if decision.mode == "nothing":
                    break
                self._repair(decision, finding.state)
        return self.folder.read()

    def _start_fresh(self, decision: Decision) -> CloudState:
        binaries = provide_binaries(self.home, progress=self._note, download_urls=self.download_urls)
        stop(decision.end)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._attempt(binaries, decision)
            except ChildDiedError as error:
                # Between our look for free ports and the program's start, somebody else took one: take others.
                if not error.port_taken or attempt == ATTEMPTS:
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _note(self, line: str) -> None:
        """Keep a line about the programs where someone who wonders can follow a build of minutes."""
        self.folder.logs.mkdir(mode=0o700, exist_ok=True)
        with self.folder.log("programs").open("a") as log:
            log.write(f"{line}\n")

    def _attempt(self, binaries: Path, decision: Decision) -> CloudState:
        self.folder.prepare()
        ports = {**dict(zip(PORT_NAMES, free_ports(len(PORT_NAMES)), strict=True)), **self.fixed_ports}
        blueprint = self.blueprint(binaries=binaries, ports=ports)
        state = CloudState(versions=VERSIONS, binaries=str(binaries), region=self.region, ports=ports)
        try:
            write_secrets(self.folder, endpoint=blueprint.endpoint)
            return Launcher(blueprint, state, self.stages, self.clock, self.timeout).start(decision.start)
        except BaseException:
            self.folder.clear()
            raise

    def _repair(self, decision: Decision, state: CloudState) -> None:
        stop(decision.end)
        ended = {process.pid for process in decision.end}
        state = replace(
            state,
            processes={name: one for name, one in state.processes.items() if one.pid not in ended and one.alive},
        )
        blueprint = self.blueprint(binaries=Path(state.binaries), ports=state.ports)
        launcher = Launcher(blueprint, state, self.stages, self.clock, self.timeout)
        state = launcher.start(decision.start)
        if decision.stages.changed:
            changed = {*decision.stages.create, *decision.stages.update}
            change_stages(
                launcher.client,
                {name: stage for name, stage in self.stages.items() if name in changed},
                delete=tuple(decision.stages.delete),
            )
            state = replace(state, stages=self.wish.stages)
        self.folder.write(state)
        self._settle(blueprint, state)

    def _settle(self, blueprint: Blueprint, state: CloudState) -> None:
        """Give what was kept a moment to find what was started anew; what does not, the next round starts anew too."""
        wanted = [blueprint.component(name) for name in self.names]
        end = self.clock.now() + SETTLE_SECONDS
        while unhealthy(wanted, state.processes, self.folder, timeout=1.0) and self.clock.now() < end:
            self.clock.sleep(0.1)

    def facts(self, state: CloudState, *, running: bool = True) -> dict[str, t.Any]:
        """The module's result for a state; what only a start can tell is empty or 0."""
        api, aws = (state.ports.get(name, 0) for name in ("kube-apiserver", AWS))
        aws_endpoint = f"http://127.0.0.1:{aws}" if aws and AWS in self.names else ""
        return {
            "state": "started" if running else "stopped",
            "run_dir": str(self.folder.path),
            "kubeconfig": str(self.folder.kubeconfig("admin")),
            "kubeconfig_user": str(self.folder.kubeconfig("user")),
            "kubeconfig_readonly": str(self.folder.kubeconfig("readonly")),
            "kubernetes_endpoint": f"https://127.0.0.1:{api}" if api else "",
            "ca_file": str(self.folder.authority),
            "aws_endpoint": aws_endpoint,
            "region": self.region,
            "environment": environment_of(self.region, aws_endpoint) if aws_endpoint else {},
            "versions": dict(VERSIONS),
            "binaries": state.binaries,
            "components": [
                {
                    "name": name,
                    "pid": state.processes[name].pid if name in state.processes else 0,
                    "port": state.ports.get(name, 0),
                    "log": str(self.folder.log(name)),
                }
                for name in (self.names if running else ())
            ],
        }


def python_path(home: Path) -> Path:
    """The folder that contains C(ansible_collections), for daemons that are run as modules of this collection.

    A module process runs from an archive, so it is found from C(home): above it, or in the live tree of the checkout.

    :raises PlatformError: it is nowhere.
    """
    candidates = [parent.parent for parent in home.parents if parent.name == "ansible_collections"]
    candidates += [parent / "build" / "collections" for parent in home.parents]
    candidates += [Path(__file__).parents[6], *(Path(entry) for entry in sys.path if entry)]
    for candidate in candidates:
        if (candidate / INSIDE).is_dir():
            return candidate
    raise PlatformError(
        f"the folder that contains ansible_collections/aiplatform/eks is not above {home}: "
        "'home' has to be the folder 'files' of the role local_cloud in an installed collection or a checkout"
    )


def _cloud(options: Mapping[str, t.Any], context: Context) -> LocalCloud:
    home = Path(options["home"] or ".").absolute()
    if options["simulator"] and not options["aws"]:
        raise PlatformError("simulator is true and aws is false: the simulated nodes belong to the emulator's clusters")
    fixed = {name: options[key] for name, key in (("kube-apiserver", "api_port"), (AWS, "aws_port")) if options[key]}
    starting = options["state"] == "started"
    return LocalCloud(
        folder=RunFolder(Path(options["run_dir"]).resolve()),
        home=home,
        region=options["region"],
        names=components(aws=options["aws"], simulator=options["simulator"]),
        stages=read_stages([home / "stages", *map(Path, options["stages"])]) if starting else {},
        fixed_ports=fixed,
        download_urls=options["download_urls"],
        timeout=float(options["timeout"]),
        clock=context.clock,
    )


def _start(cloud: LocalCloud, context: Context) -> Outcome:
    finding = cloud.find()
    decision = decide_start(cloud.wish, finding)
    taken = [port for port in cloud.fixed_ports.values() if decision.mode == "fresh" and not port_is_free(port)]
    ours = set(finding.state.ports.values()) if finding.alive else set()
    if taken := [port for port in taken if port not in ours]:
        raise PlatformError(
            f"port {taken[0]} of 127.0.0.1 is taken by another program: end it, or give api_port or aws_port another "
            "port (0 takes a free one)"
        )
    expected = CloudState() if decision.mode == "fresh" else finding.state
    return converge(
        decision.plan,
        context,
        apply=lambda _plan: cloud.facts(cloud.apply()),
        predict=lambda _plan: cloud.facts(expected),
    )


def _stop(folder: RunFolder, cloud: LocalCloud, context: Context) -> Outcome:
    state = folder.read()
    alive = {name: process for name, process in state.processes.items() if process.alive}
    known = {process.pid for process in alive.values()}
    finding = Finding(
        state=state,
        alive=alive,
        forgotten=tuple(process for process in strays(folder.path) if process.pid not in known),
        leftovers=folder.holds_data(),
    )
    decision = decide_stop(finding)

    def apply(_plan: Plan) -> dict[str, t.Any]:
        with folder.locked():
            stop(decision.end)
            folder.clear()
        return cloud.facts(CloudState(), running=False)

    return converge(decision.plan, context, apply=apply, predict=lambda _plan: cloud.facts(CloudState(), running=False))


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:
    """Start or stop."""
    cloud = _cloud(options, context)
    if options["state"] == "stopped":
        return _stop(cloud.folder, cloud, context)
    return _start(cloud, context)


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "LocalCloud", "python_path")
