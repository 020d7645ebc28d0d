from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import SteppingClock
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.apply_plan import (
    Guards,
    Member,
    plan_absent,
    plan_present,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.apply_set import (
    ApplySet,
    Record,
    parent_document,
    read_parent,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.desired import desired_objects, folded_secret
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.discovery import (
    ApiKind,
    Discovery,
    from_aggregated,
    kinds_of_definition,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.errors import KubeApiError
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.objects import Ref
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.retry import is_passing, send
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.waves import wave_of

CONFIG_MAP = ApiKind("", "v1", "ConfigMap", "configmaps", True, frozenset(("list", "patch")))
SET = ApplySet("web", "apps")


def member(name: str, **metadata: t.Any) -> Member:
    live = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "apps", **metadata}}
    return Member(Ref("", "ConfigMap", "apps", name), CONFIG_MAP, live)


def present(members: list[Member], guards: Guards, *, prune: bool = True) -> t.Any:
    return plan_present(
        (),
        {one.ref: one for one in members},
        apply_set=SET,
        record=Record(),
        manager="m",
        legacy_managers=(),
        mask=(),
        prune=prune,
        guards=guards,
    )


def test_the_identity_is_that_of_kep_3659() -> None:
    """The value that kubectl computes for this parent (sha256 of name.namespace.kind.group, base64url, no padding)."""
    import base64
    import hashlib

    digest = hashlib.sha256(b"applyset-web.apps.ConfigMap.").digest()
    assert SET.id == f"applyset-{base64.urlsafe_b64encode(digest).decode().rstrip('=')}-v1"


def test_a_record_survives_the_parent() -> None:
    record = Record(
        frozenset(("Deployment.apps", "Secret")), frozenset(("apps", "other")), frozenset(("p", "q")), exists=True
    )
    document = parent_document(SET, record)
    assert document["metadata"]["annotations"]["applyset.kubernetes.io/additional-namespaces"] == "other"
    assert read_parent(SET, document) == record
    assert read_parent(SET, None) == Record()
    document["metadata"]["annotations"]["applyset.kubernetes.io/tooling"] = "kubectl/v1.36"
    with pytest.raises(PlatformError, match="belongs to the tool 'kubectl'"):
        read_parent(SET, document)


def test_guards() -> None:
    members = [member("a"), member("b", annotations={"aiplatform.eks/keep": "true"}), member("c")]
    plan = present(members, Guards(limit=2))
    assert [gone.member.ref.name for gone in plan.leaving] == ["a", "c"]
    assert plan.wanted_record().group_kinds == {"ConfigMap"}
    with pytest.raises(PlatformError, match=r"2 objects left the set .* more than prune_limit=1"):
        present(members, Guards(limit=1))
    assert present(members, Guards(limit=0), prune=False).removals == ()
    absent = plan_absent({one.ref: one for one in members}, apply_set=SET, record=Record(), guards=Guards(limit=0))
    assert len(absent.leaving) == 2


@pytest.mark.parametrize(
    ("api_version", "kind", "wave"),
    [
        ("v1", "Namespace", 0),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", 0),
        ("v1", "Secret", 1),
        ("rbac.authorization.k8s.io/v1", "Role", 1),
        ("apps/v1", "Deployment", 2),
        ("karpenter.sh/v1", "NodePool", 2),
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", 3),
        ("apiregistration.k8s.io/v1", "APIService", 3),
    ],
)
def test_waves(api_version: str, kind: str, wave: int) -> None:
    document: dict[str, t.Any] = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}}
    assert wave_of(document) == wave
    document["metadata"]["annotations"] = {"aiplatform.eks/wave": "7"}
    assert wave_of(document) == 7


def test_every_problem_of_a_set_is_named_at_once() -> None:
    def document(kind: str, name: str, **metadata: t.Any) -> dict[str, t.Any]:
        return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **metadata}}

    documents = [
        document("ConfigMap", "a"),
        document("ConfigMap", "a", namespace="apps"),
        document("Nothing", "n"),
        document("ConfigMap", "b", labels={"applyset.kubernetes.io/part-of": "x"}),
        document("ConfigMap", "applyset-web"),
    ]
    with pytest.raises(PlatformError) as caught:
        desired_objects(documents, discovery=Discovery([CONFIG_MAP]), apply_set=SET, namespace="apps")
    said = caught.value.details["problems"]
    assert len(said) == 4
    for words in (
        "no Nothing in v1",
        "belongs to apply sets",
        "record of the set itself",
        "ConfigMap apps/a stands twice",
    ):
        assert any(words in problem for problem in said)


