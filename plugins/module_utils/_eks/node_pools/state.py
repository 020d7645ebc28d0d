# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node pool's state in the user's terms: what diffs show and plans compare."""

from __future__ import annotations

import hashlib
import typing as t
from collections.abc import Mapping

from ..._aws.session import Record
from ..._aws.tags import OWNER_TAG, RECORD_PREFIX, users_tags
from .fields import from_api
from .spec import CAPACITY_TYPES, EFFECTS, taint_key

POOL_TAG = f"{RECORD_PREFIX}pool"
TEMPLATE_TAG = f"{RECORD_PREFIX}launch-template"
AUTOSCALING_TAG = f"{RECORD_PREFIX}autoscaling"
SUBNETS_TAG = f"{RECORD_PREFIX}subnets"
RECORDS = (OWNER_TAG, POOL_TAG, TEMPLATE_TAG, AUTOSCALING_TAG, SUBNETS_TAG)
LONGEST_TEMPLATE_NAME = 128

EFFECT_WORDS = {name: words for words, name in EFFECTS.items()}
CAPACITY_WORDS = {name: words for words, name in CAPACITY_TYPES.items()}

State = dict[str, t.Any]


def state_of(group: Record) -> State:
    """The state of a node group as DescribeNodegroup gives it; our own tags are left out."""
    sizes = group.get("scalingConfig") or {}
    template = group.get("launchTemplate") or {}
    return {
        "node_group": group.get("nodegroupName"),
        "version": group.get("version"),
        "release_version": group.get("releaseVersion"),
        "ami_type": group.get("amiType"),
        "capacity_type": CAPACITY_WORDS.get(group.get("capacityType", ""), "on_demand"),
        "instance_types": sorted(group.get("instanceTypes") or []),
        "subnets": sorted(group.get("subnets") or []),
        "node_role": group.get("nodeRole"),
        "scaling": {"min": sizes.get("minSize"), "max": sizes.get("maxSize"), "desired": sizes.get("desiredSize")},
        "labels": dict(sorted((group.get("labels") or {}).items())),
        "taints": taints_of(group),
        "update": from_api("update", group.get("updateConfig")),
        "node_repair": from_api("node_repair", group.get("nodeRepairConfig")),
        "warm_pool": from_api("warm_pool", group.get("warmPoolConfig")),
        "tags": users_tags(group.get("tags") or {}),
        "launch_template": {"name": template.get("name")},
    }


def taints_of(group: Record) -> dict[str, str]:
    """The taints by their identity."""
    rows = group.get("taints") or []
    return {
        taint_key(row["key"], EFFECT_WORDS.get(row["effect"], row["effect"])): row.get("value") or ""
        for row in sorted(rows, key=lambda row: (row["key"], row["effect"]))
    }


def api_taints(taints: Mapping[str, str]) -> list[Record]:
    """Taints in the API's form."""
    rows = []
    for identity, value in taints.items():
        key, effect = identity.rsplit(":", 1)
        rows.append({"key": key, "effect": EFFECTS.get(effect, effect), **({"value": value} if value else {})})
    return rows


def records_of(group: Record) -> dict[str, str]:
    """Our own tags on a node group."""
    tags = group.get("tags") or {}
    return {key: tags[key] for key in RECORDS if key in tags}


def template_record(version: object, digest: str) -> str:
    """What we note on the node group: the version of the launch template and the wish that it fulfils."""
    return f"v{version}:{digest}"


def template_name(cluster: str, node_group: str) -> str:
    """The name of the launch template that we own."""
    name = f"aiplatform-{cluster}-{node_group}"
    if len(name) <= LONGEST_TEMPLATE_NAME:
        return name
    return f"{name[: LONGEST_TEMPLATE_NAME - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def autoscaling_group(group: Record) -> str | None:
    """The name of the node group's autoscaling group, once there is one."""
    groups = (group.get("resources") or {}).get("autoScalingGroups") or []
    return str(groups[0]["name"]) if groups else None


__all__ = (
    "AUTOSCALING_TAG",
    "POOL_TAG",
    "RECORDS",
    "SUBNETS_TAG",
    "TEMPLATE_TAG",
    "State",
    "api_taints",
    "autoscaling_group",
    "records_of",
    "state_of",
    "taints_of",
    "template_name",
    "template_record",
)
