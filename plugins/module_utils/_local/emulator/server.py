# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulated AWS as a server: moto, with the EKS that it lacks, on 127.0.0.1.

Run it as C(python -m ansible_collections.aiplatform.eks.plugins.module_utils._local.emulator.program --port N).
C(GET /moto-api/) answers when it is ready. C(AIPLATFORM_EMULATOR_FAULTS) holds the first switches as JSON (see faults).
"""

from __future__ import annotations

import argparse
import base64
import json
import logging
import os
import signal
import sys
import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..._core.clock import SystemClock
from ..._core.errors import PlatformError
from .call_log import CallLog
from .cloudformation.api import CloudFormation
from .control import Control
from .eks.api import Eks
from .eks.session import Endpoint
from .gateway import Gateway
from .switches import Switches

HOST = "127.0.0.1"
FAULTS = "AIPLATFORM_EMULATOR_FAULTS"
# Before moto is imported: managed policies of AWS exist, and nothing is asked of an instance's metadata.
ENVIRONMENT = {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "AWS_EC2_METADATA_DISABLED": "true"}


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="emulator", description="An AWS with EKS in it, on 127.0.0.1.")
    parser.add_argument("--port", type=int, required=True, help="where to listen; 0 takes a free port and prints it")
    parser.add_argument("--kubernetes-endpoint", help="URL of the API server that every cluster has")
    parser.add_argument("--kubernetes-ca-file", type=Path, help="PEM of its certificate authority")
    return parser.parse_args(arguments)


def endpoint_of(url: str | None, ca_file: Path | None) -> Endpoint:
    """The API server of the clusters.

    :raises PlatformError: when the file cannot be read.
    """
    if ca_file is None:
        return Endpoint(url=url)
    try:
        return Endpoint(url=url, certificate_authority=base64.b64encode(ca_file.read_bytes()).decode())
    except OSError as error:
        raise PlatformError(f"the certificate authority {ca_file} cannot be read: {error.strerror}") from None


def first_faults(environment: Mapping[str, str]) -> dict[str, t.Any]:
    """The switches of the environment.

    :raises PlatformError: when they are no JSON object.
    """
    text = environment.get(FAULTS, "{}")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise PlatformError(f"{FAULTS} is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise PlatformError(f"{FAULTS} is a {type(document).__name__}; it must be an object")
    return document


def build(endpoint: Endpoint, faults: Mapping[str, t.Any]) -> Control:
    """The whole application.

    :param faults: the first switches, see faults.
    :raises PlatformError: when moto is missing or the switches are wrong.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from . import moto_library as lib  # noqa: PLC0415  # moto reads the environment when it is imported
    from .answers import Gaps, all_answers  # noqa: PLC0415
    from .moto_neighbours import MotoNeighbours  # noqa: PLC0415
    from .moto_policies import count_calls_as_encrypted, read_managed_policies_once  # noqa: PLC0415
    from .moto_provider import MotoProvider  # noqa: PLC0415

    lib.require_moto()
    read_managed_policies_once()
    count_calls_as_encrypted()
    switches, log = Switches(faults), CallLog()
    eks = Eks(clock=SystemClock(), faults=lambda: switches.faults, neighbours=MotoNeighbours(), endpoint=endpoint)
    cloud = CloudFormation(clock=SystemClock(), faults=lambda: switches.faults, provider=MotoProvider())
    gaps = Gaps(lambda: switches.faults)
    moto = lib.DomainDispatcherApplication(lib.create_backend_app)
    gateway = Gateway(moto, answers=all_answers(eks, cloud, gaps), settle=eks.settle, switches=switches, log=log)
    return Control(gateway, switches=switches, log=log, eks=eks, forget=[cloud.reset, gaps.reset])


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal."""
    options = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        app = build(endpoint_of(options.kubernetes_endpoint, options.kubernetes_ca_file), first_faults(os.environ))
        serve(app, options.port)
    except PlatformError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


def _end(_signal: int, _frame: object) -> None:
    """End quietly."""
    raise SystemExit(0)


def serve(app: Control, port: int) -> None:
    """Listen, say where, and serve until SIGTERM or SIGINT.

    :raises PlatformError: when the port is taken.
    """
    from . import moto_library as lib  # noqa: PLC0415

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    try:
        server = lib.make_server(HOST, port, app, threaded=True, request_handler=lib.MotoRequestHandler)
    except (OSError, SystemExit):
        raise PlatformError(f"the emulated AWS cannot listen on {HOST}:{port}; is the port taken?") from None
    os.environ["MOTO_PORT"] = str(server.server_port)
    signal.signal(signal.SIGTERM, _end)
    sys.stdout.write(f"listening on http://{HOST}:{server.server_port}\n")
    sys.stdout.flush()
    sys.stdout = sys.stderr  # moto prints too, and nobody need read our output any longer
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


__all__ = ("build", "main", "serve")
