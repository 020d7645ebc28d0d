# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kubeconfig file for a cluster: an exec login, so no secret stands in it, and still 0600."""

from __future__ import annotations

import json
import os
import tempfile
import typing as t
from pathlib import Path

from ..._aws.session import Record
from .spec import KubeconfigSpec

MODE = 0o600


def kubeconfig_text(spec: KubeconfigSpec, cluster: Record, *, region: str, profile: str | None) -> str:
    """The file's content, YAML with a fixed order."""
    name = json.dumps(spec.context)
    arguments = ["--region", region, "eks", "get-token", "--cluster-name", str(cluster["name"]), "--output", "json"]
    lines = [
        "apiVersion: v1",
        "kind: Config",
        "clusters:",
        f"  - name: {name}",
        "    cluster:",
        f"      server: {json.dumps(cluster['endpoint'])}",
        f"      certificate-authority-data: {json.dumps(cluster['certificateAuthority']['data'])}",
        "users:",
        f"  - name: {name}",
        "    user:",
        "      exec:",
        "        apiVersion: client.authentication.k8s.io/v1beta1",
        f"        command: {json.dumps(spec.command)}",
        "        interactiveMode: IfAvailable",
        "        args:",
        *(f"          - {json.dumps(argument)}" for argument in arguments),
        *(
            ["        env:", "          - name: AWS_PROFILE", f"            value: {json.dumps(profile)}"]
            if profile
            else []
        ),
        "contexts:",
        f"  - name: {name}",
        f"    context: {{cluster: {name}, user: {name}}}",
        f"current-context: {name}",
    ]
    return "\n".join(lines) + "\n"


def file_state(path: str) -> dict[str, t.Any] | None:
    """What is there: content and mode; None without a file."""
    file = Path(path)
    if not file.is_file():
        return None
    text = file.read_text(encoding="utf-8", errors="replace")
    return {"path": path, "mode": f"{file.stat().st_mode & 0o777:04o}", "content": text}


def wanted_state(path: str, text: str) -> dict[str, t.Any]:
    """What should be there."""
    return {"path": path, "mode": f"{MODE:04o}", "content": text}


def write_file(path: str, text: str) -> None:
    """Put the file into its place in one step; nobody ever sees a half or a readable one."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # 0600 from the beginning
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


__all__ = ("file_state", "kubeconfig_text", "wanted_state", "write_file")
