# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kinds that EKS add-ons bring, which the emulated ones cannot: the local control plane knows them from the start.

Names, scopes and versions are those of external-snapshotter 8.6; the schemas let everything through.
"""

from __future__ import annotations

from .._k8s.client import Object

SNAPSHOTS = "snapshot.storage.k8s.io"


def _definition(kind: str, scope: str, fields: tuple[str, ...]) -> Object:
    plural = f"{kind.lower()}es" if kind.endswith("s") else f"{kind.lower()}s"
    anything = {"x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        # The API server takes names below *.k8s.io only with the review that approved them.
        "metadata": {
            "name": f"{plural}.{SNAPSHOTS}",
            "annotations": {
                "api-approved.kubernetes.io": "https://github.com/kubernetes-csi/external-snapshotter/pull/814"
            },
        },
        "spec": {
            "group": SNAPSHOTS,
            "scope": scope,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": dict.fromkeys(fields, anything)}},
                }
            ],
        },
    }


SNAPSHOT_DEFINITIONS: tuple[Object, ...] = (
    _definition("VolumeSnapshot", "Namespaced", ("spec", "status")),
    _definition("VolumeSnapshotContent", "Cluster", ("spec", "status")),
    _definition("VolumeSnapshotClass", "Cluster", ("driver", "deletionPolicy", "parameters")),
)

__all__ = ("SNAPSHOT_DEFINITIONS",)
