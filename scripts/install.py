"""Install requirements files into this interpreter's virtual environment, all in one resolve.

``install.py FILE...``: by uv, which takes seconds where pip takes minutes; by pip where uv has no wheel. Both see the
index, proxy and certificates of pip's settings.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping

# pip's settings and what uv calls them; proxies and SSL_CERT_FILE have the same names for both.
NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}


def pip(*arguments: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
    """Run this interpreter's pip."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, capture_output=capture, text=True, check=False)


def settings(listing: str) -> dict[str, str]:
    """Environment variables for uv from the answer of ``pip config list``; a later line wins over an earlier one.

    >>> settings("global.index-url='https://mirror.example/simple'")
    {'UV_DEFAULT_INDEX': 'https://mirror.example/simple'}
    """
    found: dict[str, str] = {}
    for line in listing.splitlines():
        key, separator, value = line.partition("=")
        name = NAMES.get(key.rpartition(".")[2])
        if separator and name:
            found[name] = " ".join(value.strip("'\"").replace("\\n", " ").split())
    if "UV_INDEX" in found:
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # pip looks for the best version in all of them
    return found


def install(files: list[str], environment: Mapping[str, str]) -> int:
    """Install, and say by which program."""
    wanted = [argument for file in files for argument in ("--requirement", file)]
    if pip("install", "--quiet", "--only-binary", ":all:", "uv>=0.9").returncode or not _has_uv():
        print("uv cannot be had here; pip does the same in minutes", flush=True)
        return pip("install", *wanted).returncode
    command = [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable, *wanted]
    told = {**settings(pip("config", "list", capture=True).stdout), **environment}
    return subprocess.run(command, env=told, check=False).returncode


def _has_uv() -> bool:
    importlib.invalidate_caches()
    return importlib.util.find_spec("uv") is not None


if __name__ == "__main__":
    sys.exit(install(sys.argv[1:], os.environ))
