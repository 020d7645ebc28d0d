"""Secrets whose values are made once: what is refused, what is kept, and what may be gone already."""

from __future__ import annotations

import base64
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context, Outcome
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s import generated_secrets
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import Answer
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.errors import KubeApiError

DATABASE = "/api/v1/namespaces/prod/secrets/database"


class Server:
    """Keeps Secrets by path; those in C(vanishing) are gone when they are to be deleted."""

    silent_since: float | None = None

    def __init__(self, vanishing: frozenset[str] = frozenset()) -> None:
        self.secrets: dict[str, t.Any] = {}
        self.vanishing = vanishing
        self.writes: list[str] = []

    def request(self, method: str, path: str, *, body: t.Any = None, **_rest: t.Any) -> Answer:
        if method != "GET":
            self.writes.append(f"{method} {path}")
        if method == "POST":
            name = body["metadata"]["name"]
            self.secrets[f"{path}/{name}"] = {**body, "metadata": {**body["metadata"], "resourceVersion": "1"}}
            return Answer(201, body, {})
        if path not in self.secrets or (method == "DELETE" and path in self.vanishing):
            raise KubeApiError(f"{method} {path}: not found", status=404)
        if method == "DELETE":
            return Answer(200, self.secrets.pop(path), {})
        if method == "PATCH":
            self.secrets[path]["data"].update(body["data"])
        return Answer(200, self.secrets[path], {})


def run(server: Server, monkeypatch: pytest.MonkeyPatch, *entries: dict[str, t.Any], **options: t.Any) -> Outcome:
    monkeypatch.setattr(generated_secrets, "connect", lambda _options, _context: server)
    complete = [{"namespace": "prod", "texts": {}, "generated": [], **one} for one in entries]
    return generated_secrets.run({"secrets": complete, "state": "present", **options}, Context())


def value(server: Server, key: str) -> str:
    return base64.b64decode(server.secrets[DATABASE]["data"][key]).decode()


def test_a_generated_value_stays_and_a_text_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    wish: dict[str, t.Any] = {"name": "database", "texts": {"username": "a"}, "generated": ["password"]}
    assert run(server, monkeypatch, wish).changed
    password = value(server, "password")
    assert len(password) == 43
    assert not run(server, monkeypatch, wish).changed
    assert run(server, monkeypatch, {**wish, "texts": {"username": "b"}, "generated": ["password", "salt"]}).changed
    assert (value(server, "username"), value(server, "password"), len(value(server, "salt"))) == ("b", password, 43)


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        (
            [{"name": "database", "texts": {"password": "x"}, "generated": ["password"]}],
            "Secret prod/database: password stands in texts and in generated",
        ),
        (
            [{"name": "database", "generated": ["a"]}, {"name": "other"}, {"name": "database", "generated": ["b"]}],
            "prod/database stands twice; name all keys of a Secret in one entry",
        ),
    ],
)
def test_what_would_overwrite_itself_is_refused_before_any_request(
    entries: list[dict[str, t.Any]], sentence: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    with pytest.raises(PlatformError, match=sentence):
        run(server, monkeypatch, *entries, state=state)
    assert server.writes == []


def test_the_same_name_in_two_namespaces_is_two_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [{"name": "database", "namespace": place, "generated": ["password"]} for place in ("prod", "test")]
    server = Server()
    assert run(server, monkeypatch, *entries).changed
    assert len(server.secrets) == 2


def test_a_secret_that_goes_by_itself_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(vanishing=frozenset((DATABASE,)))
    entries = [{"name": "database", "generated": ["password"]}, {"name": "other", "generated": ["password"]}]
    run(server, monkeypatch, *entries)
    assert run(server, monkeypatch, *entries, state="absent").changed
    assert list(server.secrets) == [DATABASE], "the other one is deleted all the same"
