# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A thin JSON client of the Kubernetes API over the kubernetes package's connection pool: no model classes."""

from __future__ import annotations

import json
import ssl
import threading
import time
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from .connection import kube_client, load_configuration
from .errors import KubeApiError

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
METADATA_LIST = f"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{JSON}"
LOGIN_SECONDS = 30.0
CONNECT_SECONDS = 10.0
Object = dict[str, t.Any]


@dataclass(frozen=True)
class Answer:
    """An answer of the API server: HTTP status, decoded body and headers with lower-case names."""

    status: int
    body: Object
    headers: Mapping[str, str]


class KubeClient:
    """Requests to one cluster; safe to share between threads.

    A V(401) makes it log in once more (tokens of EKS live 15 minutes, of C(exec) logins and pods as long as they say).

    :param connections: keep-alive connections that the pool holds.
    """

    silent_since: float | None = None  # when the first of the last requests in a row got no answer, for M(retry)

    def __init__(self, options: Mapping[str, t.Any], *, connections: int = 32) -> None:
        self._options = dict(options)
        self._configuration = load_configuration(options)
        self._configuration.connection_pool_maxsize = connections
        self._configuration.retries = False
        self._login = threading.Lock()
        self._logged_in: tuple[float, dict[str, str]] = (float("-inf"), {})
        self.host = str(self._configuration.host).rstrip("/")
        self._pool = kube_client.rest.RESTClientObject(self._configuration).pool_manager
        _share_tls(self._pool)

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
        """The events of a watch, one decoded line each, until the server or the timeout ends it.

        :raises KubeApiError: the server refuses the watch, or the connection breaks (status 0).
        """
        raw = self._send("GET", path, query, None, JSON, JSON, timeout, stream=True)
        if raw.status >= 400:
            raise _failure(f"GET {path}", raw.status, _decode(raw.data), raw.headers)
        try:
            yield from _lines(raw)
        except _broken() as error:
            raise KubeApiError(f"GET {path}: the watch broke off: {error}", status=0) from error
        finally:
            raw.close()  # never back into the pool: an unread rest would be the next answer

    def connect_ahead(self) -> None:
        """Open one connection more, while other requests are on their way, for a request that is to come.

        A connection that cannot be opened is no error here: that request will tell.
        """
        if self._pool.proxy is not None:  # opens connections in its own way
            return
        pool = self._pool.connection_from_url(self.host)
        connection = pool._get_conn()
        try:
            if connection.sock is None:
                connection.timeout = CONNECT_SECONDS
                connection.connect()
        except _broken():
            connection.close()
        finally:
            pool._put_conn(connection)

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
        headers = {"Accept": accept, "Accept-Encoding": "gzip", "User-Agent": "aiplatform.eks"}
        data = None
        if body is not None:
            headers["Content-Type"] = content_type
            data = json.dumps(body, separators=(",", ":")).encode()

        def once(login: dict[str, str]) -> t.Any:
            try:
                return self._pool.request(
                    method,
                    url,
                    body=data,
                    headers={**headers, **login},
                    timeout=timeout,
                    preload_content=not stream,
                    retries=False,
                    redirect=False,
                )
            except _broken() as error:
                raise KubeApiError(f"{method} {path}: no answer from {self.host}: {error}", status=0) from error

        login = self._authorization()
        raw = once(login)
        return once(self._authorization_after(login)) if raw.status == 401 else raw

    def _authorization(self) -> dict[str, str]:
        """The login, asked for anew every half minute (the package reads everything again each time)."""
        taken, headers = self._logged_in
        if time.monotonic() - taken > LOGIN_SECONDS:
            with self._login:
                headers = self._headers()
                self._logged_in = (time.monotonic(), headers)
        return headers

    def _authorization_after(self, refused: dict[str, str]) -> dict[str, str]:
        """The login to use once C(refused) was: made anew by the first thread that comes here, then shared."""
        with self._login:
            if self._logged_in[1] == refused:
                self._configuration = load_configuration(self._options)
                self._logged_in = (time.monotonic(), self._headers())
            return self._logged_in[1]

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for name, setting in self._configuration.auth_settings().items():
            if name == "BearerToken" and setting.get("value"):
                headers["authorization"] = setting["value"]
        if not headers and (basic := self._configuration.get_basic_auth_token()) and self._configuration.username:
            headers["authorization"] = basic
        return headers


def _share_tls(pool: t.Any) -> None:
    """Read certificates once and share one TLS context, instead of once for every connection."""
    settings = pool.connection_pool_kw
    if settings.get("cert_reqs") == ssl.CERT_NONE:
        return
    if not settings.get("ca_certs") and not settings.get("ca_cert_data"):
        context = ssl.create_default_context()
    else:
        context = ssl.create_default_context(
            cafile=settings.pop("ca_certs", None), cadata=_text(settings.pop("ca_cert_data", None))
        )
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # clusters sign with CAs that lack key identifiers
    if certificate := settings.pop("cert_file", None):
        context.load_cert_chain(certificate, settings.pop("key_file", None))
    settings["ssl_context"] = context


def _text(value: str | bytes | None) -> str | None:
    return value.decode() if isinstance(value, bytes) else value


def _broken() -> tuple[type[Exception], ...]:
    """What the transport raises when no answer comes."""
    import urllib3.exceptions  # noqa: PLC0415 (comes with the kubernetes package, which may be absent)

    return (urllib3.exceptions.HTTPError, OSError)


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


__all__ = ("APPLY_PATCH", "JSON", "JSON_PATCH", "MERGE_PATCH", "METADATA_LIST", "Answer", "KubeClient", "Object")
