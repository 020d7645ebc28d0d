# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AssociateEncryptionConfig: once in a cluster's life."""

from __future__ import annotations

from . import updates
from .errors import invalid_parameter, invalid_request
from .session import Operations, Session
from .store import Record


def associate_encryption_config(eks: Session, request: Record) -> Record:
    """AssociateEncryptionConfig."""
    cluster = eks.cluster(request["clusterName"])
    wanted = request["encryptionConfig"]
    if cluster.body.get("encryptionConfig"):
        raise invalid_request("Encryption is already enabled for this cluster", clusterName=cluster.name)
    if len(wanted) != 1 or wanted[0].get("resources") != ["secrets"]:
        raise invalid_parameter("Only one encryption config, for secrets, is supported", clusterName=cluster.name)
    change = updates.Change(
        "AssociateEncryptionConfig",
        {"EncryptionConfig": wanted},
        lambda: cluster.body.update(encryptionConfig=wanted),
    )
    return updates.begin(eks, cluster, cluster, change)


OPERATIONS: Operations = {"AssociateEncryptionConfig": associate_encryption_config}

__all__ = ("OPERATIONS",)
