# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access entries and the access policies associated with them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from . import tags
from .access_policies import ARNS, CLUSTER_ADMIN
from .errors import in_use, invalid_parameter, invalid_request, not_found
from .session import Operations, Session, page
from .store import Cluster, Record, Resource

KIND = "access-entry"
STANDARD = "STANDARD"
PRINCIPAL = re.compile(r"arn:aws[\w-]*:iam::\d{12}:(role|user)/.+|arn:aws[\w-]*:iam::\d{12}:root")
# What EKS itself gives to entries of node types: (user name, groups). Amazon EKS user guide, "Create access entries".
NODE_TYPES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "EC2_LINUX": ("system:node:{{EC2PrivateDNSName}}", ("system:nodes",)),
    "EC2_WINDOWS": ("system:node:{{EC2PrivateDNSName}}", ("system:nodes", "eks:kube-proxy-windows")),
    "FARGATE_LINUX": ("system:node:{{SessionName}}", ("system:bootstrappers", "system:nodes", "system:node-proxier")),
    "EC2": ("system:node:{{EC2PrivateDNSName}}", ()),
    "HYBRID_LINUX": ("system:node:{{SessionName}}", ("system:nodes",)),
    "HYPERPOD_LINUX": ("system:node:{{SessionName}}", ("system:nodes",)),
}
MISSING = (
    "The specified principalArn could not be found. You can view your available access entries "
    "with 'list-access-entries'."
)


def _cluster(eks: Session, name: str) -> Cluster:
    cluster = eks.cluster(name)
    if not _has_entries(cluster):
        raise invalid_request(
            "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this "
            "operation."
        )
    return cluster


def _has_entries(cluster: Cluster) -> bool:
    return bool(cluster.body["accessConfig"]["authenticationMode"] != "CONFIG_MAP")


def _entry(eks: Session, request: Record) -> tuple[Cluster, Resource]:
    cluster = _cluster(eks, request["clusterName"])
    return cluster, cluster.child(KIND, request["principalArn"], MISSING)


def _add(eks: Session, cluster: Cluster, principal: str, body: Record) -> Resource:
    account, kind, name = principal.split(":")[4], *principal.split(":")[5].partition("/")[::2]
    arn = eks.place.arn(KIND, cluster.name, kind, account, name or "root", eks.ids.uuid())
    now = eks.now()
    body = {
        "clusterName": cluster.name,
        "principalArn": principal,
        "accessEntryArn": arn,
        "createdAt": now,
        "modifiedAt": now,
    } | body
    resource = Resource(KIND, principal, arn, body, hidden={"policies": {}})
    cluster.children[KIND][principal] = resource
    return resource


def _user_name(principal: str) -> str:
    return (
        principal.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/{{SessionName}}"
        if (":role/" in principal)
        else principal
    )


def admit_creator(eks: Session, cluster: Cluster) -> None:
    """The entry of who created the cluster, with administrator rights."""
    principal = eks.neighbours.caller(eks.place)
    body = {"type": STANDARD, "username": _user_name(principal), "kubernetesGroups": [], "tags": {}}
    entry = _add(eks, cluster, principal, body)
    entry.hidden["policies"][CLUSTER_ADMIN] = _association(eks, CLUSTER_ADMIN, {"type": "cluster", "namespaces": []})


def admit_nodes(eks: Session, cluster: Cluster, role: str, kind: str) -> None:
    """The entry that EKS makes itself for the role of nodes (containers-roadmap #2425)."""
    if role in cluster.children[KIND] or not _has_entries(cluster):
        return
    user, groups = NODE_TYPES[kind]
    entry = _add(eks, cluster, role, {"type": kind, "username": user, "kubernetesGroups": list(groups), "tags": {}})
    entry.hidden["made_by_eks"] = True


def dismiss_nodes(cluster: Cluster, role: str) -> None:
    """Take that entry away with the last user of the role."""
    entry = cluster.children[KIND].get(role)
    users = [one.body.get("nodeRole") for one in cluster.children["nodegroup"].values()]
    users += [one.body.get("podExecutionRoleArn") for one in cluster.children["fargateprofile"].values()]
    if entry is not None and entry.hidden.get("made_by_eks") and role not in users:
        del cluster.children[KIND][role]


def create_access_entry(eks: Session, request: Record) -> Record:
    """CreateAccessEntry."""
    cluster = _cluster(eks, request["clusterName"])
    principal = request["principalArn"]
    kind = request.get("type") or STANDARD
    if not PRINCIPAL.fullmatch(principal):
        raise invalid_parameter("The principalArn parameter format is not valid", clusterName=cluster.name)
    if principal in cluster.children[KIND]:
        raise in_use("The specified access entry resource is already in use on this cluster.", clusterName=cluster.name)
    if kind != STANDARD and kind not in NODE_TYPES:
        raise invalid_parameter("The specified type is not valid", clusterName=cluster.name)
    groups = list(request.get("kubernetesGroups") or ())
    if kind != STANDARD and (groups or request.get("username")):
        raise invalid_request(f"Kubernetes groups and username cannot be specified for type {kind}")
    _check_names(groups, request.get("username"))
    eks.require_role(principal, clusterName=cluster.name)
    user, own_groups = NODE_TYPES.get(kind, (request.get("username") or _user_name(principal), groups))
    body = {"type": kind, "username": user, "kubernetesGroups": list(own_groups)}
    return {"accessEntry": _add(eks, cluster, principal, body | {"tags": tags.checked(request.get("tags"))}).body}


