# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add-ons: their lives, versions, configuration and pod identities."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from . import pod_identities, tags, updates, versions
from .addon_catalogue import FIRST_MINOR, KINDS, AddonKind
from .errors import in_use, invalid_parameter, not_found
from .session import Operations, Session, page
from .store import Cluster, Record, Resource

KIND = "addon"
JSON_TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}


def _offered(name: str) -> AddonKind:
    kind = KINDS.get(name)
    if kind is None:
        raise invalid_parameter("Addon specified is not supported")
    return kind


def offered_versions(kind: AddonKind, minor: int) -> list[str]:
    """The versions of an add-on for a Kubernetes version, newest first."""
    return [version.format(minor=minor) for version in kind.versions]


def _version(kind: AddonKind, cluster: Cluster, wanted: str | None) -> str:
    offered = offered_versions(kind, versions.minor(cluster.body["version"]))
    if wanted is None:
        return offered[kind.by_default]
    if wanted not in offered:
        raise invalid_parameter(
            "Addon version specified is not supported", clusterName=cluster.name, addonName=kind.name
        )
    return wanted


def check_values(kind: AddonKind, text: str | None) -> None:
    """Refuse configuration values that the add-on's schema does not know.

    :raises EksError: InvalidParameterException, as EKS says it.
    """
    if not text:
        return
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, Mapping):
        raise invalid_parameter("ConfigurationValue is not in valid JSON or YAML format")
    problems = [
        f"$.{key}: is not defined in the schema and the schema does not allow additional properties"
        for key in values
        if key not in kind.schema
    ] + [
        f"$.{key}: {type(value).__name__} found, {kind.schema[key]} expected"
        for key, value in values.items()
        if key in kind.schema and not _is(value, kind.schema[key])
    ]
    if problems:
        raise invalid_parameter(
            "ConfigurationValue provided in request is not supported: Json schema validation failed with error: "
            f"[{', '.join(problems)}]"
        )


def _is(value: object, kind: str) -> bool:
    return isinstance(value, JSON_TYPES[kind]) and not (kind == "integer" and isinstance(value, bool))


def _find(eks: Session, request: Record) -> tuple[Cluster, Resource]:
    cluster = eks.cluster(request["clusterName"])
    name = request["addonName"]
    return cluster, cluster.child(KIND, name, f"No addon: {name} found in cluster: {cluster.name}")


def create_addon(eks: Session, request: Record) -> Record:
    """CreateAddon: CREATING, and ACTIVE later."""
    cluster = eks.cluster(request["clusterName"])
    name = request["addonName"]
    kind = _offered(name)
    if name in cluster.children[KIND]:
        raise in_use("Addon already exists.", clusterName=cluster.name, addonName=name)
    if cluster.status not in ("ACTIVE", "UPDATING"):
        raise in_use(f"Cluster '{cluster.name}' is not in ACTIVE status", clusterName=cluster.name)
    check_values(kind, request.get("configurationValues"))
    version = _version(kind, cluster, request.get("addonVersion"))
    arn = eks.place.arn(KIND, cluster.name, name, eks.ids.uuid())
    namespace = (request.get("namespaceConfig") or {}).get("namespace") or kind.namespace
    body: Record = {
        "addonName": name,
        "clusterName": cluster.name,
        "addonVersion": version,
        "addonArn": arn,
        "createdAt": eks.now(),
        "modifiedAt": eks.now(),
        "health": {"issues": []},
        "tags": tags.checked(request.get("tags")),
        "podIdentityAssociations": [],
        "namespaceConfig": {"namespace": namespace},
        **{key: request[key] for key in ("serviceAccountRoleArn", "configurationValues") if request.get(key)},
    }
    resource = Resource(KIND, name, arn, body)
    _set_identities(eks, cluster, resource, request.get("podIdentityAssociations") or [])
    cluster.children[KIND][name] = resource
    eks.create(resource)
    return {"addon": dict(body)}


def _set_identities(eks: Session, cluster: Cluster, resource: Resource, wanted: Sequence[Mapping[str, str]]) -> None:
    """Make the associations of an add-on those that are wanted, by service account."""
    store = cluster.children[pod_identities.KIND]
    own = {
        store[key].body["serviceAccount"]: store[key] for key in resource.hidden.get("identities", ()) if key in store
    }
    allowed = {account for account, _other in KINDS[resource.key].service_accounts}
    for one in wanted:
        if one["serviceAccount"] not in allowed:
            raise invalid_parameter(
                f"Service account {one['serviceAccount']} is not supported for addon {resource.key}",
                addonName=resource.key,
            )
    for account, association in own.items():
        if account not in {one["serviceAccount"] for one in wanted}:
            del store[association.key]
    keys = []
    for one in wanted:
        found = own.get(one["serviceAccount"])
        if found is None:
            namespace = resource.body["namespaceConfig"]["namespace"]
            found = pod_identities.add(eks, cluster, {**one, "namespace": namespace}, owner=resource.arn)
        found.body["roleArn"] = one["roleArn"]
        keys.append(found.key)
    resource.hidden["identities"] = keys
    resource.body["podIdentityAssociations"] = [store[key].arn for key in keys]


