"""A plain HTTP proxy in front of the API server that fails on purpose: statuses, resets, an outage."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import threading
import time
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Fault = tuple[int, dict[str, str], str]
RESET: Fault = (0, {}, "")


class FaultProxy:
    """Faults by rule: a function of method, path and the number of that request gives a fault, or None."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.fault: Callable[[str, str, int], Fault | None] = lambda _method, _path, _number: None
        self.seen: list[tuple[str, str]] = []
        self.down_until = 0.0
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], int] = {}
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                proxy.handle(self)

            def log_message(self, *_words: t.Any) -> None:
                """Quiet."""

        for method in ("GET", "PATCH", "POST", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.handle_one)

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: t.Any, client_address: t.Any) -> None:
                """Clients that hang up are expected."""

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.partition("?")[0]
        with self._lock:
            number = self._counts[request.command, path] = self._counts.get((request.command, path), 0) + 1
            self.seen.append((request.command, path))
            fault = RESET if time.monotonic() < self.down_until else self.fault(request.command, path, number)
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        if fault == RESET:
            request.connection.shutdown(socket.SHUT_RDWR)
            request.close_connection = True
            return
        if fault:
            self.answer(request, fault[0], fault[1], fault[2].encode())
            return
        upstream = http.client.HTTPConnection("127.0.0.1", self.target)
        upstream.request(request.command, request.path, body or None, dict(request.headers))
        answer = upstream.getresponse()
        self.answer(request, answer.status, {"Content-Type": "application/json"}, answer.read())

    def answer(self, request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)


def status_fault(code: int, reason: str, message: str, **headers: str) -> Fault:
    """A fault that answers with a Status object."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }
    return code, headers, json.dumps(body)


@contextmanager
def fault_proxy(kubectl: Path, kubeconfig: Path) -> Iterator[FaultProxy]:
    """A proxy in front of ``kubectl proxy``, which adds the credentials."""
    command = [kubectl, "--kubeconfig", kubeconfig, "proxy", "--port=0", "--reject-paths=^$"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        port = int(child.stdout.readline().strip().rpartition(":")[2])
        proxy = FaultProxy(port)
        try:
            yield proxy
        finally:
            proxy.server.shutdown()
            proxy.server.server_close()
            child.kill()
