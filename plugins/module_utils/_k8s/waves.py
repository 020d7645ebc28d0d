# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order in which objects are applied: what others need comes first, what intercepts them comes last."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._core.errors import PlatformError
from .objects import Object, annotations_of, group_of, ref_of

WAVE = "aiplatform.eks/wave"
DEFINITIONS, FOUNDATIONS, WORKLOADS, INTERCEPTORS = 0, 1, 2, 3
LAST_WAVE = 99
DEFINITION_KINDS = frozenset(("Namespace", "CustomResourceDefinition.apiextensions.k8s.io"))
FOUNDATION_KINDS = frozenset(
    (
        "ClusterRole.rbac.authorization.k8s.io",
        "ClusterRoleBinding.rbac.authorization.k8s.io",
        "ConfigMap",
        "DeviceClass.resource.k8s.io",
        "IngressClass.networking.k8s.io",
        "LimitRange",
        "NetworkPolicy.networking.k8s.io",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "PodDisruptionBudget.policy",
        "PriorityClass.scheduling.k8s.io",
        "ResourceClaimTemplate.resource.k8s.io",
        "ResourceQuota",
        "Role.rbac.authorization.k8s.io",
        "RoleBinding.rbac.authorization.k8s.io",
        "RuntimeClass.node.k8s.io",
        "Secret",
        "Service",
        "ServiceAccount",
        "StorageClass.storage.k8s.io",
        "VolumeAttributesClass.storage.k8s.io",
        "VolumeSnapshotClass.snapshot.storage.k8s.io",
        "GatewayClass.gateway.networking.k8s.io",
    )
)
SLOW_KINDS = frozenset(("Service",))  # the server also writes an address for each, one after the other
INTERCEPTOR_GROUPS = frozenset(("admissionregistration.k8s.io", "apiregistration.k8s.io"))


def wave_of(document: Mapping[str, t.Any]) -> int:
    """The wave of an object: its annotation C(aiplatform.eks/wave), else by its kind.

    Namespaces and CustomResourceDefinitions 0; classes, RBAC, quotas, configuration, services and claims 1; workloads
    and custom resources 2; webhooks, admission policies and API services 3.

    :raises PlatformError: the annotation is no whole number from 0 to 99.
    """
    override = annotations_of(document).get(WAVE)
    if override is not None:
        if not override.isdecimal() or int(override) > LAST_WAVE:
            raise PlatformError(f"{ref_of(document)}: {WAVE} is {override!r}, wanted is a number from 0 to {LAST_WAVE}")
        return int(override)
    group_kind = ref_of(document).group_kind
    if group_kind in DEFINITION_KINDS:
        return DEFINITIONS
    if group_kind in FOUNDATION_KINDS:
        return FOUNDATIONS
    return INTERCEPTORS if group_of(str(document["apiVersion"])) in INTERCEPTOR_GROUPS else WORKLOADS


def is_definition(document: Mapping[str, t.Any]) -> bool:
    """Whether the object is a CustomResourceDefinition."""
    return ref_of(document).group_kind == "CustomResourceDefinition.apiextensions.k8s.io"


def definitions_of(documents: t.Iterable[Object]) -> list[Object]:
    """The CustomResourceDefinitions among these objects."""
    return [document for document in documents if is_definition(document)]


__all__ = ("DEFINITIONS", "SLOW_KINDS", "WAVE", "definitions_of", "is_definition", "wave_of")