def describe_addon(eks: Session, request: Record) -> Record:
    """DescribeAddon."""
    return {"addon": _find(eks, request)[1].body}


def list_addons(eks: Session, request: Record) -> Record:
    """ListAddons."""
    return page(sorted(eks.cluster(request["clusterName"]).children[KIND]), request, "addons")


def update_addon(eks: Session, request: Record) -> Record:
    """UpdateAddon: what is left out stays, an empty list of pod identities takes them away."""
    cluster, resource = _find(eks, request)
    kind = KINDS[resource.key]
    wanted = {
        key: request[key]
        for key in ("addonVersion", "serviceAccountRoleArn", "configurationValues")
        if request.get(key) is not None
    }
    check_values(kind, wanted.get("configurationValues"))
    if "addonVersion" in wanted:
        _version(kind, cluster, wanted["addonVersion"])
    identities = request.get("podIdentityAssociations")
    params = {key[0].upper() + key[1:]: value for key, value in wanted.items()}
    if request.get("resolveConflicts"):
        params["ResolveConflicts"] = request["resolveConflicts"]
    if identities is not None:
        params["PodIdentityAssociations"] = identities

    def finish() -> None:
        resource.body.update(wanted)
        if identities is not None:
            _set_identities(eks, cluster, resource, identities)

    return updates.begin(eks, cluster, resource, updates.Change("AddonUpdate", params, finish))


def delete_addon(eks: Session, request: Record) -> Record:
    """DeleteAddon; its pod identity associations go with it."""
    cluster, resource = _find(eks, request)

    def remove() -> None:
        for key in resource.hidden.get("identities", ()):
            cluster.children[pod_identities.KIND].pop(key, None)
        cluster.children[KIND].pop(resource.key, None)

    if resource.status != "DELETING":
        eks.delete(resource, remove=remove)
    return {"addon": dict(resource.body)}


def _minors(kind: AddonKind, version: str) -> list[str]:
    names = [one for one in versions.VERSIONS if versions.minor(one) >= FIRST_MINOR]
    return [one for one in names if version in offered_versions(kind, versions.minor(one))]


def _version_info(kind: AddonKind, version: str, wanted: str | None) -> Record:
    minors = [one for one in _minors(kind, version) if wanted in (None, one)]
    return {
        "addonVersion": version,
        "architecture": ["amd64", "arm64"],
        "computeTypes": ["ec2", "auto", "hybrid"],
        "compatibilities": [
            {
                "clusterVersion": one,
                "platformVersions": ["*"],
                "defaultVersion": version == offered_versions(kind, versions.minor(one))[kind.by_default],
            }
            for one in minors
        ],
        "requiresConfiguration": False,
        "requiresIamPermissions": bool(kind.service_accounts),
    }


def describe_addon_versions(_eks: Session, request: Record) -> Record:
    """DescribeAddonVersions: by name, Kubernetes version, type or owner."""
    wanted, name = request.get("kubernetesVersion"), request.get("addonName")
    if name and name not in KINDS:
        raise not_found(f"Addon {name} not found", addonName=name)
    rows = []
    for kind in KINDS.values():
        if name not in (None, kind.name):
            continue
        if kind.type not in (request.get("types") or [kind.type]) or kind.owner not in (
            request.get("owners") or [kind.owner]
        ):
            continue
        minors = [wanted] if wanted else list(versions.VERSIONS)
        offered = [one for minor in minors for one in offered_versions(kind, versions.minor(minor))]
        infos = [_version_info(kind, one, wanted) for one in dict.fromkeys(offered)]
        rows.append(
            {
                "addonName": kind.name,
                "type": kind.type,
                "addonVersions": [info for info in infos if info["compatibilities"]],
                "publisher": "eks",
                "owner": kind.owner,
                "defaultNamespace": kind.namespace,
            }
        )
    return page(rows, request, "addons")


def describe_addon_configuration(_eks: Session, request: Record) -> Record:
    """DescribeAddonConfiguration: the schema and the roles it recommends."""
    kind = KINDS.get(request["addonName"])
    version = request["addonVersion"]
    if kind is None or not _minors(kind, version):
        raise not_found("Addon version specified is not supported", addonName=request["addonName"])
    schema = {
        "$schema": "http://json-schema.org/draft-06/schema#",
        "type": "object",
        "additionalProperties": False,
        "properties": {key: {"type": value} for key, value in kind.schema.items()},
    }
    return {
        "addonName": kind.name,
        "addonVersion": version,
        "configurationSchema": json.dumps(schema),
        "podIdentityConfiguration": [
            {"serviceAccount": account, "recommendedManagedPolicies": list(policies)}
            for account, policies in kind.service_accounts
        ],
    }


OPERATIONS: Operations = {
    "CreateAddon": create_addon,
    "DescribeAddon": describe_addon,
    "ListAddons": list_addons,
    "UpdateAddon": update_addon,
    "DeleteAddon": delete_addon,
    "DescribeAddonVersions": describe_addon_versions,
    "DescribeAddonConfiguration": describe_addon_configuration,
}

__all__ = ("OPERATIONS", "check_values", "offered_versions")
