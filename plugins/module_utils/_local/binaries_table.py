# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs of the local control plane as data: versions, Go packages and the layout of their official releases.

The versions here and in C(roles/local_cloud/files/controlplane/go.mod) are the same; a test compares them.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass

KUBERNETES = "1.36.3"
ETCD = "3.6.14"
KWOK = "0.8.0"
HELM = "4.2.4"

# Where the projects publish their releases; the option download_urls or AIPLATFORM_<PROJECT>_URL (dashes as
# underscores) names a mirror.
RELEASES: Mapping[str, str] = {
    "kubernetes": "https://dl.k8s.io/release",
    "etcd": "https://github.com/etcd-io/etcd/releases/download",
    "kwok": "https://github.com/kubernetes-sigs/kwok/releases/download",
    # The project publishes no file of checksums: GitHub's own record of the release holds them.
    "kwok-checksums": "https://api.github.com/repos/kubernetes-sigs/kwok/releases/tags",
    "helm": "https://get.helm.sh",
}


@dataclass(frozen=True)
class Tool:
    """One program.

    :param project: key of C(RELEASES).
    :param package: the Go package; its last element (without a version) is the name that C(go install) gives it.
    :param path: the release file below the project's address.
    :param checksum: the file with its SHA-256, below the same address: the bare sum, lines of sum and file name, or
        GitHub's record of the release.
    :param checksum_project: key of C(RELEASES) for the checksum, when it is not the project's own.
    :param member: the program's path inside the archive; empty when the file is the program.
    """

    name: str
    project: str
    version: str
    package: str
    path: str
    checksum: str
    member: str = ""
    built_as: str = ""
    checksum_project: str = ""


def _kubernetes(name: str) -> Tool:
    path = f"v{KUBERNETES}/bin/{{os}}/{{arch}}/{name}"
    return Tool(name, "kubernetes", KUBERNETES, f"k8s.io/kubernetes/cmd/{name}", path, f"{path}.sha256")


TOOLS: tuple[Tool, ...] = (
    Tool(
        "etcd",
        "etcd",
        ETCD,
        "go.etcd.io/etcd/server/v3",
        f"v{ETCD}/etcd-v{ETCD}-{{os}}-{{arch}}.tar.gz",
        f"v{ETCD}/SHA256SUMS",
        f"etcd-v{ETCD}-{{os}}-{{arch}}/etcd",
        built_as="server",
    ),
    _kubernetes("kube-apiserver"),
    _kubernetes("kube-controller-manager"),
    _kubernetes("kube-scheduler"),
    _kubernetes("kubectl"),
    Tool(
        "kwok",
        "kwok",
        KWOK,
        "sigs.k8s.io/kwok/cmd/kwok",
        f"v{KWOK}/kwok-{{os}}-{{arch}}",
        f"v{KWOK}",
        checksum_project="kwok-checksums",
    ),
    Tool(
        "helm",
        "helm",
        HELM,
        "helm.sh/helm/v4/cmd/helm",
        f"helm-v{HELM}-{{os}}-{{arch}}.tar.gz",
        f"helm-v{HELM}-{{os}}-{{arch}}.tar.gz.sha256sum",
        "{os}-{arch}/helm",
    ),
)
NAMES: tuple[str, ...] = tuple(tool.name for tool in TOOLS)


def linker_flags() -> str:
    """The C(-ldflags) that tell the programs their versions: charts and clients read C(/version)."""
    major, minor, _patch = KUBERNETES.split(".")
    values = {
        "helm.sh/helm/v4/internal/version.version": f"v{HELM}",
        "sigs.k8s.io/kwok/pkg/consts.Version": f"v{KWOK}",
        "go.etcd.io/etcd/api/v3/version.GitSHA": f"v{ETCD}",
    }
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        values[f"{package}.gitVersion"] = f"v{KUBERNETES}"
        values[f"{package}.gitMajor"] = major
        values[f"{package}.gitMinor"] = minor
        values[f"{package}.gitTreeState"] = "clean"
    return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in values.items())])


def machine() -> tuple[str, str]:
    """The machine that we run on in the words of Go: (os, arch), e.g. (linux, amd64)."""
    names = {"x86_64": "amd64", "aarch64": "arm64"}
    architecture = platform.machine().lower()
    return platform.system().lower(), names.get(architecture, architecture)


__all__ = ("ETCD", "HELM", "KUBERNETES", "KWOK", "NAMES", "RELEASES", "TOOLS", "Tool", "linker_flags", "machine")
