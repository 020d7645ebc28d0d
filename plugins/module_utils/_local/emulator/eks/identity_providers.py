# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OIDC identity provider configurations: at most one for each cluster."""

from __future__ import annotations

from . import tags, updates
from .errors import invalid_request
from .session import Operations, Session, page
from .store import Cluster, Record, Resource

KIND = "identityproviderconfig"


def _found(eks: Session, request: Record) -> tuple[Cluster, Resource]:
    cluster = eks.cluster(request["clusterName"])
    name = request["identityProviderConfig"]["name"]
    return cluster, cluster.child(
        KIND, name, f"Identity provider config {name} is not associated with cluster {cluster.name}"
    )


def associate_identity_provider_config(eks: Session, request: Record) -> Record:
    """AssociateIdentityProviderConfig."""
    cluster = eks.cluster(request["clusterName"])
    wanted = request["oidc"]
    name = wanted["identityProviderConfigName"]
    if cluster.children[KIND]:
        raise invalid_request(
            "Only one identity provider config can be associated with a cluster", clusterName=cluster.name
        )
    arn = eks.place.arn(KIND, cluster.name, "oidc", name, eks.ids.uuid())
    own_tags = tags.checked(request.get("tags"))
    body: Record = {
        **wanted,
        "identityProviderConfigArn": arn,
        "clusterName": cluster.name,
        "tags": own_tags,
        "status": "CREATING",
    }
    resource = Resource(KIND, name, arn, body)

    def finish() -> None:
        resource.status = "ACTIVE"

    change = updates.Change("AssociateIdentityProviderConfig", {"IdentityProviderConfig": wanted}, finish)
    answer = updates.begin(eks, cluster, cluster, change)
    cluster.children[KIND][name] = resource
    return answer | {"tags": own_tags}


def describe_identity_provider_config(eks: Session, request: Record) -> Record:
    """DescribeIdentityProviderConfig."""
    return {"identityProviderConfig": {"oidc": _found(eks, request)[1].body}}


def list_identity_provider_configs(eks: Session, request: Record) -> Record:
    """ListIdentityProviderConfigs."""
    names = eks.cluster(request["clusterName"]).children[KIND]
    return page([{"type": "oidc", "name": name} for name in sorted(names)], request, "identityProviderConfigs")


def disassociate_identity_provider_config(eks: Session, request: Record) -> Record:
    """DisassociateIdentityProviderConfig."""
    cluster, resource = _found(eks, request)

    def finish() -> None:
        cluster.children[KIND].pop(resource.key, None)

    params = {"IdentityProviderConfig": request["identityProviderConfig"]}
    answer = updates.begin(eks, cluster, cluster, updates.Change("DisassociateIdentityProviderConfig", params, finish))
    resource.status = "DELETING"
    return answer


OPERATIONS: Operations = {
    "AssociateIdentityProviderConfig": associate_identity_provider_config,
    "DescribeIdentityProviderConfig": describe_identity_provider_config,
    "ListIdentityProviderConfigs": list_identity_provider_configs,
    "DisassociateIdentityProviderConfig": disassociate_identity_provider_config,
}

__all__ = ("OPERATIONS",)
