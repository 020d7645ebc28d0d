"""A registry of charts as far as ``helm pull`` asks one: manifests and blobs of OCI artifacts, over plain HTTP."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.cncf.helm.config.v1+json"
CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Registry:
    """Charts by repository and tag; C(asked) are the paths of all requests."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.asked: list[str] = []
        self._stored: dict[str, tuple[str, bytes]] = {"/v2/": ("application/json", b"{}")}

    def push(self, repository: str, version: str, archive: bytes) -> None:
        config = json.dumps({"name": repository.rsplit("/", 1)[-1], "version": version, "apiVersion": "v2"}).encode()
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": self._blob(repository, CONFIG, config),
                "layers": [self._blob(repository, CONTENT, archive)],
            }
        ).encode()
        for name in (version, digest_of(manifest)):
            self._stored[f"/v2/{repository}/manifests/{name}"] = (MANIFEST, manifest)

    def _blob(self, repository: str, media_type: str, content: bytes) -> dict[str, t.Any]:
        digest = digest_of(content)
        self._stored[f"/v2/{repository}/blobs/{digest}"] = ("application/octet-stream", content)
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def find(self, path: str) -> tuple[str, bytes] | None:
        self.asked.append(path)
        return self._stored.get(path)


@contextmanager
def registry() -> Iterator[Registry]:
    """A running registry."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            kind, content = running.find(self.path) or ("", b"")
            self.send_response(200 if kind else 404)
            self.send_header("Content-Type", kind or "text/plain")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Docker-Content-Digest", digest_of(content))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *_words: t.Any) -> None:
            """Quiet."""

    for method in ("GET", "HEAD"):
        setattr(Handler, f"do_{method}", Handler.answer)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = Registry(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
