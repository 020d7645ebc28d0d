"""The run folder: private, whole or not at all, and forgiving about what it finds."""

from __future__ import annotations

import json
import shutil
import stat
from collections import namedtuple

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._local.control_plane_secrets import (
    IDENTITIES,
    write_secrets,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._local.processes import Process
from ansible_collections.aiplatform.eks.plugins.module_utils._local.run_folder import CloudState, RunFolder
from cryptography import x509

STATE = CloudState(
    versions={"etcd": "3"}, binaries="/b", region="r", ports={"etcd": 1}, processes={"etcd": Process(7, "9")}, stages={}
)
Usage = namedtuple("Usage", "total used free")


def test_the_state_comes_back_as_it_was(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write(STATE)
    assert folder.read() == STATE
    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"format": 0}', '{"format": 1, "processes": {"etcd": {"pid": 1}}}']
)
def test_a_state_that_cannot_be_read_is_none(tmp_path, text):
    (tmp_path / "state.json").write_text(text)
    assert RunFolder(tmp_path).read() == CloudState()
    assert RunFolder(tmp_path / "nowhere").read() == CloudState()


def test_a_write_that_fails_keeps_what_was_there(tmp_path, monkeypatch):
    folder = RunFolder(tmp_path)
    folder.write(STATE)

    def full(*arguments, **options):
        raise OSError(28, "No space left on device", str(tmp_path))

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(PlatformError, match=r"state\.json cannot be written: the disk is full"):
        folder.write(CloudState())
    assert folder.read() == STATE
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_preparing_makes_it_private_and_empty_but_for_logs(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.prepare()
    folder.write(STATE)
    folder.log("etcd").write_text("log")
    for path in (folder.etcd, folder.tokens, folder.kubeconfig("user")):
        path.mkdir() if path == folder.etcd else path.write_text("x")
    folder.path.chmod(0o755)
    folder.prepare()
    assert {path.name for path in folder.path.iterdir()} == {"logs", "pki"}
    assert folder.log("etcd").exists()
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_a_nearly_full_disk_is_said_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 30, 1 << 30, 100 << 20))
    with pytest.raises(PlatformError, match="has 100 MiB left, the local cloud needs 512 MiB: make room, or give"):
        RunFolder(tmp_path / "run").prepare()


def test_a_file_in_the_way_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(PlatformError, match=r"the run folder .* cannot be used"),
        RunFolder(tmp_path / "file/x").locked(),
    ):
        pass


def test_secrets_are_private_anew_each_time_and_of_use(tmp_path):
    folder = RunFolder(tmp_path)
    folder.prepare()
    write_secrets(folder, endpoint="https://127.0.0.1:1")
    first = folder.tokens.read_text()
    for path in [*folder.pki.iterdir(), folder.tokens, *map(folder.kubeconfig, IDENTITIES)]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert ',admin,admin,"system:masters"\n' in first
    assert ',user,user,""\n' in first
    config = json.loads(folder.kubeconfig("readonly").read_text())
    assert config["users"][0]["user"]["token"] in first
    server = x509.load_pem_x509_certificate((folder.pki / "server.crt").read_bytes())
    server.verify_directly_issued_by(x509.load_pem_x509_certificate(folder.authority.read_bytes()))
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "127.0.0.1" in [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    write_secrets(folder, endpoint="https://127.0.0.1:1")
    assert folder.tokens.read_text() != first
