# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The folder that one local cloud lives in: paths, the state file, the lock. Folder 0700, secrets 0600."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import typing as t
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .._core.errors import PlatformError
from .processes import Process, said

NEEDED_BYTES = 512 << 20
FORMAT = 1


@dataclass(frozen=True)
class CloudState:
    """What the state file says.

    :param versions: of the programs, by project.
    :param binaries: the folder of the programs.
    :param ports: by component, and C(etcd-peer).
    :param processes: by component.
    :param stages: the digest of every stage object that was given to kwok, by name.
    """

    versions: Mapping[str, str] = field(default_factory=dict)
    binaries: str = ""
    region: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)
    processes: Mapping[str, Process] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunFolder:
    """Where the files of one local cloud are.

    :param path: absolute.
    """

    path: Path

    @property
    def logs(self) -> Path:
        """The folder of the logs; it stays when the cloud is stopped."""
        return self.path / "logs"

    @property
    def pki(self) -> Path:
        """The folder of keys and certificates."""
        return self.path / "pki"

    @property
    def authority(self) -> Path:
        """The certificate authority of all our servers."""
        return self.pki / "ca.crt"

    @property
    def etcd(self) -> Path:
        """Etcd's data."""
        return self.path / "etcd"

    @property
    def tokens(self) -> Path:
        """The API server's file of bearer tokens."""
        return self.path / "tokens.csv"

    def kubeconfig(self, identity: str) -> Path:
        """The kubeconfig of C(admin), C(user) or C(readonly)."""
        return self.path / ("kubeconfig" if identity == "admin" else f"kubeconfig-{identity}")

    def log(self, component: str) -> Path:
        """A component's log."""
        return self.logs / f"{component}.log"

    def read(self) -> CloudState:
        """The state that the last call left; an empty one when there is none or it cannot be read."""
        try:
            raw: dict[str, t.Any] = json.loads((self.path / "state.json").read_text())
            if raw.pop("format") != FORMAT:
                return CloudState()
            raw["processes"] = {name: Process(**one) for name, one in raw["processes"].items()}
            return CloudState(**raw)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return CloudState()

    def write(self, state: CloudState) -> None:
        """Keep the state, whole or not at all."""
        self.write_secret(self.path / "state.json", json.dumps({"format": FORMAT, **asdict(state)}, indent=1))

    def write_secret(self, path: Path, text: str) -> None:
        """Write a file that only its owner reads, whole or not at all.

        :raises PlatformError: it cannot be written.
        """
        partial = path.with_name(f".{path.name}.partial")
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise PlatformError(f"{path} cannot be written: {said(error)}") from error

    def prepare(self) -> None:
        """Make the folder, empty but for old logs.

        :raises PlatformError: it cannot be made, belongs to something else, or the disk is nearly full.
        """
        self.clear()
        try:
            for folder in (self.path, self.logs, self.pki):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                folder.chmod(0o700)
            free = shutil.disk_usage(self.path).free
        except OSError as error:
            raise PlatformError(f"the run folder {self.path} cannot be made: {said(error)}") from error
        if free < NEEDED_BYTES:
            raise PlatformError(
                f"the disk of the run folder {self.path} has {free >> 20} MiB left, the local cloud needs "
                f"{NEEDED_BYTES >> 20} MiB: make room, or give 'run_dir' a folder on another disk"
            )

    def holds_data(self) -> bool:
        """Whether something of a cloud is there besides logs."""
        return any(path.exists() for path in (self.path / "state.json", self.etcd, self.pki, self.tokens))

    def clear(self) -> None:
        """Delete everything that a cloud keeps but its logs."""
        for folder in (self.etcd, self.pki, self.path / "kwok"):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (
            self.path / "state.json",
            self.tokens,
            *self.path.glob("kubeconfig*"),
            *self.path.glob(".*.partial"),
        ):
            file.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one call at a time change this cloud.

        :raises PlatformError: the folder cannot be made or locked.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = (self.path / "lock").open("w")
        except OSError as error:
            raise PlatformError(f"the run folder {self.path} cannot be used: {said(error)}") from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


__all__ = ("CloudState", "RunFolder")
