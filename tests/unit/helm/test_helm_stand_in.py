from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.charts import identity_of, source_of
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.decisions import ChartIdentity, decide
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.records import ReleaseRecord, histories
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.releases import release_of
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.stand_in import chart_files
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.stand_in_template import templated
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.manifests import documents

SERVER = {"name": "server", "containers": [{"name": "web", "image": "web:1", "ports": {"http": 8080}}]}
DATA = {"workloads": [SERVER], "services": [{"name": "web", "workload": "server", "ports": {"http": 80, "raw": 9}}]}


def release(data: t.Any = None, **chart: t.Any) -> t.Any:
    known = {"name": "web", "repository": "https://charts.example", "version": "1.0.0", "stand_in": data or DATA}
    return release_of({"name": "web", "namespace": "prod", "chart": {**known, **chart}})


def objects(data: t.Any) -> list[t.Any]:
    text = chart_files("web", "1.0.0", data)["templates/objects.yaml"]
    plain = text.replace("{{ toJson (.Release.Name) }}", '"web"')
    return [item for item in documents(plain, source="a test") if item]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": [1, True], "a": None}, '{"a": null, "b": [1, true]}'),
        ("{{ .Values.replicas }}", "{{ toJson (.Values.replicas) }}"),
        ("{{- .Values.a -}}", "{{ toJson (.Values.a) }}"),
        ("a-{{ .Release.Name }}", '{{ toJson (print "a-" (.Release.Name) "") }}'),
        ("{{ .a }}{{ .b }}", '{{ toJson (print "" (.a) "" (.b) "") }}'),
        ('{{ index .Values "a}}b" }}', '{{ toJson (index .Values "a}}b") }}'),
        ("{{ `{{ $labels.pod }}` }} is \"down\"", '{{ toJson (print "" (`{{ $labels.pod }}`) " is \\"down\\"") }}'),
        ({"{{ .k }}": "plain }}"}, '{{{ toJson (.k) }}: "plain }}"}'),
    ],
)  # fmt: skip
def test_strings_with_expressions_become_expressions(value: t.Any, text: str) -> None:
    assert templated(value, where="here") == text


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"a": ["{{ .Values.x"]}, r"here.a\[0\]: '\{\{ .Values.x' opens \{\{ and does not close it"),
        ("{{ if .Values.x }}a{{ end }}", "'if .Values.x', which is no expression"),
        ("{{ /* a word */ }}", "which is no expression"),
        ("{{ }}", "'', which is no expression"),
    ],
)
def test_what_is_no_expression_is_refused(value: t.Any, sentence: str) -> None:
    with pytest.raises(PlatformError, match=sentence):
        templated(value, where="here")


def test_the_chart_has_the_name_the_version_and_the_mark() -> None:
    files = chart_files("web", "1.0.0", {**DATA, "values": {"replicas": 1}})
    metadata = json.loads(files["Chart.yaml"])
    assert (metadata["name"], metadata["version"]) == ("web", "1.0.0")
    assert metadata["annotations"] == {"aiplatform.eks/stand-in": "true"}
    assert json.loads(files["values.yaml"]) == {"replicas": 1}
    assert files == chart_files("web", "1.0.0", {"values": {"replicas": 1}, **dict(reversed(DATA.items()))})


@pytest.mark.parametrize(
    ("level", "pod", "container"),
    [
        ("restricted", ["runAsNonRoot", "runAsUser", "seccompProfile"], ["allowPrivilegeEscalation", "capabilities"]),
        ("baseline", ["seccompProfile"], ["allowPrivilegeEscalation"]),
        ("privileged", [], ["privileged"]),
    ],
)
def test_pods_keep_to_their_security_level(level: str, pod: list[str], container: list[str]) -> None:
    (deployment,) = objects({"workloads": [{**SERVER, "pod_security": level}]})
    spec = deployment["spec"]["template"]["spec"]
    assert sorted(spec.get("securityContext", {})) == pod
    assert set(container) <= set(spec["containers"][0]["securityContext"])
    assert not {"livenessProbe", "readinessProbe"} & set(spec["containers"][0])


def test_a_service_leads_to_the_port_of_its_name_and_to_its_pods() -> None:
    service, deployment = objects(DATA)
    assert [port["targetPort"] for port in service["spec"]["ports"]] == ["http", 9]
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


