# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry out a plan of releases: uninstall in reverse waves, then deploy wave by wave."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .._core.concurrency import ConcurrentError, map_concurrently
from .._core.errors import PlatformError
from .._core.outcome import Context
from .._k8s.client import KubeClient
from .decisions import UNINSTALL
from .definitions import Changes, apply_definitions, definitions_in
from .planning import Prepared, manifest_objects
from .process import Helm, HelmError
from .records import Key
from .releases import Release
from .rendering import Objects
from .unready import unready_in_words

WAITED_IN_VAIN = ("deadline exceeded", "timed out", "not ready", "did not end within")


@dataclass(frozen=True)
class Deployed:
    """What a deployment made.

    :param objects: as helm stored them, hooks left out.
    :param definitions: what changed of the chart's CRDs.
    """

    objects: Objects
    definitions: Changes


@dataclass(frozen=True)
class Deployment:
    """Carries out.

    :param options: the task's connection options.
    :param parallel: releases at once.
    """

    helm: Helm
    options: Mapping[str, t.Any]
    context: Context
    parallel: int

    def apply(self, pending: Mapping[Key, Prepared], waves: Sequence[Sequence[Release]]) -> dict[Key, Deployed]:
        """All of them; a failed wave ends the run, its others finish.

        :raises PlatformError: with what failed and what was done of that wave.
        """

        def todo(wave: Sequence[Release], *, removal: bool) -> list[Prepared]:
            found = [pending[release.key] for release in wave if release.key in pending]
            return [one for one in found if (one.decision.action == UNINSTALL) == removal]

        for wave in reversed(waves):
            self._all(lambda one: self.helm.uninstall(one.release), todo(wave, removal=True))
        made: dict[Key, Deployed] = {}
        for wave in waves:
            ready = todo(wave, removal=False)
            deployed = self._all(self._deploy, ready)
            made.update({one.release.key: result for one, result in zip(ready, deployed, strict=True)})
        return made

    def _all(self, work: Callable[[Prepared], t.Any], items: Sequence[Prepared]) -> list[t.Any]:
        try:
            return map_concurrently(work, items, workers=self.parallel, errors="all")
        except ConcurrentError as error:
            failed = {str(item.release): str(failure) for item, failure in error.failures}
            done = [str(item.release) for item, _result in error.results]
            raise PlatformError(error.message, failed=failed, done=done, changed=True) from error

    def _deploy(self, prepared: Prepared) -> Deployed:
        decision, release, chart = prepared.decision, prepared.release, prepared.chart
        if chart is None:
            raise AssertionError("a release that is deployed has a chart")
        if decision.recover == "rollback":
            self.helm.rollback(release, decision.revision)
        elif decision.recover:
            self.helm.uninstall(release)
        definitions: Changes = ({}, {})
        if release.crds == "apply":
            found = definitions_in(self.helm.definitions(release, chart), release)
            definitions = apply_definitions(found, release, self.options, self.context)
        try:
            manifest = self.helm.deploy(release, chart, digest=prepared.identity.digest if prepared.identity else "")
        except HelmError as error:
            waited = release.wait and any(sign in error.message for sign in WAITED_IN_VAIN)
            reasons = self._unready(release) if waited else ""
            raise HelmError(f"{error.message}; {reasons}" if reasons else error.message) from error
        return Deployed(manifest_objects(manifest, release), definitions)

    def _unready(self, release: Release) -> str:
        """What it waited for in vain, as far as it can be seen."""
        try:
            manifest = manifest_objects(self.helm.stored(release), release)
            return unready_in_words(KubeClient(self.options), manifest, namespace=release.namespace)
        except PlatformError:
            return ""


__all__ = ("Deployed", "Deployment")
