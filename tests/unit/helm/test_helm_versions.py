"""What helm 3 and helm 4 are told: the same, but for what helm 3 does not know."""

from __future__ import annotations

import shlex
import typing as t
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.process import Helm
from ansible_collections.aiplatform.eks.plugins.module_utils._helm.releases import ChartWish, release_of

PROGRAM = """#!/bin/sh
printf '%s\\n' "$*" >> {log}
case "$1" in
  version) echo {version} ;;
  pull) while [ "$1" != --destination ]; do shift; done; touch "$2/web-1.0.0.tgz" ;;
  *) echo 'a warning'; echo '{{"manifest": "kind: A"}}' ;;
esac
"""
UNREADABLE = """#!/bin/sh
printf '%s\\n' "$*" >> {log}
case "$1" in
  get) echo "kind: Stored" ;;
  *) echo 'a warning of {{braces}}'; {answer} ;;
esac
"""
CONNECTION = {"host": "https://127.0.0.1:1", "validate_certs": False}


@pytest.fixture(params=["v3.19.0", "v4.2.4"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> t.Any:
    """(major version, a helm that writes down what it is told, what it was told)."""
    log, program = tmp_path / "log", tmp_path / "helm"
    program.write_text(PROGRAM.format(log=shlex.quote(str(log)), version=request.param), encoding="utf-8")
    program.chmod(0o755)
    return int(request.param[1]), program, lambda: log.read_text(encoding="utf-8").splitlines()


def release(**options: t.Any) -> t.Any:
    return release_of({"name": "web", "namespace": "prod", "chart": {"ref": "./web"}, **options})


def test_conflicts_are_forced_only_where_helm_knows_them(told: t.Any) -> None:
    major, program, lines = told
    with Helm(CONNECTION, str(program)) as helm:
        assert helm.deploy(release(force_conflicts=True), Path("web"), digest="d1") == "kind: A"
    (upgrade,) = (line for line in lines() if line.startswith("upgrade"))
    assert ("--force-conflicts" in upgrade) is (major == 4)
    assert "--labels aiplatform.eks/chart-digest=d1" in upgrade


def test_a_plain_deployment_is_one_process_of_either_version(told: t.Any) -> None:
    _major, program, lines = told
    with Helm(CONNECTION, str(program)) as helm:
        helm.deploy(release(values=[{"password": "hunter22"}]), Path("web"), digest="")
    (upgrade,) = lines()
    assert {"--wait", "--wait-for-jobs", "--reset-values", "--create-namespace"} <= set(upgrade.split())
    assert "hunter22" not in upgrade
    with Helm(CONNECTION, str(program)) as helm:
        helm.deploy(release(wait=False, crds="apply"), Path("web"), digest="")
    assert "--wait" not in lines()[-1]
    assert "--skip-crds" in lines()[-1]


def test_tls_is_left_out_for_registries_only_and_only_when_said(told: t.Any, tmp_path: Path) -> None:
    _major, program, lines = told
    registry = ChartWish(ref="oci://127.0.0.1:1/charts/web", version="1.0.0")
    repository = ChartWish(name="web", repository="http://127.0.0.1:1", version="1.0.0")
    for number, (chart, plain, expected) in enumerate(
        [(registry, True, True), (registry, False, False), (repository, True, False)]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Helm(CONNECTION, str(program), plain_http=plain) as helm:
            assert helm.pull(chart, folder) == folder / "web-1.0.0.tgz"
        assert ("--plain-http" in lines()[-1]) is expected


@pytest.mark.parametrize(
    ("answer", "manifest", "asked"),
    [
        ('echo \'{"manifest": "kind: A"}\'', "kind: A", ["upgrade"]),
        ("echo '{\"manifest\": cut'", "kind: Stored", ["upgrade", "get"]),
        ("true", "kind: Stored", ["upgrade", "get"]),
    ],
)
def test_a_deployment_whose_answer_is_unreadable_has_happened(
    answer: str, manifest: str, asked: list[str], tmp_path: Path
) -> None:
    log, program = tmp_path / "log", tmp_path / "helm"
    program.write_text(UNREADABLE.format(log=shlex.quote(str(log)), answer=answer), encoding="utf-8")
    program.chmod(0o755)
    with Helm(CONNECTION, str(program)) as helm:
        assert helm.deploy(release(), Path("web"), digest="").strip() == manifest
    assert [line.split()[0] for line in log.read_text(encoding="utf-8").splitlines()] == asked


def test_when_not_even_the_record_can_be_read_it_says_that_it_is_deployed(tmp_path: Path) -> None:
    program = tmp_path / "helm"
    program.write_text("#!/bin/sh\n[ $1 = upgrade ] || { echo 'Error: gone' >&2; exit 1; }\n", encoding="utf-8")
    program.chmod(0o755)
    with (
        Helm(CONNECTION, str(program)) as helm,
        pytest.raises(PlatformError, match="release prod/web, which is deployed: gone"),
    ):
        helm.deploy(release(), Path("web"), digest="")
