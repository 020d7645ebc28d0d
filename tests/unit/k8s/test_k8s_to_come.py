"""Check mode on a cluster, a namespace or a kind that an earlier step of the same plan makes."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s import apply_use_case, nodes_info, to_come
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.discovery import ApiKind, Discovery
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.errors import ClusterAbsentError, KubeApiError

SENTENCE = "there is no EKS cluster new in us-east-1; make it first"
CRD = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}


@pytest.fixture
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_options: t.Any, **_more: t.Any) -> t.NoReturn:
        raise ClusterAbsentError(SENTENCE)

    monkeypatch.setattr(to_come, "KubeClient", absent)


@pytest.mark.usefixtures("no_cluster")
def test_check_mode_meets_an_empty_cluster() -> None:
    client = to_come.connect({}, Context(check_mode=True))
    assert client.request("GET", "/api/v1/namespaces/a/secrets").body["items"] == []
    assert client.request("GET", "/apis/apps/v1/deployments").body["items"] == []
    assert list(client.stream("/api/v1/nodes", query={}, timeout=1)) == []
    for path in ("/api/v1/namespaces/a", "/apis/apps/v1/namespaces/a/deployments/b"):
        with pytest.raises(KubeApiError, match="no EKS cluster new") as caught:
            client.request("GET", path)
        assert caught.value.status == 404


@pytest.mark.usefixtures("no_cluster")
def test_a_real_run_does_not_pretend() -> None:
    with pytest.raises(ClusterAbsentError, match="no EKS cluster new"):
        to_come.connect({}, Context())


@pytest.mark.usefixtures("no_cluster")
def test_all_objects_would_be_created() -> None:
    objects = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b", "namespace": "a"}, "data": {"k": "v"}},
        {"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor", "metadata": {"name": "c"}, "spec": {}},
    ]
    spec = apply_use_case.USE_CASE.spec
    options = {name: option.get("default") for name, option in spec.options.items()}
    options |= {"name": "set", "namespace": "a", "objects": objects}
    outcome = apply_use_case.run(options, Context(check_mode=True, diff_mode=True))
    assert outcome.changed
    assert outcome.facts["counts"] == {"created": 3}
    assert {entry["kind"]: entry["namespace"] for entry in outcome.facts["objects"]} == {
        "Namespace": "",
        "ConfigMap": "a",
        "ServiceMonitor": "a",
    }


@pytest.mark.usefixtures("no_cluster")
def test_there_are_no_nodes_to_wait_for() -> None:
    assert nodes_info.run({"minimum_ready": 3}, Context(check_mode=True)).facts == {"nodes": []}


def test_a_kind_of_a_group_that_is_served_stays_an_error() -> None:
    served = Discovery([ApiKind("apps", "v1", "Deployment", "deployments", namespaced=True)])
    wrong = {"apiVersion": "apps/v1", "kind": "Deploymnt", "metadata": {"name": "a"}}
    with pytest.raises(PlatformError, match="did you mean Deployment"):
        to_come.expecting(served, [wrong]).require("apps/v1", "Deploymnt")


def test_a_group_to_come_is_guessed() -> None:
    found = to_come.expecting(Discovery([]), [CRD, {"apiVersion": "x.io/v1", "kind": "Thing"}])
    assert not found.require(CRD["apiVersion"], CRD["kind"]).namespaced
    assert found.require("x.io/v1", "Thing").path(namespace="n", name="a") == "/apis/x.io/v1/namespaces/n/things/a"
