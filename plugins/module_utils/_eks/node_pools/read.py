# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS has now, read with as few calls as the answer needs.

One DescribeNodegroup per pool, all at once, is the floor (EKS has no batch describe), and an unchanged run ends there.
Launch templates, instance types, zones and autoscaling tags are read only for pools that are absent or whose record
says that something changed.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from ..._aws.session import AwsSession, Record
from ..._aws.tags import owned_by
from ..._core.concurrency import map_concurrently
from ..images import ami_type_for, check_ami_type
from ..instances import InstanceFacts, facts_for
from .autoscaling import PREFIX, digest_of, wanted_tags
from .held import Held, held_back
from .launch_template import template_data
from .spec import PoolSpec
from .state import (
    AUTOSCALING_TAG,
    POOL_TAG,
    TEMPLATE_TAG,
    autoscaling_group,
    state_of,
    template_name,
    template_record,
)
from .zones import as_recorded, offered_subnets

FIXED = ("ami_type", "capacity_type", "instance_types", "node_role", "subnets")
FAILED = ("CREATE_FAILED", "DELETE_FAILED")
ABSENT = ("ResourceNotFoundException",)
NO_TEMPLATE = ("InvalidLaunchTemplateName.NotFoundException", "InvalidLaunchTemplateId.NotFound")
NO_VERSION = (*NO_TEMPLATE, "InvalidLaunchTemplateId.VersionNotFound")


@dataclass(frozen=True)
class PoolReading:
    """One wanted pool and what AWS has of it.

    :param node_group: as DescribeNodegroup gives it; None when it is absent.
    :param fresh: whether the record on the node group says that the launch template is as wanted.
    :param template: the live version of our launch template; None when it was not read or is not ours.
    :param wanted_data: the launch template data that is wanted; None when it was not needed.
    :param ami_type: the image that the pool gets; None when it stays.
    :param autoscaling_tags: live tags of the autoscaling group, of our prefix; None when they were not read.
    :param held: labels of the spec that are the live ones for now.
    """

    spec: PoolSpec
    node_group: Record | None = None
    fresh: bool = False
    template: Record | None = None
    wanted_data: Record | None = None
    ami_type: str | None = None
    autoscaling_tags: dict[str, str] | None = None
    warnings: tuple[str, ...] = ()
    held: tuple[Held, ...] = ()

    @property
    def group_name(self) -> str:
        """The node group's name: the pool's, unless the pool was replaced under a new name."""
        return str(self.node_group["nodegroupName"]) if self.node_group else self.spec.name


@dataclass(frozen=True)
class Reading:
    """All pools.

    :param cluster: as DescribeCluster gives it; None when it was not needed or is absent.
    :param others: node groups that nobody wants and that are ours.
    :param templates: names of our launch templates that outlived their node group.
    """

    pools: tuple[PoolReading, ...]
    cluster: Record | None = None
    cluster_absent: bool = False
    others: tuple[Record, ...] = ()
    templates: tuple[str, ...] = ()


