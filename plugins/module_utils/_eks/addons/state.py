# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An add-on in the user's terms, and reading add-ons."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass

from ..._aws.session import AwsSession, Record
from ..._aws.tags import users_tags
from ..._core.concurrency import map_concurrently
from ..._core.errors import PlatformError
from ..health import issues_in_words
from ..keyed import ABSENT, State
from ..tag_options import tags_state


def words_of(name: str) -> str:
    """The add-on in a sentence."""
    return f"add-on {name}"


def configuration_of(text: str | None) -> t.Any:
    """Configuration values as data; what is no JSON (EKS takes YAML too) stays text, and differs from any wish."""
    if not text:
        return {}
    try:
        return json.loads(text)
    except ValueError:
        return text


def state_of(addon: Record) -> State:
    """The add-on in the user's terms; C(pod_identities) maps service accounts to roles."""
    return {
        "version": addon.get("addonVersion"),
        "configuration": configuration_of(addon.get("configurationValues")),
        "role_arn": addon.get("serviceAccountRoleArn"),
        "pod_identities": dict(sorted((addon.get("pod_identities") or {}).items())),
        "namespace": (addon.get("namespaceConfig") or {}).get("namespace"),
        "tags": tags_state(addon.get("tags") or {}),
    }


def facts_of(addon: Record) -> Record:
    """What the modules return of an add-on."""
    return {
        "name": addon.get("addonName"),
        "arn": addon.get("addonArn"),
        "status": addon.get("status"),
        **state_of(addon),
        "tags": users_tags(addon.get("tags") or {}),
        "health": issues_in_words((addon.get("health") or {}).get("issues") or []),
    }


@dataclass(frozen=True)
class Addons:
    """The add-ons of one cluster."""

    aws: AwsSession
    cluster: str
    workers: int = 8

    def names(self) -> list[str]:
        """The names of all add-ons; none when the cluster is absent."""
        parameters = {"clusterName": self.cluster}
        doing = f"list the add-ons of cluster {self.cluster}"
        return self.aws.pages("eks", "ListAddons", parameters, items="addons", doing=doing, absent=ABSENT)

    def read(self, names: Sequence[str]) -> dict[str, Record]:
        """These add-ons, all at once; those that are absent are left out."""
        found = map_concurrently(self.one, names, workers=self.workers)
        return {str(row["addonName"]): row for row in found if row is not None}

    def one(self, name: str) -> Record | None:
        """One add-on, with the roles of its pod identities."""
        addon = self.status(name)
        if addon is None:
            return None
        roles = [self._association(arn) for arn in addon.get("podIdentityAssociations") or []]
        addon["pod_identities"] = {row["serviceAccount"]: row["roleArn"] for row in roles if row}
        return addon

    def status(self, name: str) -> Record | None:
        """One add-on, without its pod identities."""
        answer = self.aws.call(
            "eks",
            "DescribeAddon",
            {"clusterName": self.cluster, "addonName": name},
            doing=f"read {words_of(name)} of cluster {self.cluster}",
            absent=ABSENT,
        )
        return dict(answer["addon"]) if answer else None

    def _association(self, arn: str) -> Record | None:
        association = arn.rsplit("/", 1)[-1]
        answer = self.aws.call(
            "eks",
            "DescribePodIdentityAssociation",
            {"clusterName": self.cluster, "associationId": association},
            doing=f"read pod identity {association} of cluster {self.cluster}",
            absent=ABSENT,
        )
        return t.cast("Record", answer["association"]) if answer else None

    def cluster_version(self) -> str:
        """The cluster's Kubernetes version."""
        doing = f"read cluster {self.cluster}"
        return str(self.aws.do("eks", "DescribeCluster", {"name": self.cluster}, doing=doing)["cluster"]["version"])

    def version(self, name: str, wish: str, kubernetes: str) -> str:
        """The add-on version behind C(default) or C(latest) for a Kubernetes version.

        :raises PlatformError: when there is none.
        """
        rows = self.aws.pages(
            "eks",
            "DescribeAddonVersions",
            {"addonName": name, "kubernetesVersion": kubernetes},
            items="addons",
            doing=f"read the versions of {words_of(name)}",
        )
        versions = [row for addon in rows for row in addon.get("addonVersions") or []]
        if wish == "default":
            versions = [row for row in versions if _is_default(row, kubernetes)]
        if not versions:
            raise PlatformError(f"{words_of(name)} has no {wish} version for Kubernetes {kubernetes}")
        return str(versions[0]["addonVersion"])  # newest first, as EKS answers


def _is_default(row: Record, kubernetes: str) -> bool:
    compatible = row.get("compatibilities") or []
    return any(one.get("defaultVersion") and one.get("clusterVersion") == kubernetes for one in compatible)


__all__ = ("Addons", "configuration_of", "facts_of", "state_of", "words_of")
