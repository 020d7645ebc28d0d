# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Updates: one at a time for each resource, awaited by DescribeUpdate, cancelled by CancelUpdate."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .errors import EksError, in_use, invalid_request, not_found
from .session import Operations, Session, page
from .store import Cluster, Record, Resource, Update

CANCELLABLE = ("VersionRollback",)


@dataclass(frozen=True)
class Change:
    """A change that an update carries out.

    :param type: a value of C(Update.type).
    :param params: what changes, as C(Update.params) tells it.
    :param finish: applies it; called when the update succeeds.
    """

    type: str
    params: Mapping[str, t.Any]
    finish: Callable[[], None]


def begin(eks: Session, cluster: Cluster, resource: Resource, change: Change) -> Record:
    """Start an update; the answer of the operation that asked for it.

    :raises EksError: ResourceInUseException while another one runs, InvalidRequestException when it is not ACTIVE.
    """
    _require_rest(cluster, resource, change.type)
    body: Record = {
        "id": eks.ids.uuid(),
        "status": "InProgress",
        "type": change.type,
        "params": [{"type": kind, "value": _text(value)} for kind, value in change.params.items()],
        "createdAt": eks.now(),
        "errors": [],
    }
    update = Update(body, resource.kind, resource.key)
    before = resource.status
    cluster.updates[update.id] = update
    resource.update = update
    resource.status = "UPDATING"

    def end() -> None:
        if update.running and resource.status == "UPDATING":
            _end(eks, resource, update, change, before=before)

    eks.later(resource.kind, "update", end)
    return {"update": dict(body)}


def _end(eks: Session, resource: Resource, update: Update, change: Change, *, before: str) -> None:
    failure = eks.faults.update_failure(resource.kind, resource.key)
    if failure is None:
        update.body["status"] = "Successful"
        resource.status = "ACTIVE"
        change.finish()
        if "modifiedAt" in resource.body:
            resource.body["modifiedAt"] = eks.now()
        return
    update.body["status"] = "Failed"
    update.body["errors"] = [
        {"errorCode": failure.code, "errorMessage": failure.message, "resourceIds": [resource.key]}
    ]
    resource.status = "UPDATE_FAILED" if resource.kind == "addon" else before


def _require_rest(cluster: Cluster, resource: Resource, doing: str) -> None:
    members = {"clusterName": cluster.name}
    if resource.kind == "nodegroup":
        members["nodegroupName"] = resource.key
    if running := resource.running_update:
        raise in_use(
            f"Cannot {doing} because {resource.kind} {resource.key} currently has update {running.id} in progress",
            **members,
        )
    if resource.status in ("ACTIVE", "DEGRADED", "UPDATE_FAILED"):
        return
    if resource.kind == "nodegroup":
        raise invalid_request("Nodegroup cannot be updated as it is currently not in Active State", **members)
    raise invalid_request(f"Cannot {doing} because {resource.kind} {resource.key} is {resource.status}", **members)


def _text(value: t.Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _owner(cluster: Cluster, request: Mapping[str, t.Any]) -> tuple[str, str]:
    if name := request.get("nodegroupName"):
        cluster.child("nodegroup", name, f"No node group found for name: {name}.")
        return "nodegroup", name
    if name := request.get("addonName"):
        cluster.child("addon", name, f"No addon: {name} found in cluster: {cluster.name}")
        return "addon", name
    if name := request.get("capabilityName"):
        return "capability", name
    return "cluster", cluster.name


def _update(eks: Session, request: Record) -> tuple[Cluster, Update]:
    cluster = eks.cluster(request["name"])
    owner = _owner(cluster, request)
    update = cluster.updates.get(request["updateId"])
    if update is None or (update.kind, update.name) != owner:
        raise not_found(f"No update found for ID: {request['updateId']}", clusterName=cluster.name)
    return cluster, update


def describe_update(eks: Session, request: Record) -> Record:
    """DescribeUpdate: only with the name of the node group or add-on that it belongs to."""
    return {"update": _update(eks, request)[1].body}


def list_updates(eks: Session, request: Record) -> Record:
    """ListUpdates: of the cluster itself, of one node group or of one add-on."""
    cluster = eks.cluster(request["name"])
    owner = _owner(cluster, request)
    ids = [update.id for update in cluster.updates.values() if (update.kind, update.name) == owner]
    return page(ids, request, "updateIds")


def cancel_update(eks: Session, request: Record) -> Record:
    """CancelUpdate: of a version rollback that runs."""
    cluster, update = _update(eks, request)
    if not update.running or update.body["type"] not in CANCELLABLE:
        raise EksError("InvalidStateException", f"Update {update.id} cannot be cancelled", clusterName=cluster.name)
    update.body["status"] = "Cancelled"
    update.body["cancellation"] = {"status": "Successful", "reason": "Cancelled by the customer"}
    cluster.status = "ACTIVE"
    return {"update": update.body}


OPERATIONS: Operations = {
    "DescribeUpdate": describe_update,
    "ListUpdates": list_updates,
    "CancelUpdate": cancel_update,
}

__all__ = ("OPERATIONS", "Change", "begin")
