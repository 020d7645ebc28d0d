# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules return of a cluster: the same keys live, predicted and absent."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._aws.session import Record
from ..health import issues_in_words
from .plan import state_of


def cluster_facts(cluster: Record | None, *, after: Mapping[str, t.Any] | None = None) -> Record:
    """The facts of a cluster; of an absent one every key is there and most are none.

    :param after: the state that a plan leads to; it covers the live one.
    """
    live = cluster or {}
    network = live.get("resourcesVpcConfig") or {}
    state = {**state_of(live), **(after or {})} if cluster is not None else dict.fromkeys(state_of({}))
    status = live.get("status")
    if cluster is None:
        status = "ABSENT"
    elif after:
        status = "ACTIVE"
    return {
        "name": live.get("name"),
        "arn": live.get("arn"),
        "status": status,
        "platform_version": live.get("platformVersion"),
        "endpoint_url": live.get("endpoint"),
        "certificate_authority": (live.get("certificateAuthority") or {}).get("data"),
        "oidc_issuer": ((live.get("identity") or {}).get("oidc") or {}).get("issuer"),
        "vpc_id": network.get("vpcId"),
        "cluster_security_group": network.get("clusterSecurityGroupId"),
        **state,
        "health": issues_in_words((live.get("health") or {}).get("issues") or []),
    }


__all__ = ("cluster_facts",)
