"""NVIDIA's own programs and our mock driver: built once, kept outside the checkout under a hash of their sources.

``python tests/nvidia/nvidia_programs.py`` builds them and says where they are: minutes at first, seconds after.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "build/collections"))

from ansible_collections.aiplatform.eks.plugins.module_utils._local.binaries import cache_folder
from ansible_collections.aiplatform.eks.plugins.module_utils._local.binaries_build import Builder

MODULE = "github.com/NVIDIA/k8s-device-plugin/cmd"
PROGRAMS = {
    "gpu-feature-discovery": f"{MODULE}/gpu-feature-discovery",
    "nvidia-device-plugin": f"{MODULE}/nvidia-device-plugin",
}
HEADER = "github.com/NVIDIA/go-nvml"
LIBRARY = "libnvidia-ml.so.1"
# go-nvml leaves NVML's symbols open until it loads the library, so the loader must not resolve them at once.
LAZY = "-s -w -extldflags=-Wl,-z,lazy"


@functools.cache
def programs() -> Path:
    """The folder with the two programs, the small kubelet and the mock library; filled first when it is not there."""
    target = cache_folder().with_name("nvidia") / key()
    if not (target / LIBRARY).exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (target / LIBRARY).exists():
                _fill(target)
    return target


def key() -> str:
    """The hash of everything that they are made of."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "fakekubelet/main.go", "mocknvml/mocknvml.c"):
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()[:16]


def _fill(target: Path) -> None:
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    builder = Builder(source=HERE, cache=cache_folder(), progress=print)
    go = builder.find_go() or builder.install_go()
    environment = {**os.environ, "CGO_ENABLED": "1", "GOFLAGS": "-mod=readonly"}
    for name, package in {**PROGRAMS, "fakekubelet": "./fakekubelet"}.items():
        _run([go, "build", "-trimpath", "-ldflags", LAZY, "-o", partial / name, package], environment)
    found = _run([go, "list", "-m", "-f", "{{.Dir}}", HEADER], environment).strip()
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", f"-Wl,-soname,{LIBRARY}"]
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SystemExit("the mock of NVIDIA's driver library needs a C compiler (cc or gcc); install one")
    _run([compiler, *flags, f"-I{found}/pkg/nvml", "-o", partial / LIBRARY, "mocknvml/mocknvml.c"], environment)
    partial.replace(target)


def _run(command: list[str | Path], environment: dict[str, str]) -> str:
    words = ["nice", *map(str, command)]
    done = subprocess.run(words, cwd=HERE, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    started = time.monotonic()
    print(
        "NVIDIA's device plugin and feature discovery: found, or built once (about 3 minutes on two cores)", flush=True
    )
    print(f"{programs()} ({time.monotonic() - started:.0f} s)")
