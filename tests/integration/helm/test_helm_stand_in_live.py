"""Stand-in charts with the real helm, in a namespace that enforces the strictest Pod Security level."""

from __future__ import annotations

import json

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._helm import info, process
from helm_bench import SECRET, Bench, actions, write_chart

EXPRESSION = '{{ printf "%s/%v" .Release.Name .Values.replicas }}'


def workloads(storage_class: str) -> list[dict[str, object]]:
    web = {"name": "web", "image": "web:{{ .Values.tag }}", "ports": {"http": 8080}}
    claim = {"name": "data", "size": "1Gi", "storage_class": storage_class}
    one = {"name": "web", "replicas": "{{ .Values.replicas }}", "service_account": "web", "containers": [web]}
    two = {"name": "store", "containers": [{"name": "db", "image": "db:1"}], "volume_claims": [claim]}
    pod = {"tolerations": "{{ .Values.tolerations }}"}
    return [{**one, "pod": pod}, {**two, "kind": "StatefulSet", "pod": pod}]


def stand_in(name: str) -> dict[str, object]:
    storage = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "ebs.csi.aws.com"}
    thing = {"apiVersion": f"{name}.example/v1", "kind": "Thing", "metadata": {"name": "one"}}
    return {
        "workloads": workloads(storage_class=name),
        "services": [
            {"name": "{{ .Release.Name }}", "workload": "web", "ports": {"http": 80}},
            {"name": "store", "workload": "store", "ports": {"db": 5432}, "headless": True},
        ],
        "service_accounts": ["web"],
        "config_maps": [
            {"name": "settings", "data": {"who": EXPRESSION, "alert": "{{ `{{ $labels.pod }}` }} is down"}}
        ],
        "secrets": [{"name": "login", "data": {"password": "{{ .Values.password }}"}}],
        "crds": [{"group": f"{name}.example", "kind": "Thing", "plural": "things", "versions": ["v1"]}],
        "objects": [
            {**storage, "metadata": {"name": name}},
            {**thing, "spec": {"all": "{{ .Values.nested }}", "none": "{{ .Values.nothing }}"}},
        ],
        "values": {"replicas": 1, "tag": "v1", "nested": {"a": 1, "b": [True]}},
    }


def test_a_rehearsed_release_is_like_the_real_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    label = "pod-security.kubernetes.io/enforce"
    bench.kubectl("create", "namespace", bench.namespace)
    bench.kubectl("label", "namespace", bench.namespace, f"{label}=restricted")
    chart = {"name": "web", "repository": "https://charts.invalid", "version": "1.0.0"}
    data = stand_in(bench.namespace)
    values = {"password": "not-a-secret", "replicas": 2, "tolerations": [{"operator": "Exists"}]}
    wish = {"name": "web", "chart": {**chart, "stand_in": data}, "values": [values]}

    checked = bench.run(wish, check=True, stand_ins=True)
    made = bench.run(wish, stand_ins=True)
    assert checked.diff == made.diff
    assert made.facts == checked.facts
    assert made.facts["releases"][0]["stand_in"]
    assert "from a stand-in chart" in made.facts["steps"][0]
    with monkeypatch.context() as patch:
        patch.setattr(process, "call", lambda *_a, **_k: pytest.fail("a helm process was started"))
        assert not bench.run(wish, stand_ins=True).changed

    thing = json.loads(bench.kubectl("get", f"things.{bench.namespace}.example", "one", "-o", "json"))
    assert thing["spec"] == {"all": {"a": 1, "b": [True]}, "none": None}
    settings = json.loads(bench.kubectl("get", "configmap", "settings", "-o", "json"))["data"]
    assert settings == {"who": "web/2", "alert": "{{ $labels.pod }} is down"}
    pods = bench.kubectl("get", "pods", "-o", "jsonpath={.items[*].status.phase}")
    assert pods.split() == ["Running"] * 3
    options = {"kubeconfig": str(bench.cluster.kubeconfig), "namespace": bench.namespace}
    assert info.run(options, Context()).facts["releases"][0]["stand_in"]

    real = {"name": "web", "chart": {"ref": str(write_chart(bench.scratch / "web", secret=SECRET))}, "values": [values]}
    back = bench.run(real)
    assert back.facts["releases"][0]["reason"].startswith("the chart replaces its stand-in")
    assert actions(bench.run(real)) == ["none"]
    with pytest.raises(process.PlatformError, match="a stand-in never replaces"):
        bench.run(wish, stand_ins=True)
    bench.run({"name": "web", "state": "absent"})


def test_a_pod_that_asks_for_more_than_its_namespace_allows_is_refused(bench: Bench) -> None:
    bench.kubectl("create", "namespace", bench.namespace)
    bench.kubectl("label", "namespace", bench.namespace, "pod-security.kubernetes.io/enforce=restricted")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "raw"}}
    data = {"objects": [{**pod, "spec": {"containers": [{"name": "a", "image": "a", "securityContext": {}}]}}]}
    chart = {"name": "web", "repository": "https://charts.invalid", "version": "1.0.0", "stand_in": data}
    with pytest.raises(process.PlatformError, match="violates PodSecurity"):
        bench.run({"name": "web", "chart": chart}, stand_ins=True)
