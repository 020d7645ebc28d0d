# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Download the official release programs, each against the checksum that is published beside it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
import threading
import time
import typing as t
from collections.abc import Callable, Mapping
from pathlib import Path

from ansible.module_utils.urls import open_url

from .._core.concurrency import map_concurrently
from .._core.errors import PlatformError
from .binaries_table import TOOLS, Tool, machine

Progress = Callable[[str], None]
ANSWER_SECONDS = 3.0
STALL_SECONDS = 20.0
CHUNK = 1 << 20
SUM = re.compile(r"\b[0-9a-fA-F]{64}\b")


class NotReachableError(PlatformError):
    """The releases cannot be had from here: no network, no such file, or no checksum beside it."""


def download_tools(
    folder: Path,
    *,
    urls: Mapping[str, str],
    progress: Progress,
    tools: tuple[Tool, ...] = TOOLS,
    answer_seconds: float = ANSWER_SECONDS,
    stall_seconds: float = STALL_SECONDS,
) -> None:
    """Put the verified programs into a folder.

    All checksums are asked for at once and must be there after C(answer_seconds), name look-ups included: a machine
    with no network loses no more than that.

    :param urls: the address of each project's releases.
    :raises NotReachableError: a checksum or a file cannot be had.
    :raises PlatformError: a file does not match its checksum.
    """
    sums = fetch_checksums(tools, urls=urls, seconds=answer_seconds)
    progress(f"downloading {len(tools)} programs from {', '.join(sorted(set(urls.values())))}")

    def one(tool: Tool) -> None:
        start = time.monotonic()
        _download(tool, folder, address=_address(tool, tool.path, urls), wanted=sums[tool.name], stall=stall_seconds)
        progress(f"downloaded {tool.name} {tool.version}, checksum verified, in {time.monotonic() - start:.0f} s")

    map_concurrently(one, tools, workers=4)


def fetch_checksums(tools: tuple[Tool, ...], *, urls: Mapping[str, str], seconds: float) -> dict[str, str]:
    """The published SHA-256 of every tool's release file, or NotReachableError after so many seconds."""
    found: dict[str, str] = {}
    failures: dict[str, str] = {}

    def ask(tool: Tool) -> None:
        address = checksum_address(tool, urls)
        try:
            with _open(address, timeout=seconds) as answer:
                text = answer.read(CHUNK).decode("utf-8", "replace")
            found[tool.name] = parse_checksum(text, _address(tool, tool.path, urls).rsplit("/", 1)[-1], address)
        except (OSError, ValueError, PlatformError) as error:
            failures[tool.name] = f"{address}: {error}"

    # Daemon threads, not a pool: a name look-up that hangs cannot be ended, and must not hold up the exit.
    threads = [threading.Thread(target=ask, args=(tool,), daemon=True) for tool in tools]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
        if failures:
            break
    if failures:
        raise NotReachableError(next(iter(failures.values())))
    for tool in tools:
        if tool.name not in found:
            raise NotReachableError(f"{checksum_address(tool, urls)}: no answer within {seconds:g} s")
    return dict(found)


def parse_checksum(text: str, file: str, address: str) -> str:
    """The SHA-256 of a file: a bare sum, the line that ends with the file's name, or GitHub's record of the release.

    :raises PlatformError: there is none.
    """
    if text.startswith("{"):
        assets = json.loads(text).get("assets") or []
        text = "\n".join(f"{asset.get('digest') or ''} {asset.get('name')}" for asset in assets)
    bare = text.splitlines() if len(text.split()) == 1 else []
    lines = [line for line in text.splitlines() if line.split()[-1:] in ([file], [f"*{file}"])] or bare
    match = SUM.search(lines[0]) if lines else None
    if match is None:
        raise PlatformError(f"{address} holds no SHA-256 of {file}")
    return match.group().lower()


def _download(tool: Tool, folder: Path, *, address: str, wanted: str, stall: float) -> None:
    partial = folder / f".{tool.name}.download"
    digest = hashlib.sha256()
    try:
        with _open(address, timeout=stall) as answer, partial.open("wb") as file:
            while chunk := answer.read(CHUNK):
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != wanted:
            raise PlatformError(
                f"{address} has the SHA-256 {digest.hexdigest()}, published is {wanted}: "
                "the file is damaged or was replaced; it was thrown away"
            )
        if tool.member:
            _unpack(tool, partial, folder / tool.name)
        else:
            partial.replace(folder / tool.name)
        (folder / tool.name).chmod(0o755)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise NotReachableError(f"{address}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _unpack(tool: Tool, archive: Path, target: Path) -> None:
    system, architecture = machine()
    member = tool.member.format(os=system, arch=architecture)
    with tarfile.open(archive, "r:*") as tar:
        try:
            source = tar.extractfile(member)
        except KeyError:
            source = None
        if source is None:
            raise PlatformError(f"the release archive of {tool.name} {tool.version} holds no file {member}")
        with target.open("wb") as file:
            while chunk := source.read(CHUNK):
                file.write(chunk)


def _address(tool: Tool, path: str, urls: Mapping[str, str], *, project: str = "") -> str:
    system, architecture = machine()
    return f"{urls[project or tool.project].rstrip('/')}/{path.format(os=system, arch=architecture)}"


def checksum_address(tool: Tool, urls: Mapping[str, str]) -> str:
    """Where the SHA-256 of a tool's release file is published."""
    return _address(tool, tool.checksum, urls, project=tool.checksum_project)


def _open(address: str, *, timeout: float) -> t.Any:
    if not address.startswith(("http://", "https://")):
        raise PlatformError(f"{address} is no http or https address")
    return open_url(address, timeout=timeout, http_agent="aiplatform.eks")


def release_urls(defaults: Mapping[str, str], overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Each project's release address: the override, else E(AIPLATFORM_<PROJECT>_URL), else the default."""
    given = overrides or {}
    if unknown := sorted(set(given) - set(defaults)):
        raise PlatformError(f"download_urls names {', '.join(unknown)}; known are {', '.join(sorted(defaults))}")
    return {
        name: given.get(name) or os.environ.get(f"AIPLATFORM_{name.upper().replace('-', '_')}_URL") or address
        for name, address in defaults.items()
    }


__all__ = (
    "NotReachableError",
    "checksum_address",
    "download_tools",
    "fetch_checksums",
    "parse_checksum",
    "release_urls",
)