def _check_names(groups: list[str], user: str | None) -> None:
    for name in [*groups, *([user] if user else [])]:
        if name.startswith(("system:", "eks:", "aws:", "amazon:", "iam:")):
            raise invalid_parameter(
                f"The kubernetes group name or username {name} is invalid, it cannot start with a reserved prefix"
            )


def describe_access_entry(eks: Session, request: Record) -> Record:
    """DescribeAccessEntry."""
    return {"accessEntry": _entry(eks, request)[1].body}


def list_access_entries(eks: Session, request: Record) -> Record:
    """ListAccessEntries."""
    cluster = _cluster(eks, request["clusterName"])
    policy = request.get("associatedPolicyArn")
    rows = [
        principal
        for principal, entry in sorted(cluster.children[KIND].items())
        if not policy or policy in entry.hidden["policies"]
    ]
    return page(rows, request, "accessEntries")


def update_access_entry(eks: Session, request: Record) -> Record:
    """UpdateAccessEntry: groups and user name; what is left out stays."""
    _other, entry = _entry(eks, request)
    if entry.body["type"] != STANDARD:
        raise invalid_request(f"Access entries of type {entry.body['type']} cannot be updated")
    groups, user = request.get("kubernetesGroups"), request.get("username")
    _check_names(list(groups or ()), user)
    if groups is not None:
        entry.body["kubernetesGroups"] = list(groups)
    if user is not None:
        entry.body["username"] = user
    entry.body["modifiedAt"] = eks.now()
    return {"accessEntry": entry.body}


def delete_access_entry(eks: Session, request: Record) -> Record:
    """DeleteAccessEntry."""
    cluster, entry = _entry(eks, request)
    del cluster.children[KIND][entry.key]
    return {}


def _association(eks: Session, policy: str, scope: Record) -> Record:
    now = eks.now()
    return {"policyArn": policy, "accessScope": scope, "associatedAt": now, "modifiedAt": now}


def associate_access_policy(eks: Session, request: Record) -> Record:
    """AssociateAccessPolicy; again with another scope: it replaces the scope."""
    cluster, entry = _entry(eks, request)
    policy, scope = request["policyArn"], {"namespaces": [], **request["accessScope"]}
    if policy not in ARNS:
        raise invalid_parameter("The policyArn parameter format is not valid", clusterName=cluster.name)
    if entry.body["type"] not in (STANDARD, "EC2"):
        raise invalid_request(f"Access policies cannot be associated with an access entry of type {entry.body['type']}")
    if (scope.get("type") == "namespace") != bool(scope["namespaces"]):
        raise invalid_parameter("The namespaces of an access scope go with the type namespace, and only with it")
    before = entry.hidden["policies"].get(policy)
    found = _association(eks, policy, scope)
    if before:
        found["associatedAt"] = before["associatedAt"]
    entry.hidden["policies"][policy] = found
    return {"clusterName": cluster.name, "principalArn": entry.key, "associatedAccessPolicy": found}


def disassociate_access_policy(eks: Session, request: Record) -> Record:
    """DisassociateAccessPolicy."""
    cluster, entry = _entry(eks, request)
    if entry.hidden["policies"].pop(request["policyArn"], None) is None:
        raise not_found("The specified policyArn is not associated with the access entry", clusterName=cluster.name)
    return {}


def list_associated_access_policies(eks: Session, request: Record) -> Record:
    """ListAssociatedAccessPolicies."""
    cluster, entry = _entry(eks, request)
    answer = page(list(entry.hidden["policies"].values()), request, "associatedAccessPolicies")
    return answer | {"clusterName": cluster.name, "principalArn": entry.key}


def list_access_policies(_eks: Session, request: Record) -> Record:
    """ListAccessPolicies."""
    return page([{"name": name, "arn": arn} for arn, name in ARNS.items()], request, "accessPolicies")


OPERATIONS: Operations = {
    "CreateAccessEntry": create_access_entry,
    "DescribeAccessEntry": describe_access_entry,
    "ListAccessEntries": list_access_entries,
    "UpdateAccessEntry": update_access_entry,
    "DeleteAccessEntry": delete_access_entry,
    "AssociateAccessPolicy": associate_access_policy,
    "DisassociateAccessPolicy": disassociate_access_policy,
    "ListAssociatedAccessPolicies": list_associated_access_policies,
    "ListAccessPolicies": list_access_policies,
}

__all__ = ("OPERATIONS", "admit_creator", "admit_nodes", "dismiss_nodes")
