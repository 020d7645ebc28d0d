# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where charts lie: local ones with a digest of their content, those of repositories through a mirror and a cache."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import tempfile
import threading
import typing as t
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .._core.errors import PlatformError
from .._k8s.manifests import documents
from .decisions import ChartIdentity
from .releases import OCI, ChartWish, Release
from .stand_in import chart_files
from .stand_in_objects import is_stand_in

DIGEST_LENGTH = 40
Pull = Callable[[ChartWish, Path], Path]


@dataclass(frozen=True)
class Source:
    """Where a wished chart is taken from: a local path, a chart to pull, or the files of a stand-in."""

    path: Path | None = None
    pull: ChartWish | None = None
    files: Mapping[str, str] | None = None


def source_of(release: Release, mirror: str, *, stand_ins: bool = False) -> Source:
    """Follow the mirror, if there is one; else stand-ins, if they are wanted and there is data for this one.

    :param mirror: a directory, an HTTP repository or an C(oci://) prefix that replaces every repository; or empty.
    :raises PlatformError: a directory that does not hold the chart; the data of a stand-in is wrong.
    """
    chart = release.chart
    if chart.is_local:
        return Source(path=Path(chart.ref).expanduser())
    if mirror.startswith(OCI):
        return Source(pull=ChartWish(ref=f"{mirror.rstrip('/')}/{chart.short_name}", version=chart.version))
    if mirror.startswith(("http://", "https://")):
        return Source(pull=ChartWish(name=chart.short_name, repository=mirror, version=chart.version))
    found = _in_directory(Path(mirror).expanduser(), chart) if mirror else None
    if found is not None:
        return Source(path=found)
    if stand_ins and chart.stand_in is not None:
        return Source(files=_stand_in(release, chart.stand_in))
    if mirror:
        raise _missing(Path(mirror).expanduser(), chart, release)
    return Source(pull=chart)


def _stand_in(release: Release, data: Mapping[str, t.Any]) -> dict[str, str]:
    try:
        return chart_files(release.chart.short_name, release.chart.version, data)
    except PlatformError as error:
        raise PlatformError(f"release {release}: {error.message}") from error


def _mirrored(chart: ChartWish) -> tuple[str, ...]:
    return f"{chart.short_name}-{chart.version}.tgz", f"{chart.short_name}-{chart.version}", chart.short_name


def _in_directory(mirror: Path, chart: ChartWish) -> Path | None:
    return next((mirror / name for name in _mirrored(chart) if (mirror / name).exists()), None)


def _missing(mirror: Path, chart: ChartWish, release: Release) -> PlatformError:
    names = _mirrored(chart)
    return PlatformError(
        f"release {release}: the chart mirror {mirror} holds none of {', '.join(names)}; put the chart there, or name "
        "another chart_mirror"
    )


def identity_of(release: Release, source: Source) -> ChartIdentity:
    """Name and version, and the digest of a chart that the user names by its path.

    :raises PlatformError: the path holds no chart, or another version than the wished one.
    """
    chart = release.chart
    if source.files is not None:
        files = ((name, text.encode()) for name, text in source.files.items())
        return ChartIdentity(chart.short_name, chart.version, _digest(files), stand_in=True)
    if source.path is None:
        return ChartIdentity(chart.short_name, chart.version)
    metadata = _metadata(source.path, release)
    name, version = str(metadata.get("name") or ""), str(metadata.get("version") or "")
    if chart.version and version != chart.version:
        raise PlatformError(f"release {release}: {source.path} holds version {version}, wanted is {chart.version}")
    digest = content_digest(source.path) if chart.is_local else ""
    return ChartIdentity(name, version, digest, stand_in=is_stand_in(metadata))


def content_digest(path: Path) -> str:
    """The first 40 hex digits of the SHA-256 over the names and contents of a chart's files."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()[:DIGEST_LENGTH]
    files = sorted(entry for entry in path.rglob("*") if entry.is_file())
    return _digest((str(file.relative_to(path)), file.read_bytes()) for file in files)


def _digest(files: Iterable[tuple[str, bytes]]) -> str:
    total = hashlib.sha256()
    for name, content in files:
        total.update(name.encode() + b"\0")
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()[:DIGEST_LENGTH]


def _metadata(path: Path, release: Release) -> dict[str, t.Any]:
    try:
        text = _archived(path) if path.is_file() else (path / "Chart.yaml").read_text(encoding="utf-8")
    except (OSError, EOFError, ValueError, LookupError, tarfile.TarError, zlib.error) as error:
        reason = str(error).partition(":\n")[0]  # tarfile adds a line for each way to pack
        raise PlatformError(
            f"release {release}: {path} is no chart ({reason}); name a directory with a Chart.yaml, or a .tgz archive"
        ) from error
    found = next(documents(text, source=f"Chart.yaml of {path}", last_counts=True), None)
    if not isinstance(found, dict):
        raise PlatformError(f"release {release}: Chart.yaml of {path} is no mapping")
    return found


def _archived(path: Path) -> str:
    """The text of an archive's Chart.yaml.

    :raises LookupError: it holds none.
    """
    with tarfile.open(path) as archive:
        for member in archive:
            if member.name.count("/") == 1 and member.name.endswith("/Chart.yaml"):
                file = archive.extractfile(member)
                return file.read().decode("utf-8") if file else ""
    raise LookupError("it holds no Chart.yaml")


class ChartCache:
    """Charts of repositories on this machine: fetched once, kept under their content's digest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._locks: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)

    def fetch(self, chart: ChartWish, pull: Pull) -> Path:
        """The archive of a chart; pulled when it is not here, or when it is not what was pulled.

        Releases of one chart that are planned at once pull it once.
        """
        note = self._folder / "names" / f"{_fingerprint(chart)}.json"
        with self._lock:
            lock = self._locks[note]
        with lock:
            return self._kept(note) or self._keep(chart, note, pull)

    def _kept(self, note: Path) -> Path | None:
        try:
            known = json.loads(note.read_text(encoding="utf-8"))
            archive = self._folder / str(known["digest"]) / str(known["file"])
            return archive if hashlib.sha256(archive.read_bytes()).hexdigest() == known["digest"] else None
        except (OSError, ValueError, KeyError):
            return None

    def _keep(self, chart: ChartWish, note: Path, pull: Pull) -> Path:
        """Pull into a folder of our own: other processes may pull the same chart."""
        for folder in (self._folder, note.parent):
            folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix="incoming-") as incoming:
            pulled = pull(chart, Path(incoming))
            digest = hashlib.sha256(pulled.read_bytes()).hexdigest()
            known = {"digest": digest, "file": pulled.name, "chart": str(chart), "from": chart.repository or chart.ref}
            draft = Path(incoming) / note.name
            draft.write_text(json.dumps(known), encoding="utf-8")
            target = self._folder / digest / pulled.name
            target.parent.mkdir(exist_ok=True)
            pulled.replace(target)
            draft.replace(note)
        return target


def _fingerprint(chart: ChartWish) -> str:
    return hashlib.sha256("\0".join((chart.ref, chart.repository, chart.name, chart.version)).encode()).hexdigest()[:24]


def default_cache() -> Path:
    """The cache folder of this user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "aiplatform-eks" / "charts"


__all__ = ("ChartCache", "Pull", "Source", "content_digest", "default_cache", "identity_of", "source_of")
