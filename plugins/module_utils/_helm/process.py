# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The helm process: private homes, credentials and values in 0600 files, answers as data, failures as sentences."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
import threading
import time
import typing as t
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from .._core.errors import PlatformError
from .._k8s.connection import load_configuration
from .charts import Source
from .command import Ended, call
from .complaint import said
from .kubeconfig import kubeconfig_of
from .records import DIGEST_LABEL
from .releases import ChartWish, Release

QUESTION_SECONDS = 60.0  # for what asks no cluster
FETCH_SECONDS = 300.0
LOGIN_SECONDS = 300.0
WAYS = "name it in helm_binary, put it on the PATH, or let the local_cloud role fetch it (get helm: https://helm.sh/docs/intro/install)"
HISTORY = 10


class HelmError(PlatformError):
    """Helm ended with an error."""


def find_helm(binary: str | None) -> str:
    """The helm program.

    :raises PlatformError: there is none, with the ways to get it.
    """
    folders = [os.environ.get("KUBEBUILDER_ASSETS", ""), *os.environ.get("PATH", "").split(os.pathsep)]
    found = shutil.which(
        binary or "helm", path=None if binary else os.pathsep.join(folder for folder in folders if folder)
    )
    if found is None:
        raise PlatformError(f"helm cannot be found{f' at {binary}' if binary else ''}; {WAYS}")
    return found


class Helm:
    """Runs helm against one cluster. A context manager: its private folder goes with it.

    :param options: the task's connection options.
    :param binary: path of helm 3 or 4.
    :param plain_http: whether registries are asked without TLS.
    :param heed: raises when nobody waits for the result any more.
    """

    def __init__(
        self,
        options: Mapping[str, t.Any],
        binary: str | None,
        *,
        plain_http: bool = False,
        heed: Callable[[], None] = lambda: None,
    ) -> None:
        self._heed = heed
        self._options = options
        self._wish = binary
        self._plain_http = plain_http
        self._folder: Path | None = None
        self._major: int | None = None
        self._lock = threading.Lock()
        self._login: tuple[Path | None, float] = (None, 0.0)
        self.started = 0

    def __enter__(self) -> Helm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def major(self) -> int:
        """3 or 4."""
        if self._major is None:
            text = self._run(
                ["version", "--template", "{{.Version}}"], doing="ask helm for its version", limit=QUESTION_SECONDS
            )
            self._major = int(text.strip().lstrip("v").split(".", maxsplit=1)[0])
        return self._major

    def render(self, release: Release, chart: Path) -> str:
        """The manifest that an install or upgrade would apply, hooks left out; nothing is written."""
        arguments = self._deploy(release, chart, digest="")
        arguments.append("--dry-run=server")
        doing = f"render release {release}"
        answer = self._run(arguments, doing=doing, limit=release.limit, values=release.values)
        try:
            return _manifest(answer)
        except ValueError as error:
            raise HelmError(f"cannot {doing}: {error}; nothing was changed") from error

    def render_anew(
        self, release: Release, chart: Path, *, on_server: bool, upgrade: bool = False, capabilities: Sequence[str] = ()
    ) -> str:
        """The manifest of a release whose record helm refuses to touch or cannot reach, hooks included.

        :param capabilities: from M(capabilities.template_arguments).
        """
        arguments = ["template", release.name, str(chart), "--namespace", release.namespace, *capabilities]
        if upgrade:
            arguments.append("--is-upgrade")
        return self._run(
            [*arguments, f"--dry-run={'server' if on_server else 'client'}"],
            doing=f"render release {release}",
            limit=release.limit,
            values=release.values,
            cluster=on_server,
        )

    def deploy(self, release: Release, chart: Path, *, digest: str) -> str:
        """Install or upgrade, and wait as the release asks.

        :returns: the manifest that was applied, hooks left out.
        """
        arguments = [*self._deploy(release, chart, digest=digest), *_waiting(release)]
        arguments += ["--history-max", str(HISTORY)]
        doing = f"deploy release {release}"
        answer = self._run(arguments, doing=doing, limit=release.limit, values=release.values)
        try:
            return _manifest(answer)
        except ValueError:
            return self.stored(release, remark=", which is deployed")

    def stored(self, release: Release, remark: str = "") -> str:
        """The manifest of a release's newest revision, hooks left out."""
        asking = ["get", "manifest", release.name, "--namespace", release.namespace]
        doing = f"read what helm made of release {release}{remark}"
        return self._run(asking, doing=doing, limit=QUESTION_SECONDS)

    def rollback(self, release: Release, revision: int) -> None:
        """Back to a revision."""
        arguments = ["rollback", release.name, str(revision), "--namespace", release.namespace]
        arguments += ["--timeout", f"{release.timeout}s", *_waiting(release)]
        self._run(arguments, doing=f"roll release {release} back", limit=release.limit)

    def uninstall(self, release: Release) -> None:
        """Remove a release and wait until its objects are gone."""
        arguments = ["uninstall", release.name, "--namespace", release.namespace, "--ignore-not-found"]
        arguments += ["--timeout", f"{release.timeout}s", "--wait"]
        self._run(arguments, doing=f"uninstall release {release}", limit=release.limit)

    def definitions(self, release: Release, chart: Path) -> str:
        """The chart's CustomResourceDefinitions, as YAML."""
        doing = f"read the CRDs of release {release}"
        return self._run(["show", "crds", str(chart)], doing=doing, limit=QUESTION_SECONDS, cluster=False)

    def pull(self, chart: ChartWish, folder: Path) -> Path:
        """Fetch a chart's archive into a folder."""
        arguments = ["pull", chart.ref or chart.name, "--version", chart.version, "--destination", str(folder)]
        if chart.repository:
            arguments += ["--repo", chart.repository]
        if self._plain_http and chart.is_oci:
            arguments.append("--plain-http")
        self._run(arguments, doing=f"fetch chart {chart}", limit=FETCH_SECONDS, cluster=False)
        archives = sorted(folder.glob("*.tgz"))
        if len(archives) != 1:
            raise HelmError(
                f"cannot fetch chart {chart}: helm left {len(archives)} archives in its folder, wanted is one"
            )
        return archives[0]

    def unpack(self, files: Mapping[str, str]) -> Path:
        """A chart's files as a folder that goes with this object."""
        chart = Path(tempfile.mkdtemp(dir=self._home(), prefix="chart-"))
        for name, text in files.items():
            (chart / name).parent.mkdir(parents=True, exist_ok=True)
            (chart / name).write_text(text, encoding="utf-8")
        return chart

    def _deploy(self, release: Release, chart: Path, *, digest: str) -> list[str]:
        arguments = ["upgrade", release.name, str(chart), "--install", "--namespace", release.namespace]
        arguments += ["--timeout", f"{release.timeout}s", "--hide-notes", "--output", "json"]
        arguments.append("--reset-values")  # without it helm keeps the old values when none are wished any more
        if release.create_namespace:
            arguments.append("--create-namespace")
        if release.crds == "apply":
            arguments.append("--skip-crds")
        if digest:
            arguments += ["--labels", f"{DIGEST_LABEL}={digest}"]
        if release.force_conflicts and self.major >= 4:
            arguments.append("--force-conflicts")
        return arguments

    def _run(
        self,
        arguments: Sequence[str],
        *,
        doing: str,
        limit: float,
        values: Mapping[str, t.Any] | None = None,
        cluster: bool = True,
    ) -> str:
        folder = self._home()
        command = [find_helm(self._wish), *arguments]
        if values is not None:
            command += ["--values", str(_secret_file(folder, json.dumps(values), suffix=".json"))]
        self.started += 1
        done = call(command, environment=self._environment(folder, cluster=cluster), limit=limit, heed=self._heed)
        if done.asked:
            raise HelmError(f"cannot {doing}: helm did not end within {limit:.0f} s and was {_stopped(done)}")
        if done.code:
            raise HelmError(f"cannot {doing}: {said(done.complaint, values or {})}")
        return done.out

    def _home(self) -> Path:
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="aiplatform-helm-"))
            return self._folder

    def _environment(self, folder: Path, *, cluster: bool) -> dict[str, str]:
        homes = {f"HELM_{kind}_HOME": str(folder / kind.lower()) for kind in ("CACHE", "DATA")}
        config = os.environ.get("HELM_REGISTRY_CONFIG")
        environment = {**os.environ, **homes, "HELM_CONFIG_HOME": str(folder / "config")}
        if config:  # a login that the user made for a registry is the user's to keep
            environment["HELM_REGISTRY_CONFIG"] = config
        environment["KUBECONFIG"] = str(self._kubeconfig(folder)) if cluster else ""
        return environment

    def _kubeconfig(self, folder: Path) -> Path:
        """A kubeconfig with a fresh login: the tokens of EKS live a quarter of an hour."""
        with self._lock:
            path, made = self._login
            if path is None or time.monotonic() - made > LOGIN_SECONDS:
                text = json.dumps(kubeconfig_of(load_configuration(self._options)))
                path = _secret_file(folder, text, suffix=".kubeconfig")
                self._login = (path, time.monotonic())
            return path


