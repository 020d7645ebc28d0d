# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags that tell the cluster autoscaler what a node of an empty pool would offer.

Source: kubernetes/autoscaler, cloudprovider/aws/README.md, "Auto-Discovery Setup" (node-template tags).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from ..._aws.session import Record
from ..._core.errors import PlatformError
from .spec import PoolSpec
from .state import taints_of

PREFIX = "k8s.io/cluster-autoscaler/node-template/"
MOST_TAGS = 40


def wanted_tags(spec: PoolSpec, group: Record | None) -> dict[str, str] | None:
    """The tags that the pool's autoscaling group should have; None when the pool never is empty.

    Start-up taints are left out: they are gone when the node is ready, and would keep the pool empty for ever.

    :param group: the live node group; it gives what the user leaves as it is.
    :raises PlatformError: when there are more than an autoscaling group takes.
    """
    live = group or {}
    smallest = spec.scaling.min if spec.scaling.min is not None else (live.get("scalingConfig") or {}).get("minSize", 1)
    if smallest > 0 and spec.resources is None:
        return None
    labels = spec.labels if spec.labels is not None else live.get("labels") or {}
    taints = spec.taints if spec.taints is not None else taints_of(live)
    tags = {f"{PREFIX}label/{key}": value for key, value in labels.items()}
    for identity, value in taints.items():
        if identity not in spec.startup_taints:
            key, effect = identity.rsplit(":", 1)
            tags[f"{PREFIX}taint/{key}"] = f"{value}:{effect}"
    tags.update({f"{PREFIX}resources/{name}": quantity for name, quantity in (spec.resources or {}).items()})
    if len(tags) > MOST_TAGS:
        raise PlatformError(
            f"{spec.words}: {len(tags)} labels, taints and resources must become tags of its autoscaling group, "
            f"which takes {MOST_TAGS} of ours; use fewer labels or a smallest size of 1"
        )
    return dict(sorted(tags.items()))


def digest_of(tags: Mapping[str, str]) -> str:
    """16 hexadecimal digits that change with the tags."""
    return hashlib.sha256(json.dumps(dict(tags), sort_keys=True).encode()).hexdigest()[:16]


__all__ = ("PREFIX", "digest_of", "wanted_tags")
