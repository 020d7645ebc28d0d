"""What helm keeps and what we compare agree: a second run never changes, a first one shows what then happens."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._helm import process
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from helm_bench import CANARY, DEPLOYMENT, SECRET, Bench, actions, write_chart

ODD = {
    "replicas": 2,
    "flag": True,
    "none": None,
    "deep": {"x": None, "f": 1.0, "big": 2**63 + 1, "e": 1e30, "i": 2**53 + 1, "list": [1, None, {"a": None}]},
    "text": "é<>&\u2028",
}


@pytest.mark.parametrize("values", [ODD, {"flag": 1}], ids=["odd", "one is not true"])
def test_values_come_back_from_helms_record_as_they_went_in(bench: Bench, values: dict[str, t.Any]) -> None:
    wish = {"name": "web", "chart": {"ref": str(write_chart(bench.scratch / "web"))}, "wait": False}
    bench.run({**wish, "values": [{"flag": True}]})
    assert bench.run({**wish, "values": [values]}).changed
    assert not bench.run({**wish, "values": [values]}).changed


def test_values_that_are_wished_no_more_are_gone(bench: Bench) -> None:
    wish = {"name": "web", "chart": {"ref": str(write_chart(bench.scratch / "web"))}}
    bench.run({**wish, "values": [{"replicas": 3}]})
    bench.run(wish)
    assert bench.kubectl("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}") == "1"
    assert not bench.run(wish).changed


def test_unchanged_releases_cost_one_request_and_no_process(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    chart = write_chart(bench.scratch / "web", secret=SECRET)
    wish = [{"name": f"web-{number}", "chart": {"ref": str(chart)}} for number in range(3)]
    bench.run(*wish)
    asked: list[str] = []
    send = KubeClient.request

    def counted(self: KubeClient, method: str, path: str, **rest: t.Any) -> t.Any:
        asked.append(f"{method} {path}")
        return send(self, method, path, **rest)

    monkeypatch.setattr(KubeClient, "request", counted)
    monkeypatch.setattr(process, "call", lambda *_a, **_k: pytest.fail("a helm process was started"))
    assert not bench.run(*wish).changed
    assert asked == ["GET /api/v1/secrets"]


def test_what_is_not_ready_in_time_is_named(bench: Bench) -> None:
    stuck = DEPLOYMENT.replace("tolerations: [{operator: Exists}]", "nodeSelector: {nowhere: here}")
    chart = write_chart(
        bench.scratch / "web", one=stuck, two=stuck.replace(".Release.Name }}}", ".Release.Name }}-b}", 1)
    )
    with pytest.raises(PlatformError) as failure:
        bench.run({"name": "web", "chart": {"ref": str(chart)}, "timeout": 3})
    for name in ("web", "web-b"):
        assert f"Deployment {bench.namespace}/{name}: " in str(failure.value)
    assert "Unschedulable" in str(failure.value)


def test_a_sub_chart_gets_its_values_and_its_edits_are_seen(bench: Bench) -> None:
    chart = write_chart(bench.scratch / "web", secret=SECRET)
    write_chart(chart / "charts/db", name="db", deployment=DEPLOYMENT.replace("Release.Name", "Chart.Name"))
    wish = {"name": "web", "chart": {"ref": str(chart)}, "values": [{"db": {"replicas": 2}}, {"db": {"tag": "v3"}}]}
    checked, made = bench.run(wish, check=True), bench.run(wish)
    assert checked.diff == made.diff
    assert bench.kubectl("get", "deployment", "db", "-o", "jsonpath={.spec.replicas} {..image}") == "2 web:v3"
    assert not bench.run(wish).changed
    write_chart(chart / "charts/db", name="db", deployment=DEPLOYMENT.replace("Release.Name", "Chart.Name") + "# x\n")
    assert bench.run(wish, check=True).facts["releases"][0]["reason"] == "the chart's content differs"


def test_a_mirror_directory_serves_what_a_repository_would(bench: Bench) -> None:
    mirror = bench.scratch / "mirror"
    write_chart(mirror / "web-1.0.0", secret=SECRET)
    chart = {"name": "web", "repository": "https://charts.unreachable.example", "version": "1.0.0"}
    wish = {"name": "web", "chart": chart}
    assert actions(bench.run(wish, chart_mirror=str(mirror))) == ["install"]
    assert not bench.run(wish, chart_mirror=str(mirror)).changed
    assert not bench.run(wish).changed, "where the same version comes from does not matter"


def test_what_needs_goes_before_what_is_needed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    chart = {"ref": str(write_chart(bench.scratch / "web", secret=SECRET))}
    wish = [
        {"name": "c", "chart": chart, "needs": ["b"]},
        {"name": "b", "chart": chart, "needs": ["a"]},
        {"name": "a", "chart": chart},
    ]
    ran: list[str] = []
    for name in ("deploy", "uninstall"):
        real = getattr(process.Helm, name)

        def recorded(self: t.Any, release: t.Any, *rest: t.Any, real: t.Any = real, **more: t.Any) -> t.Any:
            ran.append(f"{real.__name__} {release.name}")
            return real(self, release, *rest, **more)

        monkeypatch.setattr(process.Helm, name, recorded)
    bench.run(*wish)
    bench.run(*wish, state="absent")
    assert ran == [f"{action} {name}" for action, names in (("deploy", "abc"), ("uninstall", "cba")) for name in names]


def test_a_secret_shows_nowhere_on_its_way(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    chart = write_chart(bench.scratch / "web", secret=SECRET)
    wish = {"name": "web", "chart": {"ref": str(chart)}}
    bench.run({**wish, "values": [{"password": CANARY}]})
    seen: list[str] = []
    real = process.call

    def recorded(command: t.Any, **rest: t.Any) -> t.Any:
        seen.append(json.dumps([command, rest["environment"]]))
        return real(command, **rest)

    monkeypatch.setattr(process, "call", recorded)
    changed = {**wish, "values": [{"password": f"{CANARY}-2"}]}
    checked, made = bench.run(changed, check=True), bench.run(changed)
    assert checked.diff == made.diff
    assert checked.facts == made.facts
    assert "*** (before)" in str(made.diff)
    assert CANARY not in str(made) + str(seen)
