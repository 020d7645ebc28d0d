"""Which proxies have to be restarted: known from the pods, however often a run was broken off."""

from __future__ import annotations

import hashlib
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import Answer
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.errors import KubeApiError
from ansible_collections.aiplatform.eks.plugins.module_utils._mesh.linkerd_identity import (
    SPEC,
    Settings,
    Trust,
    facts,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._mesh.proxies import outdated, outdated_proxies

BUNDLE = "<one>\n<two>\n"


def pod(namespace: str, bundle: str | None, **metadata: t.Any) -> dict[str, t.Any]:
    told = {"linkerd.io/trust-root-sha256": hashlib.sha256(bundle.encode()).hexdigest()} if bundle else {}
    return {"metadata": {"name": "a", "namespace": namespace, "annotations": told, **metadata}}


def test_those_with_another_bundle_are_counted() -> None:
    pods = [pod("prod", "<one>\n"), pod("prod", "<one>"), pod("b", "<zero>"), pod("b", BUNDLE)]
    assert outdated(pods, BUNDLE) == [{"namespace": "b", "pods": 1}, {"namespace": "prod", "pods": 2}]


@pytest.mark.parametrize("text", [BUNDLE, BUNDLE.strip()])
def test_line_ends_make_no_difference(text: str) -> None:
    """The chart hashes the value as it is given, the injector what the ConfigMap holds of it."""
    assert outdated([pod("a", text)], BUNDLE) == outdated([pod("a", text)], BUNDLE.strip()) == []


def test_pods_that_go_or_tell_nothing_do_not_count() -> None:
    assert outdated([pod("a", "<old>", deletionTimestamp="now"), pod("a", None)], BUNDLE) == []


class Server:
    """Answers one LIST."""

    def __init__(self, *pods: dict[str, t.Any], status: int = 200) -> None:
        self.pods, self.status = list(pods), status
        self.query: dict[str, t.Any] = {}

    def request(self, _method: str, _path: str, *, query: dict[str, t.Any], **_rest: t.Any) -> Answer:
        self.query = query
        if self.status != 200:
            raise KubeApiError("no", status=self.status)
        return Answer(200, {"items": self.pods}, {})


def test_only_running_pods_of_this_mesh_are_asked_for() -> None:
    server = Server(pod("a", "<old>"))
    found = outdated_proxies(t.cast("t.Any", server), namespace="mesh", bundle=BUNDLE)
    assert found == [{"namespace": "a", "pods": 1}]
    assert server.query["labelSelector"] == "linkerd.io/control-plane-ns=mesh,!linkerd.io/control-plane-component"
    assert "Succeeded" in server.query["fieldSelector"]


def test_who_may_not_see_pods_is_told_when_the_bundle_changes() -> None:
    wish = Settings.of({name: one.get("default") for name, one in SPEC.options.items()})
    proxies = outdated_proxies(t.cast("t.Any", Server(status=403)), namespace="mesh", bundle=BUNDLE)
    for changed in (True, False):
        assert facts(wish, Trust(), proxies=proxies, changed=changed)["restart_proxies"] is changed
    with pytest.raises(KubeApiError):
        outdated_proxies(t.cast("t.Any", Server(status=500)), namespace="mesh", bundle=BUNDLE)


def test_anchors_of_somebody_else_count_only_without_an_issuer_of_ours() -> None:
    options = {name: one.get("default") for name, one in SPEC.options.items()} | {"trust_anchors": BUNDLE}
    assert Settings.of({**options, "issuer": False}).bundle_of(Trust()) == BUNDLE
    assert Settings.of({**options, "issuer": True}).bundle_of(Trust()) == ""
