"""An AWX that keeps in memory what it is told: the REST conventions that awx.awx relies on, and a log of the writes.

Lists answer ``{count, next, results}`` and are filtered by equality; an item has ``url`` and ``related``; what is
associated hangs below the item's own address.
"""

from __future__ import annotations

import json
import re
import threading
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

API = "/api/v2/"
ASSOCIATIONS = ("credentials", "success_nodes", "failure_nodes", "always_nodes", "labels", "instance_groups")
FIXED = {"credentials": "credential", "inventories": "inventory"}
Item = dict[str, t.Any]


class Controller:
    """The objects, by endpoint and id, and what was written."""

    def __init__(self, **existing: list[str]) -> None:
        self.objects: dict[str, dict[int, Item]] = {}
        self.below: dict[str, t.Any] = {}
        self.writes: list[str] = []
        self._last = 0
        for endpoint, names in existing.items():
            for name in names:
                self.create(endpoint, {"name": name})

    def create(self, endpoint: str, fields: Item) -> Item:
        self._last += 1
        url = f"{API}{endpoint}/{self._last}/"
        related = {name: f"{url}{name}/" for name in (*ASSOCIATIONS, "survey_spec")}
        kind = FIXED.get(endpoint, endpoint.removesuffix("s"))
        item = {**fields, "id": self._last, "url": url, "related": related, "type": kind, "summary_fields": {}}
        item |= {"scm_revision": "1"} if endpoint == "projects" else {}
        self.objects.setdefault(endpoint, {})[self._last] = item
        return item

    def named(self, endpoint: str) -> dict[str, Item]:
        return {one["name"]: one for one in self.objects.get(endpoint, {}).values()}

    def answer(self, method: str, address: str, body: t.Any) -> tuple[int, t.Any]:
        split = urlsplit(address)
        path = split.path.removeprefix(API).strip("/").split("/")
        if method != "GET":
            self.writes.append(f"{method} {split.path}")
        match path:
            case [endpoint] if method == "GET":
                return 200, self._listed(endpoint, dict(parse_qsl(split.query)))
            case [endpoint]:
                return 201, self.create(endpoint, body)
            case [endpoint, number] if method == "PATCH":
                self.objects[endpoint][int(number)].update(body)
                return 200, self.objects[endpoint][int(number)]
            case [endpoint, number]:
                return 200, self.objects[endpoint][int(number)]
            case [endpoint, number, "create_approval_template"]:
                template = self.create("workflow_approval_templates", body)
                node = self.objects[endpoint][int(number)]
                node["related"]["unified_job_template"] = template["url"]
                return 201, template
            case [_endpoint, _number, "survey_spec"] if method == "GET":
                return 200, self.below.get(split.path, {})
            case [_endpoint, _number, "survey_spec"]:
                self.below[split.path] = body
                return 200, {}
            case [_endpoint, _number, _association]:
                return self._associated(method, split.path, body)
        return 404, {"detail": f"{method} {address} is not played here"}

    def _listed(self, endpoint: str, query: dict[str, str]) -> Item:
        everything = self.objects.get(endpoint, {})
        if endpoint == "unified_job_templates":
            everything = {key: one for part in self.objects.values() for key, one in part.items()}
        if endpoint == "unified_job_templates":
            query.pop("organization", None)
        found = [
            one
            for one in everything.values()
            if all(re.search(r"__", key) or f"{one.get(key)}" == value for key, value in query.items())
        ]
        return {"count": len(found), "next": None, "results": found}

    def _associated(self, method: str, path: str, body: t.Any) -> tuple[int, t.Any]:
        members = self.below.setdefault(path, [])
        if method == "GET":
            return 200, {"count": len(members), "next": None, "results": [{"id": one} for one in members]}
        if body.get("disassociate"):
            members.remove(body["id"])
        else:
            members.append(body["id"])
        return 204, None


@contextmanager
def served(controller: Controller) -> Iterator[str]:
    """The address at which the controller answers."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            status, answer = controller.answer(self.command, self.path, body)
            content = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", f"{len(content)}")
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self._do()

        def do_POST(self) -> None:
            self._do()

        def do_PATCH(self) -> None:
            self._do()

        def log_message(self, *_arguments: t.Any) -> None:
            """Be quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


__all__ = ("Controller", "served")
