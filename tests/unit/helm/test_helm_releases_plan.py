from __future__ import annotations

import base64
import gzip
import json
import typing as t
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.charts import (
    ChartCache,
    content_digest,
    identity_of,
    source_of,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.decisions import ChartIdentity, decide
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.process import find_helm
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.records import (
    ReleaseRecord,
    decode,
    histories,
    read_histories,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.releases import (
    ChartWish,
    merge_values,
    ordered,
    release_of,
    same_values,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.rendering import changes, objects_of
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.errors import KubeApiError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NOW = 10_000.0
WEB = ChartIdentity("web", "1.0.0")
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
MAPPINGS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


def release(**options: t.Any) -> t.Any:
    chart = {"name": "web", "repository": "https://charts.example", "version": "1.0.0"}
    return release_of({"name": "web", "namespace": "prod", "chart": chart, **options})


def record(revision: int = 1, status: str = "deployed", **more: t.Any) -> ReleaseRecord:
    known = {"chart_name": "web", "chart_version": "1.0.0", "app_version": "", "values": {}, "manifest": ""}
    return ReleaseRecord("web", "prod", revision, status, **{**known, **more})


def decision(wish: t.Any, *records: ReleaseRecord, identity: ChartIdentity | None = WEB) -> t.Any:
    history = histories(records).get(("prod", "web"))
    return decide(wish, history, identity, now=NOW)


@pytest.mark.parametrize(
    ("parts", "merged"),
    [
        ([{"a": {"b": 1}}, {"a": {"c": 2}}], {"a": {"b": 1, "c": 2}}),
        ([{"a": [1, 2]}, {"a": [3]}], {"a": [3]}),
        ([{"a": {"b": 1}}, {"a": None}], {"a": None}),
        ([{"a": 1}, {"a": {"b": 2}}], {"a": {"b": 2}}),
    ],
)
def test_values_are_merged_as_helm_does(parts: t.Any, merged: t.Any) -> None:
    assert merge_values(parts) == merged


@settings(max_examples=50, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MAPPINGS, MAPPINGS, MAPPINGS)
def test_merging_is_associative_and_the_last_scalar_wins(one: t.Any, two: t.Any, three: t.Any) -> None:
    assert merge_values([merge_values([one, two]), three]) == merge_values([one, two, three])
    merged = merge_values([one, two])
    assert all(merged[key] == value for key, value in two.items() if not isinstance(value, dict))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": True}, {"a": 1}, False),
        ({"a": 2**53 + 1}, {"a": float(2**53)}, True),
        ({"a": [1, {"b": None}]}, {"a": [1.0, {"b": None}]}, True),
        ({"a": [False]}, {"a": [0]}, False),
        ({"a": None}, {}, False),
        ({"a": "1"}, {"a": 1}, False),
    ],
)
def test_values_are_compared_as_helm_understands_them(one: t.Any, other: t.Any, *, same: bool) -> None:
    for before, after in ((one, other), (other, one)):
        assert same_values(before, after) is same


@settings(max_examples=50, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MAPPINGS)
def test_a_record_gives_back_the_values_that_went_in(values: t.Any) -> None:
    assert same_values(decode(secret(config=values)).values, values)


@pytest.mark.parametrize(
    ("wish", "records", "action", "recover", "reason"),
    [
        (release(), [], "install", "", ""),
        (release(), [record()], "none", "", ""),
        (release(), [record(status="uninstalled")], "install", "", ""),
        (release(values=[{"a": 1}]), [record()], "upgrade", "", "values of a differ"),
        (release(), [record(chart_version="0.9.0")], "upgrade", "", "chart web 0.9.0 -> web 1.0.0"),
        (release(), [record(), record(2, "failed")], "upgrade", "", "revision 2 is failed: tried again"),
        (release(), [record(1, "failed")], "install", "uninstall", "revision 1 is failed: removed"),
        (release(), [record(), record(2, "pending-upgrade")], "upgrade", "rollback", "rolled back to revision 1"),
        (release(), [record(1, "pending-install")], "install", "uninstall", "revision 1 is pending-install: removed"),
        (release(state="absent"), [record()], "uninstall", "", ""),
        (release(state="absent"), [], "none", "", ""),
    ],
)
def test_what_happens_to_a_release(wish: t.Any, records: t.Any, action: str, recover: str, reason: str) -> None:
    found = decision(wish, *records)
    assert (found.action, found.recover) == (action, recover)
    assert reason in found.reason


def test_the_content_of_a_local_chart_counts() -> None:
    same = ChartIdentity("web", "1.0.0", "abc")
    assert decision(release(), record(digest="abc"), identity=same).action == "none"
    changed = decision(release(), record(digest="xyz"), identity=same)
    assert changed.reason == "the chart's content differs"


def test_an_operation_of_another_helm_is_not_disturbed() -> None:
    with pytest.raises(PlatformError, match="another helm began pending-upgrade 100 s ago"):
        decision(release(), record(2, "pending-upgrade", modified=NOW - 100))


def test_how_long_another_helm_may_take_follows_from_the_releases_timeout() -> None:
    def pending(seconds: float) -> tuple[ReleaseRecord, ReleaseRecord]:
        return record(), record(2, "pending-upgrade", modified=NOW - seconds)

    with pytest.raises(PlatformError, match=r"began pending-upgrade 5000 s ago.*dead after 5430 s"):
        decision(release(timeout=1800), *pending(5000))
    assert decision(release(timeout=1800), *pending(5500)).recover == "rollback"
    assert decision(release(timeout=60), *pending(300)).recover == "rollback"
    told = decide(release(timeout=1800), histories(pending(20))["prod", "web"], WEB, now=NOW, pending_timeout=10)
    assert told.recover == "rollback"


def test_a_reason_names_keys_and_never_values() -> None:
    found = decision(release(values=[{"password": "canary-after"}]), record(values={"password": "canary-before"}))
    assert found.reason == "values of password differ"


def test_waves_follow_the_needs() -> None:
    names = [("a", []), ("b", ["a"]), ("c", ["prod/b"]), ("d", [])]
    waves = ordered([release(name=name, needs=needs) for name, needs in names])
    assert [[one.name for one in wave] for wave in waves] == [["a", "d"], ["b"], ["c"]]


@pytest.mark.parametrize(
    ("releases", "sentence"),
    [
        ([("a", ["b"]), ("b", ["a"])], "releases need each other in a circle: prod/a and prod/b"),
        ([("web", []), ("x", ["wep"])], r"unknown release 'wep'.*did you mean 'web'\?"),
        ([("a", []), ("a", [])], "releases stand twice: prod/a"),
    ],
)
def test_impossible_needs_are_refused(releases: t.Any, sentence: str) -> None:
    with pytest.raises(PlatformError, match=sentence):
        ordered([release(name=name, needs=needs) for name, needs in releases])


@pytest.mark.parametrize(
    ("chart", "sentence"),
    [
        ({}, "needs either ref"),
        ({"ref": "./x", "name": "x"}, "needs either ref"),
        ({"name": "x", "version": "1"}, "needs its repository"),
        ({"name": "x", "repository": "https://r"}, "needs an exact version"),
        ({"ref": "oci://r/x"}, "needs an exact version"),
    ],
)
def test_an_unclear_chart_is_refused(chart: t.Any, sentence: str) -> None:
    with pytest.raises(PlatformError, match=sentence):
        release(chart=chart)


def secret(**body: t.Any) -> dict[str, t.Any]:
    release_body = {
        "name": "web",
        "namespace": "prod",
        "version": 3,
        "info": {"status": "deployed"},
        "chart": {"metadata": {"name": "web", "version": "1.0.0"}},
        "config": {"a": None},
        "manifest": "x",
        **body,
    }
    packed = base64.b64encode(gzip.compress(json.dumps(release_body).encode()))
    labels = {"name": "web", "modifiedAt": "12", "aiplatform.eks/chart-digest": "abc"}
    return {
        "metadata": {"name": "sh.helm.release.v1.web.v3", "namespace": "prod", "labels": labels},
        "data": {"release": base64.b64encode(packed).decode()},
    }


def test_a_record_is_decoded() -> None:
    found = decode(secret())
    assert (found.revision, found.status, found.chart, found.values) == (3, "deployed", "web 1.0.0", {"a": None})
    assert (found.digest, found.modified) == ("abc", 12.0)


def test_a_damaged_record_is_named() -> None:
    with pytest.raises(PlatformError, match=r"release record prod/sh.helm.release.v1.web.v3 cannot be read"):
        decode({**secret(), "data": {"release": "bm90IGd6aXA="}})


@dataclass
class Server:
    """Answers a LIST of secrets; the whole cluster's is forbidden to some."""

    secrets: list[dict[str, t.Any]]
    whole: bool = True
    asked: list[str] = field(default_factory=list)

    def request(self, _method: str, path: str, *, query: dict[str, t.Any]) -> t.Any:
        self.asked.append(f"{path} {query.get('continue') or ''}".strip())
        if path == "/api/v1/secrets" and not self.whole:
            raise KubeApiError("forbidden", status=403)
        page = int(query.get("continue") or 0)
        following = str(page + 1) if page + 1 < len(self.secrets) else None
        body = {"items": self.secrets[page : page + 1], "metadata": {"continue": following}}
        return SimpleNamespace(body=body)


def test_records_are_read_page_by_page_and_strangers_are_not_decoded() -> None:
    stranger = {"metadata": {"name": "x", "namespace": "prod", "labels": {"name": "other"}}, "data": {}}
    server = Server([stranger, secret()])
    found = read_histories(t.cast("t.Any", server), [("prod", "web")])
    assert list(found) == [("prod", "web")]
    assert server.asked == ["/api/v1/secrets", "/api/v1/secrets 1"]


def test_without_the_right_to_all_secrets_the_namespaces_are_asked() -> None:
    server = Server([secret()], whole=False)
    found = read_histories(t.cast("t.Any", server), [("prod", "web"), ("prod", "api")])
    assert found["prod", "web"].newest.revision == 3
    assert server.asked == ["/api/v1/secrets", "/api/v1/namespaces/prod/secrets"]


def test_a_diff_shows_what_differs_with_secrets_masked() -> None:
    old = "kind: Secret\nmetadata: {name: s}\ndata: {p: b2xk}\n---\nkind: A\nmetadata: {name: same}\n"
    new = "kind: Secret\nmetadata: {name: s}\ndata: {p: bmV3}\n---\nkind: A\nmetadata: {name: same}\n"
    before, after = changes(
        objects_of(old, namespace="prod", source="old"), objects_of(new, namespace="prod", source="new")
    )
    assert list(before) == list(after) == ["Secret prod/s"]
    assert "b2xk" not in str(before)
    assert before["Secret prod/s"]["data"] != after["Secret prod/s"]["data"]


def test_a_manifest_is_read_as_helm_reads_it() -> None:
    text = (
        "kind: ConfigMap\nmetadata: {name: a, name: b}\ndata: {on: 012}\n---\nkind: List\nitems: [{kind: B}, 1]\n---\n"
    )
    found = objects_of(text, namespace="prod", source="a test")
    assert found["ConfigMap prod/b"]["data"] == {"true": 10}
    assert list(found) == ["ConfigMap prod/b", "B prod/None"]


def write_chart(folder: Path, version: str = "1.0.0", text: str = "x") -> Path:
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(f"name: web\nversion: {version}\n", encoding="utf-8")
    (folder / "templates/a.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_directorys_digest_follows_its_content(tmp_path: Path) -> None:
    one, same = write_chart(tmp_path / "one"), write_chart(tmp_path / "same")
    other = write_chart(tmp_path / "other", text="y")
    assert content_digest(one) == content_digest(same) != content_digest(other)
    wish = release(chart={"ref": str(one)})
    assert identity_of(wish, source_of(wish, "")).digest == content_digest(one)


def test_a_mirror_directory_replaces_the_repository(tmp_path: Path) -> None:
    write_chart(tmp_path / "web-1.0.0")
    assert source_of(release(), str(tmp_path)).path == tmp_path / "web-1.0.0"
    wish = release(chart={"name": "api", "repository": "https://r", "version": "2.0.0"})
    with pytest.raises(PlatformError, match=r"holds none of api-2.0.0.tgz, api-2.0.0, api"):
        source_of(wish, str(tmp_path))
    assert source_of(wish, "oci://mirror/charts").pull == ChartWish(ref="oci://mirror/charts/api", version="2.0.0")
    assert source_of(wish, "https://mirror").pull == ChartWish(name="api", repository="https://mirror", version="2.0.0")


def test_a_mirror_with_another_version_is_refused(tmp_path: Path) -> None:
    write_chart(tmp_path / "web", version="0.9.0")
    with pytest.raises(PlatformError, match=r"holds version 0.9.0, wanted is 1.0.0"):
        identity_of(release(), source_of(release(), str(tmp_path)))


def test_a_chart_is_fetched_once_and_again_when_it_was_damaged(tmp_path: Path) -> None:
    pulled: list[str] = []

    def pull(chart: ChartWish, folder: Path) -> Path:
        pulled.append(str(chart))
        target = folder / "web-1.0.0.tgz"
        target.write_bytes(b"archive")
        return target

    cache, chart = ChartCache(tmp_path), release().chart
    first = cache.fetch(chart, pull)
    assert cache.fetch(chart, pull) == first
    first.write_bytes(b"damaged")
    assert cache.fetch(chart, pull).read_bytes() == b"archive"
    assert pulled == ["web 1.0.0", "web 1.0.0"]


def test_a_missing_helm_is_said_with_the_ways_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    with pytest.raises(PlatformError, match="helm cannot be found; name it in helm_binary"):
        find_helm(None)
