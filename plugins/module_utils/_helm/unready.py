# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a failed release still waited for: helm 3 says "context deadline exceeded" and no more, helm 4 names no pod."""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Iterator, Mapping

from .._k8s.client import KubeClient
from .._k8s.diagnosis import WORKLOADS, Diagnostician
from .._k8s.discovery import Discovery, discover
from .._k8s.errors import KubeApiError
from .._k8s.objects import ref_of
from .._k8s.readiness import readiness
from .rendering import Objects, located

MOST_NAMED = 5


def unready_in_words(client: KubeClient, manifest: Objects, *, namespace: str) -> str:
    """The manifest's workloads that are not ready, each with its reason, the pod's and the newest event; or empty.

    :param manifest: from M(rendering.objects_of).
    :param namespace: of objects that do not say theirs.
    """
    doctor = Diagnostician(client)
    found = []
    for live in _live(client, discover(client), manifest, namespace=namespace):
        state = readiness(live)
        if not state.ready:
            found.append(doctor.sentence(ref_of(live), state.message, live))
    more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return "; ".join(found[:MOST_NAMED]) + more


def _live(
    client: KubeClient, discovery: Discovery, manifest: Objects, *, namespace: str
) -> Iterator[Mapping[str, t.Any]]:
    """The workloads as they are now; those that are not there, or not to be seen, left out."""
    for item in manifest.values():
        found = located(item, discovery, namespace=namespace)
        if found and found[0].group_kind in WORKLOADS:
            with contextlib.suppress(KubeApiError):
                yield client.request("GET", found[1]).body


__all__ = ("unready_in_words",)
