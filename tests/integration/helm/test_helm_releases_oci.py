"""Charts of an OCI registry, pulled by the real helm: by reference and through a mirror, kept by their digest."""

from __future__ import annotations

import subprocess
import typing as t
from collections.abc import Iterator

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from helm_bench import SECRET, Bench, actions, write_chart
from helm_registry import Registry, registry

VERSION = "1.0.0"


@pytest.fixture
def charts(bench: Bench) -> Iterator[Registry]:
    chart = write_chart(bench.scratch / "web", secret=SECRET)
    subprocess.run([bench.helm, "package", str(chart), "-d", str(bench.scratch)], check=True, capture_output=True)
    with registry() as running:
        running.push("charts/web", VERSION, (bench.scratch / f"web-{VERSION}.tgz").read_bytes())
        yield running


def blobs(charts: Registry) -> int:
    """How often an archive or its configuration was fetched."""
    return sum("/blobs/" in path for path in charts.asked)


def test_a_registrys_chart_is_fetched_once_and_kept_by_its_digest(bench: Bench, charts: Registry) -> None:
    chart = {"ref": f"oci://{charts.host}/charts/web", "version": VERSION}
    wish: dict[str, t.Any] = {"name": "web", "chart": chart}
    assert actions(bench.run(wish, plain_http=True)) == ["install"]
    assert f"/v2/charts/web/manifests/{VERSION}" in charts.asked
    fetched = len(charts.asked)
    assert not bench.run(wish, plain_http=True).changed
    assert actions(bench.run({**wish, "values": [{"password": "new"}]}, plain_http=True)) == ["upgrade"]
    assert len(charts.asked) == fetched, "what is kept is not asked for again"

    (archive,) = (bench.scratch / "cache").rglob("*.tgz")
    archive.write_bytes(b"damaged")
    assert actions(bench.run({**wish, "values": [{"password": "newer"}]}, plain_http=True)) == ["upgrade"]
    assert len(charts.asked) > fetched, "what is damaged is fetched again"


def test_a_registry_as_mirror_replaces_every_repository(bench: Bench, charts: Registry) -> None:
    chart = {"name": "web", "repository": "https://charts.invalid", "version": VERSION}
    made = bench.run({"name": "web", "chart": chart}, chart_mirror=f"oci://{charts.host}/charts/", plain_http=True)
    assert made.facts["releases"][0]["chart"] == f"web {VERSION}"
    assert blobs(charts) > 0


def test_what_a_registry_lacks_is_said(bench: Bench, charts: Registry) -> None:
    wish = {"name": "web", "chart": {"ref": f"oci://{charts.host}/charts/web", "version": "9.9.9"}}
    with pytest.raises(PlatformError, match=r"cannot fetch chart web 9\.9\.9: .*not found"):
        bench.run(wish, plain_http=True)
    with pytest.raises(PlatformError, match="cannot fetch chart web 1"):
        bench.run({"name": "web", "chart": {**wish["chart"], "version": VERSION}})  # TLS is the default