def test_string_data_is_folded() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "eA=="}}
    assert folded_secret({**secret, "stringData": {"a": "y", "b": "z"}}) == {
        **secret,
        "data": {"a": "eQ==", "b": "eg=="},
    }
    with pytest.raises(PlatformError, match=r"stringData.a needs text, found int"):
        folded_secret({**secret, "stringData": {"a": 1}})


def test_discovery_prefers_the_servers_first_version() -> None:
    def version(name: str) -> dict[str, t.Any]:
        entry = {"resource": "things", "responseKind": {"kind": "Thing"}, "scope": "Namespaced", "verbs": ["list"],
                 "subresources": [{"subresource": "status"}]}  # fmt: skip
        return {"version": name, "freshness": "Current", "resources": [entry]}

    body = {"items": [{"metadata": {"name": "g"}, "versions": [version("v2"), version("v1")]}]}
    discovery = from_aggregated(body)
    found = discovery.preferred("Thing.g")
    assert found is not None
    assert found.api_version == "g/v2"
    assert found.path(namespace="n", name="x") == "/apis/g/v2/namespaces/n/things/x"
    assert found.subresources == {"status"}
    with pytest.raises(PlatformError, match="it serves Thing in g/v1 and g/v2"):
        discovery.require("g/v3", "Thing")
    with pytest.raises(PlatformError, match="did you mean Thing"):
        discovery.require("g/v1", "Thin")


def test_a_definition_brings_its_kinds() -> None:
    versions = [
        {"name": "v1", "served": True},
        {"name": "v2", "served": True, "storage": True},
        {"name": "v0", "served": False},
    ]
    spec = {"group": "g", "names": {"kind": "T", "plural": "ts"}, "scope": "Cluster", "versions": versions}
    assert [kind.api_version for kind in kinds_of_definition({"spec": spec})] == ["g/v2", "g/v1"]


@pytest.mark.parametrize(
    ("status", "message", "passing"),
    [
        (0, "connection refused", True),
        (0, "certificate verify failed", False),
        (429, "slow down", True),
        (503, "unavailable", True),
        (500, "failed calling webhook x", True),
        (500, "field not declared in schema", False),
        (404, "the server could not find the requested resource", False),
        (409, "the object has been modified; please apply your changes to the latest version", True),
        (409, "already exists", False),
        (403, "forbidden", False),
        (422, "invalid", False),
    ],
)
def test_what_is_sent_again(status: int, message: str, passing: bool) -> None:
    assert is_passing(KubeApiError(message, status=status)) is passing


class Server:
    """Fails as scripted, then answers."""

    silent_since: float | None = None

    def __init__(self, *failures: KubeApiError) -> None:
        self.failures = list(failures)

    def request(self, _method: str, _path: str, **_rest: t.Any) -> str:
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def test_the_servers_own_pause_is_kept_and_the_patience_ends() -> None:
    clock = SteppingClock()
    busy = KubeApiError("slow", status=429, retry_after=7)
    assert send(t.cast("t.Any", Server(busy, KubeApiError("x", status=503))), "GET", "/", clock=clock) == "answer"
    assert clock.slept == [7, 0.2]
    with pytest.raises(KubeApiError):
        send(t.cast("t.Any", Server(*[busy] * 20)), "GET", "/", clock=SteppingClock(), retry_for=20)


@pytest.mark.parametrize(
    ("body", "tries"),
    [
        ({"metadata": {"name": "a", "resourceVersion": "7"}}, 1),
        ([{"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}], 1),
        ({"metadata": {"name": "a"}}, 2),
        ([{"op": "replace", "path": "/metadata/labels", "value": {}}], 2),
        (None, 2),
    ],
)
def test_a_conflict_with_our_own_old_version_is_not_sent_again(body: t.Any, tries: int) -> None:
    message = "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest"
    server = Server(*[KubeApiError(f"{message} version and try again", status=409)])
    if tries == 2:
        assert send(t.cast("t.Any", server), "PATCH", "/", clock=SteppingClock(), body=body) == "answer"
        return
    clock = SteppingClock()
    with pytest.raises(KubeApiError, match="try again"):
        send(t.cast("t.Any", server), "PATCH", "/", clock=clock, body=body)
    assert clock.slept == []


def test_a_silent_server_is_waited_for_once_and_not_for_each_request() -> None:
    silent, clock = KubeApiError("no answer", status=0), SteppingClock()
    server = Server(*[silent] * 40)
    for _request in range(5):
        with pytest.raises(KubeApiError):
            send(t.cast("t.Any", server), "GET", "/", clock=clock, retry_for=20)
    assert 15 < sum(clock.slept) <= 20
    server.failures = [silent]
    server.silent_since = None  # it answered somebody in between
    assert send(t.cast("t.Any", server), "GET", "/", clock=clock, retry_for=20) == "answer"
