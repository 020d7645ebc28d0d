# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every kind of check against a real API server: what passes, and the sentence of what does not."""

from __future__ import annotations

import base64
import gzip
import json
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.aiplatform.eks.plugins.module_utils._conformance.use_case import USE_CASE
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient

NAMESPACE = "conformance"
ENFORCED = 'metadata.labels."pod-security.kubernetes.io/enforce"'
CLAIM = f"PersistentVolumeClaim {NAMESPACE}/lonely"
SECURITY = {"pod-security.kubernetes.io/enforce": "restricted"}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "host", "namespace": NAMESPACE},
    "spec": {"hostNetwork": True, "containers": [{"name": "one", "image": "x"}]},
}


def release(name: str, status: str, version: str) -> dict[str, t.Any]:
    """A release as helm records it."""
    record = {
        "name": name,
        "namespace": NAMESPACE,
        "version": 1,
        "info": {"status": status},
        "chart": {"metadata": {"name": name, "version": version}},
        "manifest": "",
    }
    packed = base64.b64encode(gzip.compress(json.dumps(record).encode()))
    labels = {"owner": "helm", "name": name, "status": status, "version": "1"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {"name": f"sh.helm.release.v1.{name}.v1", "labels": labels},
        "data": {"release": base64.b64encode(packed).decode()},
    }


@pytest.fixture(scope="module")
def client(cluster: t.Any) -> t.Iterator[KubeClient]:
    """A namespace with releases, a policy and a claim that nobody binds."""
    api = KubeClient({"kubeconfig": str(cluster.kubeconfig)})
    here = f"/api/v1/namespaces/{NAMESPACE}"
    api.request("POST", "/api/v1/namespaces", body={"metadata": {"name": NAMESPACE, "labels": SECURITY}})
    for one in (release("good", "deployed", "1.2.3"), release("bad", "failed", "1.0.0")):
        api.request("POST", f"{here}/secrets", body=one)
    deny = {"metadata": {"name": "deny"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}}
    api.request("POST", f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies", body=deny)
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "none"}
    api.request("POST", f"{here}/persistentvolumeclaims", body={"metadata": {"name": "lonely"}, "spec": spec})
    yield api
    api.request("DELETE", f"/api/v1/namespaces/{NAMESPACE}")


def verdict(
    cluster: t.Any, *checks: dict[str, t.Any], require: bool = False, check_mode: bool = False
) -> dict[str, t.Any]:
    """The module's result for these checks."""
    given = {"kubeconfig": str(cluster.kubeconfig), "checks": list(checks), "require": require}
    validated = ArgumentSpecValidator(USE_CASE.spec.options, **USE_CASE.spec.constraints()).validate(given)
    assert not validated.error_messages, validated.error_messages
    context = Context(check_mode=check_mode)
    return USE_CASE.run(validated.validated_parameters, context).to_result(context)


def objects(kind: str, api_version: str = "v1", **asked: t.Any) -> dict[str, t.Any]:
    return {"name": "x", "objects": {"api_version": api_version, "kind": kind, **asked}}


def flow(port: int, *, allowed: bool) -> dict[str, t.Any]:
    ends = {"source": {"namespace": "default"}, "target": {"namespace": NAMESPACE}}
    return {"name": "x", "network": {"flows": [{**ends, "port": port, "allowed": allowed}]}}


