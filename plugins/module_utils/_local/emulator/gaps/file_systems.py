# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EFS and FSx where moto stops: backup policies and updates of EFS; life cycle and data repositories of FSx."""

from __future__ import annotations

import itertools
import typing as t
from datetime import UTC, datetime

from .. import moto_library as lib
from ..aws_call import Answer, Answers, AwsCall, AwsError, Record
from .places import Rows


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


class FsxLustre:
    """FSx for Lustre: file systems are AVAILABLE, and may be bound to S3."""

    def __init__(self) -> None:
        self.links = Rows()
        self._numbers = itertools.count(1)

    @staticmethod
    def _backend(call: AwsCall) -> t.Any:
        return lib.fsx_backends[call.place.account][call.place.region]

    @staticmethod
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

    def create(self, call: AwsCall) -> Record:
        """CreateFileSystem."""
        wanted = call.parameters
        system = self._backend(call).create_file_system(
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
        return {"FileSystem": self._told(system)}

    def _system(self, call: AwsCall, key: str) -> t.Any:
        found = self._backend(call).file_systems.get(key)
        if found is None:
            raise AwsError("FileSystemNotFound", f"File system '{key}' does not exist.", status=400)
        return found

    def describe(self, call: AwsCall) -> Record:
        """DescribeFileSystems."""
        ids = call.parameters.get("FileSystemIds")
        systems = [self._system(call, key) for key in ids] if ids else self._backend(call).file_systems.values()
        return {"FileSystems": [self._told(system) for system in systems]}

    def update(self, call: AwsCall) -> Record:
        """UpdateFileSystem: capacity and the Lustre section."""
        system = self._system(call, call.parameters["FileSystemId"])
        if "StorageCapacity" in call.parameters:
            system.storage_capacity = call.parameters["StorageCapacity"]
        changed = call.parameters.get("LustreConfiguration") or {}
        system.lustre_configuration = {**(system.lustre_configuration or {}), **changed}
        return {"FileSystem": self._told(system)}

    def link(self, call: AwsCall) -> Record:
        """CreateDataRepositoryAssociation."""
        wanted = call.parameters
        self._system(call, wanted["FileSystemId"])
        key = f"dra-{next(self._numbers):017x}"
        place = call.place
        row: Record = {
            "AssociationId": key,
            "ResourceARN": f"arn:aws:fsx:{place.region}:{place.account}:association/{wanted['FileSystemId']}/{key}",
            "Lifecycle": "AVAILABLE",
            "CreationTime": datetime.now(tz=UTC),
            **{
                name: wanted[name]
                for name in (
                    "FileSystemId",
                    "FileSystemPath",
                    "DataRepositoryPath",
                    "S3",
                    "Tags",
                    "ImportedFileChunkSize",
                )
                if name in wanted
            },
        }
        self.links.of(place)[key] = row
        return {"Association": row}

    def links_of(self, call: AwsCall) -> Record:
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
            for key, row in self.links.of(call.place).items()
            if (not ids or key in ids) and (not wanted or row["FileSystemId"] in wanted)
        ]
        return {"Associations": rows}

    def unlink(self, call: AwsCall) -> Record:
        """DeleteDataRepositoryAssociation."""
        key = call.parameters["AssociationId"]
        if self.links.of(call.place).pop(key, None) is None:
            raise AwsError("DataRepositoryAssociationNotFound", f"{key} does not exist.", status=400)
        return {"AssociationId": key, "Lifecycle": "DELETING"}

    def answers(self) -> Answers:
        """The operations."""
        table: dict[str, Answer] = {
            "CreateFileSystem": self.create,
            "DescribeFileSystems": self.describe,
            "UpdateFileSystem": self.update,
            "CreateDataRepositoryAssociation": self.link,
            "DescribeDataRepositoryAssociations": self.links_of,
            "DeleteDataRepositoryAssociation": self.unlink,
        }
        return {("fsx", operation): answer for operation, answer in table.items()}


EFS: Answers = {("efs", "PutBackupPolicy"): put_backup_policy, ("efs", "UpdateFileSystem"): update_file_system}

__all__ = ("EFS", "FsxLustre")
