# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets that hold certificates: of Linkerd's authorities, and of what they sign."""

from __future__ import annotations

import base64
import binascii
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .._core.clock import Clock
from .._core.concurrency import map_concurrently
from .._core.errors import PlatformError
from .._k8s.client import APPLY_PATCH, KubeClient
from .._k8s.errors import KubeApiError
from .._k8s.retry import send
from .certificates import Certificates
from .renewal import Credential

MANAGER = "aiplatform.eks"
MANAGED_BY = "app.kubernetes.io/managed-by"
BUNDLE = "ca-bundle.crt"


@dataclass(frozen=True, order=True)
class Place:
    """Where a Secret is."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"Secret {self.namespace}/{self.name}"

    @property
    def path(self) -> str:
        """On the API server."""
        return f"/api/v1/namespaces/{self.namespace}/secrets/{self.name}"


@dataclass(frozen=True)
class Secret:
    """A Secret as it is or shall be.

    :param data: texts; never shown.
    :param version: the API server's resourceVersion; empty for one that is not there.
    """

    place: Place
    data: Mapping[str, str] = field(repr=False)
    kind: str = "Opaque"
    version: str = ""


class Secrets:
    """The Secrets of one cluster."""

    def __init__(self, client: KubeClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    def read(self, places: Iterable[Place]) -> dict[Place, Secret]:
        """Those that are there.

        :raises PlatformError: one belongs to somebody else.
        """
        pairs = map_concurrently(lambda place: (place, self._get(place)), list(places), workers=8)
        return {place: found for place, found in pairs if found is not None}

    def _get(self, place: Place) -> Secret | None:
        try:
            live = send(self._client, "GET", place.path, clock=self._clock).body
        except KubeApiError as error:
            if error.status == 404:
                return None
            raise
        manager = (live["metadata"].get("labels") or {}).get(MANAGED_BY)
        if manager != MANAGER:
            raise PlatformError(
                f"{place} is there and not ours (label {MANAGED_BY} is {manager!r}, not {MANAGER!r}): cert-manager, "
                "External Secrets or the linkerd CLI made it. Let that go on providing the certificates, or delete it"
            )
        return Secret(place, data=_decoded(live.get("data") or {}), version=live["metadata"]["resourceVersion"])

    def write(self, wanted: Secret) -> None:
        """Create or update; what is not in C(data) any more goes.

        :raises KubeApiError: it is refused, or someone changed the Secret since it was read.
        """
        metadata: dict[str, t.Any] = {"name": wanted.place.name, "labels": {MANAGED_BY: MANAGER}}
        if wanted.version:
            metadata["resourceVersion"] = wanted.version
        data = {key: base64.b64encode(text.encode()).decode() for key, text in wanted.data.items()}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": wanted.kind, "data": data}
        query = {"fieldManager": MANAGER, "force": "true"}
        send(
            self._client,
            "PATCH",
            wanted.place.path,
            clock=self._clock,
            query=query,
            body=body,
            content_type=APPLY_PATCH,
        )

    def delete(self, place: Place) -> None:
        """Delete; one that is gone already is fine."""
        try:
            send(self._client, "DELETE", place.path, clock=self._clock)
        except KubeApiError as error:
            if error.status != 404:
                raise


def _decoded(data: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in data.items():
        try:
            found[key] = base64.b64decode(value).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue  # no PEM: whoever needs the key misses it
    return found


def authority_data(credentials: Sequence[Credential]) -> dict[str, str]:
    """The data of an authority's Secret: a numbered pair for each certificate, and the bundle for readers."""
    found = {BUNDLE: "".join(one.certificate for one in credentials)}
    for one in credentials:
        number = f"{one.start:%Y%m%d%H%M%S}"
        found |= {f"{number}.crt": one.certificate, f"{number}.key": one.key}
    return found


def authority_of(secret: Secret, certificates: Certificates) -> tuple[Credential, ...]:
    """The credentials of an authority's Secret, oldest first.

    :raises PlatformError: a pair cannot be read, or there is none.
    """
    names = sorted(key.removesuffix(".crt") for key in secret.data if key.endswith(".crt") and key != BUNDLE)
    found = [
        (name, certificates.read(secret.data[f"{name}.crt"], secret.data.get(f"{name}.key", ""))) for name in names
    ]
    broken = [name for name, credential in found if credential is None]
    if broken or not found:
        raise PlatformError(
            f"{secret.place} holds no readable pair of certificate and key{' ' if broken else ''}{', '.join(broken)}. "
            "Every proxy trusts this authority: restore the Secret from a backup. Only if none runs, delete it"
        )
    return tuple(sorted((one for _name, one in found if one is not None), key=lambda one: one.start))


def leaf_data(credential: Credential) -> dict[str, str]:
    """The data of a Secret of the type kubernetes.io/tls."""
    return {"tls.crt": credential.certificate, "tls.key": credential.key}


def leaf_of(secret: Secret, certificates: Certificates, authority: Iterable[Credential]) -> Credential | None:
    """The credential of such a Secret, None when it cannot be read."""
    return certificates.read(secret.data.get("tls.crt", ""), secret.data.get("tls.key", ""), authority)


__all__ = ("Place", "Secret", "Secrets", "authority_data", "authority_of", "leaf_data", "leaf_of")
