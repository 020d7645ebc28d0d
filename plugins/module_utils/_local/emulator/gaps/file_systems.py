# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EFS and FSx where moto stops: backup policies and updates of EFS; life cycle and data repositories of FSx."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from .. import moto_library as lib
from ..aws_call import Answers, AwsCall, AwsError, Record
from ..moto_file_systems import add_lustre_link, lustre_links


def _efs(call: AwsCall) -> t.Any:
    key = call.parameters["FileSystemId"]
    found = lib.efs_backends[call.place.account][call.place.region].file_systems_by_id.get(key)
    if found is None:
        raise AwsError("FileSystemNotFound", f"File system '{key}' does not exist.", status=404)
    return found


def put_backup_policy(call: AwsCall) -> Record:
    """PutBackupPolicy of EFS."""
    status = call.parameters["BackupPolicy"]["Status"]
    _efs(call)._backup = status == "ENABLED"
    return {"BackupPolicy": {"Status": status}}


def update_file_system(call: AwsCall) -> Record:
    """UpdateFileSystem of EFS: how fast it is."""
    system = _efs(call)
    system.throughput_mode = call.parameters.get("ThroughputMode", system.throughput_mode)
    system.provisioned_throughput_in_mibps = call.parameters.get(
        "ProvisionedThroughputInMibps", system.provisioned_throughput_in_mibps
    )
    found = system.info_json()
    found["CreationTime"] = datetime.fromtimestamp(float(found["CreationTime"]), tz=UTC)
    return dict(found)


def _backend(call: AwsCall) -> t.Any:
    return lib.fsx_backends[call.place.account][call.place.region]


def _told(system: t.Any) -> Record:
    """A file system as FSx tells it: with the members that moto leaves out."""
    found: Record = {
        "Lifecycle": "AVAILABLE",
        "OwnerId": system.resource_arn.split(":")[4],
        "CreationTime": datetime.now(tz=UTC),
        "FileSystemTypeVersion": "2.15",
        **system.to_dict(),
    }
    if found["FileSystemType"] == "LUSTRE":
        own = {"MountName": system.file_system_id[3:11], "DataCompressionType": "NONE"}
        found["LustreConfiguration"] = own | (found.get("LustreConfiguration") or {})
    return found


def _create(call: AwsCall) -> Record:
    """CreateFileSystem."""
    wanted = call.parameters
    system = _backend(call).create_file_system(
        client_request_token=wanted.get("ClientRequestToken"),
        file_system_type=wanted["FileSystemType"],
        storage_capacity=wanted.get("StorageCapacity"),
        storage_type=wanted.get("StorageType", "SSD"),
        subnet_ids=wanted["SubnetIds"],
        security_group_ids=wanted.get("SecurityGroupIds"),
        tags=wanted.get("Tags"),
        kms_key_id=wanted.get("KmsKeyId"),
        windows_configuration=wanted.get("WindowsConfiguration"),
        lustre_configuration=wanted.get("LustreConfiguration"),
        ontap_configuration=wanted.get("OntapConfiguration"),
        file_system_type_version=wanted.get("FileSystemTypeVersion"),
        open_zfs_configuration=wanted.get("OpenZFSConfiguration"),
    )
    return {"FileSystem": _told(system)}


def _system(call: AwsCall, key: str) -> t.Any:
    found = _backend(call).file_systems.get(key)
    if found is None:
        raise AwsError("FileSystemNotFound", f"File system '{key}' does not exist.", status=400)
    return found


def _describe(call: AwsCall) -> Record:
    """DescribeFileSystems."""
    ids = call.parameters.get("FileSystemIds")
    systems = [_system(call, key) for key in ids] if ids else _backend(call).file_systems.values()
    return {"FileSystems": [_told(system) for system in systems]}


def _update(call: AwsCall) -> Record:
    """UpdateFileSystem: capacity and the Lustre section."""
    system = _system(call, call.parameters["FileSystemId"])
    if "StorageCapacity" in call.parameters:
        system.storage_capacity = call.parameters["StorageCapacity"]
    changed = call.parameters.get("LustreConfiguration") or {}
    system.lustre_configuration = {**(system.lustre_configuration or {}), **changed}
    return {"FileSystem": _told(system)}


def _link(call: AwsCall) -> Record:
    """CreateDataRepositoryAssociation."""
    _system(call, call.parameters["FileSystemId"])
    return {"Association": add_lustre_link(call.place, call.parameters)}


def _links_of(call: AwsCall) -> Record:
    """DescribeDataRepositoryAssociations, by id or by file system."""
    ids = call.parameters.get("AssociationIds")
    wanted = {
        value
        for one in call.parameters.get("Filters") or ()
        if one["Name"] == "file-system-id"
        for value in one["Values"]
    }
    rows = [
        row
        for key, row in lustre_links(call.place).items()
        if (not ids or key in ids) and (not wanted or row["FileSystemId"] in wanted)
    ]
    return {"Associations": rows}


def _unlink(call: AwsCall) -> Record:
    """DeleteDataRepositoryAssociation."""
    key = call.parameters["AssociationId"]
    if lustre_links(call.place).pop(key, None) is None:
        raise AwsError("DataRepositoryAssociationNotFound", f"{key} does not exist.", status=400)
    return {"AssociationId": key, "Lifecycle": "DELETING"}


FSX: Answers = {
    ("fsx", "CreateFileSystem"): _create,
    ("fsx", "DescribeFileSystems"): _describe,
    ("fsx", "UpdateFileSystem"): _update,
    ("fsx", "CreateDataRepositoryAssociation"): _link,
    ("fsx", "DescribeDataRepositoryAssociations"): _links_of,
    ("fsx", "DeleteDataRepositoryAssociation"): _unlink,
}
EFS: Answers = {("efs", "PutBackupPolicy"): put_backup_policy, ("efs", "UpdateFileSystem"): update_file_system}

__all__ = ("EFS", "FSX")
