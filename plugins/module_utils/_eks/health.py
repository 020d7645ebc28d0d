# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What EKS says about the health of an object, in words, with a way out where there is a common one."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

ADVICE: dict[str, str] = {
    "AccessDenied": "let the role of the nodes join: it needs AmazonEKSWorkerNodePolicy and an access entry",
    "AsgInstanceLaunchFailures": "the capacity, the quota or the launch template did not allow an instance",
    "AutoScalingGroupInvalidConfiguration": "the autoscaling group was changed outside EKS",
    "Ec2LaunchTemplateDeletionFailure": "delete the launch template by hand",
    "Ec2LaunchTemplateInvalidConfiguration": "correct the launch template of the pool",
    "Ec2LaunchTemplateNotFound": "the launch template was deleted; replace the pool",
    "Ec2LaunchTemplateVersionMismatch": "the launch template was changed outside EKS",
    "Ec2SubnetInvalidConfiguration": "public subnets must map public addresses on launch",
    "Ec2SubnetNotFound": "the subnet was deleted; replace the pool",
    "IamInstanceProfileNotFound": "the instance profile was deleted; replace the pool",
    "IamNodeRoleNotFound": "make the node role again",
    "InstanceLimitExceeded": "ask for a higher quota of that instance family",
    "InsufficientFreeAddresses": "add subnets or use larger ones, or turn prefix delegation on",
    "NodeCreationFailure": "the instances run but do not join: look at the way to the API server and the node role",
    "PodEvictionFailure": "a disruption budget keeps pods where they are: raise it, or set force_update",
    "VpcIdNotFound": "the network was deleted",
}


def issues_in_words(issues: Iterable[Mapping[str, t.Any]]) -> list[str]:
    """One sentence per issue of C(health.issues) or C(update.errors)."""
    return [_issue(issue) for issue in issues]


def _issue(issue: Mapping[str, t.Any]) -> str:
    code = str(issue.get("code") or issue.get("errorCode") or "unknown")
    text = str(issue.get("message") or issue.get("errorMessage") or "").strip().rstrip(".")
    where = ", ".join(str(one) for one in issue.get("resourceIds") or [])
    sentence = f"{code}: {text}" if text else code
    if where:
        sentence += f" ({where})"
    return f"{sentence}; {ADVICE[code]}" if code in ADVICE else sentence


__all__ = ("ADVICE", "issues_in_words")
