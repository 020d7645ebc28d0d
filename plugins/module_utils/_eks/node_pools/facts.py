# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules return of a node pool: the same keys live and predicted."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._aws.session import Record
from ..health import issues_in_words
from .state import POOL_TAG, autoscaling_group, state_of

SHOWN = (
    "version",
    "release_version",
    "ami_type",
    "capacity_type",
    "instance_types",
    "subnets",
    "node_role",
    "scaling",
    "labels",
    "update",
    "node_repair",
    "warm_pool",
    "tags",
)


def pool_facts(group: Record, *, name: str | None = None, after: Mapping[str, t.Any] | None = None) -> Record:
    """The facts of a node group.

    :param name: the pool's name; without it the one that our tag says, else the node group's.
    :param after: the state that a plan leads to; it covers the live one.
    """
    state = {**state_of(group), **(after or {})}
    template = group.get("launchTemplate") or {}
    return {
        "name": name or (group.get("tags") or {}).get(POOL_TAG) or group.get("nodegroupName"),
        "node_group": state["node_group"],
        "arn": group.get("nodegroupArn"),
        "status": "ACTIVE" if after is not None else group.get("status"),
        **{key: state[key] for key in SHOWN},
        "taints": [_taint(identity, value) for identity, value in state["taints"].items()],
        "launch_template": {
            "id": template.get("id"),
            "name": state["launch_template"].get("name") or template.get("name"),
            "version": template.get("version"),
        },
        "autoscaling_group": autoscaling_group(group),
        "health": issues_in_words((group.get("health") or {}).get("issues") or []),
    }


def _taint(identity: str, value: str) -> Record:
    key, effect = identity.rsplit(":", 1)
    return {"key": key, "value": value, "effect": effect}


__all__ = ("pool_facts",)
