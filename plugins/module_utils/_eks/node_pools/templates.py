# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Launch templates that we own: make a version, keep a few, delete."""

from __future__ import annotations

from dataclasses import dataclass

from ..._aws.session import AwsSession, Record
from ..._aws.tags import OWNER_TAG
from ..._core.errors import PlatformError
from .read import NO_TEMPLATE, NO_VERSION
from .state import POOL_TAG, template_name

LATEST = "$Latest"
THERE = ("InvalidLaunchTemplateName.AlreadyExistsException",)


@dataclass(frozen=True)
class TemplateVersion:
    """A version of a launch template."""

    id: str
    version: int


@dataclass(frozen=True)
class Templates:
    """Launch templates of one cluster.

    :param keep: how many versions stay; the one in use always does.
    """

    aws: AwsSession
    cluster: str
    keep: int = 5

    def ensure(self, group_name: str, *, pool: str, digest: str, data: Record, new: bool = False) -> TemplateVersion:
        """A version with this data: the newest one when an interrupted run made it, else a new one.

        :param new: there is most likely none yet: making one is tried first, which saves a question.
        """
        name = template_name(self.cluster, group_name)
        description = f"aiplatform.eks {digest}"
        if new and (made := self._create(name, pool=pool, description=description, data=data)):
            return made
        answer = self.aws.call(
            "ec2",
            "DescribeLaunchTemplateVersions",
            {"LaunchTemplateName": name, "Versions": [LATEST]},
            doing=f"read launch template {name}",
            absent=NO_VERSION,
        )
        rows = (answer or {}).get("LaunchTemplateVersions") or []
        if not rows:
            made = self._create(name, pool=pool, description=description, data=data)
            if made is None:
                raise PlatformError(f"launch template {name} comes and goes; does another run work on this pool?")
            return made
        if rows[0].get("VersionDescription") == description:
            return TemplateVersion(str(rows[0]["LaunchTemplateId"]), int(rows[0]["VersionNumber"]))
        row = self.aws.do(
            "ec2",
            "CreateLaunchTemplateVersion",
            {"LaunchTemplateName": name, "VersionDescription": description, "LaunchTemplateData": data},
            doing=f"add a version to launch template {name}",
        )["LaunchTemplateVersion"]
        return TemplateVersion(str(row["LaunchTemplateId"]), int(row["VersionNumber"]))

    def _create(self, name: str, *, pool: str, description: str, data: Record) -> TemplateVersion | None:
        """A new template; None when there is one of that name."""
        tags = {OWNER_TAG: self.cluster, POOL_TAG: pool, "Name": name}
        answer = self.aws.call(
            "ec2",
            "CreateLaunchTemplate",
            {
                "LaunchTemplateName": name,
                "VersionDescription": description,
                "LaunchTemplateData": data,
                "TagSpecifications": [
                    {
                        "ResourceType": "launch-template",
                        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
                    }
                ],
            },
            doing=f"create launch template {name}",
            absent=THERE,
        )
        if answer is None:
            return None
        row = answer["LaunchTemplate"]
        return TemplateVersion(str(row["LaunchTemplateId"]), int(row.get("LatestVersionNumber") or 1))

    def forget_old(self, used: TemplateVersion) -> None:
        """Delete the oldest versions beyond C(keep); EC2 never deletes the default one, so that is moved first."""
        if used.version <= self.keep:
            return
        doing = f"tidy the versions of launch template {used.id}"
        rows = self.aws.pages(
            "ec2",
            "DescribeLaunchTemplateVersions",
            {"LaunchTemplateId": used.id},
            items="LaunchTemplateVersions",
            marker="NextToken",
            doing=doing,
        )
        numbers = sorted(int(row["VersionNumber"]) for row in rows)
        old = [str(number) for number in numbers[: -self.keep] if number != used.version]
        if not old:
            return
        default = {"LaunchTemplateId": used.id, "DefaultVersion": str(used.version)}
        self.aws.do("ec2", "ModifyLaunchTemplate", default, doing=doing)
        self.aws.do("ec2", "DeleteLaunchTemplateVersions", {"LaunchTemplateId": used.id, "Versions": old}, doing=doing)

    def delete(self, group_name: str) -> None:
        """Delete the template of a node group that is gone."""
        name = template_name(self.cluster, group_name)
        self.aws.call(
            "ec2",
            "DeleteLaunchTemplate",
            {"LaunchTemplateName": name},
            doing=f"delete launch template {name}",
            absent=NO_TEMPLATE,
        )


__all__ = ("TemplateVersion", "Templates")
