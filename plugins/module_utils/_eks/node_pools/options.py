# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the node pools, as data."""

from __future__ import annotations

import typing as t

from ..._aws.session import AWS_SPEC
from ..._core.argument_spec import ArgumentSpec
from ..images import CHOICES, FAMILIES
from ..waiting import waiting_options

EFFECTS = ("NoSchedule", "NoExecute", "PreferNoSchedule")
ON_IMMUTABLE = ("fail", "ignore", "replace_in_place", "replace_first")

Options = dict[str, dict[str, t.Any]]


def _text(**more: t.Any) -> dict[str, t.Any]:
    return {"type": "str", **more}


def _number(**more: t.Any) -> dict[str, t.Any]:
    return {"type": "int", **more}


def _flag(**more: t.Any) -> dict[str, t.Any]:
    return {"type": "bool", **more}


def _texts() -> dict[str, t.Any]:
    return {"type": "list", "elements": "str"}


def _group(options: Options, **more: t.Any) -> dict[str, t.Any]:
    return {"type": "dict", "options": options, **more}


def _groups(options: Options) -> dict[str, t.Any]:
    return {"type": "list", "elements": "dict", "options": options}


TAINT: Options = {
    "key": _text(required=True, no_log=False),
    "value": _text(default=""),
    "effect": _text(required=True, choices=list(EFFECTS)),
}

POOL: Options = {
    "name": _text(required=True),
    "instance_types": _texts(),
    "scaling": _group({"min": _number(), "max": _number(), "desired": _number()}),
    "manage_desired": _flag(default=False),
    "capacity_type": _text(choices=["on_demand", "spot", "capacity_block"]),
    "capacity_reservation": _group(
        {
            "id": _text(),
            "resource_group_arn": _text(),
            "preference": _text(choices=["open", "none", "capacity-reservations-only"]),
        },
        mutually_exclusive=[("id", "resource_group_arn", "preference")],
    ),
    "ami_family": _text(choices=list(FAMILIES), default="al2023"),
    "ami_type": _text(choices=list(CHOICES)),
    "ami_id": _text(),
    "version": _text(),
    "release_version": _text(),
    "force_update": _flag(default=False),
    "node_role": _text(),
    "subnets": _texts(),
    "security_groups": _texts(),
    "labels": {"type": "dict"},
    "taints": _groups(TAINT),
    "startup_taints": _groups(TAINT),
    "tags": {"type": "dict"},
    "instance_tags": {"type": "dict"},
    "disk": _group(
        {
            "size": _number(default=100),
            "iops": _number(),
            "throughput": _number(),
            "kms_key_id": _text(no_log=False),
        }
    ),
    "instance_store": _text(choices=["none", "raid0"], default="none"),
    "efa": _flag(default=False),
    "placement_group": _text(),
    "metadata_hop_limit": _number(default=1),
    "key_name": _text(no_log=False),
    "node_config": {"type": "dict"},
    "user_data": _text(no_log=True),
    "boot_script": _text(),
    "bottlerocket_settings": _text(),
    "launch_template": _group(
        {"id": _text(), "name": _text(), "version": _text(required=True)},
        mutually_exclusive=[("id", "name")],
        required_one_of=[("id", "name")],
    ),
    "update": _group(
        {
            "max_unavailable": _number(),
            "max_unavailable_percentage": _number(),
            "strategy": _text(choices=["default", "minimal"]),
        },
        mutually_exclusive=[("max_unavailable", "max_unavailable_percentage")],
    ),
    "node_repair": _group(
        {
            "enabled": _flag(),
            "max_unhealthy_node_threshold_count": _number(),
            "max_unhealthy_node_threshold_percentage": _number(),
            "max_parallel_nodes_repaired_count": _number(),
            "max_parallel_nodes_repaired_percentage": _number(),
            "overrides": _groups(
                {
                    "node_monitoring_condition": _text(required=True),
                    "node_unhealthy_reason": _text(required=True),
                    "min_repair_wait_time_mins": _number(required=True),
                    "repair_action": _text(required=True, choices=["Replace", "Reboot", "NoAction"]),
                }
            ),
        },
        mutually_exclusive=[
            ("max_unhealthy_node_threshold_count", "max_unhealthy_node_threshold_percentage"),
            ("max_parallel_nodes_repaired_count", "max_parallel_nodes_repaired_percentage"),
        ],
    ),
    "warm_pool": _group(
        {
            "enabled": _flag(),
            "min_size": _number(),
            "max_group_prepared_capacity": _number(),
            "pool_state": _text(choices=["STOPPED", "RUNNING", "HIBERNATED"]),
            "reuse_on_scale_in": _flag(),
        }
    ),
    "scale_from_zero_resources": {"type": "dict"},
    "on_immutable": _text(choices=list(ON_IMMUTABLE)),
}

SPEC = ArgumentSpec(
    options={
        "cluster_name": _text(required=True),
        "pools": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": POOL,
            "mutually_exclusive": [
                ("ami_type", "ami_id"),
                ("node_config", "user_data"),
                ("boot_script", "user_data", "bottlerocket_settings"),
                ("launch_template", "ami_id"),
                ("launch_template", "disk"),
                ("launch_template", "user_data"),
                ("launch_template", "boot_script"),
                ("launch_template", "bottlerocket_settings"),
                ("launch_template", "node_config"),
                ("launch_template", "security_groups"),
                ("launch_template", "placement_group"),
                ("launch_template", "capacity_reservation"),
                ("launch_template", "key_name"),
                ("launch_template", "instance_tags"),
            ],
        },
        "state": _text(choices=["present", "absent"], default="present"),
        "prune": _flag(default=False),
        "node_role": _text(),
        "subnets": _texts(),
        "tags": {"type": "dict"},
        "purge_tags": _flag(default=True),
        "on_immutable": _text(choices=list(ON_IMMUTABLE), default="fail"),
        "hold_labels": {"type": "list", "elements": "str", "default": []},
        "recreate_failed": _flag(default=False),
        "verify_records": _flag(default=False),
        "keep_launch_template_versions": _number(default=5),
        "parallel": _number(default=8),
        **waiting_options(2400),
    },
).merge(AWS_SPEC)

__all__ = ("EFFECTS", "ON_IMMUTABLE", "POOL", "SPEC")
