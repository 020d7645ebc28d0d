# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of a cluster, as data."""

from __future__ import annotations

from ..._aws.session import AWS_SPEC
from ..._core.argument_spec import ArgumentSpec
from ..waiting import waiting_options
from .fields import LOG_TYPES, MODES, TIERS

SPEC = ArgumentSpec(
    options={
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "version": {"type": "str"},
        "insights": {"type": "str", "choices": ["require", "warn", "ignore"], "default": "require"},
        "role_arn": {"type": "str"},
        "subnets": {"type": "list", "elements": "str"},
        "security_groups": {"type": "list", "elements": "str"},
        "endpoint": {
            "type": "dict",
            "options": {
                "public": {"type": "bool"},
                "private": {"type": "bool"},
                "public_cidrs": {"type": "list", "elements": "str"},
            },
        },
        "egress_mode": {"type": "str", "choices": ["AWS_MANAGED", "CUSTOMER_ROUTED", "CUSTOMER_ISOLATED"]},
        "logging": {"type": "list", "elements": "str", "choices": list(LOG_TYPES)},
        "encryption_key": {"type": "str", "no_log": False},
        "authentication_mode": {"type": "str", "choices": list(MODES)},
        "bootstrap_creator_admin": {"type": "bool", "default": False},
        "bootstrap_addons": {"type": "bool", "default": True},
        "support_type": {"type": "str", "choices": ["STANDARD", "EXTENDED"]},
        "zonal_shift": {"type": "bool"},
        "deletion_protection": {"type": "bool"},
        "service_cidr": {"type": "str"},
        "ip_family": {"type": "str", "choices": ["ipv4", "ipv6"]},
        "auto_mode": {
            "type": "dict",
            "options": {
                "enabled": {"type": "bool", "required": True},
                "node_pools": {"type": "list", "elements": "str"},
                "node_role": {"type": "str"},
            },
        },
        "remote_networks": {
            "type": "dict",
            "options": {
                "nodes": {"type": "list", "elements": "str"},
                "pods": {"type": "list", "elements": "str"},
            },
        },
        "control_plane_tier": {"type": "str", "choices": list(TIERS)},
        "kube_api_server": {
            "type": "dict",
            "options": {"event_ttl": {"type": "str"}, "min_port": {"type": "int"}, "max_port": {"type": "int"}},
            "required_together": [("min_port", "max_port")],
        },
        "kube_scheduler": {
            "type": "dict",
            "options": {
                "scoring": {"type": "str", "choices": ["LeastAllocated", "MostAllocated"]},
                "weights": {"type": "dict"},
            },
        },
        "kube_controller_manager": {
            "type": "dict",
            "options": {
                "terminated_pod_gc_threshold": {"type": "int"},
                "horizontal_pod_autoscaler_sync_period": {"type": "str"},
            },
        },
        "tags": {"type": "dict"},
        "purge_tags": {"type": "bool", "default": True},
        "kubeconfig": {
            "type": "dict",
            "options": {
                "path": {"type": "path", "required": True},
                "context": {"type": "str"},
                "command": {"type": "str", "default": "aws"},
            },
        },
        **waiting_options(3600),
    }
).merge(AWS_SPEC)

__all__ = ("SPEC",)
