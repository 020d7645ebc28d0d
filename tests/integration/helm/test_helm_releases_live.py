"""The real helm on the real control plane: what happens to a release in its life."""

from __future__ import annotations

import functools
import http.server
import json
import os
import subprocess
import threading
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._helm import info, process, releases
from helm_bench import CANARY, CRD, DEPLOYMENT, HOOK, SECRET, Bench, actions, write_chart


def test_the_life_of_a_release(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    chart = write_chart(bench.scratch / "web")
    wish = {"name": "web", "chart": {"ref": str(chart)}, "values": [{"password": CANARY}]}

    checked = bench.run(wish, check=True)
    assert "web" not in bench.kubectl("get", "deployments", "--all-namespaces", "-l", "app=web", "-o", "name")
    made = bench.run(wish)
    assert actions(checked) == actions(made) == ["install"]
    assert checked.diff == made.diff
    assert CANARY not in str(made)

    with monkeypatch.context() as patch:
        patch.setattr(process, "call", lambda *_a, **_k: pytest.fail("a helm process was started"))
        assert not bench.run(wish).changed

    upgraded = bench.run({**wish, "values": [{"password": CANARY}, {"replicas": 2}]})
    assert upgraded.facts["releases"][0]["reason"] == "values of replicas differ"
    assert upgraded.facts["releases"][0]["objects"] == {"created": 0, "changed": 1, "deleted": 0}
    assert bench.kubectl("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}") == "2"

    removed = bench.run({"name": "web", "state": "absent"})
    assert actions(removed) == ["uninstall"]
    assert bench.kubectl("get", "deployments,secrets", "-o", "name").strip() == ""
    assert not bench.run({"name": "web", "state": "absent"}).changed


def test_an_edit_of_a_local_chart_of_the_same_version_is_seen(bench: Bench) -> None:
    chart = write_chart(bench.scratch / "web")
    wish = {"name": "web", "chart": {"ref": str(chart)}}
    bench.run(wish)
    write_chart(chart, deployment=DEPLOYMENT.replace("web:{{", "web2:{{"), secret=SECRET)
    again = bench.run(wish)
    assert again.facts["releases"][0]["reason"] == "the chart's content differs"
    assert not bench.run(wish).changed


def test_a_failed_upgrade_is_recovered(bench: Bench) -> None:
    chart = write_chart(bench.scratch / "web")
    wish = {"name": "web", "chart": {"ref": str(chart)}}
    bench.run(wish)
    write_chart(
        chart, version="1.1.0", deployment=DEPLOYMENT.replace("replicas: {{ .Values.replicas }}", "replicas: -1")
    )
    with pytest.raises(PlatformError, match=rf"cannot deploy release {bench.namespace}/web") as failure:
        bench.run(wish)
    assert list(failure.value.details["failed"]) == [f"{bench.namespace}/web"]
    write_chart(chart, version="1.1.0")
    recovered = bench.run(wish)
    assert "revision 2 is failed: tried again" in recovered.facts["releases"][0]["reason"]
    assert not bench.run(wish).changed


def test_a_killed_install_and_a_killed_upgrade_are_recovered(bench: Bench) -> None:
    chart = write_chart(bench.scratch / "web")
    wish = {"name": "web", "chart": {"ref": str(chart)}}
    blocked = {**wish, "values": [{"tag": "v2"}]}
    stuck = DEPLOYMENT.replace("tolerations: [{operator: Exists}]", "nodeSelector: {nowhere: here}")
    for base, expected in ((None, "removed, then installed anew"), (wish, "rolled back to revision")):
        if base is not None:
            write_chart(chart)
            bench.run(base)
        write_chart(chart, deployment=stuck, secret=SECRET)
        kill_helm(bench, chart)
        write_chart(chart)
        with pytest.raises(PlatformError, match="another helm began pending-"):
            bench.run(blocked)
        recovered = bench.run(blocked, pending_timeout=0)
        assert expected in recovered.facts["releases"][0]["reason"]
        assert not bench.run(blocked).changed
        bench.run({"name": "web", "state": "absent"})


def test_a_helm_that_hangs_is_asked_to_end_and_leaves_nothing_pending(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = DEPLOYMENT.replace("tolerations: [{operator: Exists}]", "nodeSelector: {nowhere: here}")
    chart = write_chart(bench.scratch / "web", deployment=stuck)
    wish = {"name": "web", "chart": {"ref": str(chart)}}
    with monkeypatch.context() as patch:
        patch.setattr(releases.Release, "limit", 5.0)
        with pytest.raises(PlatformError, match="helm did not end within 5 s and was asked to end"):
            bench.run(wish, diff=False)
    assert "pending-" not in bench.kubectl("get", "secrets", "-l", "owner=helm", "--show-labels")
    write_chart(chart)
    assert bench.run(wish).changed, "no other helm is thought to be at work"


def kill_helm(bench: Bench, chart: Path) -> None:
    """Start a deployment that cannot become ready, and kill helm while it waits."""
    command = [bench.helm, "upgrade", "web", str(chart), "--install", "--create-namespace", "--wait"]
    command += ["--namespace", bench.namespace, "--set", "tag=stuck"]
    environment = {**os.environ, "KUBECONFIG": str(bench.cluster.kubeconfig)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        deadline = time.monotonic() + 30
        while "pending-" not in bench.kubectl("get", "secrets", "-l", "owner=helm", "--show-labels"):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        time.sleep(0.5)
        running.kill()


def test_needs_bring_the_kinds_that_a_chart_uses_and_crds_are_upgraded(bench: Bench) -> None:
    group = bench.namespace
    crd = CRD.replace("NAME", group)
    operator = write_chart(bench.scratch / "operator", name="operator", none="")
    (operator / "crds").mkdir()
    (operator / "crds/thing.yaml").write_text(crd.replace("PROPERTIES", "{a: {type: string}}"), encoding="utf-8")
    thing = f"apiVersion: {group}.example/v1\nkind: Thing\nmetadata: {{name: one}}\nspec: {{a: x}}\n"
    user = write_chart(bench.scratch / "user", name="user", thing=thing)
    wish = (
        {"name": "user", "chart": {"ref": str(user)}, "needs": ["operator"]},
        {"name": "operator", "chart": {"ref": str(operator)}, "crds": "apply"},
    )
    made = bench.run(*wish)
    assert actions(made) == ["install", "install"]
    assert "rendered without the server" in made.facts["releases"][0]["reason"]
    assert not bench.run(*wish).changed

    (operator / "crds/thing.yaml").write_text(
        crd.replace("PROPERTIES", "{a: {type: string}, b: {type: string}}"), encoding="utf-8"
    )
    bench.run(*wish)
    path = "jsonpath={.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties}"
    assert '"b"' in bench.kubectl("get", "crd", f"things.{group}.example", "-o", path)
    bench.run(*wish, state="absent")
    bench.kubectl("delete", "crd", f"things.{group}.example")


def test_what_a_chart_asks_of_the_cluster_is_answered_before_its_kinds_are_there(bench: Bench) -> None:
    known, group = f"{bench.namespace}-known", bench.namespace
    bench.kubectl("create", "-f", "-", text=CRD.replace("NAME", known).replace("PROPERTIES", "{}"))
    operator = write_chart(bench.scratch / "operator", name="operator", none="")
    (operator / "crds").mkdir()
    (operator / "crds/thing.yaml").write_text(CRD.replace("NAME", group).replace("PROPERTIES", "{}"), encoding="utf-8")
    thing = f"apiVersion: {group}.example/v1\nkind: Thing\nmetadata: {{name: one}}\n"
    asks = (
        f'{{{{ if .Capabilities.APIVersions.Has "{known}.example/v1/Thing" }}}}\n'
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: knows}\n"
        "data: {version: {{ .Capabilities.KubeVersion.Version | quote }}}\n{{ end }}\n"
    )
    user = write_chart(bench.scratch / "user", name="user", thing=thing, asks=asks)
    wish = (
        {"name": "user", "chart": {"ref": str(user)}, "needs": ["operator"]},
        {"name": "operator", "chart": {"ref": str(operator)}},
    )
    checked = bench.run(*wish, check=True)
    made = bench.run(*wish)
    assert "rendered without the server" in checked.facts["releases"][0]["reason"]
    version = bench.kubectl("get", "--raw", "/version")
    assert json.loads(version)["gitVersion"] in str(checked.diff)
    assert checked.diff == made.diff
    bench.run(*wish, state="absent")


def test_hooks_and_lookup_run(bench: Bench) -> None:
    looked = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: seen}\n"
        'data: {found: {{ (lookup "v1" "Namespace" "" "kube-system").metadata.name | quote }}}\n'
    )
    chart = write_chart(bench.scratch / "web", hook=HOOK, looked=looked)
    wish = {"name": "web", "chart": {"ref": str(chart)}}
    bench.run(wish)
    assert bench.kubectl("get", "configmap", "seen", "-o", "jsonpath={.data.found}") == "kube-system"
    assert bench.kubectl("get", "job", "web-hook", "-o", "jsonpath={.status.succeeded}") == "1"
    assert not bench.run(wish).changed


