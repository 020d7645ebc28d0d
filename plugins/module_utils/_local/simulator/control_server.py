# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control endpoint: health, fault switches and the record of disruptions, on 127.0.0.1 only."""

from __future__ import annotations

import json
import threading
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ..._core.errors import PlatformError

LONGEST_BODY = 1_000_000


@dataclass(frozen=True)
class Routes:
    """What the endpoint can do.

    :param health: (ready, facts for people).
    :param control: reads the switches, or changes them when given a document.
    :param disruptions: reads the record.
    :param clear: empties it.
    """

    health: Callable[[], tuple[bool, Mapping[str, t.Any]]]
    control: Callable[[Mapping[str, t.Any] | None], Mapping[str, t.Any]]
    disruptions: Callable[[], list[dict[str, t.Any]]]
    clear: Callable[[], None]


class ControlServer:
    """The endpoint in a thread of its own.

    :param port: 0 takes a free one.
    :raises PlatformError: the port is taken.
    """

    def __init__(self, routes: Routes, *, port: int) -> None:
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"routes": routes}))
        except OSError as error:
            raise PlatformError(f"port {port} of 127.0.0.1 cannot be taken: {error}; give a free one") from error
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        threading.Thread(target=self._server.serve_forever, name="control", daemon=True).start()

    def stop(self) -> None:
        """Let go of the port."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answers of the endpoint; C(routes) is set by a subclass for each server."""

    routes: Routes

    def do_GET(self) -> None:
        if self.path == "/healthz":
            ready, facts = self.routes.health()
            self._answer(200 if ready else 503, facts)
        elif self.path == "/control":
            self._answer(200, self.routes.control(None))
        elif self.path == "/disruptions":
            self._answer(200, {"disruptions": self.routes.disruptions()})
        else:
            self._answer(404, {"error": f"{self.path} is unknown; there are /healthz, /control and /disruptions"})

    def do_POST(self) -> None:
        if self.path != "/control":
            self._answer(404, {"error": f"{self.path} takes no POST; /control does"})
            return
        try:
            self._answer(200, self.routes.control(self._document()))
        except (PlatformError, ValueError, TypeError) as error:
            self._answer(400, {"error": str(error)})

    def do_DELETE(self) -> None:
        if self.path != "/disruptions":
            self._answer(404, {"error": f"{self.path} takes no DELETE; /disruptions does"})
            return
        self.routes.clear()
        self._answer(200, {"disruptions": []})

    def _document(self) -> dict[str, t.Any]:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LONGEST_BODY:
            raise PlatformError(f"the body has {length} bytes; at most {LONGEST_BODY} are read")
        document = json.loads(self.rfile.read(length) or b"{}")
        if not isinstance(document, dict):
            raise PlatformError("the body must be a JSON object")
        return document

    def _answer(self, status: int, document: Mapping[str, t.Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: t.Any) -> None:  # noqa: A002 (http.server's name)
        """Requests are not logged."""


__all__ = ("ControlServer", "Routes")
