# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs of a local cloud as data: command, health, and what each waits for. Nothing here touches the machine.

Why each flag is there: speed (C(--unsafe-no-fsync), C(--kube-api-qps): the default of 20 requests a second makes
twenty Deployments take 4 s instead of 0.4 s), 127.0.0.1 only, one certificate for all servers. kwok renews the lease
of each node when a quarter of it is over; every ten seconds, as a kubelet does, a hundred nodes cost a tenth of a core,
and a machine that is busy for long would lose nodes that nothing is wrong with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .run_folder import RunFolder

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
AWS = "aws"
SIMULATOR = "simulator"
PORT_NAMES = (
    "etcd",
    "etcd-peer",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
    AWS,
    SIMULATOR,
)
PACKAGE = "ansible_collections.aiplatform.eks.plugins.module_utils._local"
LEASE = 160  # seconds
GARBAGE = "300"  # percent by which the API server's heap may grow before it is swept: a sixth of its work by default
SERVICE_RANGE = "10.96.0.0/16"
# Long enough for tools that check the form; no AWS knows them.
CREDENTIALS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "AKIALOCALCLOUD000000",
    "AWS_SECRET_ACCESS_KEY": "local-cloud-secret-that-no-aws-knows-0000",
}


@dataclass(frozen=True)
class Component:
    """One program.

    :param health: address that answers 200 when it is ready.
    :param needs: components that have to be ready before it is started.
    :param objects: whether the API objects (RBAC, stages) have to be there before it is started.
    """

    name: str
    command: tuple[str, ...]
    health: str
    needs: tuple[str, ...] = ()
    objects: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Blueprint:
    """What the commands depend on.

    :param python: interpreter for our own daemons.
    :param python_path: the folder that contains C(ansible_collections).
    """

    folder: RunFolder
    binaries: Path
    ports: Mapping[str, int]
    region: str
    python: str
    python_path: Path

    @property
    def endpoint(self) -> str:
        """The API server's address."""
        return f"https://127.0.0.1:{self.ports['kube-apiserver']}"

    @property
    def aws_endpoint(self) -> str:
        """The AWS emulator's address."""
        return f"http://127.0.0.1:{self.ports[AWS]}"

    def component(self, name: str) -> Component:
        """The component of that name."""
        make = {
            "etcd": self._etcd,
            "kube-apiserver": self._apiserver,
            "kube-controller-manager": self._controller_manager,
            "kube-scheduler": self._scheduler,
            "kwok": self._kwok,
            AWS: self._aws,
            SIMULATOR: self._simulator,
        }[name]
        return make()

    def _program(self, name: str) -> str:
        return str(self.binaries / name)

    def _etcd(self) -> Component:
        client, peer = (f"http://127.0.0.1:{self.ports[name]}" for name in ("etcd", "etcd-peer"))
        flags = {
            "data-dir": self.folder.etcd,
            "log-level": "warn",
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
        }
        return Component("etcd", (self._program("etcd"), "--unsafe-no-fsync", *_flags(flags)), f"{client}/health")

    def _apiserver(self) -> Component:
        pki = self.folder.pki
        flags = {
            "etcd-servers": f"http://127.0.0.1:{self.ports['etcd']}",
            "advertise-address": "127.0.0.1",
            "cert-dir": pki,
            "token-auth-file": self.folder.tokens,
            "authorization-mode": "RBAC",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": pki / "service-account.key",
            "service-account-signing-key-file": pki / "service-account.key",
            "service-cluster-ip-range": SERVICE_RANGE,
            "endpoint-reconciler-type": "none",
            "allow-privileged": "true",
        }
        return self._server("kube-apiserver", flags, health="/readyz", needs=())

    def _controller_manager(self) -> Component:
        flags = {
            "kubeconfig": self.folder.kubeconfig("admin"),
            "leader-elect": "false",
            "service-account-private-key-file": self.folder.pki / "service-account.key",
            "root-ca-file": self.folder.authority,
            "kube-api-qps": 1000,
            "kube-api-burst": 2000,
            "node-monitor-grace-period": f"{LEASE + 80}s",
            "concurrent-deployment-syncs": 20,
            "concurrent-replicaset-syncs": 20,
            "concurrent-namespace-syncs": 20,
        }
        return self._server("kube-controller-manager", flags, health="/healthz", needs=("kube-apiserver",))

    def _scheduler(self) -> Component:
        flags = {
            "kubeconfig": self.folder.kubeconfig("admin"),
            "leader-elect": "false",
            "kube-api-qps": 1000,
            "kube-api-burst": 2000,
        }
        return self._server("kube-scheduler", flags, health="/healthz", needs=("kube-apiserver",))

    def _server(self, name: str, flags: Mapping[str, object], *, health: str, needs: tuple[str, ...]) -> Component:
        port = self.ports[name]
        common = {
            "bind-address": "127.0.0.1",
            "secure-port": port,
            "tls-cert-file": self.folder.pki / "server.crt",
            "tls-private-key-file": self.folder.pki / "server.key",
        }
        command = (self._program(name), *_flags({**common, **flags}))
        return Component(name, command, f"https://127.0.0.1:{port}{health}", needs, environment={"GOGC": GARBAGE})

    def _kwok(self) -> Component:
        address = f"127.0.0.1:{self.ports['kwok']}"
        flags = {
            "kubeconfig": self.folder.kubeconfig("admin"),
            "manage-all-nodes": "true",
            "enable-crds": "Stage",
            "node-lease-duration-seconds": LEASE,
            "node-ip": "10.0.0.1",
            "cidr": "10.1.0.0/16",
            "server-address": address,
        }
        return Component(
            "kwok",
            (self._program("kwok"), *_flags(flags)),
            f"http://{address}/healthz",
            ("kube-apiserver",),
            objects=True,
            environment={"KWOK_WORKDIR": str(self.folder.path / "kwok")},  # not the user's ~/.kwok
        )

    def _aws(self) -> Component:
        flags = {
            "port": self.ports[AWS],
            "kubernetes-endpoint": self.endpoint,
            "kubernetes-ca-file": self.folder.authority,
        }
        return self._daemon(AWS, "emulator.program", flags, health="/moto-api/", needs=())

    def _simulator(self) -> Component:
        flags = {
            "port": self.ports[SIMULATOR],
            "kubeconfig": self.folder.kubeconfig("admin"),
            "aws-endpoint": self.aws_endpoint,
            "region": self.region,
        }
        return self._daemon(SIMULATOR, "simulator.program", flags, health="/healthz", needs=(AWS, "kube-apiserver"))

    def _daemon(
        self, name: str, module: str, flags: Mapping[str, object], *, health: str, needs: tuple[str, ...]
    ) -> Component:
        arguments = [text for key, value in flags.items() for text in (f"--{key}", str(value))]
        return Component(
            name,
            (self.python, "-m", f"{PACKAGE}.{module}", *arguments),
            f"http://127.0.0.1:{self.ports[name]}{health}",
            needs,
            environment={"PYTHONPATH": str(self.python_path), **environment_of(self.region, self.aws_endpoint)},
        )


def environment_of(region: str, aws_endpoint: str) -> dict[str, str]:
    """What a program needs in its environment to take the emulator for AWS."""
    return {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_RETRY_MODE": "standard",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def _flags(values: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in values.items()]


__all__ = ("AWS", "CONTROL_PLANE", "CREDENTIALS", "PORT_NAMES", "SIMULATOR", "Blueprint", "Component", "environment_of")
