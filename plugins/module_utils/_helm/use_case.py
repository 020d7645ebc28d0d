# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converge Helm releases: records -> decisions -> rendering -> plan, then helm only where something differs."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .._core.argument_spec import ArgumentSpec
from .._core.concurrency import ConcurrentError, map_concurrently
from .._core.errors import PlatformError
from .._core.outcome import Context, Outcome, UseCase, converge
from .._core.plan import NO_CHANGE, Plan, Step
from .._k8s import apply_use_case
from .._k8s.client import KubeClient
from .._k8s.connection import CONNECTION_SPEC
from .._k8s.discovery import discover
from .._k8s.manifests import documents, opened
from .._k8s.masking import DEFAULT_RULES, MaskRule
from . import stand_in
from .charts import ChartCache, Source, default_cache, identity_of, source_of
from .decisions import UNINSTALL, ChartIdentity, Decision, decide
from .drift import drifted, in_words
from .process import Helm, HelmError, chart_path
from .records import History, Key, read_histories
from .releases import Release, ordered, release_of
from .rendering import Objects, changes, is_hook, objects_of, summary

UNKNOWN_KIND = ("no matches for kind", "ensure CRDs are installed first")
Drift = Mapping[Key, list[dict[str, t.Any]]]
RELEASE: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "chart": {
        "type": "dict",
        "options": {
            "ref": {"type": "str"},
            "name": {"type": "str"},
            "repository": {"type": "str"},
            "version": {"type": "str"},
            "stand_in": {"type": "dict", "options": stand_in.OPTIONS},
        },
    },
    "values": {"type": "list", "elements": "dict", "no_log": False},
    "needs": {"type": "list", "elements": "str"},
    "wait": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 600},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "create_namespace": {"type": "bool", "default": True},
    "crds": {"type": "str", "choices": ["helm", "apply"], "default": "helm"},
    "force_conflicts": {"type": "bool", "default": False},
}
SPEC = ArgumentSpec(
    options={
        "releases": {"type": "list", "elements": "dict", "required": True, "options": RELEASE},
        "state": {"type": "str", "choices": ["present", "absent"]},
        "drift": {"type": "bool", "default": False},
        "chart_mirror": {"type": "str"},
        "stand_ins": {"type": "bool", "default": False},
        "cache_dir": {"type": "path"},
        "helm_binary": {"type": "path"},
        "parallel": {"type": "int", "default": 4},
        "pending_timeout": {"type": "int", "default": 600},
        "mask": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {"kind": {"type": "str", "required": True}, "path": {"type": "str", "required": True}},
        },
    }
).merge(CONNECTION_SPEC)


@dataclass(frozen=True)
class Prepared:
    """A decision with what its application needs."""

    decision: Decision
    chart: Path | None
    identity: ChartIdentity | None


@dataclass(frozen=True)
class Wish:
    """The options as values."""

    releases: tuple[Release, ...]
    mirror: str
    stand_ins: bool
    cache: ChartCache
    parallel: int
    pending_timeout: float
    rules: tuple[MaskRule, ...]

    @classmethod
    def of(cls, options: Mapping[str, t.Any]) -> Wish:
        """Read the options.

        :raises PlatformError: a release is unreadable, stands twice, or the needs make a circle.
        """
        state = options.get("state")
        entries = [{**entry, "state": state} if state else entry for entry in options["releases"]]
        mirror = str(options.get("chart_mirror") or "")
        releases = tuple(release_of(_with_mirror(entry, mirror)) for entry in entries)
        return cls(
            releases=releases,
            mirror=mirror,
            stand_ins=bool(options.get("stand_ins")),
            cache=ChartCache(Path(options["cache_dir"]) if options.get("cache_dir") else default_cache()),
            parallel=max(1, int(options.get("parallel") or 1)),
            pending_timeout=float(options["pending_timeout"] if options.get("pending_timeout") is not None else 600),
            rules=(*DEFAULT_RULES, *(MaskRule(rule["kind"], rule["path"]) for rule in options.get("mask") or [])),
        )


