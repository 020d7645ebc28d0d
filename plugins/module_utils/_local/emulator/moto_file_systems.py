# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File systems of stacks: EFS with all that its type says, FSx for Lustre and its bucket, which moto cannot make."""

from __future__ import annotations

import itertools
import json
import typing as t
from collections.abc import Mapping
from datetime import UTC, datetime

from . import moto_library as lib
from .cloudformation.provider import Made, Wanted
from .eks.neighbours import Place
from .moto_resources import OwnType

Properties = Mapping[str, t.Any]
NUMBERS = itertools.count(1)


def lustre_links(place: Place) -> dict[str, dict[str, t.Any]]:
    """The data repository associations of a place, by id; they live in moto's backend and go with it."""
    backend = lib.fsx_backends[place.account][place.region]
    return t.cast("dict[str, dict[str, t.Any]]", backend.__dict__.setdefault("associations", {}))


def add_lustre_link(place: Place, wanted: Properties) -> dict[str, t.Any]:
    """Bind a file system to a bucket; what FSx says of it."""
    key = f"dra-{next(NUMBERS):017x}"
    members = ("FileSystemId", "FileSystemPath", "DataRepositoryPath", "S3", "Tags", "ImportedFileChunkSize")
    row = {
        "AssociationId": key,
        "ResourceARN": f"arn:aws:fsx:{place.region}:{place.account}:association/{wanted['FileSystemId']}/{key}",
        "Lifecycle": "AVAILABLE",
        "CreationTime": datetime.now(tz=UTC),
        **{name: wanted[name] for name in members if name in wanted},
    }
    lustre_links(place)[key] = row
    return row


def _tags(wanted: Wanted, member: str) -> list[dict[str, str]]:
    own = {row["Key"]: row["Value"] for row in wanted.properties.get(member) or ()}
    return [{"Key": key, "Value": value} for key, value in {**wanted.tags, **own}.items()]


def _put_efs(place: Place, wanted: Wanted, present: str | None) -> str:
    backend = lib.efs_backends[place.account][place.region]
    properties = wanted.properties
    if present is None:
        present = backend.create_file_system(
            f"{wanted.stack_id}/{wanted.logical_id}/{next(NUMBERS)}",
            performance_mode=properties.get("PerformanceMode", "generalPurpose"),
            encrypted=properties.get("Encrypted", False),
            kms_key_id=properties.get("KmsKeyId"),
            throughput_mode=properties.get("ThroughputMode", "bursting"),
            provisioned_throughput_in_mibps=properties.get("ProvisionedThroughputInMibps", 0),
            availability_zone_name=properties.get("AvailabilityZoneName"),
            backup=False,
            tags=[],
        ).file_system_id
    system = backend.file_systems_by_id[present]
    system.throughput_mode = properties.get("ThroughputMode", "bursting")
    system.lifecycle_policies = list(properties.get("LifecyclePolicies") or ())
    policy = properties.get("FileSystemPolicy")
    system.file_system_policy = json.dumps(policy) if policy else None
    system._backup = (properties.get("BackupPolicy") or {}).get("Status") == "ENABLED"
    backend.tagging_service.delete_all_tags_for_resource(present)
    backend.tagging_service.tag_resource(present, _tags(wanted, "FileSystemTags"))
    return str(present)


def _delete_efs(place: Place, made: Made) -> None:
    lib.efs_backends[place.account][place.region].delete_file_system(made.physical_id)


def _efs_attributes(place: Place, key: str) -> dict[str, str]:
    return {"Arn": lib.efs_backends[place.account][place.region].file_systems_by_id[key].file_system_arn}


def _put_lustre(place: Place, wanted: Wanted, present: str | None) -> str:
    backend = lib.fsx_backends[place.account][place.region]
    properties = wanted.properties
    if present is None:
        present = backend.create_file_system(
            client_request_token=None,
            file_system_type=properties["FileSystemType"],
            storage_capacity=properties.get("StorageCapacity"),
            storage_type=properties.get("StorageType", "SSD"),
            subnet_ids=properties["SubnetIds"],
            security_group_ids=properties.get("SecurityGroupIds"),
            tags=None,
            kms_key_id=properties.get("KmsKeyId"),
            windows_configuration=None,
            lustre_configuration=None,
            ontap_configuration=None,
            file_system_type_version=properties.get("FileSystemTypeVersion"),
            open_zfs_configuration=None,
        ).file_system_id
    system = backend.file_systems[present]
    system.storage_capacity = properties.get("StorageCapacity")
    own = {"MountName": present[3:11], "DataCompressionType": "NONE"}
    system.lustre_configuration = own | dict(properties.get("LustreConfiguration") or {})
    backend.tagger.delete_all_tags_for_resource(system.resource_arn)
    backend.tagger.tag_resource(system.resource_arn, _tags(wanted, "Tags"))
    return str(present)


def _delete_lustre(place: Place, made: Made) -> None:
    lib.fsx_backends[place.account][place.region].file_systems.pop(made.physical_id, None)


def _lustre_attributes(place: Place, key: str) -> dict[str, str]:
    system = lib.fsx_backends[place.account][place.region].file_systems[key]
    return {
        "DNSName": system.dns_name,
        "LustreMountName": system.lustre_configuration["MountName"],
        "ResourceARN": system.resource_arn,
    }


def _put_link(place: Place, wanted: Wanted, present: str | None) -> str:
    if present is None:
        return str(add_lustre_link(place, wanted.properties)["AssociationId"])
    lustre_links(place)[present] |= {"S3": wanted.properties.get("S3"), "Tags": _tags(wanted, "Tags")}
    return present


def _delete_link(place: Place, made: Made) -> None:
    lustre_links(place).pop(made.physical_id, None)


# What needs another resource: "Update requires: Replacement" of the AWS resource reference.
FILE_SYSTEMS: Mapping[str, OwnType] = {
    "AWS::EFS::FileSystem": OwnType(
        _put_efs,
        _delete_efs,
        _efs_attributes,
        frozenset({"AvailabilityZoneName", "Encrypted", "KmsKeyId", "PerformanceMode"}),
    ),
    "AWS::FSx::FileSystem": OwnType(
        _put_lustre,
        _delete_lustre,
        _lustre_attributes,
        frozenset({"KmsKeyId", "SecurityGroupIds", "FileSystemType", "SubnetIds", "BackupId"}),
    ),
    "AWS::FSx::DataRepositoryAssociation": OwnType(
        _put_link,
        _delete_link,
        replacing=frozenset({"FileSystemId", "FileSystemPath", "DataRepositoryPath", "BatchImportMetaDataOnCreate"}),
    ),
}

__all__ = ("FILE_SYSTEMS", "add_lustre_link", "lustre_links")
