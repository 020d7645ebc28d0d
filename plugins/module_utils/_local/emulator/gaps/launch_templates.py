# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DeleteLaunchTemplateVersions, which moto has not, and DescribeLaunchTemplateVersions after it."""

from __future__ import annotations

from .. import moto_library as lib
from ..aws_call import Answers, AwsCall, AwsError, Pass, Record

MOST = 200


def delete_versions(call: AwsCall) -> Record:
    """DeleteLaunchTemplateVersions; the default version stays."""
    wanted = call.parameters
    ec2 = lib.ec2_backends[call.place.account][call.place.region]
    key = wanted.get("LaunchTemplateId") or ec2.launch_template_name_to_ids.get(wanted.get("LaunchTemplateName"))
    template = ec2.launch_templates.get(key)
    if template is None:
        raise AwsError("InvalidLaunchTemplateId.NotFound", f"The launch template {key} does not exist.", status=400)
    done, failed = [], []
    for number in wanted["Versions"]:
        row = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "VersionNumber": int(number)}
        found = next((one for one in template.versions if one.number == int(number)), None)
        if found is None or found.number == template.default_version_number:
            code = "launchTemplateVersionDoesNotExist" if found is None else "unexpectedError"
            failed.append(row | {"ResponseError": {"Code": code, "Message": f"Version {number} cannot be deleted."}})
            continue
        # moto finds versions by their place in the list: an emptied one keeps the others where they are.
        found.data, found.description = {}, "deleted"
        found.deleted = True
        done.append(row)
    return {
        "SuccessfullyDeletedLaunchTemplateVersions": done,
        "UnsuccessfullyDeletedLaunchTemplateVersions": failed,
    }


def describe_versions(call: AwsCall) -> Record:
    """DescribeLaunchTemplateVersions, without those that were deleted."""
    wanted = call.parameters
    if not wanted.get("LaunchTemplateId") and not wanted.get("LaunchTemplateName"):
        raise Pass
    ec2 = lib.ec2_backends[call.place.account][call.place.region]
    key = wanted.get("LaunchTemplateId") or ec2.launch_template_name_to_ids.get(wanted["LaunchTemplateName"])
    if key not in ec2.launch_templates:
        raise Pass  # an unknown one: moto answers with the right error
    rows = ec2.describe_launch_template_versions(
        template_name=wanted.get("LaunchTemplateName"),
        template_id=wanted.get("LaunchTemplateId"),
        versions=wanted.get("Versions") or [],
        min_version=_number(wanted.get("MinVersion")),
        max_version=_number(wanted.get("MaxVersion")),
        max_results=wanted.get("MaxResults") or MOST,
    )
    return {
        "LaunchTemplateVersions": [
            {
                "CreateTime": version.create_time,
                "CreatedBy": f"arn:aws:iam::{call.place.account}:root",
                "DefaultVersion": template.is_default(version),
                "LaunchTemplateData": version.data,
                "LaunchTemplateId": template.id,
                "LaunchTemplateName": template.name,
                "VersionDescription": version.description,
                "VersionNumber": version.number,
            }
            for template, version in rows
            if not getattr(version, "deleted", False)
        ]
    }


def _number(text: str | None) -> int | None:
    return int(text) if text else None


ANSWERS: Answers = {
    ("ec2", "DeleteLaunchTemplateVersions"): delete_versions,
    ("ec2", "DescribeLaunchTemplateVersions"): describe_versions,
}

__all__ = ("ANSWERS",)