@dataclass
class Reader:
    """Reads for one cluster."""

    aws: AwsSession
    cluster_name: str
    workers: int = 8
    verify: bool = False
    hold_labels: Collection[str] = ()
    _facts: dict[str, InstanceFacts] = field(default_factory=dict)

    def read(self, specs: Sequence[PoolSpec], *, prune: bool) -> Reading:
        """All wanted pools, and with C(prune) ours that nobody wants."""
        pools, others = self._node_groups(specs, prune=prune)
        pools = [replace(pool, spec=as_recorded(pool.spec, pool.node_group)) for pool in pools]
        pools = [self._with_freshness(self._with_held_labels(pool)) for pool in pools]
        stale = [pool for pool in pools if not pool.fresh]
        absent = [pool for pool in stale if pool.node_group is None]
        cluster, missing = self._cluster(stale) if stale else (None, False)
        self._learn_instances(stale)
        if not missing:  # without a cluster the subnets may be to come as well
            offered = offered_subnets(self.aws, [pool.spec for pool in absent])
            pools = [replace(pool, spec=offered.get(pool.spec.name, pool.spec)) for pool in pools]
        pools = map_concurrently(self._with_autoscaling_tags, pools, workers=self.workers)
        stale = [pool for pool in pools if not pool.fresh]
        detailed = iter(map_concurrently(lambda pool: self._detail(pool, cluster), stale, workers=self.workers))
        pools = [pool if pool.fresh else next(detailed) for pool in pools]
        return Reading(tuple(pools), cluster=cluster, cluster_absent=missing, others=tuple(others))

    def _with_held_labels(self, pool: PoolReading) -> PoolReading:
        spec, held = held_back(pool.spec, pool.node_group, self.hold_labels)
        return replace(pool, spec=spec, held=held)

    def read_for_removal(self, specs: Sequence[PoolSpec]) -> Reading:
        """The wanted pools that are to go, and launch templates that an interrupted run left."""
        pools, _others = self._node_groups(specs, prune=False)
        names = [template_name(self.cluster_name, pool.spec.name) for pool in pools if pool.node_group is None]
        return Reading(tuple(pools), templates=tuple(self._left_templates(names)))

    def node_group(self, name: str) -> Record | None:
        """One node group; None when it is absent."""
        answer = self.aws.call(
            "eks",
            "DescribeNodegroup",
            {"clusterName": self.cluster_name, "nodegroupName": name},
            doing=f"read node group {name} of cluster {self.cluster_name}",
            absent=ABSENT,
        )
        return t.cast("Record", answer["nodegroup"]) if answer else None

    def names(self) -> list[str]:
        """The names of all node groups; none when the cluster is absent."""
        return self.aws.pages(
            "eks",
            "ListNodegroups",
            {"clusterName": self.cluster_name},
            items="nodegroups",
            doing=f"list the node groups of cluster {self.cluster_name}",
            absent=ABSENT,
        )

    def _node_groups(self, specs: Sequence[PoolSpec], *, prune: bool) -> tuple[list[PoolReading], list[Record]]:
        live = map_concurrently(self.node_group, [spec.name for spec in specs], workers=self.workers)
        pools = [PoolReading(spec, group) for spec, group in zip(specs, live, strict=True)]
        if not prune and all(group is not None for group in live):
            return pools, []
        wanted = {spec.name for spec in specs}
        others = [name for name in self.names() if name not in wanted]
        successors = [name for name in others if _pool_of(name) in wanted]
        groups = map_concurrently(self.node_group, others if prune else successors, workers=self.workers)
        found = [group for group in groups if group is not None]
        taken: dict[str, Record] = {}
        for group in found:
            taken.setdefault((group.get("tags") or {}).get(POOL_TAG, ""), group)
        pools = [pool if pool.node_group else replace(pool, node_group=taken.get(pool.spec.name)) for pool in pools]
        used = {pool.group_name for pool in pools}
        spare = [group for group in found if group["nodegroupName"] not in used]
        return pools, [group for group in spare if prune and owned_by(group.get("tags") or {}, self.cluster_name)]

    def _with_freshness(self, pool: PoolReading) -> PoolReading:
        if pool.node_group is None or self.verify or _is_to_be_made_anew(pool.spec, pool.node_group):
            return pool
        if pool.spec.launch is None:
            return replace(pool, fresh=True)
        version = (pool.node_group.get("launchTemplate") or {}).get("version")
        record = (pool.node_group.get("tags") or {}).get(TEMPLATE_TAG)
        return replace(pool, fresh=record == template_record(version, pool.spec.launch.digest))

    def _cluster(self, stale: Sequence[PoolReading]) -> tuple[Record | None, bool]:
        if all(pool.node_group and not (pool.spec.launch and pool.spec.launch.needs_cluster) for pool in stale):
            return None, False
        answer = self.aws.call(
            "eks",
            "DescribeCluster",
            {"name": self.cluster_name},
            doing=f"read cluster {self.cluster_name}",
            absent=ABSENT,
        )
        return (answer["cluster"], False) if answer else (None, True)

    def _learn_instances(self, pools: Sequence[PoolReading]) -> None:
        names = {name for pool in pools for name in pool.spec.every_type}
        efa = {name for pool in pools if pool.spec.launch and pool.spec.launch.efa for name in pool.spec.every_type}
        self._facts.update(facts_for(self.aws, names, efa=efa))

    def _detail(self, pool: PoolReading, cluster: Record | None) -> PoolReading:
        spec = pool.spec
        facts = [self._facts[name] for name in spec.every_type]
        ami_type, warnings = _image(spec, facts)
        wanted: Record | None = None
        template: Record | None = None
        if spec.launch is not None:
            known = cluster or {"name": self.cluster_name}
            one = facts[0] if len(facts) == 1 else None
            if cluster is not None or spec.launch.ami_id is None:
                wanted = template_data(spec.launch, cluster=known, facts=one, of=spec.words)
            template = self._live_template(pool)
        return replace(
            pool,
            template=template,
            wanted_data=wanted,
            ami_type=ami_type,
            warnings=tuple(warnings),
        )

    def _live_template(self, pool: PoolReading) -> Record | None:
        live = (pool.node_group or {}).get("launchTemplate") or {}
        if live.get("name") != template_name(self.cluster_name, pool.group_name):
            return None
        rows = self.template_versions(str(live["id"]), [str(live["version"])])
        return rows[0] if rows else None

    def template_versions(self, template_id: str, versions: Sequence[str]) -> list[Record]:
        """Versions of a launch template; all of them when none is named."""
        query: Record = {"LaunchTemplateId": template_id, **({"Versions": list(versions)} if versions else {})}
        doing = f"read launch template {template_id}"
        answer = self.aws.call("ec2", "DescribeLaunchTemplateVersions", query, doing=doing, absent=NO_VERSION)
        return list((answer or {}).get("LaunchTemplateVersions") or [])

    def _with_autoscaling_tags(self, pool: PoolReading) -> PoolReading:
        if pool.node_group is None or (group := autoscaling_group(pool.node_group)) is None:
            return pool
        wanted = wanted_tags(pool.spec, pool.node_group)
        record = (pool.node_group.get("tags") or {}).get(AUTOSCALING_TAG)
        if wanted is None or (record == digest_of(wanted) and not self.verify):
            return pool
        return replace(pool, autoscaling_tags=self.autoscaling_tags(group))

    def autoscaling_tags(self, group: str) -> dict[str, str]:
        """The tags of an autoscaling group that describe its nodes."""
        rows = self.aws.pages(
            "autoscaling",
            "DescribeTags",
            {"Filters": [{"Name": "auto-scaling-group", "Values": [group]}]},
            items="Tags",
            marker="NextToken",
            doing=f"read the tags of autoscaling group {group}",
        )
        return {row["Key"]: row.get("Value") or "" for row in rows if row["Key"].startswith(PREFIX)}

    def _left_templates(self, names: Sequence[str]) -> list[str]:
        if not names:
            return []
        rows = self.aws.pages(
            "ec2",
            "DescribeLaunchTemplates",
            {"Filters": [{"Name": "launch-template-name", "Values": list(names)}]},
            items="LaunchTemplates",
            marker="NextToken",
            doing="look for launch templates that were left",
        )
        return sorted(str(row["LaunchTemplateName"]) for row in rows)


