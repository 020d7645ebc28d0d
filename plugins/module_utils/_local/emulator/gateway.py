# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The door of the emulator: reads each request as a call, logs it, lets it fail, answers it or hands it to moto."""

from __future__ import annotations

import io
import sys
import time
import traceback
import typing as t
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from . import moto_library as lib
from .aws_call import Answers, AwsCall, AwsError, Pass
from .call_log import CallLog
from .eks.neighbours import Place
from .switches import Switches

Environ = dict[str, t.Any]
StartResponse = Callable[..., t.Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]
# A request with this header is neither logged nor hit by faults: simulators look without being seen.
OBSERVER = "HTTP_X_AIPLATFORM_OBSERVER"
# boto3's name of a service by the name it signs with, where they differ.
SERVICES = {
    "aps": "amp",
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
BODIES_NOT_READ = ("s3",)


class Reply(t.NamedTuple):
    """An HTTP response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Gateway:
    """A WSGI application before moto's.

    :param moto: moto's application.
    :param answers: the operations that are answered here.
    :param settle: lets happen what is due, before each call.
    """

    def __init__(
        self, moto: WsgiApp, *, answers: Answers, settle: Callable[[], None], switches: Switches, log: CallLog
    ) -> None:
        self._moto = moto
        self._settle = settle
        self._answers = answers
        self._switches = switches
        self._log = log

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI."""
        service = signed_service(environ)
        if service is None:
            return self._moto(environ, start_response)
        started = time.monotonic()
        at = datetime.now(tz=UTC).isoformat()
        body = _take_body(environ)
        request = _Request(service, environ)
        environ["wsgi.input"] = io.BytesIO(body)
        if environ.get(OBSERVER):
            reply = self._answer(request, environ)
        else:
            reply = self._with_faults(request, environ)
            call = request.call
            self._log.add(
                service=call.service,
                operation=call.operation,
                parameters=call.parameters,
                seconds=time.monotonic() - started,
                status=reply.status,
                at=at,
            )
        start_response(f"{reply.status} {'OK' if reply.status < 400 else 'Error'}", reply.headers)
        return [reply.body]

    def _with_faults(self, request: _Request, environ: Environ) -> Reply:
        service = request.call.service
        if wait := self._switches.slowness(service):
            time.sleep(wait)
        if error := self._switches.before(service, request.call.operation):
            return request.reply(error)
        reply = self._answer(request, environ)
        if error := self._switches.after(service):
            return request.reply(error)
        return reply

    def _answer(self, request: _Request, environ: Environ) -> Reply:
        self._settle()
        call = request.call
        answer = self._answers.get((call.service, call.operation))
        try:
            if answer is not None:
                return request.reply(answer(call))
        except AwsError as error:
            return request.reply(error)
        except Pass:
            pass
        if call.service == "eks":
            return request.reply(_not_emulated(call))
        return self._of_moto(request, environ)

    def _of_moto(self, request: _Request, environ: Environ) -> Reply:
        try:
            reply = _collect(self._moto, environ)
        except NotImplementedError:
            return request.reply(_not_emulated(request.call))
        except Exception:  # noqa: BLE001  # moto's own failure must be an answer, and visible in the log of the process
            if not lib.known_to_moto(request.call.service, request.call.place.region):
                return request.reply(_not_emulated(request.call))
            traceback.print_exc(file=sys.stderr)
            return request.reply(AwsError("InternalFailure", "moto failed; see the emulator's log", status=500))
        html = any(name.lower() == "content-type" and "text/html" in value for name, value in reply.headers)
        html = html and environ["REQUEST_METHOD"] != "HEAD"  # S3's HeadBucket of a bucket that is not there
        if html and reply.status in (404, 405, 500, 501) and request.known:
            return request.reply(_not_emulated(request.call))
        return reply


def _not_emulated(call: AwsCall) -> AwsError:
    return AwsError("NotImplemented", f"The emulator does not have {call.service}:{call.operation}", status=501)


class _Request:
    """A request read by the model of its service."""

    def __init__(self, service: str, environ: Environ) -> None:
        self._response = lib.BaseResponse(service)
        self._response.setup_class(lib.Request(environ))
        place = Place(self._response.current_account, self._response.region)
        self.known = True
        try:
            operation = str(self._response._get_action())
            parameters = {} if service in BODIES_NOT_READ else self._parameters()
        except Exception:  # noqa: BLE001  # a service without a model, or a request beside it: moto may know it all the same
            self.known = False
            operation, parameters = f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}", {}
        self.call = AwsCall(service, operation, parameters, place)

    def _parameters(self) -> dict[str, t.Any]:
        self._response.parse_parameters(self._response.normalized_request)
        # moto's parser gives an empty list for a list that the query string does not have.
        return {
            key: value
            for key, value in dict(self._response.params).items()
            if value is not None and not (value == [] and self._response.method == "GET")
        }

    def reply(self, result: dict[str, t.Any] | AwsError) -> Reply:
        """The response of a result or an error, by the service's own protocol."""
        status, headers, body = self._response.serialized(lib.ActionResult(result))
        if isinstance(result, AwsError) and result.status:
            status = result.status
        names = {
            str(key): str(value) for key, value in headers.items() if key.lower() not in ("status", "server", "date")
        }
        names.setdefault("x-amzn-RequestId", str(uuid.uuid4()))
        data = body.encode() if isinstance(body, str) else bytes(body or b"")
        names["Content-Length"] = str(len(data))
        return Reply(int(status), list(names.items()), data)


def signed_service(environ: Environ) -> str | None:
    """boto3's name of the service that a request was signed for; None for a request that is not AWS's."""
    if environ.get("PATH_INFO", "").startswith(("/moto-api", "/latest/")):
        return None
    parts = str(environ.get("HTTP_AUTHORIZATION", "")).split("Credential=", 1)
    scope = parts[1].split(",")[0].split("/") if len(parts) == 2 else []
    if len(scope) != 5:
        return None
    return str(SERVICES.get(scope[3], scope[3]))


def _take_body(environ: Environ) -> bytes:
    """The whole body, left in place for the next reader."""
    length = environ.get("CONTENT_LENGTH")
    stream = environ["wsgi.input"]
    if length:
        body = stream.read(int(length))
    else:
        body = stream.read() if environ.get("wsgi.input_terminated") else b""
        environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
    return bytes(body)


def _collect(app: WsgiApp, environ: Environ) -> Reply:
    found: list[t.Any] = []

    def start(status: str, headers: list[tuple[str, str]], _info: t.Any = None) -> None:
        found[:] = [int(status.split(" ", 1)[0]), headers]

    chunks = app(environ, start)
    try:
        body = b"".join(chunks)
    finally:
        if callable(close := getattr(chunks, "close", None)):
            close()
    return Reply(found[0], found[1], body)


__all__ = ("Gateway", "signed_service")
