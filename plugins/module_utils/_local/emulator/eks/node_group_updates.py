# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""UpdateNodegroupConfig (deltas, in place) and UpdateNodegroupVersion (rolling, never down)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import node_group_rules as rules
from . import updates, versions
from .errors import EksError, invalid_parameter, invalid_request
from .node_groups import described, find
from .session import Operations, Session
from .store import Cluster, Record, Resource

PARAMS = {
    "scalingConfig": {"minSize": "MinSize", "maxSize": "MaxSize", "desiredSize": "DesiredSize"},
    "updateConfig": {
        "maxUnavailable": "MaxUnavailable",
        "maxUnavailablePercentage": "MaxUnavailablePercentage",
        "updateStrategy": "UpdateStrategy",
    },
    "nodeRepairConfig": {"enabled": "NodeRepairEnabled"},
    "warmPoolConfig": {
        "enabled": "WarmPoolEnabled",
        "minSize": "WarmPoolMinSize",
        "maxGroupPreparedCapacity": "WarmPoolMaxGroupPreparedCapacity",
        "poolState": "WarmPoolState",
        "reuseOnScaleIn": "WarmPoolReuseOnScaleIn",
    },
}


def update_nodegroup_config(eks: Session, request: Record) -> Record:
    """UpdateNodegroupConfig: labels and taints as deltas (a taint is its key and effect), the rest by section."""
    cluster, resource = find(eks, request)
    try:
        after, params = _config(described(eks, resource), request)
    except EksError as error:
        raise rules.named(error, cluster.name, resource.key) from None

    def finish() -> None:
        resource.body.update(after)
        if "scalingConfig" in request:
            for group in resource.body["resources"]["autoScalingGroups"]:
                eks.neighbours.resize_scaling_group(eks.place, group["name"], after["scalingConfig"])

    return updates.begin(eks, cluster, resource, updates.Change("ConfigUpdate", params, finish))


def _config(now: Record, request: Record) -> tuple[Record, Record]:
    after: Record = {}
    params: Record = {}
    for section, names in PARAMS.items():
        if (wanted := request.get(section)) is not None:
            before = {} if section == "updateConfig" else now.get(section) or {}
            after[section] = {**before, **wanted}
            params |= {names[key]: value for key, value in wanted.items() if key in names}
    if "updateConfig" in after:
        after["updateConfig"] = {"updateStrategy": "DEFAULT", **after["updateConfig"]}
    labels, taints = request.get("labels") or {}, request.get("taints") or {}
    if labels:
        after["labels"] = _labels(now["labels"], labels)
        params |= {
            "LabelsToAdd": labels.get("addOrUpdateLabels") or {},
            "LabelsToRemove": labels.get("removeLabels") or [],
        }
    if taints:
        after["taints"] = _taints(now["taints"], taints)
        params |= {
            "TaintsToAdd": taints.get("addOrUpdateTaints") or [],
            "TaintsToRemove": taints.get("removeTaints") or [],
        }
    if not after:
        raise invalid_parameter("No changes were requested for the node group")
    sizes = after.get("scalingConfig") or now["scalingConfig"]
    rules.check_scaling(sizes)
    rules.check_update_config(after.get("updateConfig") or {}, sizes["maxSize"])
    rules.check_labels_and_taints(after.get("labels") or {}, after.get("taints") or ())
    return after, params


def _labels(now: Mapping[str, str], delta: Record) -> dict[str, str]:
    gone = set(delta.get("removeLabels") or ())
    added = delta.get("addOrUpdateLabels") or {}
    if both := sorted(gone & set(added)):
        raise invalid_parameter(f"Label {both[0]} cannot be added and removed in one request")
    return {key: value for key, value in now.items() if key not in gone} | added


def _taints(now: Sequence[Mapping[str, str]], delta: Record) -> list[Mapping[str, str]]:
    gone = {(one["key"], one["effect"]) for one in delta.get("removeTaints") or ()}
    added = {(one["key"], one["effect"]): one for one in delta.get("addOrUpdateTaints") or ()}
    if both := sorted(gone & set(added)):
        raise invalid_parameter(f"Taint {both[0][0]}:{both[0][1]} cannot be added and removed in one request")
    kept = {(one["key"], one["effect"]): one for one in now if (one["key"], one["effect"]) not in gone}
    return list((kept | added).values())


def update_nodegroup_version(eks: Session, request: Record) -> Record:
    """UpdateNodegroupVersion: another Kubernetes version, AMI release or version of its own launch template."""
    cluster, resource = find(eks, request)
    try:
        after, params = _version(eks, cluster, resource, request)
    except EksError as error:
        raise rules.named(error, cluster.name, resource.key) from None
    change = updates.Change("VersionUpdate", params, lambda: resource.body.update(after))
    return updates.begin(eks, cluster, resource, change)


def _version(eks: Session, cluster: Cluster, resource: Resource, request: Record) -> tuple[Record, Record]:
    body = resource.body
    after: Record = {}
    if request.get("launchTemplate"):
        after |= _template(eks, resource, request)
    if body["amiType"] == "CUSTOM":
        if request.get("version") or request.get("releaseVersion"):
            field = "kubernetesVersion" if request.get("version") else "releaseVersion"
            raise invalid_parameter(f"You cannot specify the field {field} when using custom AMIs")
        if not after:
            raise invalid_parameter("Launch template details can't be null for Custom ami type node group")
        return after, _params(after)
    version = request.get("version") or body["version"]
    rules.check_version(cluster, version, now=body["version"])
    rules.check_release(request.get("releaseVersion"), body["amiType"], version)
    after["version"] = version
    after["releaseVersion"] = request.get("releaseVersion") or (
        body["releaseVersion"]
        if after.get("launchTemplate") and not request.get("version")
        else versions.release_version(body["amiType"], version)
    )
    if all(body.get(key) == value for key, value in after.items()) and not request.get("force"):
        raise invalid_parameter("No changes were requested: the node group is already at that version")
    return after, _params(after)


def _template(eks: Session, resource: Resource, request: Record) -> Record:
    own = resource.body.get("launchTemplate")
    if own is None:
        raise invalid_request(
            "Cannot update the launch template of a node group that was not created with a launch template"
        )
    wanted = request["launchTemplate"]
    if {wanted.get("id"), wanted.get("name")} - {None} - {own["id"], own["name"]}:
        raise invalid_parameter("You cannot change the launch template of a node group, only its version")
    template = rules.find_template(eks, wanted)
    after: Record = {"launchTemplate": {"id": template.id, "name": template.name, "version": template.version}}
    image = template.data.get("ImageId")
    if bool(image) != (resource.body["amiType"] == "CUSTOM"):
        raise invalid_parameter("A node group cannot change between an image of its own and one of Amazon")
    return after | ({"releaseVersion": image} if image else {})


def _params(after: Record) -> Record:
    params = {"Version": after.get("version"), "ReleaseVersion": after.get("releaseVersion")}
    if template := after.get("launchTemplate"):
        params |= {"LaunchTemplateName": template["name"], "LaunchTemplateVersion": template["version"]}
    return {key: value for key, value in params.items() if value is not None}


OPERATIONS: Operations = {
    "UpdateNodegroupConfig": update_nodegroup_config,
    "UpdateNodegroupVersion": update_nodegroup_version,
}

__all__ = ("OPERATIONS",)