def _image(spec: PoolSpec, facts: Sequence[InstanceFacts]) -> tuple[str | None, list[str]]:
    if spec.ami_type is None:
        return (ami_type_for(facts, family=spec.ami_family, of=spec.words) if facts else None), []
    if spec.launch is not None and spec.launch.ami_id is not None:
        return spec.ami_type, []
    return spec.ami_type, check_ami_type(spec.ami_type, facts, of=spec.words)


def _is_to_be_made_anew(spec: PoolSpec, group: Record) -> bool:
    """Whether it failed, goes, or differs in what EKS fixes for ever: a new one needs all details."""
    if group.get("status") in (*FAILED, "DELETING"):
        return True
    live = state_of(group)
    wanted = {
        "ami_type": spec.ami_type,
        "capacity_type": spec.capacity_type.lower(),
        "instance_types": list(spec.instance_types) if spec.instance_types or spec.template is None else None,
        "node_role": spec.node_role,
        "subnets": list(spec.subnets) or None,
    }
    return any(value is not None and live[option] != value for option, value in wanted.items())


SUCCESSOR = re.compile(r"^(?P<pool>.+)-r[0-9a-f]{4}$")


def _pool_of(node_group: str) -> str:
    match = SUCCESSOR.match(node_group)
    return match.group("pool") if match else ""


__all__ = ("ABSENT", "FAILED", "FIXED", "NO_TEMPLATE", "PoolReading", "Reader", "Reading")
