"""A real control plane for the session: etcd, API server, controllers, scheduler, and kwok for nodes and pods.

Each pytest worker starts its own, on free ports, and leaves no process behind.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
STAGES = ROOT / "roles/local_cloud/files/stages"
IDENTITIES = {
    "kubeconfig": ("admin", "system:masters"),
    "kubeconfig_user": ("user", ""),
    "kubeconfig_readonly": ("readonly", ""),
}
RBAC = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: test-user}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: user}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: test-readonly}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: readonly}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: test-nodes-reader}
rules: [{apiGroups: [""], resources: [nodes], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: test-readonly-nodes}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: test-nodes-reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: readonly}]
"""


@dataclass(frozen=True)
class Cluster:
    """Where the session's cluster is."""

    kubeconfig: Path
    kubeconfig_user: Path
    kubeconfig_readonly: Path
    bin: Path


def _binaries() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "aiplatform-eks/controlplane"
    for folder in (Path(os.environ.get("KUBEBUILDER_ASSETS") or "none"), *sorted(cache.glob("*"))):
        if (folder / "kube-apiserver").exists():
            return folder
    found = shutil.which("kube-apiserver")
    assert found, "no kube-apiserver: set KUBEBUILDER_ASSETS"
    return Path(found).parent


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A complete control plane, torn down at the end of the session."""
    home, binaries = tmp_path_factory.mktemp("cluster"), _binaries()
    etcd, peer, api, kcm, scheduler = _free_ports(5)
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (home / f"{name}.log").open("wb") as log:
            child = subprocess.Popen([binaries / name, *arguments], stdout=log, stderr=log)
        started.append(child)
        return child

    def kubectl(*arguments: str, text: str = "") -> int:
        command = [binaries / "kubectl", "--kubeconfig", home / "kubeconfig", *arguments]
        return subprocess.run(command, input=text.encode(), capture_output=True, check=False).returncode

    tokens = {user: secrets.token_hex(16) for user, _group in IDENTITIES.values()}
    (home / "tokens.csv").write_text(
        "".join(f'{tokens[user]},{user},{user},"{group}"\n' for user, group in IDENTITIES.values())
    )
    subprocess.run(["openssl", "genrsa", "-out", home / "sa.key", "2048"], check=True, capture_output=True)
    for name, (user, _group) in IDENTITIES.items():
        (home / name).write_text(f"""
apiVersion: v1
kind: Config
clusters: [{{name: t, cluster: {{server: "https://127.0.0.1:{api}", certificate-authority: {home}/pki/apiserver.crt}}}}]
users: [{{name: {user}, user: {{token: "{tokens[user]}"}}}}]
contexts: [{{name: t, context: {{cluster: t, user: {user}}}}}]
current-context: t
""")
    try:
        start(
            "etcd", f"--data-dir={home}/etcd", "--unsafe-no-fsync", "--log-level=warn",
            f"--listen-client-urls=http://127.0.0.1:{etcd}", f"--advertise-client-urls=http://127.0.0.1:{etcd}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}", f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
        )  # fmt: skip
        apiserver = start(
            "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{etcd}", "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1", f"--secure-port={api}", f"--cert-dir={home}/pki",
            f"--token-auth-file={home}/tokens.csv", "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={home}/sa.key",
            f"--service-account-signing-key-file={home}/sa.key", "--service-cluster-ip-range=10.96.0.0/16",
            "--endpoint-reconciler-type=none", "--allow-privileged",
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while kubectl("get", "--raw", "/readyz"):
            assert apiserver.poll() is None, (home / "kube-apiserver.log").read_text()[-2000:]
            assert time.monotonic() < deadline, f"the API server is not ready after 60 s, see {home}"
            time.sleep(0.1)
        start(
            "kube-controller-manager", f"--kubeconfig={home}/kubeconfig", "--bind-address=127.0.0.1",
            f"--secure-port={kcm}", f"--cert-dir={home}/pki-kcm", "--leader-elect=false",
            f"--service-account-private-key-file={home}/sa.key", f"--root-ca-file={home}/pki/apiserver.crt",
            "--kube-api-qps=1000", "--kube-api-burst=2000", "--concurrent-deployment-syncs=20",
            "--concurrent-replicaset-syncs=20", "--concurrent-namespace-syncs=20",
        )  # fmt: skip
        start(
            "kube-scheduler", f"--kubeconfig={home}/kubeconfig", "--bind-address=127.0.0.1",
            f"--secure-port={scheduler}", f"--cert-dir={home}/pki-sched", "--leader-elect=false",
            "--kube-api-qps=1000", "--kube-api-burst=2000",
        )  # fmt: skip
        start(
            "kwok", f"--kubeconfig={home}/kubeconfig", "--manage-all-nodes", "--node-lease-duration-seconds=40",
            "--node-ip=10.0.0.1", "--cidr=10.1.0.0/16", *(f"--config={path}" for path in sorted(STAGES.glob("*.yaml"))),
        )  # fmt: skip
        assert kubectl("apply", "-f", "-", text=RBAC) == 0
        while kubectl("get", "serviceaccount", "default"):
            assert time.monotonic() < deadline, f"the controllers do not work after 60 s, see {home}"
            time.sleep(0.1)
        yield Cluster(*(home / name for name in IDENTITIES), bin=binaries)
    finally:
        for child in reversed(started):
            child.kill()
            child.wait()