@pytest.fixture
def repository(bench: Bench) -> Iterator[str]:
    """A chart repository on HTTP."""
    folder = bench.scratch / "repository"
    folder.mkdir()
    chart = write_chart(bench.scratch / "packed")
    subprocess.run([bench.helm, "package", str(chart), "-d", str(folder)], check=True, capture_output=True)
    subprocess.run([bench.helm, "repo", "index", str(folder)], check=True, capture_output=True)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_arguments: t.Any) -> None:
            asked.append(self.path)

    asked: list[str] = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    assert asked.count("/web-1.0.0.tgz") == 1, "the chart is fetched once and then kept"


def test_a_repository_is_asked_once(bench: Bench, repository: str) -> None:
    chart = {"name": "web", "repository": "https://charts.unreachable.example", "version": "1.0.0"}
    wish = [{"name": name, "chart": chart} for name in ("one", "two")]
    made = bench.run(wish[0], chart_mirror=repository)
    bench.run(*wish, chart_mirror=repository)
    assert made.facts["releases"][0]["chart"] == "web 1.0.0"
    listed = info.run({"kubeconfig": str(bench.cluster.kubeconfig), "namespace": bench.namespace}, Context())
    assert [(one["name"], one["status"]) for one in listed.facts["releases"]] == [
        ("one", "deployed"),
        ("two", "deployed"),
    ]


def test_a_failure_names_the_release_and_hides_values(bench: Bench) -> None:
    chart = write_chart(bench.scratch / "web", broken='{{ fail (printf "bad %s" .Values.password) }}')
    wish = {"name": "web", "chart": {"ref": str(chart)}, "values": [{"password": CANARY}]}
    with pytest.raises(PlatformError, match=rf"cannot render release {bench.namespace}/web: .*bad \*\*\*") as failure:
        bench.run(wish, check=True)
    assert CANARY not in str(failure.value)
