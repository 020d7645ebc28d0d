"""Where the programs are looked for, and what is said when there is no way to get them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._local import binaries
from ansible_collections.aiplatform.eks.plugins.module_utils._local.binaries_download import NotReachableError
from ansible_collections.aiplatform.eks.plugins.module_utils._local.binaries_table import KUBERNETES, NAMES, TOOLS

HOME = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"


def fill(folder: Path, *, version: str = KUBERNETES, without: str = "") -> Path:
    folder.mkdir(parents=True)
    for name in NAMES:
        if name != without:
            (folder / name).write_text(f"#!/bin/sh\necho Kubernetes v{version}\n")
            (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    source = tmp_path / "home/controlplane"
    source.mkdir(parents=True)
    (source / "go.mod").write_text("go 1.26.0\n")
    (source / "go.sum").write_text("sums\n")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return source.parent


def cached(home: Path) -> Path:
    return binaries.cache_folder() / binaries.cache_key(home / "controlplane")


def no_download(folder, **options):
    raise NotReachableError("no route to the releases")


class NoBuilder:
    def __init__(self, **options):
        pass

    def build(self, folder):
        raise PlatformError("no Go here")


def test_assets_come_before_path_before_the_cache(home, tmp_path, monkeypatch):
    source = home / "controlplane"
    assert binaries.find_binaries(source) is None
    cache = fill(cached(home))
    assert binaries.find_binaries(source) == cache
    monkeypatch.setenv("PATH", f"/usr/bin:{fill(tmp_path / 'path')}")
    assert binaries.find_binaries(source) == tmp_path / "path"
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(fill(tmp_path / "assets", version="1.30.0")))
    assert binaries.find_binaries(source) == tmp_path / "assets", "what the user names needs no version of ours"


def test_an_incomplete_or_older_set_is_passed_over(home, tmp_path, monkeypatch):
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(fill(tmp_path / "assets", without="kwok")))
    monkeypatch.setenv("PATH", f"{fill(tmp_path / 'path', version='1.35.9')}:/usr/bin:/bin")
    assert binaries.find_binaries(home / "controlplane") is None


def test_the_cache_knows_the_versions_by_their_modules(home):
    before = cached(home)
    (home / "controlplane/go.sum").write_text("other sums\n")
    assert cached(home) != before


def test_a_download_fills_the_cache_at_once_or_not_at_all(home, monkeypatch):
    def halfway(folder, **options):
        (folder / "etcd").write_text("half")
        raise PlatformError("the file is damaged")

    monkeypatch.setattr(binaries, "download_tools", halfway)
    with pytest.raises(PlatformError, match="damaged"):
        binaries.provide_binaries(home)
    assert not cached(home).exists()

    def whole(folder, **options):
        for name in NAMES:
            (folder / name).write_text("#!/bin/sh\n")
            (folder / name).chmod(0o755)

    monkeypatch.setattr(binaries, "download_tools", whole)
    assert binaries.provide_binaries(home) == cached(home)
    assert {path.name for path in cached(home).iterdir()} == set(NAMES)
    assert not list(cached(home).parent.glob("*.partial"))


def test_no_way_lists_all_the_ways(home, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(fill(tmp_path / "assets", without="kwok")))
    monkeypatch.setattr(binaries, "download_tools", no_download)
    monkeypatch.setattr(binaries, "Builder", NoBuilder)
    assert binaries.main([str(home)]) == 1
    output = capsys.readouterr()
    for part in (
        "KUBEBUILDER_ASSETS (it lacks kwok)",
        "PATH (no folder holds etcd, kube-apiserver",
        f"the cache ({cached(home)} is empty)",
        "download (no route to the releases)",
        "build (no Go here)",
        "AIPLATFORM_KUBERNETES_URL",
        "install Go 1.26 or newer",
    ):
        assert part in output.err
    assert "the official releases cannot be had from here (no route to the releases)" in output.out


def test_a_full_disk_is_said(home, monkeypatch):
    def full(folder, **options):
        raise OSError(28, "No space left on device", str(folder / "etcd"))

    monkeypatch.setattr(binaries, "download_tools", full)
    with pytest.raises(PlatformError, match=r"cannot be kept in .*No space left"):
        binaries.provide_binaries(home)


def test_a_wrong_home_is_said(tmp_path):
    with pytest.raises(PlatformError, match="'home' has to be the folder 'files' of the role local_cloud"):
        binaries.provide_binaries(tmp_path)


def test_the_command_ends_with_the_folder(home, capsys):
    folder = fill(cached(home))
    assert binaries.main([str(home)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(f"the control plane's programs are in {folder}")


def test_the_table_and_the_modules_name_the_same_programs_and_versions():
    text = (HOME / "controlplane/go.mod").read_text()
    tools = set(re.search(r"tool \((.*?)\)", text, re.DOTALL).group(1).split())
    assert tools == {tool.package for tool in TOOLS}
    required = dict(re.findall(r"^\t(\S+) v(\S+)$", text, re.MULTILINE))
    for tool in TOOLS:
        module = next(name for name in required if tool.package == name or tool.package.startswith(f"{name}/"))
        assert required[module] == tool.version, tool.name