def _with_mirror(entry: Mapping[str, t.Any], mirror: str) -> Mapping[str, t.Any]:
    """A chart that is named without a repository is looked for in the mirror."""
    chart = entry.get("chart") or {}
    if mirror and chart.get("name") and not chart.get("repository"):
        return {**entry, "chart": {**chart, "repository": mirror}}
    return entry


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:
    """Make the releases what the options say."""
    wish = Wish.of(options)
    waves = ordered(wish.releases)
    client = KubeClient(options)
    histories = read_histories(client, [release.key for release in wish.releases])
    with Helm(options, options.get("helm_binary")) as helm:
        prepared = map_concurrently(
            lambda release: _prepare(release, histories.get(release.key), wish, helm),
            wish.releases,
            workers=wish.parallel,
        )
        steps = map_concurrently(
            lambda one: _step(one, histories.get(one.decision.release.key), wish, helm), prepared, workers=wish.parallel
        )
        drift = _drift(client, wish, histories) if options.get("drift") else {}
        plan = Plan(tuple(steps), warnings=_warnings(drift))

        def facts(plan: Plan) -> Mapping[str, t.Any]:
            return {"releases": [_fact(step, drift) for step in plan.steps]}

        def apply(plan: Plan) -> Mapping[str, t.Any]:
            _apply(plan, waves, wish, helm, options)
            return facts(plan)

        return converge(plan, context, apply=apply, predict=facts)


def _drift(client: KubeClient, wish: Wish, histories: Mapping[Key, History]) -> Drift:
    """By release, what helm's last deployment made and someone changed since."""
    stored = [
        (release, history.deployed)
        for release in wish.releases
        if release.present and (history := histories.get(release.key)) and history.deployed
    ]
    if not stored:
        return {}
    discovery = discover(client)
    return {
        release.key: drifted(client, discovery, _objects(record.manifest, release), namespace=release.namespace)
        for release, record in stored
    }


def _warnings(drift: Drift) -> tuple[str, ...]:
    return tuple(
        f"release {namespace}/{name} has drifted from what helm deployed: {in_words(entries)}"
        for (namespace, name), entries in drift.items()
        if entries
    )


def _prepare(release: Release, history: History | None, wish: Wish, helm: Helm) -> Prepared:
    if not release.present:
        decision = decide(release, history, None, now=time.time(), pending_timeout=wish.pending_timeout)
        return Prepared(decision, None, None)
    source = source_of(release, wish.mirror, stand_ins=wish.stand_ins)
    identity = identity_of(release, source)
    decision = decide(release, history, identity, now=time.time(), pending_timeout=wish.pending_timeout)
    chart = _chart(decision, source, wish, helm)
    return Prepared(decision, chart, identity)


def _chart(decision: Decision, source: Source, wish: Wish, helm: Helm) -> Path | None:
    """The chart on this machine; not fetched when nothing will be done with it."""
    return None if decision.action == NO_CHANGE else chart_path(source, wish.cache, helm)


def _step(prepared: Prepared, history: History | None, wish: Wish, helm: Helm) -> Step:
    decision = prepared.decision
    release, record = decision.release, decision.record
    state = {"chart": record.chart, "revision": record.revision, "status": record.status} if record else None
    target = f"release {release}"
    if decision.action == NO_CHANGE:
        return Step(NO_CHANGE, target, state, state, payload=prepared)
    stored = history.deployed or history.newest if history and record else None
    before = _objects(stored.manifest, release) if stored else {}
    rendered, note = _render(prepared, helm)
    left, right = changes(before, rendered, wish.rules)
    if decision.action == UNINSTALL:
        return Step(UNINSTALL, target, {**(state or {}), "objects": left}, None, payload=prepared)
    identity = prepared.identity
    chart = f"{identity.name} {identity.version}" if identity else ""
    return Step(
        decision.action,
        target,
        {"chart": state["chart"], "status": state["status"], "objects": left} if state else None,
        {"chart": chart, "status": "deployed", "objects": right},
        reason="; ".join(part for part in (decision.reason or _made_from(identity), note) if part),
        payload=prepared,
    )


def _made_from(identity: ChartIdentity | None) -> str:
    return "from a stand-in chart" if identity and identity.stand_in else ""


