"""A start on a machine without the programs: the build is followed in a log, its failure leaves nothing."""

from __future__ import annotations

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._local.processes import strays


def test_no_programs_and_no_way_to_them(tmp_path, monkeypatch, converge_local_cloud):
    go = tmp_path / "path/go"
    go.parent.mkdir()
    go.write_text("#!/bin/sh\n[ $1 = env ] && echo go1.30.0 && exit\necho 'no module proxy' >&2\nexit 1\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    nobody = dict.fromkeys(("kubernetes", "etcd", "kwok", "kwok-checksums", "helm"), "http://127.0.0.1:9")
    planned = converge_local_cloud(tmp_path / "run", check_mode=True, download_urls=nobody)
    assert planned["steps"][0].startswith("create Kubernetes programs")
    with pytest.raises(PlatformError, match="no way to get one") as failure:
        converge_local_cloud(tmp_path / "run", download_urls=nobody)
    assert "go install ended with 1: no module proxy" in failure.value.message
    followed = (tmp_path / "run/logs/programs.log").read_text()
    assert "the official releases cannot be had from here" in followed
    assert "building 7 programs" in followed
    assert strays(tmp_path / "run") == []
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"lock", "logs"}
