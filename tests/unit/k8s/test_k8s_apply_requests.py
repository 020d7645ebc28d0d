"""What a new set asks of the server, and in which order it writes."""

from __future__ import annotations

import itertools
import threading
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context, Outcome
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s import apply_use_case
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.apply_set import PART_OF, ApplySet
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import Answer
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.errors import KubeApiError

KINDS = {"ConfigMap": "configmaps", "Service": "services", "ServiceAccount": "serviceaccounts"}
VERBS = ["get", "list", "watch", "patch", "delete"]
OURS = ApplySet("web", "apps").id


class Server:
    """Keeps what is applied to the namespace apps, and every request."""

    silent_since: float | None = None

    def __init__(self, *others: dict[str, t.Any]) -> None:
        self.stored = {f"{KINDS[one['kind']]}/{one['metadata']['name']}": one for one in others}
        self.asked: list[tuple[str, str, dict[str, t.Any]]] = []
        self._lock = threading.Lock()

    def connect_ahead(self) -> None:
        """It is near."""

    def request(self, method: str, path: str, *, body: t.Any = None, **rest: t.Any) -> Answer:
        with self._lock:
            self.asked.append((method, path, rest.get("query") or {}))
            made = method == "PATCH" and path.partition("/apps/")[2] not in self.stored
            return Answer(201 if made else 200, self._answer(method, path, body, rest.get("query") or {}), {})

    def _answer(self, method: str, path: str, body: t.Any, query: dict[str, t.Any]) -> dict[str, t.Any]:
        if path in ("/api", "/apis"):
            return {"kind": "APIGroupDiscoveryList", "items": [self._core()] if path == "/api" else []}
        if path == "/api/v1/namespaces/apps":
            return {"metadata": {"name": "apps"}}
        if method == "PATCH":
            live = {**body, "metadata": {"uid": "1", "managedFields": [], **body["metadata"]}}
            return self.stored.setdefault(path.partition("/apps/")[2], live)
        plural = path.rpartition("/")[2]
        if plural in KINDS.values():
            found = [one for key, one in self.stored.items() if key.startswith(f"{plural}/")]
            return {"metadata": {}, "items": [dict(one) for one in found if self._chosen(one, query["labelSelector"])]}
        if (found_one := self.stored.get(path.partition("/apps/")[2])) is not None and method == "GET":
            return found_one
        raise KubeApiError(f"{method} {path}: not found", status=404)

    def _core(self) -> dict[str, t.Any]:
        resources = [
            {"resource": plural, "responseKind": {"kind": kind}, "scope": "Namespaced", "verbs": VERBS}
            for kind, plural in KINDS.items()
        ]
        return {"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": resources}]}

    def _chosen(self, one: dict[str, t.Any], selector: str) -> bool:
        label = (one["metadata"].get("labels") or {}).get(PART_OF)
        if selector == PART_OF:
            return label is not None
        if "!=" in selector:
            return label is not None and label != selector.partition("!=")[2]
        return label == selector.removeprefix(f"{PART_OF}=")

    def names(self, method: str) -> list[str]:
        """The objects of these requests, in their order, without the record."""
        return [
            path.rpartition("/")[2]
            for verb, path, _query in self.asked
            if verb == method and not path.endswith("/applyset-web")
        ]


def thing(kind: str, name: str, **labels: str) -> dict[str, t.Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "apps", "labels": labels}}


def run(server: Server, monkeypatch: pytest.MonkeyPatch, *objects: dict[str, t.Any], **more: t.Any) -> Outcome:
    monkeypatch.setattr(apply_use_case, "connect", lambda *_options, **_more: server)
    options = {name: one.get("default") for name, one in apply_use_case.USE_CASE.spec.options.items()}
    wish = {"name": "web", "namespace": "apps", "objects": list(objects), "wait": False, **more}
    return apply_use_case.run({**options, **wish}, Context())


def test_services_which_wait_for_each_other_leave_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server gives one address after the other: sixteen Services at once would hold all connections."""
    server = Server()
    objects = [thing("ServiceAccount", f"a-{i}") for i in range(15)] + [thing("Service", f"s-{i}") for i in range(6)]
    run(server, monkeypatch, *objects, connections=1)
    order = "".join(name[0] for name in server.names("PATCH"))
    assert order == "saaa" * 5 + "s"


def test_a_new_set_costs_one_list_per_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    assert run(server, monkeypatch, thing("ConfigMap", "a"), thing("Service", "b")).facts["counts"] == {"created": 2}
    lists = [(path, query["labelSelector"]) for method, path, query in server.asked if "labelSelector" in query]
    assert sorted(lists) == [("/api/v1/configmaps", PART_OF), ("/api/v1/services", PART_OF)]


def test_what_another_set_has_is_refused_before_the_first_write(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(thing("ConfigMap", "a", **{PART_OF: "theirs"}), thing("ConfigMap", "z", **{PART_OF: "theirs"}))
    with pytest.raises(PlatformError, match=r"ConfigMap apps/a belongs to another apply set \(theirs\)"):
        run(server, monkeypatch, thing("ConfigMap", "a"), thing("ConfigMap", "b"))
    assert server.names("PATCH") == []


@pytest.mark.parametrize("theirs", [True, False])
def test_members_whose_record_was_lost_are_found(monkeypatch: pytest.MonkeyPatch, *, theirs: bool) -> None:
    others = [thing("ConfigMap", "b", **{PART_OF: "theirs"})] if theirs else []
    server = Server(thing("ConfigMap", "old", **{PART_OF: OURS}), *others)
    server.stored["configmaps/old"]["metadata"]["uid"] = "7"
    wish = [thing("ConfigMap", "a"), thing("ConfigMap", "b")]
    if theirs:
        with pytest.raises(PlatformError, match="belongs to another apply set"):
            run(server, monkeypatch, *wish)
        assert server.names("PATCH") == server.names("DELETE") == []
        return
    run(server, monkeypatch, *wish)
    assert server.names("DELETE") == ["old"]


def test_the_requests_of_a_new_set_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    run(server, monkeypatch, *[thing("ConfigMap", f"a-{i}") for i in range(50)])
    reads = [path for method, path, _query in server.asked if method == "GET"]
    # discovery, the record, its namespace, the list of the kind, its schema
    assert len(reads) == 2 + 1 + 1 + 1 + 1
    writes = [key for key, _same in itertools.groupby(method for method, *_rest in server.asked if method == "PATCH")]
    assert writes == ["PATCH"]
    assert len(server.asked) == len(reads) + 50 + 2  # the record before the first write and after the last
