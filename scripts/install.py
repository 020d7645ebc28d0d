"""Install requirements files into this interpreter's virtual environment, all in one resolve.

``install.py FILE...``: by uv, which takes seconds where pip takes minutes. By pip where uv cannot be had, cannot do it,
or where pip was told more than an index, a folder of wheels and certificates.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping

# pip's settings and what uv calls them, and those that do not matter for what is installed.
NAMES = {"index-url": "UV_DEFAULT_INDEX", "find-links": "UV_FIND_LINKS", "cert": "SSL_CERT_FILE"}
HARMLESS = {
    *("cache-dir", "default-timeout", "disable-pip-version-check", "log", "no-cache-dir", "no-color", "no-input"),
    *("no-python-version-warning", "no-warn-conflicts", "no-warn-script-location", "progress-bar", "quiet"),
    *("require-virtualenv", "retries", "root-user-action", "timeout", "verbose"),
}
SECTIONS = ("global", "install", ":env:")  # of pip's settings, those that its command install reads


def pip(*arguments: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
    """Run this interpreter's pip."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, capture_output=capture, text=True, check=False)


def settings(listing: str) -> dict[str, str] | None:
    """Environment variables for uv from the answer of ``pip config list``; None when they cannot say it all.

    >>> settings("global.index-url='https://mirror.example/simple'")
    {'UV_DEFAULT_INDEX': 'https://mirror.example/simple'}
    """
    found: dict[str, str] = {}
    for line in listing.splitlines():
        key, _separator, value = line.partition("=")
        section, _dot, name = key.rpartition(".")
        if section not in SECTIONS or name in HARMLESS:
            continue
        if name not in NAMES:
            return None
        found[NAMES[name]] = ",".join(value.strip("'\"").replace("\\n", " ").split())
    return found


def install(files: list[str], environment: Mapping[str, str]) -> int:
    """Install, and say when it takes minutes."""
    wanted = [argument for file in files for argument in ("--requirement", file)]
    told = settings(pip("config", "list", capture=True).stdout)
    if told is not None and _get_uv():
        own = {name: value for name, value in environment.items() if name.startswith("UV_")}
        command = [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable, *wanted]
        if subprocess.run(command, env={**environment, **told, **own}, check=False).returncode == 0:
            return 0
    print("uv cannot do it here; pip does the same in minutes", flush=True)
    return pip("install", *wanted).returncode


def _get_uv() -> bool:
    done = pip("install", "--quiet", "--only-binary", ":all:", "uv>=0.9")
    importlib.invalidate_caches()
    return done.returncode == 0 and importlib.util.find_spec("uv") is not None


if __name__ == "__main__":
    sys.exit(install(sys.argv[1:], os.environ))
