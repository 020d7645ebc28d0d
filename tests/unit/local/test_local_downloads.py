"""The downloader against a local HTTP server that has the projects' layouts."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._local.binaries_download import (
    NotReachableError,
    download_tools,
    parse_checksum,
    release_urls,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._local.binaries_table import RELEASES, TOOLS, machine


def archive(member: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        info = tarfile.TarInfo(member)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


class Releases:
    """A server with every release file and the checksum beside it."""

    def __init__(self) -> None:
        system, arch = machine()
        self.files: dict[str, bytes] = {}
        self.delays: dict[str, float] = {}
        self.asked: list[str] = []
        for tool in TOOLS:
            path, checksum, member = (
                text.format(os=system, arch=arch) for text in (tool.path, tool.checksum, tool.member)
            )
            content = f"program {tool.name}".encode()
            body = archive(member, content) if member else content
            total = hashlib.sha256(body).hexdigest()
            name = path.rsplit("/", 1)[-1]
            published = {
                "kubernetes": total,
                "kwok": json.dumps({"assets": [{"name": "other"}, {"name": name, "digest": f"sha256:{total}"}]}),
            }.get(tool.project, f"{'0' * 64}  another-file\n{total}  {name}\n")
            self.files[f"/{tool.project}/{path}"] = body
            self.files[f"/{tool.checksum_project or tool.project}/{checksum}"] = published.encode()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                time.sleep(outer.delays.get(self.path, 0))
                body = outer.files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client gave up, as it should
                    self.end_headers()
                    self.wfile.write(body or b"")

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.urls = {name: f"http://127.0.0.1:{self.server.server_port}/{name}" for name in RELEASES}

    def path_of(self, end: str) -> str:
        return next(path for path in self.files if path.endswith(end))


@pytest.fixture
def releases():
    made = Releases()
    yield made
    made.server.shutdown()
    made.server.server_close()


def quietly(_line: str) -> None:
    pass


def test_every_program_is_there_verified_and_may_run(releases, tmp_path):
    lines: list[str] = []
    download_tools(tmp_path, urls=releases.urls, progress=lines.append)
    for tool in TOOLS:
        assert (tmp_path / tool.name).read_bytes() == f"program {tool.name}".encode()
        assert (tmp_path / tool.name).stat().st_mode & 0o111
        assert any(tool.name in line and "verified" in line for line in lines)
    assert {path.name for path in tmp_path.iterdir()} == {tool.name for tool in TOOLS}


@pytest.mark.parametrize("end", ["/kube-apiserver", "/kwok-{}-{}".format(*machine()), "tar.gz"])
def test_a_wrong_sum_refuses_the_file(releases, tmp_path, end):
    path = releases.path_of(end)
    releases.files[path] += b"x"
    with pytest.raises(PlatformError, match="damaged or was replaced") as failure:
        download_tools(tmp_path, urls=releases.urls, progress=quietly)
    assert not isinstance(failure.value, NotReachableError), "a build must not hide this"
    assert path.rsplit("/", 1)[-1] in failure.value.message
    assert not list(tmp_path.glob(".*")), "the damaged file stays"


def test_without_a_checksum_nothing_is_downloaded(releases, tmp_path):
    del releases.files[releases.path_of("kube-scheduler.sha256")]
    with pytest.raises(NotReachableError, match=r"kube-scheduler\.sha256.*404"):
        download_tools(tmp_path, urls=releases.urls, progress=quietly)
    programs = {path for path, content in releases.files.items() if len(content) < 64 or b"\0" in content}
    assert not programs & set(releases.asked)
    assert not list(tmp_path.iterdir())


def test_a_missing_program_is_not_reachable(releases, tmp_path):
    del releases.files[releases.path_of("/kubectl")]
    with pytest.raises(NotReachableError, match=r"kubectl.*404"):
        download_tools(tmp_path, urls=releases.urls, progress=quietly)


def test_a_slow_answer_costs_no_more_than_the_limit(releases, tmp_path):
    releases.delays = dict.fromkeys(releases.files, 5.0)
    begun = time.monotonic()
    with pytest.raises(NotReachableError, match=r"no answer within 0\.3 s|timed out"):
        download_tools(tmp_path, urls=releases.urls, progress=quietly, answer_seconds=0.3)
    assert time.monotonic() - begun < 4.9


def test_a_file_that_stalls_is_not_reachable(releases, tmp_path):
    releases.delays = {releases.path_of("/kube-apiserver"): 5.0}
    with pytest.raises(NotReachableError, match=r"kube-apiserver.*timed out"):
        download_tools(tmp_path, urls=releases.urls, progress=quietly, stall_seconds=0.3)


def test_an_archive_without_the_program_is_refused(releases, tmp_path):
    path = releases.path_of("tar.gz")
    releases.files[path] = archive("README", b"hello")
    checksum = releases.path_of("SHA256SUMS")
    name = path.rsplit("/", 1)[-1]
    releases.files[checksum] = f"{hashlib.sha256(releases.files[path]).hexdigest()}  {name}\n".encode()
    with pytest.raises(PlatformError, match="holds no file"):
        download_tools(tmp_path, urls=releases.urls, progress=quietly)


def test_nobody_there(tmp_path):
    urls = dict.fromkeys(RELEASES, "http://127.0.0.1:9/")
    with pytest.raises(NotReachableError, match="refused"):
        download_tools(tmp_path, urls=urls, progress=quietly)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A" * 64, "a" * 64),
        (f"{'b' * 64}\n", "b" * 64),
        (f"{'c' * 64}  other\n{'d' * 64}  file\n", "d" * 64),
        (f"{'c' * 64}  other\n{'d' * 64} *file\n", "d" * 64),
    ],
)
def test_checksum_files(text, found):
    assert parse_checksum(text, "file", "address") == found


@pytest.mark.parametrize(
    "text",
    ["", "<html>not found</html>", "d41d8cd9  file", "{}", f"{'c' * 64}  other", '{"assets": [{"name": "file"}]}'],
)
def test_no_checksum(text):
    with pytest.raises(PlatformError, match="address holds no SHA-256 of file"):
        parse_checksum(text, "file", "address")


def test_addresses_come_from_option_environment_default(monkeypatch):
    monkeypatch.setenv("AIPLATFORM_ETCD_URL", "https://mirror/etcd")
    monkeypatch.setenv("AIPLATFORM_HELM_URL", "https://mirror/helm")
    urls = release_urls(RELEASES, {"helm": "https://other/helm"})
    assert urls == {**RELEASES, "etcd": "https://mirror/etcd", "helm": "https://other/helm"}
    with pytest.raises(PlatformError, match="names kubernetis; known are etcd, helm, kubernetes, kwok"):
        release_urls(RELEASES, {"kubernetis": "x"})
