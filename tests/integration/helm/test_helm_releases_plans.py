"""What the plan shows and what it costs: definitions, a release alone, a cluster that is not there yet."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._helm import process
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s import to_come
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.errors import ClusterAbsentError
from helm_bench import CRD, HOOK, SECRET, Bench, actions, write_chart


def test_definitions_that_are_applied_show_in_the_plan(bench: Bench) -> None:
    name = f"CustomResourceDefinition things.{bench.namespace}.example"
    crd = CRD.replace("NAME", bench.namespace)
    chart = write_chart(bench.scratch / "operator", name="operator", secret=SECRET)
    (chart / "crds").mkdir()
    wish = {"name": "operator", "chart": {"ref": str(chart)}, "crds": "apply"}

    def wanted(properties: str) -> tuple[t.Any, t.Any]:
        (chart / "crds/thing.yaml").write_text(crd.replace("PROPERTIES", properties), encoding="utf-8")
        checked, made = bench.run(wish, check=True), bench.run(wish)
        assert checked.diff == made.diff
        assert checked.facts == made.facts
        return made.diff[0]["before"], made.facts["releases"][0]["objects"]

    _before, counts = wanted("{a: {type: string}}")
    assert counts == {"created": 2, "changed": 0, "deleted": 0}
    before, counts = wanted("{a: {type: string}, b: {type: string}}")
    assert list(before["objects"]) == [name]
    assert counts == {"created": 0, "changed": 1, "deleted": 0}
    bench.run({"name": "operator", "state": "absent"})
    bench.kubectl("delete", "crd", f"things.{bench.namespace}.example")


def test_a_release_alone_costs_one_process_and_tells_the_same(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    chart = write_chart(bench.scratch / "web", secret=SECRET, hook=HOOK)
    wish = {"name": "web", "chart": {"ref": str(chart)}, "values": [{"password": "one"}]}
    started: list[str] = []
    real = process.call

    def counted(command: list[str], **rest: t.Any) -> t.Any:
        started.append(command[1])
        return real(command, **rest)

    monkeypatch.setattr(process, "call", counted)
    for values in ("one", "two"):
        wish["values"] = [{"password": values}]
        checked = bench.run(wish, check=True)
        started.clear()
        made = bench.run(wish, diff=False)
        assert started == ["upgrade"]
        assert made.facts == checked.facts
        assert made.changed
    assert made.facts["releases"][0]["objects"] == {"created": 0, "changed": 1, "deleted": 0}


def test_one_chart_that_cannot_be_rendered_stops_all(bench: Bench) -> None:
    good = write_chart(bench.scratch / "good", secret=SECRET)
    bad = write_chart(bench.scratch / "bad", secret='{{ fail "no such thing" }}')
    wish = [{"name": name, "chart": {"ref": str(chart)}} for name, chart in (("good", good), ("bad", bad))]
    with pytest.raises(PlatformError, match="no such thing"):
        bench.run(*wish, diff=False)
    assert bench.kubectl("get", "secrets", "-o", "name") == ""


def test_a_cluster_to_come_is_foreseen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_arguments: t.Any, **_options: t.Any) -> t.Any:
        raise ClusterAbsentError("there is no EKS cluster prod in us-east-1; make it first")

    monkeypatch.setattr(to_come, "KubeClient", absent)
    monkeypatch.setattr(process, "load_configuration", absent)
    chart = write_chart(bench.scratch / "web", secret=SECRET, hook=HOOK)
    (chart / "crds").mkdir()
    (chart / "crds/a.yaml").write_text(CRD.replace("NAME", "to-come").replace("PROPERTIES", "{}"), encoding="utf-8")
    wish = {"name": "web", "chart": {"ref": str(chart)}, "crds": "apply"}
    foreseen = bench.run(wish, check=True)
    assert actions(foreseen) == ["install"]
    assert foreseen.facts["releases"][0]["objects"] == {"created": 2, "changed": 0, "deleted": 0}
    assert "the cluster, which is not there yet" in foreseen.facts["releases"][0]["reason"]
    with pytest.raises(ClusterAbsentError, match="make it first"):
        bench.run(wish)
