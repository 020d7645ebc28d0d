# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control plane of a cluster: read, plan, apply."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from ..._aws.session import AwsSession, Record
from ..._core.clock import Clock
from ..._core.errors import PlatformError
from ..._core.outcome import Context, Outcome, UseCase, converge
from ..._core.plan import NO_CHANGE, Plan, Step
from ..health import issues_in_words
from ..jobs import Job, Wait, run_jobs
from ..waiting import Steps, Waiting, look_updated, when_free
from .facts import cluster_facts
from .kubeconfig import file_state, kubeconfig_text, wanted_state, write_file
from .options import SPEC
from .plan import Call, plan_cluster, plan_removal, refuse_blocked
from .spec import ClusterSpec, spec_of

ABSENT = ("ResourceNotFoundException",)
AWAITED = ("UpdateClusterConfig", "UpdateClusterVersion", "AssociateEncryptionConfig")


@dataclass(frozen=True)
class Control:
    """One control plane and the way to it."""

    aws: AwsSession
    spec: ClusterSpec
    waiting: Waiting
    clock: Clock

    def read(self) -> Record | None:
        """The cluster as it is; None when it is absent."""
        parameters = {"name": self.spec.name}
        doing = f"read {self.spec.words}"
        answer = self.aws.call("eks", "DescribeCluster", parameters, doing=doing, absent=ABSENT)
        return t.cast("Record", answer["cluster"]) if answer else None

    def blockers(self, version: str) -> tuple[list[str], list[str]]:
        """What EKS' upgrade insights say against a version: (errors, warnings) in words."""
        rows = self.aws.pages(
            "eks",
            "ListInsights",
            {
                "clusterName": self.spec.name,
                "filter": {"categories": ["UPGRADE_READINESS"], "kubernetesVersions": [version]},
            },
            items="insights",
            doing=f"read the upgrade insights of {self.spec.words}",
        )
        found: dict[str, list[str]] = {"ERROR": [], "WARNING": []}
        for row in rows:
            status = row.get("insightStatus") or {}
            if status.get("status") in found:
                found[status["status"]].append(f"{row.get('name')}: {status.get('reason') or row.get('description')}")
        return found["ERROR"], found["WARNING"]

    def apply(self, plan: Plan) -> Record | None:
        """Carry out the steps one after the other and return the cluster as it is then; None when it is gone."""
        for step in plan.pending:
            if isinstance(step.payload, Call):
                self.aws.require_fields("eks", step.payload.operation, step.payload.parameters)
        jobs: dict[str, Job[Record | None]] = {self.spec.words: self._job(plan)}
        return run_jobs(jobs, clock=self.clock, pace=self.waiting.pace)[self.spec.words]

    def _job(self, plan: Plan) -> Job[Record | None]:
        calls = [step for step in plan.pending if isinstance(step.payload, Call)]
        if plan.awaits and (calls or self.waiting.wait):
            yield self._until_settled()
        first = calls[0].payload if calls else None
        if first is not None and first.operation == "CreateCluster" and calls[0].reason:
            yield self._until_settled()
        for number, step in enumerate(calls):
            if step.action == "upgrade" and number and calls[number - 1].action == "upgrade":
                refuse_blocked(self.spec, str((step.after or {})["version"]), self.blockers, [])
            yield from self._carry_out(step.payload, wait=self.waiting.wait or number + 1 < len(calls))
        return self.read()

    def _carry_out(self, call: Call, *, wait: bool) -> Steps:
        doing = f"{call.operation} of {self.spec.words}"
        answer = yield from when_free(
            lambda: self.aws.do("eks", call.operation, call.parameters, doing=doing), self._until_settled
        )
        if not wait:
            return
        if call.operation in AWAITED:
            parameters = {"name": self.spec.name, "updateId": str(answer["update"]["id"])}
            look = partial(look_updated, self.aws, self.spec.words, parameters)
            yield Wait(look, f"the update of {self.spec.words}", self.waiting.timeout)
        elif call.operation in ("CreateCluster", "DeleteCluster"):
            yield self._until_settled()

    def _until_settled(self) -> Wait:
        return Wait(self._look, self.spec.words, self.waiting.timeout)

    def _look(self) -> tuple[bool, str]:
        cluster = self.read()
        if cluster is None:
            return True, "gone"
        status = str(cluster.get("status"))
        if status == "FAILED":
            issues = "; ".join(issues_in_words((cluster.get("health") or {}).get("issues") or []))
            raise PlatformError(f"{self.spec.words} is FAILED: {issues or 'EKS gives no reason'}")
        return status == "ACTIVE", status


def run(options: Mapping[str, t.Any], context: Context, aws: AwsSession | None = None) -> Outcome:
    """Make the cluster as wanted."""
    session = aws or AwsSession(options)
    spec = spec_of(options)
    control = Control(session, spec, Waiting.of(options), context.clock)
    live = control.read()
    plan = plan_removal(spec, live) if options["state"] == "absent" else plan_cluster(spec, live, control.blockers)
    login = _Login(session, spec, options.get("profile"))
    plan = replace(plan, steps=(*plan.steps, *login.steps(live, removed=options["state"] == "absent")))

    def apply(wanted: Plan) -> dict[str, t.Any]:
        cluster = control.apply(wanted)
        login.write(wanted, cluster)
        return {"cluster": cluster_facts(cluster)}

    return converge(plan, context, apply=apply, predict=lambda wanted: {"cluster": _predicted(live, wanted)})


@dataclass(frozen=True)
class _Login:
    """The kubeconfig file, as a step of the plan."""

    aws: AwsSession
    spec: ClusterSpec
    profile: str | None

    def steps(self, live: Record | None, *, removed: bool) -> list[Step]:
        if self.spec.kubeconfig is None or removed:
            return []
        path = self.spec.kubeconfig.path
        words = f"kubeconfig {path}"
        before = file_state(path)
        if live is None or not live.get("endpoint"):
            after = {"path": path, "mode": "0600", "content": "known when the cluster is active"}
            return [Step("write", words, before, after)]
        after = wanted_state(path, self._text(live))
        return [Step(NO_CHANGE if before == after else "write", words, before, after)]

    def write(self, plan: Plan, cluster: Record | None) -> None:
        if self.spec.kubeconfig is None or cluster is None or not cluster.get("endpoint"):
            return
        if any(step.action == "write" for step in plan.pending):
            write_file(self.spec.kubeconfig.path, self._text(cluster))

    def _text(self, cluster: Record) -> str:
        if self.spec.kubeconfig is None:
            raise PlatformError("no kubeconfig is wanted")
        return kubeconfig_text(self.spec.kubeconfig, cluster, region=self.aws.region, profile=self.profile)


def _predicted(live: Record | None, plan: Plan) -> Record:
    after: Record = {}
    for step in plan.pending:
        if isinstance(step.payload, Call):
            if step.after is None:
                return cluster_facts(None)
            after.update(step.after)
    return cluster_facts(live or {}, after=after) if live or after else cluster_facts(None)


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "run")
