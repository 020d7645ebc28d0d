"""Archives that are no charts, and a cache that several releases and processes fill at once."""

from __future__ import annotations

import io
import tarfile
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.charts import ChartCache, identity_of, source_of
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.releases import ChartWish, release_of

CHART = ChartWish(name="web", repository="https://charts.example", version="1.0.0")


def archive(path: Path, **files: str) -> Path:
    with tarfile.open(path, "w:gz") as packed:
        for name, text in files.items():
            member = tarfile.TarInfo(name.replace("__", "/").replace("_yaml", ".yaml"))
            member.size = len(text.encode())
            packed.addfile(member, io.BytesIO(text.encode()))
    return path


def identity(path: Path) -> t.Any:
    wish = release_of({"name": "web", "namespace": "prod", "chart": {"ref": str(path)}})
    return identity_of(wish, source_of(wish, ""))


def test_the_chart_of_an_archive_is_its_own_and_not_its_sub_charts(tmp_path: Path) -> None:
    files = {"web__charts__db__Chart_yaml": "name: db", "web__Chart_yaml": "name: web\nversion: 1.0.0\n"}
    found = identity(archive(tmp_path / "web.tgz", **files))
    assert (found.name, found.version) == ("web", "1.0.0")


@pytest.mark.parametrize("made", ["without", "empty", "cut", "text", "absent"])
def test_what_is_no_chart_is_a_sentence(made: str, tmp_path: Path) -> None:
    path = tmp_path / "web.tgz"
    if made == "without":
        archive(path, web__values_yaml="a: 1")
    elif made == "empty":
        archive(path)
    elif made == "cut":
        whole = archive(path, web__Chart_yaml="name: web\nversion: 1.0.0\n").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif made == "text":
        path.write_text("no archive", encoding="utf-8")
    with pytest.raises(PlatformError, match=r"release prod/web: .*web\.tgz is no chart \(.+\); name .*a \.tgz archive"):
        identity(path)


class Repository:
    """Counts pulls; each takes a moment, so that they meet."""

    def __init__(self) -> None:
        self.pulled: list[Path] = []
        self._lock = threading.Lock()

    def pull(self, chart: ChartWish, folder: Path) -> Path:
        assert list(folder.iterdir()) == [], "a folder of its own"
        with self._lock:
            self.pulled.append(folder)
        (folder / f"{chart}.tgz").write_bytes(b"archive")
        time.sleep(0.02)
        return folder / f"{chart}.tgz"


def test_releases_of_one_chart_pull_it_once(tmp_path: Path) -> None:
    cache, repository = ChartCache(tmp_path / "new"), Repository()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _number: cache.fetch(CHART, repository.pull), range(8)))
    assert len(set(found)) == len(repository.pulled) == 1
    assert found[0].read_bytes() == b"archive"


def test_processes_that_pull_the_same_at_once_do_not_meet(tmp_path: Path) -> None:
    repository = Repository()
    with ThreadPoolExecutor(8) as pool:  # a cache object each, as processes have
        found = list(pool.map(lambda _number: ChartCache(tmp_path).fetch(CHART, repository.pull), range(8)))
    assert {path.read_bytes() for path in found} == {b"archive"}
    assert len(set(repository.pulled)) == len(repository.pulled) > 1
    assert list(tmp_path.glob("incoming*")) == []


def test_a_failed_pull_leaves_nothing(tmp_path: Path) -> None:
    def broken(_chart: ChartWish, folder: Path) -> Path:
        (folder / "half").write_bytes(b"x")
        raise PlatformError("no such chart")

    cache = ChartCache(tmp_path)
    with pytest.raises(PlatformError, match="no such chart"):
        cache.fetch(CHART, broken)
    assert list(tmp_path.glob("incoming*")) == []
    assert cache.fetch(CHART, Repository().pull).read_bytes() == b"archive"