def _render(prepared: Prepared, helm: Helm) -> tuple[Objects, str]:
    """The objects to come; without the server when it does not know a kind yet that a need brings."""
    if prepared.chart is None or prepared.decision.action == UNINSTALL:
        return {}, ""
    release, note = prepared.decision.release, ""
    if prepared.decision.recover:
        rendered = _objects(helm.render_anew(release, prepared.chart), release)
        return {name: item for name, item in rendered.items() if not is_hook(item)}, ""
    try:
        manifest = helm.render(release, prepared.chart, on_server=True)
    except HelmError as error:
        if not any(sign in error.message for sign in UNKNOWN_KIND):
            raise
        manifest = helm.render(release, prepared.chart, on_server=False)
        note = "rendered without the server, which does not know all of its kinds yet"
    return _objects(manifest, release), note


def _objects(manifest: str, release: Release) -> Objects:
    return objects_of(manifest, namespace=release.namespace, source=f"the manifest of {release}")


def _apply(
    plan: Plan, waves: Sequence[Sequence[Release]], wish: Wish, helm: Helm, options: Mapping[str, t.Any]
) -> None:
    """Uninstall in reverse waves, then deploy wave by wave; a failed wave ends the run, its others finish."""
    pending = {step.payload.decision.release.key: step.payload for step in plan.pending}

    def todo(wave: Sequence[Release], *, removal: bool) -> list[Prepared]:
        found = [pending[release.key] for release in wave if release.key in pending]
        return [one for one in found if (one.decision.action == UNINSTALL) == removal]

    for wave in reversed(waves):
        _all(lambda one: helm.uninstall(one.decision.release), todo(wave, removal=True), wish)
    for wave in waves:
        _all(lambda one: _deploy(one, helm, options), todo(wave, removal=False), wish)


def _all(work: t.Callable[[Prepared], None], items: Sequence[Prepared], wish: Wish) -> None:
    try:
        map_concurrently(work, items, workers=wish.parallel, errors="all")
    except ConcurrentError as error:
        failed = {str(item.decision.release): str(failure) for item, failure in error.failures}
        done = [str(item.decision.release) for item, _result in error.results]
        raise PlatformError(error.message, failed=failed, done=done, changed=True) from error


def _deploy(prepared: Prepared, helm: Helm, options: Mapping[str, t.Any]) -> None:
    decision = prepared.decision
    if prepared.chart is None:
        raise AssertionError("a release that is deployed has a chart")
    if decision.recover == "rollback":
        helm.rollback(decision.release, decision.revision)
    elif decision.recover:
        helm.uninstall(decision.release)
    if decision.release.crds == "apply":
        _apply_definitions(prepared.chart, decision, helm, options)
    helm.deploy(decision.release, prepared.chart, digest=prepared.identity.digest if prepared.identity else "")


def _apply_definitions(chart: Path, decision: Decision, helm: Helm, options: Mapping[str, t.Any]) -> None:
    """Helm never upgrades the CRDs of a chart: the apply-set engine does, before the upgrade."""
    release = decision.release
    text = helm.definitions(release, chart)
    source = f"the CRDs of {release}"
    objects = list(opened(documents(text, source=source, last_counts=True), source=source))
    if not objects:
        return
    spec = apply_use_case.USE_CASE.spec.options
    defaults = {name: entry.get("default") for name, entry in spec.items()}
    connection = {name: options.get(name) for name in CONNECTION_SPEC.options}
    wish = {"name": f"{release.namespace}-{release.name}-crds", "namespace": "kube-system", "objects": objects}
    apply_use_case.run({**defaults, **connection, **wish, "prune": False}, Context())


def _is_stand_in(prepared: Prepared) -> bool:
    """What the release is made from; of one that goes, what it was made from."""
    if prepared.identity is not None:
        return prepared.identity.stand_in
    return prepared.decision.record is not None and prepared.decision.record.stand_in


def _fact(step: Step, drift: Drift) -> dict[str, t.Any]:
    prepared: Prepared = step.payload
    release = prepared.decision.release
    before, after = dict(step.before or {}), dict(step.after or {})
    return {
        "name": release.name,
        "namespace": release.namespace,
        "action": step.action,
        "chart": str(after.get("chart") or before.get("chart") or ""),
        "stand_in": _is_stand_in(prepared),
        "reason": step.reason,
        "objects": summary(before.get("objects") or {}, after.get("objects") or {}),
        "drift": drift.get(release.key, []),
    }


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("SPEC", "USE_CASE", "Wish")
