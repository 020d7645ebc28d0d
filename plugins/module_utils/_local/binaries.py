# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs of the local control plane: found, else downloaded, else built, else one error that lists the ways.

Runs on its own too, with its progress on the terminal:
C(python -m ansible_collections.aiplatform.eks.plugins.module_utils._local.binaries roles/local_cloud/files).
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .._core.errors import PlatformError
from .._core.text import listed
from .binaries_build import Builder
from .binaries_download import NotReachableError, download_tools, release_urls
from .binaries_table import KUBERNETES, NAMES, RELEASES, machine

Progress = Callable[[str], None]


def cache_folder() -> Path:
    """The folder outside every checkout in which programs are kept: E(XDG_CACHE_HOME) or C(~/.cache)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "aiplatform-eks" / "controlplane"


def cache_key(source: Path) -> str:
    """The name of a set of programs: the machine, and a hash of go.mod and go.sum.

    :raises PlatformError: the two files are not there.
    """
    digest = hashlib.sha256()
    try:
        for name in ("go.mod", "go.sum"):
            digest.update((source / name).read_bytes())
    except OSError as error:
        raise PlatformError(
            f"the list of the control plane's programs cannot be read: {error}; "
            "'home' has to be the folder 'files' of the role local_cloud"
        ) from error
    return "-".join((*machine(), digest.hexdigest()[:16]))


def find_binaries(source: Path) -> Path | None:
    """The folder that holds all the programs, or None: E(KUBEBUILDER_ASSETS), PATH, then the cache.

    A folder of PATH counts only when its Kubernetes has our minor version.
    """
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and not missing_in(Path(assets)):
        return Path(assets)
    for entry in os.environ.get("PATH", "").split(os.pathsep):
        if entry and not missing_in(Path(entry)) and _right_minor(Path(entry)):
            return Path(entry)
    cached = cache_folder() / cache_key(source)
    return None if missing_in(cached) else cached


def missing_in(folder: Path) -> list[str]:
    """The programs that a folder lacks."""
    return [name for name in NAMES if not os.access(folder / name, os.X_OK)]


def provide_binaries(
    home: Path, *, progress: Progress = lambda _line: None, download_urls: Mapping[str, str] | None = None
) -> Path:
    """The folder with all the programs: found, downloaded or built.

    :param home: the folder C(files) of the role local_cloud.
    :param progress: takes the lines that say what is going on.
    :param download_urls: mirrors of release addresses, by project.
    :raises PlatformError: none of the ways leads to them.
    """
    source = home / "controlplane"
    if found := find_binaries(source):
        return found
    urls = release_urls(RELEASES, download_urls)
    target = cache_folder() / cache_key(source)
    try:
        with _locked(target, progress):
            if found := find_binaries(source):
                return found
            _fill(target, source, urls, progress)
    except OSError as error:
        raise PlatformError(f"the control plane's programs cannot be kept in {target}: {error}") from error
    return target


def _fill(target: Path, source: Path, urls: Mapping[str, str], progress: Progress) -> None:
    partial = target.with_name(f"{target.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    try:
        download_tools(partial, urls=urls, progress=progress)
    except NotReachableError as unreachable:
        progress(f"the official releases cannot be had from here ({unreachable.message})")
        try:
            Builder(source=source, cache=target.parent, progress=progress).build(partial)
        except PlatformError as failure:
            raise PlatformError(_no_way(target, unreachable, failure)) from failure
    shutil.rmtree(target, ignore_errors=True)
    partial.replace(target)


def _no_way(target: Path, unreachable: PlatformError, failure: PlatformError) -> str:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    lacking = f"it lacks {listed(missing_in(Path(assets)))}" if assets else "it is not set"
    return (
        f"there is no Kubernetes control plane on this machine and no way to get one. Tried: KUBEBUILDER_ASSETS "
        f"({lacking}); PATH (no folder holds {listed(NAMES)} {KUBERNETES}); the cache ({target} is empty); download "
        f"({unreachable.message}); build ({failure.message}). Ways out: set KUBEBUILDER_ASSETS to a folder with these "
        f"programs; or give AIPLATFORM_KUBERNETES_URL, AIPLATFORM_ETCD_URL, AIPLATFORM_KWOK_URL, "
        f"AIPLATFORM_KWOK_CHECKSUMS_URL and AIPLATFORM_HELM_URL the addresses of mirrors that this machine "
        f"reaches; or install Go 1.26 or newer where "
        f"Go modules can be had, and start again: an interrupted build continues"
    )


def _right_minor(folder: Path) -> bool:
    ended = subprocess.run([str(folder / "kube-apiserver"), "--version"], capture_output=True, text=True, check=False)
    return f" v{KUBERNETES.rsplit('.', 1)[0]}." in ended.stdout


@contextmanager
def _locked(target: Path, progress: Progress) -> Iterator[None]:
    """Only one process fills the cache; another one waits and then finds it filled."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another process is getting the programs: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> int:
    """Provide the programs, saying on standard output what goes on; the last line is their folder."""
    parser = argparse.ArgumentParser(description="Find, download or build the local Kubernetes control plane.")
    parser.add_argument("home", type=Path, help="the folder 'files' of the role local_cloud")
    started = time.monotonic()

    def show(line: str) -> None:
        sys.stdout.write(f"[{time.monotonic() - started:6.1f} s] {line}\n")
        sys.stdout.flush()

    try:
        show(
            f"the control plane's programs are in {provide_binaries(parser.parse_args(arguments).home, progress=show)}"
        )
    except PlatformError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the same command continues where this one ended\n")
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

__all__ = ("cache_folder", "cache_key", "find_binaries", "main", "missing_in", "provide_binaries")
