"""Every way to log in, against real servers where one can be had: exec plugins, tokens, EKS, OpenShift's OAuth flow."""

from __future__ import annotations

import base64
import json
import threading
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.connection import load_configuration
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.eks_login import eks_login
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.openshift_login import openshift_token
from k8s_apply_harness import Sets
from moto import mock_aws
from moto.eks.models import eks_backends

pytestmark = pytest.mark.cluster


def cluster_of(sets: Sets, tmp_path: Path) -> tuple[str, Path, str]:
    """The server, its authority as a file, and the user's token."""
    config = json.loads(sets.kubectl("config", "view", "--raw", "--flatten", "-o", "json"))
    authority = tmp_path / "ca.pem"
    authority.write_bytes(base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]))
    token = next(user["user"]["token"] for user in config["users"])
    return config["clusters"][0]["cluster"]["server"], authority, token


def test_host_authority_and_token(sets: Sets, tmp_path: Path) -> None:
    server, authority, token = cluster_of(sets, tmp_path)
    options = {"host": server, "ca_cert": str(authority), "api_key": token}
    assert KubeClient(options).request("GET", "/api/v1/namespaces/default").body["kind"] == "Namespace"
    with pytest.raises(PlatformError, match="Unauthorized"):
        KubeClient({**options, "api_key": "wrong"}).request("GET", "/api/v1/namespaces/default")


def test_an_exec_login_runs_once_and_again_after_a_refusal(sets: Sets, tmp_path: Path) -> None:
    server, authority, token = cluster_of(sets, tmp_path)
    calls, wrong = tmp_path / "calls", tmp_path / "wrong"
    plugin = tmp_path / "login"
    credential = (
        '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "%s"}}'
    )
    plugin.write_text(
        f"#!/bin/sh\necho x >> {calls}\nif [ -e {wrong} ]; then rm {wrong}; echo '{credential % 'expired'}'\n"
        f"else echo '{credential % token}'; fi\n"
    )
    plugin.chmod(0o700)
    exec_login = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority": str(authority)}}],
                "users": [{"name": "u", "user": {"exec": exec_login}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )
    client = KubeClient({"kubeconfig": str(kubeconfig)})
    for _other in range(5):
        client.request("GET", "/api/v1/namespaces/default")
    assert calls.read_text().count("x") == 1
    calls.write_text("")
    wrong.touch()
    client = KubeClient({"kubeconfig": str(kubeconfig)})
    assert client.request("GET", "/api/v1/namespaces/default").status == 200
    assert calls.read_text().count("x") == 2


def test_what_cannot_be_used_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBECONFIG", "K8S_AUTH_KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(PlatformError, match="no cluster is named"):
        load_configuration({})
    with pytest.raises(PlatformError, match="cannot log in with"):
        load_configuration({"kubeconfig": str(tmp_path / "none")})


@mock_aws
def test_an_eks_cluster_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-key")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    network = {"subnetIds": ["subnet-1", "subnet-2"]}
    eks = boto3.client("eks", region_name="eu-west-1")
    eks.create_cluster(name="prod", roleArn="arn:aws:iam::123456789012:role/r", resourcesVpcConfig=network)
    with pytest.raises(PlatformError, match="is no PEM text"):  # moto's own answer
        eks_login(cluster="prod", region="eu-west-1", profile=None)
    made = eks_backends["123456789012"]["eu-west-1"].clusters["prod"]
    made.certificate_authority = {"data": base64.b64encode(b"-----BEGIN CERTIFICATE-----").decode()}
    login = eks_login(cluster="prod", region="eu-west-1", profile=None)
    assert login.endpoint.startswith("https://")
    assert login.authority == "-----BEGIN CERTIFICATE-----"
    assert login.token not in repr(login)
    assert login.token.startswith("k8s-aws-v1.")
    signed = login.token.removeprefix("k8s-aws-v1.")
    url = urlparse(base64.urlsafe_b64decode(signed + "=" * (-len(signed) % 4)).decode())
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert url.netloc == "sts.eu-west-1.amazonaws.com"
    assert query["Action"] == "GetCallerIdentity"
    assert query["X-Amz-Expires"] == "60"
    assert query["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert "hidden-key" not in url.query
    with pytest.raises(PlatformError, match="there is no EKS cluster none in eu-west-1"):
        eks_login(cluster="none", region="eu-west-1", profile=None)


@contextmanager
def openshift() -> Iterator[str]:
    """The OAuth server of an OpenShift cluster, as its documentation describes the challenge flow."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            base = f"http://{self.headers['Host']}"
            if self.path == "/.well-known/oauth-authorization-server":
                self.reply(200, {"authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token"})
            elif self.headers.get("authorization") == "Basic " + base64.b64encode(b"anna:right").decode():
                self.reply(302, {}, Location=f"{base}/implicit?code=c0de&state=1")
            else:
                self.reply(401, {})

        def do_POST(self) -> None:
            given = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            assert given["code"] == ["c0de"]
            self.reply(200, {"access_token": "sha256~token", "expires_in": 86400, "scope": "user:full"})

        def reply(self, status: int, body: t.Any, **headers: str) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_words: t.Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def test_an_openshift_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    with openshift() as host:
        configuration = load_configuration({"host": host, "username": "anna", "password": "right"})
        assert configuration.get_api_key_with_prefix("authorization") == "Bearer sha256~token"
        with pytest.raises(PlatformError) as caught:
            openshift_token(host=host, username="anna", password="wrong-word", verify=True, ca_cert=None)
        assert caught.value.message == f"cannot log in to OpenShift at {host} as anna: Authorization failed."
        assert "wrong-word" not in str(caught.value)
