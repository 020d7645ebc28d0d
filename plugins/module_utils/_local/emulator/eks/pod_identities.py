# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pod identity associations."""

from __future__ import annotations

import json
from collections.abc import Mapping

from . import tags
from .errors import in_use, invalid_parameter, invalid_request
from .session import Operations, Session, page
from .store import Cluster, Record, Resource

KIND = "podidentityassociation"
SUMMARY = ("clusterName", "namespace", "serviceAccount", "associationArn", "associationId", "ownerArn")


def _found(eks: Session, request: Record) -> tuple[Cluster, Resource]:
    cluster = eks.cluster(request["clusterName"])
    key = request["associationId"]
    return cluster, cluster.child(KIND, key, f"No pod identity association found with id: {key}")


def add(eks: Session, cluster: Cluster, wanted: Mapping[str, str], *, owner: str | None = None) -> Resource:
    """Make an association.

    :param wanted: C(namespace), C(serviceAccount), C(roleArn) and the optional members of the create operation.
    :param owner: the ARN of the add-on that it belongs to.
    :raises EksError: ResourceInUseException when the service account has one.
    """
    namespace, account = wanted["namespace"], wanted["serviceAccount"]
    for one in cluster.children[KIND].values():
        if (one.body["namespace"], one.body["serviceAccount"]) == (namespace, account):
            raise in_use(f"Association already exists: {one.key}", clusterName=cluster.name)
    eks.require_role(wanted["roleArn"], clusterName=cluster.name)
    now = eks.now()
    key = f"a-{eks.ids.hex(17)}"
    arn = eks.place.arn(KIND, cluster.name, key)
    body: Record = {
        "clusterName": cluster.name,
        "namespace": namespace,
        "serviceAccount": account,
        "roleArn": wanted["roleArn"],
        "associationArn": arn,
        "associationId": key,
        "tags": {},
        "createdAt": now,
        "modifiedAt": now,
        "disableSessionTags": False,
    }
    if owner:
        body["ownerArn"] = owner
    _set_options(eks, body, wanted)
    resource = Resource(KIND, key, arn, body)
    cluster.children[KIND][key] = resource
    return resource


def _set_options(eks: Session, body: Record, wanted: Mapping[str, object]) -> None:
    target, policy = wanted.get("targetRoleArn"), wanted.get("policy")
    if policy:
        try:
            json.loads(str(policy))
        except ValueError:
            raise invalid_parameter("The policy is not a valid JSON document") from None
    if wanted.get("disableSessionTags") is not None:
        body["disableSessionTags"] = wanted["disableSessionTags"]
    if policy is not None:
        body["policy"] = policy
    if policy and not body["disableSessionTags"]:
        raise invalid_parameter("Session tags must be disabled (disableSessionTags) when a policy is specified")
    if target:
        body["targetRoleArn"] = target
        body.setdefault("externalId", eks.ids.uuid())
    elif target == "":
        body.pop("targetRoleArn", None)
        body.pop("externalId", None)


def create_pod_identity_association(eks: Session, request: Record) -> Record:
    """CreatePodIdentityAssociation."""
    resource = add(eks, eks.cluster(request["clusterName"]), request)
    resource.body["tags"] = tags.checked(request.get("tags"))
    return {"association": resource.body}


def describe_pod_identity_association(eks: Session, request: Record) -> Record:
    """DescribePodIdentityAssociation."""
    return {"association": _found(eks, request)[1].body}


def list_pod_identity_associations(eks: Session, request: Record) -> Record:
    """ListPodIdentityAssociations: summaries without the role."""
    cluster = eks.cluster(request["clusterName"])
    rows = [
        {key: one.body[key] for key in SUMMARY if key in one.body}
        for one in cluster.children[KIND].values()
        if all(request.get(key) in (None, one.body[key]) for key in ("namespace", "serviceAccount"))
    ]
    return page(rows, request, "associations")


def update_pod_identity_association(eks: Session, request: Record) -> Record:
    """UpdatePodIdentityAssociation: role, target role, session tags, policy."""
    _other, resource = _found(eks, request)
    changed = dict(resource.body)
    _set_options(eks, changed, request)
    if role := request.get("roleArn"):
        eks.require_role(role)
        changed["roleArn"] = role
    resource.body.clear()
    resource.body.update(changed, modifiedAt=eks.now())
    return {"association": resource.body}


def delete_pod_identity_association(eks: Session, request: Record) -> Record:
    """DeletePodIdentityAssociation: not one of an add-on."""
    cluster, resource = _found(eks, request)
    if owner := resource.body.get("ownerArn"):
        raise invalid_request(f"The association {resource.key} is owned by {owner}", clusterName=cluster.name)
    del cluster.children[KIND][resource.key]
    return {"association": resource.body}


OPERATIONS: Operations = {
    "CreatePodIdentityAssociation": create_pod_identity_association,
    "DescribePodIdentityAssociation": describe_pod_identity_association,
    "ListPodIdentityAssociations": list_pod_identity_associations,
    "UpdatePodIdentityAssociation": update_pod_identity_association,
    "DeletePodIdentityAssociation": delete_pod_identity_association,
}

__all__ = ("KIND", "OPERATIONS", "add")
