# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry a plan out: one job per pool, all in one loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..._aws.session import AwsSession, Record
from ..._aws.tags import OWNER_TAG
from ..._core.clock import Clock
from ..._core.errors import PlatformError
from ..._core.plan import Plan
from ..health import issues_in_words
from ..jobs import Job, Wait, run_jobs
from ..waiting import Steps, Waiting, look_updated, when_free
from .autoscaling import digest_of
from .change import Change
from .fields import to_api
from .read import FAILED, Reader, Reading
from .spec import PoolSpec
from .state import (
    AUTOSCALING_TAG,
    POOL_TAG,
    SUBNETS_TAG,
    TEMPLATE_TAG,
    api_taints,
    autoscaling_group,
    template_record,
)
from .templates import Templates, TemplateVersion


@dataclass(frozen=True)
class Applier:
    """Writes for one cluster."""

    aws: AwsSession
    cluster: str
    reader: Reader
    templates: Templates
    clock: Clock
    waiting: Waiting

    def apply(self, plan: Plan, reading: Reading) -> dict[str, Record]:
        """Carry the plan out and return the node groups as they are then, by the target of their step.

        :raises PlatformError: when the cluster is not there, or when a pool failed (after all others ended).
        """
        if reading.cluster_absent:
            raise PlatformError(f"cluster {self.cluster} does not exist; create it first")
        if reading.cluster and reading.cluster.get("status") not in ("ACTIVE", "UPDATING"):
            status = reading.cluster.get("status")
            raise PlatformError(f"cluster {self.cluster} is {status}; node pools need an active one")
        self._check_fields(plan)
        moving = {pool.spec.words: pool.group_name for pool in reading.pools if self._is_moving(pool.node_group)}
        jobs: dict[str, Job[Record]] = {step.target: self._job(step.payload) for step in plan.pending}
        if self.waiting.wait:
            idle = {words: name for words, name in moving.items() if words not in jobs}
            jobs |= {words: self._settled(name) for words, name in idle.items()}
        waiting = self.waiting
        return run_jobs(jobs, clock=self.clock, pace=waiting.pace, workers=waiting.workers)

    @staticmethod
    def _is_moving(group: Record | None) -> bool:
        return bool(group) and str((group or {}).get("status")) in ("CREATING", "UPDATING")

    def _check_fields(self, plan: Plan) -> None:
        for step in plan.pending:
            change: Change = step.payload
            if change.create and change.spec is not None:
                self.aws.require_fields("eks", "CreateNodegroup", self._create_parameters(change, change.spec, None))
            if change.config:
                self.aws.require_fields("eks", "UpdateNodegroupConfig", change.config)

    def _job(self, change: Change) -> Job[Record]:
        if change.delete is not None and not change.delete_last:
            yield from self._delete(change, wait=change.create or self.waiting.wait)
        elif change.spec is None:
            self.templates.delete(change.group_name)
        if change.create and change.spec is not None:
            yield from self._create(change, change.spec)
        elif change.spec is not None:
            yield from self._update(change, change.spec)
        if change.delete is not None and change.delete_last:
            yield from self._delete(change, wait=self.waiting.wait)
        return {} if change.spec is None else self._ended(change.group_name)

    def _settled(self, name: str) -> Job[Record]:
        yield self._until_active(name)
        return self._ended(name)

    def _ended(self, name: str) -> Record:
        group = self.reader.node_group(name)
        if group is None:
            raise PlatformError(f"node group {name} of cluster {self.cluster} vanished while it was worked on")
        _refuse_failed(group)
        return group

    def _delete(self, change: Change, *, wait: bool) -> Steps:
        name = str(change.delete)
        parameters = {"clusterName": self.cluster, "nodegroupName": name}
        if (change.live or {}).get("status") != "DELETING":
            doing = f"delete node group {name} of cluster {self.cluster}"
            yield from self._when_free(name, lambda: self.aws.do("eks", "DeleteNodegroup", parameters, doing=doing))
        if not wait:
            return
        yield Wait(lambda: self._look_gone(name), f"node group {name}", self.waiting.timeout)
        if name != change.group_name or not change.create:
            self.templates.delete(name)

    def _create(self, change: Change, spec: PoolSpec) -> Steps:
        version = self._template(change, spec)
        parameters = self._create_parameters(change, spec, version)
        doing = f"create node group {change.group_name} of cluster {self.cluster}"
        self.aws.do("eks", "CreateNodegroup", parameters, doing=doing)
        if not (self.waiting.wait or change.delete_last):
            return
        yield self._until_active(change.group_name)
        if tags := change.after.get("autoscaling_tags"):
            group = self._ended(change.group_name)
            if name := autoscaling_group(group):
                self._tag_autoscaling_group(name, tags, ())
                self._tag(group, {AUTOSCALING_TAG: digest_of(tags)}, ())

    def _update(self, change: Change, spec: PoolSpec) -> Steps:
        live, name = change.live or {}, change.group_name
        if self._is_moving(live):
            yield self._until_active(name)
        tags = dict(change.tags)
        version = self._template(change, spec) if change.new_version else None
        if change.roll is not None:
            yield from self._roll(change, spec, version, last=not change.config)
        if version is not None and spec.launch is not None:
            tags[TEMPLATE_TAG] = template_record(version.version, spec.launch.digest)
        if change.config:
            parameters = {"clusterName": self.cluster, "nodegroupName": name, **change.config}
            doing = f"update node group {name} of cluster {self.cluster}"
            yield from self._updated(name, "UpdateNodegroupConfig", parameters, doing=doing, last=True)
        if change.autoscaling is not None:
            self._tag_autoscaling_group(str(autoscaling_group(live)), *change.autoscaling)
        self._tag(live, tags, change.untag)
        if version is not None and self.waiting.wait:
            self.templates.forget_old(version)

    def _roll(self, change: Change, spec: PoolSpec, version: TemplateVersion | None, *, last: bool) -> Steps:
        name = change.group_name
        parameters: Record = {"clusterName": self.cluster, "nodegroupName": name, **(change.roll or {})}
        live = (change.live or {}).get("launchTemplate") or {}
        if version is not None:
            parameters["launchTemplate"] = {"id": version.id, "version": str(version.version)}
        elif spec.template is not None and spec.template.version != live.get("version"):
            parameters["launchTemplate"] = {"id": live["id"], "version": spec.template.version}
        doing = f"roll node group {name} of cluster {self.cluster}"
        yield from self._updated(name, "UpdateNodegroupVersion", parameters, doing=doing, last=last)

    def _updated(self, name: str, operation: str, parameters: Record, *, doing: str, last: bool) -> Steps:
        answer = yield from self._when_free(name, lambda: self.aws.do("eks", operation, parameters, doing=doing))
        update = str(answer["update"]["id"])
        if self.waiting.wait or not last:
            yield Wait(
                lambda: self._look_updated(name, update), f"the update of node group {name}", self.waiting.timeout
            )

    def _when_free(self, name: str, call: Callable[[], Record]) -> Steps:
        return when_free(call, lambda: self._until_active(name))

    def _until_active(self, name: str) -> Wait:
        return Wait(lambda: self._look_active(name), f"node group {name}", self.waiting.timeout)

    def _look_active(self, name: str) -> tuple[bool, str]:
        group = self.reader.node_group(name)
        if group is None:
            raise PlatformError(f"node group {name} of cluster {self.cluster} vanished while it was waited for")
        _refuse_failed(group)
        return group.get("status") == "ACTIVE", str(group.get("status"))

    def _look_gone(self, name: str) -> tuple[bool, str]:
        group = self.reader.node_group(name)
        if group is None:
            return True, "gone"
        if group.get("status") == "DELETE_FAILED":
            _refuse_failed(group)
        return False, str(group.get("status"))

    def _look_updated(self, name: str, update: str) -> tuple[bool, str]:
        parameters = {"name": self.cluster, "nodegroupName": name, "updateId": update}
        return look_updated(self.aws, f"node group {name} of cluster {self.cluster}", parameters)

    def _template(self, change: Change, spec: PoolSpec) -> TemplateVersion | None:
        if spec.launch is None:
            return None
        if change.data is None:
            raise PlatformError(f"{spec.words}: its launch template could not be worked out without the cluster")
        digest = spec.launch.digest
        new = change.create and change.live is None
        return self.templates.ensure(change.group_name, pool=spec.name, digest=digest, data=change.data, new=new)

    def _create_parameters(self, change: Change, spec: PoolSpec, version: TemplateVersion | None) -> Record:
        after = change.after
        tags = {**after["tags"], OWNER_TAG: self.cluster, POOL_TAG: spec.name}
        if version is not None and spec.launch is not None:
            tags[TEMPLATE_TAG] = template_record(version.version, spec.launch.digest)
        if spec.subnets_record:
            tags[SUBNETS_TAG] = spec.subnets_record
        sizes = after["scaling"]
        own_image = spec.launch is not None and spec.launch.ami_id is not None
        parameters: Record = {
            "clusterName": self.cluster,
            "nodegroupName": change.group_name,
            "scalingConfig": {"minSize": sizes["min"], "maxSize": sizes["max"], "desiredSize": sizes["desired"]},
            "subnets": after["subnets"],
            "nodeRole": after["node_role"],
            "capacityType": spec.capacity_type,
            "labels": after["labels"],
            "taints": api_taints(after["taints"]),
            "tags": tags,
            "instanceTypes": after["instance_types"],
            "amiType": None if own_image else after["ami_type"],
            "version": None if own_image else after["version"],
            "releaseVersion": after["release_version"],
            "updateConfig": to_api(after["update"]),
            "nodeRepairConfig": to_api(after["node_repair"]),
            "warmPoolConfig": to_api(after["warm_pool"]),
            "launchTemplate": self._template_parameter(spec, version),
        }
        return {key: value for key, value in parameters.items() if value not in (None, {}, [])}

    @staticmethod
    def _template_parameter(spec: PoolSpec, version: TemplateVersion | None) -> Record | None:
        if version is not None:
            return {"id": version.id, "version": str(version.version)}
        if spec.template is None:
            return None
        key = "id" if spec.template.id else "name"
        return {key: spec.template.id or spec.template.name, "version": spec.template.version}

    def _tag(self, group: Record, tags: Mapping[str, str], untag: tuple[str, ...]) -> None:
        arn, name = str(group.get("nodegroupArn")), str(group.get("nodegroupName"))
        if tags:
            parameters = {"resourceArn": arn, "tags": dict(tags)}
            self.aws.do("eks", "TagResource", parameters, doing=f"tag node group {name}")
        if untag:
            gone = {"resourceArn": arn, "tagKeys": list(untag)}
            self.aws.do("eks", "UntagResource", gone, doing=f"take tags off node group {name}")

    def _tag_autoscaling_group(self, name: str, tags: Mapping[str, str], untag: tuple[str, ...]) -> None:
        where = {"ResourceId": name, "ResourceType": "auto-scaling-group"}
        doing = f"tag autoscaling group {name}"
        if tags:
            rows = [{**where, "Key": key, "Value": tags[key], "PropagateAtLaunch": False} for key in tags]
            self.aws.do("autoscaling", "CreateOrUpdateTags", {"Tags": rows}, doing=doing)
        if untag:
            self.aws.do("autoscaling", "DeleteTags", {"Tags": [{**where, "Key": key} for key in untag]}, doing=doing)


def _refuse_failed(group: Record) -> None:
    status = str(group.get("status"))
    if status in (*FAILED, "DEGRADED"):
        issues = "; ".join(issues_in_words((group.get("health") or {}).get("issues") or [])) or "EKS gives no reason"
        raise PlatformError(f"node group {group.get('nodegroupName')} is {status}: {issues}")


__all__ = ("Applier",)