@pytest.mark.parametrize(
    ("check", "found"),
    [
        (objects("Namespace", names=[NAMESPACE], ready=True), []),
        (objects("Namespace", names=["nowhere"]), ["Namespace nowhere is not there"]),
        (
            objects("ConfigMap", namespaces=[NAMESPACE], names=["nothing"]),
            [f"ConfigMap {NAMESPACE}/nothing is not there"],
        ),
        (objects("Namespace", labels=SECURITY, at_least=1), []),
        (
            objects("Namespace", labels={"no": "where"}, at_least=1),
            ["0 Namespace objects are there, wanted are 1 or more"],
        ),
        (
            objects("Namespace", where="metadata.name == 'default'", at_most=0),
            ["1 Namespace objects are there, wanted are 0 or less"],
        ),
        (objects("Namespace", names=[NAMESPACE], query=ENFORCED, value="restricted"), []),
        (
            objects("Namespace", names=[NAMESPACE], query="status.phase", value="Gone"),
            [f"Namespace {NAMESPACE}: status.phase is 'Active', wanted is 'Gone'"],
        ),
        (
            objects("Namespace", names=[NAMESPACE], query="spec.nothing"),
            [f"Namespace {NAMESPACE}: spec.nothing is None"],
        ),
        (
            objects("PersistentVolumeClaim", namespaces=[NAMESPACE], query="status.phase", value="Bound"),
            [f"{CLAIM}: status.phase is 'Pending', wanted is 'Bound'"],
        ),
        (objects("Gadget", "example.com/v1"), ["the cluster serves no Gadget in example.com/v1"]),
        (objects("Gadget", "example.com/v1", optional=True), []),
        (
            {"name": "x", "releases": {"named": [{"name": "good", "namespace": NAMESPACE, "version": "1.2.3"}]}},
            [f"release {NAMESPACE}/bad is failed (revision 1)"],
        ),
        ({"name": "x", "refused": {"object": POD, "because": "violates PodSecurity"}}, []),
        (
            {
                "name": "x",
                "refused": {
                    "object": {**POD, "metadata": {"name": "x", "namespace": "default"}},
                    "because": "PodSecurity",
                },
            },
            ["the API server takes Pod default/x, wanted is its refusal (PodSecurity)"],
        ),
        (
            {
                "name": "x",
                "refused": {"object": {**POD, "spec": {"containers": "x"}}, "because": "cannot be handled as a Pod"},
            },
            [],
        ),
        (flow(80, allowed=False), []),
        (
            flow(80, allowed=True),
            [f"default/any pod to {NAMESPACE}/any pod port 80/TCP is denied by the network policies"],
        ),
    ],
)
def test_a_check(client: KubeClient, cluster: t.Any, check: dict[str, t.Any], found: list[str]) -> None:
    result = verdict(cluster, check)
    assert result["checks"][0]["found"] == found
    assert result["passed"] is not bool(found)


def test_a_refusal_for_another_reason_is_said(client: KubeClient, cluster: t.Any) -> None:
    said = verdict(cluster, {"name": "x", "refused": {"object": POD, "because": "quota"}})["checks"][0]["found"][0]
    assert said.startswith(f"Pod {NAMESPACE}/host is refused, but not for 'quota': ")


def test_named_releases_must_be_there_in_their_version(client: KubeClient, cluster: t.Any) -> None:
    named = [{"name": "none", "namespace": "x"}, {"name": "good", "namespace": NAMESPACE, "version": "2.0.0"}]
    said = verdict(cluster, {"name": "x", "releases": {"named": named}})["checks"][0]["found"]
    assert said[1:] == [
        "release x/none is not there",
        f"release {NAMESPACE}/good is of chart version 1.2.3, wanted is 2.0.0",
    ]


def test_gpu_pools_without_an_operator_fail(client: KubeClient, cluster: t.Any) -> None:
    pools = [{"name": "g", "instance_types": ["p5.48xlarge"]}]
    said = verdict(cluster, {"name": "x", "gpu_sharing": {"node_pools": pools}})["checks"][0]["found"]
    assert said == ["the ClusterPolicy is absent (the GPU operator is not installed)"]


def test_a_secret_is_never_shown(client: KubeClient, cluster: t.Any) -> None:
    check = objects("Secret", namespaces=[NAMESPACE], query="data.release")
    said = verdict(cluster, check)["checks"][0]["found"]
    assert len(said) == 1
    assert "what a Secret holds is not shown" in said[0]


def test_what_is_required_fails_with_the_verdict(client: KubeClient, cluster: t.Any) -> None:
    wish = objects("Namespace", names=["nowhere"])
    with pytest.raises(PlatformError) as caught:
        verdict(cluster, wish, objects("Namespace"), require=True)
    assert caught.value.message == "1 of 2 checks failed: x: Namespace nowhere is not there"
    assert caught.value.details["counts"] == {"passed": 1, "failed": 1}
    assert not verdict(cluster, wish, require=True, check_mode=True)["passed"]
