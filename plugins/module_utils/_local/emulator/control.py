# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control endpoint: switches, the log of the calls, the state of EKS.

- C(GET /aiplatform-control/): the switches that are set.
- C(POST /aiplatform-control/) with a JSON document (see faults): sets these keys. C(DELETE): as at the start.
- C(GET /aiplatform-control/calls), C(DELETE ...): the log, cleared.
- C(GET /aiplatform-control/state): all clusters with what is in them.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Iterable, Mapping

from ..._core.errors import PlatformError
from .call_log import CallLog
from .eks.api import Eks
from .switches import Switches

PREFIX = "/aiplatform-control"
RESET = "/moto-api/reset"


class Control:
    """A WSGI application around the gateway.

    :param app: what answers every other request.
    :param forget: what else a reset calls.
    """

    def __init__(
        self,
        app: t.Any,
        *,
        switches: Switches,
        log: CallLog,
        eks: Eks,
        forget: Iterable[Callable[[], None]] = (),
    ) -> None:
        self._forget = tuple(forget)
        self._app = app
        self._switches = switches
        self._log = log
        self._eks = eks

    def __call__(self, environ: dict[str, t.Any], start_response: Callable[..., t.Any]) -> Iterable[bytes]:
        """WSGI."""
        path = environ.get("PATH_INFO", "").rstrip("/")
        method = environ["REQUEST_METHOD"]
        if path == RESET and method == "POST":
            answer = t.cast(Iterable[bytes], self._app(environ, start_response))
            self.reset()
            return answer
        if path != PREFIX and not path.startswith(f"{PREFIX}/"):
            return t.cast(Iterable[bytes], self._app(environ, start_response))
        status, document = self._handle(method, path.removeprefix(PREFIX).strip("/"), environ)
        body = json.dumps(document, default=str).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def reset(self) -> None:
        """Forget everything: state, switches, log."""
        self._switches.reset()
        self._eks.reset()
        for one in self._forget:
            one()
        self._log.clear()

    def _handle(self, method: str, topic: str, environ: Mapping[str, t.Any]) -> tuple[str, t.Any]:
        try:
            answer = self._topics()[method, topic](environ)
        except KeyError:
            return "404 Not Found", {"error": f"{method} {PREFIX}/{topic}: there is no such thing"}
        except PlatformError as error:
            return "400 Bad Request", {"error": error.message}
        return "200 OK", answer

    def _topics(self) -> Mapping[tuple[str, str], Callable[[Mapping[str, t.Any]], t.Any]]:
        return {
            ("GET", ""): lambda _other: {"faults": self._switches.document},
            ("POST", ""): self._change,
            ("DELETE", ""): lambda _other: self._done(self._switches.reset),
            ("GET", "calls"): lambda _other: {"calls": self._log.rows()},
            ("DELETE", "calls"): lambda _other: self._done(self._log.clear),
            ("GET", "state"): lambda _other: {"clusters": self._eks.state()},
        }

    def _change(self, environ: Mapping[str, t.Any]) -> t.Any:
        text = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            document = json.loads(text)
        except ValueError as error:
            raise PlatformError(f"faults: the document is no JSON: {error}") from None
        if not isinstance(document, dict):
            raise PlatformError(f"faults: the document is a {type(document).__name__}; it must be an object")
        self._switches.change(document)
        return {"faults": self._switches.document}

    def _done(self, action: Callable[[], None]) -> t.Any:
        action()
        return {"faults": self._switches.document}


__all__ = ("PREFIX", "Control")