def _stopped(done: Ended) -> str:
    """How a helm was stopped that hung, and what a release is then."""
    if done.killed:
        return "killed, as it did not end when asked; a release that it worked on stays pending until it is recovered"
    return "asked to end; a release that it worked on counts as failed, and the next run tries it again"


def _waiting(release: Release) -> list[str]:
    """Helm 3 knows one way to wait; helm 4's C(--wait) alone is the way of its watcher."""
    return ["--wait", "--wait-for-jobs"] if release.wait else []


def _manifest(answer: str) -> str:
    """The manifest of a release that helm printed as JSON on a line of its own, after warnings.

    :raises ValueError: there is no such line.
    """
    for start in (match.start() for match in re.finditer(r"^\{", answer, re.MULTILINE)):
        with contextlib.suppress(ValueError):
            release, _end = json.JSONDecoder().raw_decode(answer, start)
            return str(release.get("manifest") or "")
    raise ValueError("helm printed no release")


def _secret_file(folder: Path, text: str, *, suffix: str) -> Path:
    descriptor, name = tempfile.mkstemp(dir=folder, suffix=suffix)  # mkstemp makes it 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)


def chart_path(source: Source, cache: t.Any, helm: Helm) -> Path:
    """The chart on this machine."""
    if source.path is not None:
        return source.path
    if source.files is not None:
        return helm.unpack(source.files)
    return t.cast("Path", cache.fetch(source.pull, helm.pull))


__all__ = ("Helm", "HelmError", "chart_path", "find_helm")
