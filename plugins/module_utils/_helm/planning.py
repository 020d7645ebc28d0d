# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a decision to a step: the chart on this machine, the objects to come, before and after."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .._core.outcome import Context
from .._core.plan import NO_CHANGE, Step
from .._k8s.client import KubeClient
from .._k8s.masking import MaskRule
from .capabilities import template_arguments
from .charts import ChartCache, identity_of, source_of
from .decisions import UNINSTALL, ChartIdentity, Decision, decide
from .definitions import Changes, apply_definitions, definitions_in
from .process import Helm, HelmError, chart_path
from .records import History
from .releases import Release
from .rendering import Objects, changes, is_hook, objects_of

UNKNOWN_KIND = ("no matches for kind", "ensure CRDs are installed first")
WITHOUT_KINDS = "rendered without the server, which does not know all of its kinds yet"
WITHOUT_CLUSTER = "rendered without the cluster, which is not there yet"
NOTHING: Changes = ({}, {})


@dataclass(frozen=True)
class Prepared:
    """A decision with what its application needs.

    :param history: the release's revisions; None when there are none.
    """

    decision: Decision
    history: History | None
    chart: Path | None = None
    identity: ChartIdentity | None = None

    @property
    def release(self) -> Release:
        """The wish."""
        return self.decision.release

    @property
    def deploys(self) -> bool:
        """Whether it installs or upgrades."""
        return self.decision.action not in (NO_CHANGE, UNINSTALL)


@dataclass(frozen=True)
class Planner:
    """Plans single releases.

    :param mirror: replaces every repository; or empty.
    :param options: the task's connection options.
    :param client: of the cluster; None when there is none to ask yet.
    """

    helm: Helm
    cache: ChartCache
    mirror: str
    stand_ins: bool
    pending_timeout: float | None
    rules: Sequence[MaskRule]
    options: Mapping[str, t.Any]
    context: Context
    client: KubeClient | None

    def prepare(self, release: Release, history: History | None) -> Prepared:
        """Decide, and fetch the chart if something will be done with it.

        :raises PlatformError: the chart cannot be had, or another helm is at work.
        """
        source = source_of(release, self.mirror, stand_ins=self.stand_ins) if release.present else None
        identity = identity_of(release, source) if source else None
        decision = decide(release, history, identity, now=time.time(), pending_timeout=self.pending_timeout)
        prepared = Prepared(decision, history, identity=identity)
        return (
            replace(prepared, chart=chart_path(source, self.cache, self.helm))
            if source and prepared.deploys
            else prepared
        )

    def foreseen(self, prepared: Prepared) -> Step:
        """The step with the objects that a rendering foretells.

        :raises HelmError: the chart cannot be rendered.
        """
        if not prepared.deploys or prepared.chart is None:
            return self.step(prepared, {})
        rendered, note = self._render(prepared, prepared.chart)
        definitions = NOTHING
        if prepared.release.crds == "apply":
            found = definitions_in(self.helm.definitions(prepared.release, prepared.chart), prepared.release)
            looking = replace(self.context, check_mode=True)
            definitions = apply_definitions(found, prepared.release, self.options, looking)
        return self.step(prepared, rendered, definitions=definitions, note=note)

    def step(
        self, prepared: Prepared, rendered: Objects | None, *, definitions: Changes = NOTHING, note: str = ""
    ) -> Step:
        """The step, in the user's terms.

        :param rendered: the objects to come; None when they are not known yet.
        :param definitions: what changes of the chart's CRDs.
        """
        decision, record = prepared.decision, prepared.decision.record
        target = f"release {prepared.release}"
        state = {"chart": record.chart, "revision": record.revision, "status": record.status} if record else None
        if decision.action == NO_CHANGE:
            return Step(NO_CHANGE, target, state, state, payload=prepared)
        left, right = NOTHING if rendered is None else changes(self._stored(prepared), rendered, self.rules)
        if decision.action == UNINSTALL:
            return Step(UNINSTALL, target, {**(state or {}), "objects": left}, None, payload=prepared)
        identity = prepared.identity
        return Step(
            decision.action,
            target,
            {**without_revision(state), "objects": {**definitions[0], **left}} if state else None,
            {
                "chart": f"{identity.name} {identity.version}" if identity else "",
                "status": "deployed",
                "objects": {**definitions[1], **right},
            },
            reason="; ".join(part for part in (decision.reason or _made_from(identity), note) if part),
            payload=prepared,
        )

    def _stored(self, prepared: Prepared) -> Objects:
        """What the release's record holds now."""
        history = prepared.history
        stored = history.deployed or history.newest if history and prepared.decision.record else None
        return manifest_objects(stored.manifest, prepared.release) if stored else {}

    def _render(self, prepared: Prepared, chart: Path) -> tuple[Objects, str]:
        """The objects to come; without the server when it does not know a kind yet that a need brings."""
        release, decision = prepared.release, prepared.decision
        if self.client is None:
            return self._anew(prepared, chart, on_server=False), WITHOUT_CLUSTER
        if decision.recover:
            return self._anew(prepared, chart, on_server=True), ""
        try:
            return manifest_objects(self.helm.render(release, chart), release), ""
        except HelmError as error:
            if not any(sign in error.message for sign in UNKNOWN_KIND):
                raise
        return self._anew(prepared, chart, on_server=False), WITHOUT_KINDS

    def _anew(self, prepared: Prepared, chart: Path, *, on_server: bool) -> Objects:
        """The objects as if helm knew nothing of the release but whether it is there."""
        release, decision = prepared.release, prepared.decision
        upgrade = decision.record is not None and decision.recover != UNINSTALL
        capabilities = template_arguments(self.client) if self.client else ()
        manifest = self.helm.render_anew(
            release, chart, on_server=on_server, upgrade=upgrade, capabilities=capabilities
        )
        return {name: item for name, item in manifest_objects(manifest, release).items() if not is_hook(item)}


def without_revision(state: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The state less its number, which counts up with every change."""
    return {key: value for key, value in state.items() if key != "revision"}


def manifest_objects(manifest: str, release: Release) -> Objects:
    """The objects of a release's manifest."""
    return objects_of(manifest, namespace=release.namespace, source=f"the manifest of {release}")


def _made_from(identity: ChartIdentity | None) -> str:
    return "from a stand-in chart" if identity and identity.stand_in else ""


__all__ = ("Planner", "Prepared", "manifest_objects")