def test_each_kind_has_its_volumes_in_its_own_way() -> None:
    claims = [{"name": "data", "size": "2Gi", "storage_class": "gp3"}]
    services = [{"name": name, "workload": "server", "ports": {}, "headless": name == "b"} for name in "ab"]
    stateful = objects(
        {"workloads": [{**SERVER, "kind": "StatefulSet", "volume_claims": claims}], "services": services}
    )
    assert stateful[-1]["spec"]["serviceName"] == "b"
    assert stateful[-1]["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] == "gp3"
    claim, daemons = objects({"workloads": [{**SERVER, "kind": "DaemonSet", "volume_claims": claims}]})
    assert claim["kind"] == "PersistentVolumeClaim"
    assert "replicas" not in daemons["spec"]
    volume = daemons["spec"]["template"]["spec"]["volumes"][0]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]


def test_what_a_workload_says_itself_counts() -> None:
    own = {"pod": {"tolerations": [{"operator": "Exists"}]}, "labels": {"app.kubernetes.io/name": "mine"}}
    gpu = {"name": "a", "image": "a", "requests": {"nvidia.com/gpu": 1, "memory": "1Gi"}}
    (deployment,) = objects({"workloads": [{**SERVER, **own, "containers": [gpu], "replicas": 0}]})
    template = deployment["spec"]["template"]
    assert template["spec"]["tolerations"] == own["pod"]["tolerations"]
    assert template["metadata"]["labels"]["app.kubernetes.io/name"] == "mine"
    assert template["spec"]["containers"][0]["resources"]["limits"] == {"memory": "1Gi", "nvidia.com/gpu": 1}
    assert deployment["spec"]["replicas"] == 0


def test_a_protected_group_says_that_nobody_approved_it() -> None:
    entry = {"kind": "Gateway", "plural": "gateways", "versions": ["v1", "v1beta1"]}
    files = chart_files("web", "1.0.0", {"crds": [{**entry, "group": name} for name in ("a.k8s.io", "x-k8s.io")]})
    protected, free = (json.loads(text) for name, text in files.items() if name.startswith("crds/"))
    assert [version["storage"] for version in protected["spec"]["versions"]] == [True, False]
    assert "api-approved.kubernetes.io" in protected["metadata"]["annotations"]
    assert "annotations" not in free["metadata"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"workloads": [{**SERVER, "containers": []}]}, "workload server: needs containers"),
        ({"workloads": [SERVER, SERVER]}, "two workloads have one name"),
        ({**DATA, "services": [{"name": "w", "workload": "serve", "ports": {}}]}, "did you mean 'server'"),
        ({**DATA, "services": [{"name": "w", "workload": "server", "ports": {"a": 0}}]}, "port a is 0, wanted is"),
        ({"service_accounts": ["a", "a"]}, "ServiceAccount a stands twice"),
        ({"objects": [{"kind": "Thing", "metadata": {}}]}, "lacks apiVersion and metadata.name"),
    ],
)
def test_wrong_data_is_refused_with_the_release_and_the_chart(data: t.Any, sentence: str) -> None:
    with pytest.raises(PlatformError, match=f"^release prod/web: the stand-in of chart web: .*{sentence}"):
        source_of(release(data), "", stand_ins=True)


def test_a_stand_in_counts_only_when_it_is_wanted_and_nothing_better_is_there(tmp_path: t.Any) -> None:
    wish = release()
    assert source_of(wish, "").pull is wish.chart
    assert source_of(wish, "", stand_ins=True).files
    assert source_of(wish, str(tmp_path), stand_ins=True).files
    (tmp_path / "web-1.0.0.tgz").write_bytes(b"")
    assert source_of(wish, str(tmp_path), stand_ins=True).path == tmp_path / "web-1.0.0.tgz"
    assert source_of(wish, "https://mirror.example", stand_ins=True).pull
    with pytest.raises(PlatformError, match="nothing stands in for it"):
        release(ref="./web", name="")


def test_a_chart_replaces_its_stand_in_and_never_the_other_way() -> None:
    wish = release()
    identity = identity_of(wish, source_of(wish, "", stand_ins=True))
    real = ChartIdentity("web", "1.0.0")

    def reason(now: ChartIdentity, wanted: ChartIdentity) -> str:
        record = ReleaseRecord(
            "web", "prod", 1, "deployed", now.name, now.version, "", {}, "", digest=now.digest, stand_in=now.stand_in
        )
        history = histories([record])["prod", "web"]
        return decide(wish, history, wanted, now=0, pending_timeout=0).reason

    assert reason(identity, identity) == reason(real, real) == ""
    assert reason(identity, real) == "the chart replaces its stand-in, which is removed first"
    with pytest.raises(PlatformError, match=r"real chart web 1\.0\.0, which a stand-in never replaces"):
        reason(real, identity)
    other = release({"config_maps": [{"name": "more"}]})
    assert reason(identity, identity_of(other, source_of(other, "", stand_ins=True))) == "the chart's content differs"
