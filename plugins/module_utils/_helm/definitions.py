# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A chart's CustomResourceDefinitions, which helm never upgrades: the apply-set engine does, or foretells it."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._core.outcome import Context
from .._k8s import apply_use_case
from .._k8s.client import Object
from .._k8s.connection import CONNECTION_SPEC
from .._k8s.manifests import documents, opened
from .releases import Release
from .rendering import Objects

PARENT_NAMESPACE = "kube-system"
Changes = tuple[Objects, Objects]


def definitions_in(text: str, release: Release) -> list[Object]:
    """The definitions of what helm shows of a chart.

    :raises PlatformError: the text is no YAML, or holds something that is no object.
    """
    source = f"the CRDs of {release}"
    return list(opened(documents(text, source=source, last_counts=True), source=source))


def apply_definitions(
    definitions: list[Object], release: Release, options: Mapping[str, t.Any], context: Context
) -> Changes:
    """Apply them; in check mode the server only judges them. What changes, before and after, by names in words.

    :param options: the task's connection options.
    """
    if not definitions:
        return {}, {}
    defaults = {name: entry.get("default") for name, entry in apply_use_case.USE_CASE.spec.options.items()}
    connection = {name: options.get(name) for name in CONNECTION_SPEC.options}
    wish = {"name": f"{release.namespace}-{release.name}-crds", "namespace": PARENT_NAMESPACE, "objects": definitions}
    looking = Context(check_mode=context.check_mode, diff_mode=True, clock=context.clock)
    found = apply_use_case.run({**defaults, **connection, **wish, "prune": False}, looking)
    before = {str(entry["before_header"]): dict(entry["before"]) for entry in found.diff if entry["before"]}
    after = {str(entry["before_header"]): dict(entry["after"]) for entry in found.diff if entry["after"]}
    return before, after


__all__ = ("Changes", "apply_definitions", "definitions_in")
