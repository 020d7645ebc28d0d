# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator's command line.

C(python -m ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.program --kubeconfig FILE
--aws-endpoint URL --region NAME --port NUMBER): plays until SIGTERM.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import typing as t
from pathlib import Path

from ..._core.errors import PlatformError
from ..._k8s.client import KubeClient
from .catalogue import Catalogue
from .controls import PLACEMENTS, Controls
from .eks_documents import EksDocuments
from .eks_reader import EksReader
from .service import ReadGroups, Service

LOCAL_KEY = "local"  # the emulator takes any credentials


def arguments(given: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="simulator", description="Plays nodes, GPUs and NVIDIA's programs.")
    parser.add_argument("--kubeconfig", required=True, type=Path)
    parser.add_argument("--aws-endpoint", required=True, help="where the EKS and EC2 APIs answer")
    parser.add_argument("--region", required=True)
    parser.add_argument("--port", type=int, default=0, help="of the control endpoint on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--cluster", default="", help="play the node groups of this EKS cluster only")
    parser.add_argument("--placement", choices=PLACEMENTS, default="lowest", help="where a GPU puts MIG instances")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(given)


def eks_reader(*, endpoint: str, region: str, cluster: str = "") -> ReadGroups:
    """A reader of node groups from an AWS endpoint."""
    try:
        import boto3  # noqa: PLC0415 (the package is optional until this process starts)
        from botocore.config import Config  # noqa: PLC0415
    except ImportError as error:
        raise PlatformError(f"boto3 cannot be imported ({error}); pip install boto3") from error
    session: t.Any = boto3.Session(
        region_name=region,
        aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", LOCAL_KEY),
        aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", LOCAL_KEY),
    )
    config = Config(connect_timeout=2, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})

    def client(name: str) -> t.Any:
        return session.client(name, endpoint_url=endpoint, config=config)

    documents = EksDocuments(endpoint=endpoint, region=region, cluster=cluster, eks=lambda: client("eks"))
    return EksReader(documents=documents.read, ec2=client("ec2"), region=region, catalogue=Catalogue()).read


def main(given: list[str]) -> int:
    """Run until a signal ends it."""
    options = arguments(given)
    try:
        service = Service(
            client=KubeClient({"kubeconfig": str(options.kubeconfig)}),
            read_groups=eks_reader(endpoint=options.aws_endpoint, region=options.region, cluster=options.cluster),
            port=options.port,
            controls=Controls(placement=options.placement, seed=options.seed),
        )
    except (PlatformError, OSError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_other: service.request_stop())
    service.start()
    sys.stdout.write(f"simulator: control endpoint on http://127.0.0.1:{service.port}\n")
    sys.stdout.flush()
    service.wait()
    service.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
