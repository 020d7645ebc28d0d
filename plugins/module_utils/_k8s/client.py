# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A thin JSON client of the Kubernetes API over the kubernetes package's connection pool: no model classes."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from .connection import kube_client, load_configuration
from .errors import KubeApiError

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
Object = dict[str, t.Any]


@dataclass(frozen=True)
class Answer:
    """An answer of the API server: HTTP status, decoded body and headers with lower-case names."""

    status: int
    body: Object
    headers: Mapping[str, str]


class KubeClient:
    """Requests to one cluster; safe to share between threads.

    :param connections: keep-alive connections that the pool holds.
    """

    def __init__(self, options: Mapping[str, t.Any], *, connections: int = 32) -> None:
        configuration = load_configuration(options)
        configuration.connection_pool_maxsize = connections
        configuration.retries = False
        self.host = str(configuration.host)
        self._configuration = configuration
        self._pool = kube_client.rest.RESTClientObject(configuration).pool_manager

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, t.Any] | None = None,
        body: t.Any = None,
        content_type: str = JSON,
        accept: str = JSON,
        timeout: float = 60.0,
    ) -> Answer:
        """One request.

        :param path: absolute path on the server, e.g. C(/api/v1/nodes).
        :param body: sent as JSON when not None.
        :raises KubeApiError: the answer is not 2xx, or none came (status 0).
        """
        raw = self._send(method, path, query, body, content_type, accept, timeout, stream=False)
        decoded = _decode(raw.data)
        if raw.status >= 400:
            raise _failure(f"{method} {path}", raw.status, decoded, raw.headers)
        return Answer(raw.status, decoded, {key.lower(): value for key, value in raw.headers.items()})

    def stream(self, path: str, *, query: Mapping[str, t.Any], timeout: float) -> Iterator[Object]:
        """The events of a watch, one decoded line each, until the server or the timeout ends it."""
        raw = self._send("GET", path, query, None, JSON, JSON, timeout, stream=True)
        if raw.status >= 400:
            raise _failure(f"GET {path}", raw.status, _decode(raw.data), raw.headers)
        try:
            yield from _lines(raw)
        finally:
            raw.release_conn()

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, t.Any] | None,
        body: t.Any,
        content_type: str,
        accept: str,
        timeout: float,
        *,
        stream: bool,
    ) -> t.Any:
        url = f"{self.host}{path}"
        if query:
            url += "?" + urlencode({key: value for key, value in query.items() if value is not None})
        headers = {"Accept": accept, "User-Agent": "aiplatform.eks", **self._authorization()}
        data = None
        if body is not None:
            headers["Content-Type"] = content_type
            data = json.dumps(body, separators=(",", ":"))
        try:
            return self._pool.request(
                method, url, body=data, headers=headers, timeout=timeout, preload_content=not stream, retries=False
            )
        except Exception as error:
            raise KubeApiError(f"{method} {path}: no answer from {self.host}: {error}", status=0) from error

    def _authorization(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for name, setting in self._configuration.auth_settings().items():
            if name == "BearerToken" and setting.get("value"):
                headers["authorization"] = setting["value"]
        if not headers and (basic := self._configuration.get_basic_auth_token()) and self._configuration.username:
            headers["authorization"] = basic
        return headers


def _decode(data: bytes) -> Object:
    try:
        decoded = json.loads(data) if data else {}
    except ValueError:
        return {"message": data.decode("utf-8", "replace")[:500]}
    return decoded if isinstance(decoded, dict) else {"items": decoded}


def _lines(raw: t.Any) -> Iterator[Object]:
    rest = b""
    for chunk in raw.stream(amt=65536, decode_content=True):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _failure(what: str, status: int, body: Object, headers: Mapping[str, str]) -> KubeApiError:
    details = body.get("details") or {}
    wait = headers.get("Retry-After") or details.get("retryAfterSeconds")
    return KubeApiError(
        f"{what}: {body.get('message') or status}",
        status=status,
        reason=str(body.get("reason") or ""),
        causes=tuple(details.get("causes") or ()),
        retry_after=float(wait) if wait else None,
    )


__all__ = ("APPLY_PATCH", "JSON", "MERGE_PATCH", "Answer", "KubeClient", "Object")
