# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wanted cluster as a value, refused when EKS could not do it."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from ..._aws.tags import check_tags
from ..._core.errors import PlatformError
from .fields import KINDS

NAME = re.compile(r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$")
VERSION = re.compile(r"^1\.(\d+)$")


@dataclass(frozen=True)
class KubeconfigSpec:
    """A kubeconfig file with an exec login."""

    path: str
    context: str
    command: str


@dataclass(frozen=True)
class ClusterSpec:
    """What is wanted; None is left as it is.

    :param given: the options of the kinds of change that were given.
    :param fixed: the options that EKS fixes for ever, where they were given.
    """

    name: str
    version: str | None
    insights: str
    given: Mapping[str, t.Any]
    fixed: Mapping[str, t.Any]
    encryption_key: str | None
    bootstrap_creator_admin: bool
    bootstrap_addons: bool
    tags: Mapping[str, str] | None
    purge_tags: bool
    kubeconfig: KubeconfigSpec | None

    @property
    def words(self) -> str:
        """The cluster in a sentence."""
        return f"cluster {self.name}"


def spec_of(options: Mapping[str, t.Any]) -> ClusterSpec:
    """The wanted cluster.

    :raises PlatformError: for what EKS would refuse later.
    """
    name = str(options["name"])
    words = f"cluster {name}"
    if not NAME.match(name):
        raise PlatformError(f"{words}: a name has 1 to 100 letters, digits, - and _, and begins with a letter or digit")
    version = options.get("version")
    if version and not VERSION.match(version):
        raise PlatformError(f"{words}: version is {version!r}, wanted is a minor version such as 1.34")
    given = {kind.option: options[kind.option] for kind in KINDS if options.get(kind.option) is not None}
    _check_endpoint(given.get("endpoint") or {}, words)
    _check_auto_mode(given.get("auto_mode") or {}, options, words)
    tags = None if options.get("tags") is None else {str(key): str(value) for key, value in options["tags"].items()}
    check_tags(tags or {}, of=words)
    fixed = {key: options[key] for key in ("role_arn", "service_cidr", "ip_family") if options.get(key)}
    return ClusterSpec(
        name=name,
        version=version,
        insights=options["insights"],
        given=given,
        fixed=fixed,
        encryption_key=options.get("encryption_key"),
        bootstrap_creator_admin=options["bootstrap_creator_admin"],
        bootstrap_addons=options["bootstrap_addons"],
        tags=tags,
        purge_tags=options["purge_tags"],
        kubeconfig=_kubeconfig(options, name),
    )


def _check_endpoint(endpoint: Mapping[str, t.Any], words: str) -> None:
    if endpoint.get("public") is False and not endpoint.get("private"):
        raise PlatformError(
            f"{words}: endpoint.public is false, so endpoint.private must be true; nobody could reach it"
        )
    if endpoint.get("public") is False and endpoint.get("public_cidrs"):
        raise PlatformError(f"{words}: endpoint.public_cidrs are given, but endpoint.public is false; drop one of them")


def _check_auto_mode(auto: Mapping[str, t.Any], options: Mapping[str, t.Any], words: str) -> None:
    if auto.get("enabled") and auto.get("node_pools") and not auto.get("node_role"):
        raise PlatformError(f"{words}: auto_mode.node_pools need auto_mode.node_role")
    if auto.get("enabled") and options.get("authentication_mode") == "CONFIG_MAP":
        raise PlatformError(f"{words}: Auto Mode needs authentication_mode API or API_AND_CONFIG_MAP")


def _kubeconfig(options: Mapping[str, t.Any], name: str) -> KubeconfigSpec | None:
    given = options.get("kubeconfig")
    return KubeconfigSpec(given["path"], given.get("context") or name, given["command"]) if given else None


def minor_of(version: str) -> int:
    """C(34) of C(1.34)."""
    match = VERSION.match(version)
    if match is None:
        raise PlatformError(f"{version!r} is no Kubernetes minor version such as 1.34")
    return int(match.group(1))


__all__ = ("ClusterSpec", "KubeconfigSpec", "minor_of", "spec_of")
