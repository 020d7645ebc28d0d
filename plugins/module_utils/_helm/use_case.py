# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converge Helm releases: records -> decisions -> rendering -> plan, then helm only where something differs."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .._core.argument_spec import ArgumentSpec
from .._core.concurrency import map_concurrently
from .._core.outcome import Context, Outcome, UseCase, converge
from .._core.plan import NO_CHANGE, Plan, Step
from .._k8s.client import KubeClient
from .._k8s.connection import CONNECTION_SPEC
from .._k8s.discovery import discover
from .._k8s.masking import DEFAULT_RULES, MaskRule
from .._k8s.to_come import ClusterToCome, connect
from . import stand_in
from .charts import ChartCache, default_cache
from .deployment import Deployed, Deployment
from .drift import drifted, in_words
from .planning import Planner, Prepared, manifest_objects
from .process import Helm
from .records import History, Key, read_histories
from .releases import Release, ordered, release_of
from .rendering import summary

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
        "plain_http": {"type": "bool", "default": False},
        "cache_dir": {"type": "path"},
        "helm_binary": {"type": "path"},
        "parallel": {"type": "int", "default": 4},
        "pending_timeout": {"type": "int"},
        "mask": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {"kind": {"type": "str", "required": True}, "path": {"type": "str", "required": True}},
        },
    }
).merge(CONNECTION_SPEC)


@dataclass(frozen=True)
class Wish:
    """The options as values."""

    releases: tuple[Release, ...]
    mirror: str
    stand_ins: bool
    cache: ChartCache
    parallel: int
    pending_timeout: float | None
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
            pending_timeout=None if options.get("pending_timeout") is None else float(options["pending_timeout"]),
            rules=(*DEFAULT_RULES, *(MaskRule(rule["kind"], rule["path"]) for rule in options.get("mask") or [])),
        )

    def planner(
        self, helm: Helm, options: Mapping[str, t.Any], context: Context, *, client: KubeClient | None
    ) -> Planner:
        """What plans the single releases."""
        return Planner(
            helm=helm,
            cache=self.cache,
            mirror=self.mirror,
            stand_ins=self.stand_ins,
            pending_timeout=self.pending_timeout,
            rules=self.rules,
            options=options,
            context=context,
            client=client,
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
    client = connect(options, context)
    histories = read_histories(client, [release.key for release in wish.releases])
    drift = _drift(client, wish, histories) if options.get("drift") else {}
    with Helm(
        options, options.get("helm_binary"), plain_http=bool(options.get("plain_http")), heed=context.clock.heed
    ) as helm:
        planner = wish.planner(helm, options, context, client=None if isinstance(client, ClusterToCome) else client)
        prepared = map_concurrently(
            lambda release: planner.prepare(release, histories.get(release.key)), wish.releases, workers=wish.parallel
        )
        if _is_rendered_ahead(prepared, context):
            steps = map_concurrently(planner.foreseen, prepared, workers=wish.parallel)
        else:
            steps = [planner.step(one, None) for one in prepared]
        plan = Plan(tuple(steps), warnings=_warnings(drift))

        def facts(plan: Plan) -> Mapping[str, t.Any]:
            return {"releases": [_fact(step, drift) for step in plan.steps], "steps": plan.summaries()}

        def apply(plan: Plan) -> Mapping[str, t.Any]:
            pending = {step.payload.release.key: step.payload for step in plan.pending}
            made = Deployment(helm, options, context, wish.parallel).apply(pending, waves)
            if _is_rendered_ahead(prepared, context):
                return facts(plan)
            return facts(Plan(tuple(_told(step, made.get(step.payload.release.key), planner) for step in plan.steps)))

        return converge(plan, context, apply=apply, predict=facts)


def _is_rendered_ahead(prepared: Sequence[Prepared], context: Context) -> bool:
    """Whether the plan has to know the objects before they are made.

    It has to when somebody looks at it, and when several releases are deployed: none of them is touched then if the
    chart of one cannot be rendered. One alone is rendered by its deployment, which then tells what it made.
    """
    pending = [one for one in prepared if one.decision.action != NO_CHANGE]
    alone = len(pending) == 1 and pending[0].deploys
    return context.check_mode or context.diff_mode or not alone


def _told(step: Step, made: Deployed | None, planner: Planner) -> Step:
    """The step with the objects that its deployment made."""
    return step if made is None else planner.step(step.payload, made.objects, definitions=made.definitions)


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
        release.key: drifted(client, discovery, manifest_objects(record.manifest, release), namespace=release.namespace)
        for release, record in stored
    }


def _warnings(drift: Drift) -> tuple[str, ...]:
    return tuple(
        f"release {namespace}/{name} has drifted from what helm deployed: {in_words(entries)}"
        for (namespace, name), entries in drift.items()
        if entries
    )


def _is_stand_in(prepared: Prepared) -> bool:
    """What the release is made from; of one that goes, what it was made from."""
    if prepared.identity is not None:
        return prepared.identity.stand_in
    return prepared.decision.record is not None and prepared.decision.record.stand_in


def _fact(step: Step, drift: Drift) -> dict[str, t.Any]:
    prepared: Prepared = step.payload
    release = prepared.release
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
