# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to AWS: one session, one client per service, retries, guarded fields, and a log of the calls."""

from __future__ import annotations

import os
import threading
import typing as t
from collections.abc import Callable, Iterable, Mapping

from .._core.argument_spec import ArgumentSpec
from .._core.errors import MissingLibraryError
from .errors import AwsError, said_as

try:
    import boto3
    import botocore
    from botocore import xform_name
    from botocore.config import Config
except ImportError as error:
    BOTO_ERROR: ImportError | None = error
else:
    BOTO_ERROR = None

if t.TYPE_CHECKING:
    from botocore.model import Shape

MINIMUM_BOTOCORE = (1, 42, 0)
ATTEMPTS = 8
CONNECT_SECONDS = 10
READ_SECONDS = 60
CONNECTIONS = 16

AWS_SPEC = ArgumentSpec(
    options={
        "region": {"type": "str"},
        "profile": {"type": "str"},
        "endpoint_url": {"type": "str"},
        "access_key": {"type": "str", "no_log": False},
        "secret_key": {"type": "str", "no_log": True},
        "session_token": {"type": "str", "no_log": True},
        "ca_bundle": {"type": "path"},
    },
    required_together=(("access_key", "secret_key"),),
    mutually_exclusive=(("profile", "access_key"),),
)

Record = dict[str, t.Any]


class Call(t.NamedTuple):
    """One call as the log keeps it: the IAM action's two halves and the parameters."""

    service: str
    operation: str
    parameters: Mapping[str, t.Any]


class AwsSession:
    """Calls to AWS as data: service, operation, parameters.

    :param options: validated options of AWS_SPEC; the AWS_* environment fills what they leave out.
    :param clients: ready clients by service, for tests with botocore's Stubber.
    """

    def __init__(self, options: Mapping[str, t.Any], clients: Mapping[str, t.Any] | None = None) -> None:
        self._options = options
        self._clients: dict[str, t.Any] = dict(clients or {})
        self._lock = threading.Lock()
        self._boto: t.Any = None
        self.calls: list[Call] = []
        self.on_call: list[Callable[[Call], None]] = []

    @property
    def region(self) -> str:
        """The region that the calls go to.

        :raises AwsError: when neither the options nor the environment nor the profile names one.
        """
        with self._lock:
            region = self._options.get("region") or self._session().region_name
        if not region:
            raise AwsError("no AWS region is known; set region or AWS_REGION")
        return str(region)

    def client(self, service: str) -> t.Any:
        """The client of a service, made once."""
        with self._lock:
            if service not in self._clients:
                with said_as(f"reach {service}", action=service):
                    self._clients[service] = self._session().client(
                        service,
                        region_name=self._options.get("region"),
                        endpoint_url=self._options.get("endpoint_url"),
                        verify=self._options.get("ca_bundle"),
                        config=retry_config(os.environ),
                    )
            return self._clients[service]

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, t.Any],
        *,
        doing: str,
        absent: Iterable[str] = (),
    ) -> Record | None:
        """Call an operation by its API name.

        :param doing: what for, as an infinitive without C(to); it begins the sentence of an error.
        :param absent: error codes that mean "there is none"; they give None.
        :raises AwsError: for any other failure.
        """
        client = self.client(service)
        self._check_fields(client, service, operation, parameters)
        call = Call(service, operation, dict(parameters))
        self.calls.append(call)
        for hook in self.on_call:
            hook(call)
        try:
            with said_as(doing, action=f"{service}:{operation}"):
                answer: Record = getattr(client, xform_name(operation))(**parameters)
        except AwsError as error:
            if error.code in absent:
                return None
            raise
        answer.pop("ResponseMetadata", None)
        return answer

    def do(self, service: str, operation: str, parameters: Mapping[str, t.Any], *, doing: str) -> Record:
        """Call an operation whose object must be there."""
        return self.call(service, operation, parameters, doing=doing) or {}

    def pages(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, t.Any],
        *,
        items: str,
        marker: str | tuple[str, str] = "nextToken",
        doing: str,
        absent: Iterable[str] = (),
    ) -> list[t.Any]:
        """All items of a listing, page by page.

        :param items: the key of the answer that holds them.
        :param marker: the name of the continuation token, or its names (in the answer, in the request).
        :param absent: error codes that mean "there is none"; they end the listing.
        """
        found: list[t.Any] = []
        query = dict(parameters)
        in_answer, in_request = (marker, marker) if isinstance(marker, str) else marker
        while True:
            answer = self.call(service, operation, query, doing=doing, absent=absent) or {}
            found.extend(answer.get(items) or [])
            if not answer.get(in_answer):
                return found
            query[in_request] = answer[in_answer]

    def require_fields(self, service: str, operation: str, parameters: Mapping[str, t.Any]) -> None:
        """Refuse fields that the installed botocore does not know, before anything is written.

        :raises MissingLibraryError: naming the fields.
        """
        self._check_fields(self.client(service), service, operation, parameters)

    def _check_fields(self, client: t.Any, service: str, operation: str, parameters: Mapping[str, t.Any]) -> None:
        names = client.meta.service_model.operation_names
        if operation not in names:
            raise MissingLibraryError(
                f"the installed botocore {botocore.__version__} does not know {service}:{operation}; "
                "install a newer one"
            )
        shape = client.meta.service_model.operation_model(operation).input_shape
        if shape is not None and (unknown := list(_unknown_fields(shape, parameters))):
            raise MissingLibraryError(
                f"the installed botocore {botocore.__version__} does not know {', '.join(unknown)} of "
                f"{service}:{operation}; install a newer one or leave the option out"
            )

    def _session(self) -> t.Any:
        if self._boto is None:
            require_boto()
            options = self._options
            with said_as("open the AWS session", action="sts:GetCallerIdentity"):
                self._boto = boto3.session.Session(
                    profile_name=options.get("profile"),
                    region_name=options.get("region"),
                    aws_access_key_id=options.get("access_key"),
                    aws_secret_access_key=options.get("secret_key"),
                    aws_session_token=options.get("session_token"),
                )
        return self._boto


def require_boto() -> None:
    """Refuse an absent or too old boto3.

    :raises MissingLibraryError: naming what was found and what is needed.
    """
    wanted = ".".join(str(part) for part in MINIMUM_BOTOCORE)
    if BOTO_ERROR is not None:
        raise MissingLibraryError(f"the Python package boto3 is needed (botocore >= {wanted}): {BOTO_ERROR}")
    found = tuple(int(part) for part in botocore.__version__.split(".")[:3] if part.isdigit())
    if found < MINIMUM_BOTOCORE:
        raise MissingLibraryError(f"botocore {botocore.__version__} is installed, >= {wanted} is needed; upgrade boto3")


def retry_config(environment: Mapping[str, str]) -> Config:
    """Retries that slow down when AWS throttles; AWS_RETRY_MODE and AWS_MAX_ATTEMPTS have the last word.

    The legacy mode of botocore spends 6.8 s on one 500 of EKS, the standard one 0.1 s.
    """
    retries: dict[str, t.Any] = {}
    if not environment.get("AWS_RETRY_MODE"):
        retries["mode"] = "adaptive"
    if not environment.get("AWS_MAX_ATTEMPTS"):
        retries["total_max_attempts"] = ATTEMPTS
    return Config(
        retries=t.cast("t.Any", retries or None),
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=CONNECTIONS,
        user_agent_extra="aiplatform.eks",
    )


def _unknown_fields(shape: Shape, value: t.Any, path: str = "") -> t.Iterator[str]:
    if shape.type_name == "structure" and isinstance(value, Mapping):
        members: Mapping[str, Shape] = t.cast("t.Any", shape).members
        for key, inner in value.items():
            where = f"{path}.{key}" if path else str(key)
            if key in members:
                yield from _unknown_fields(members[key], inner, where)
            else:
                yield where
    elif shape.type_name == "list" and isinstance(value, (list, tuple)):
        for inner in value:
            yield from _unknown_fields(t.cast("t.Any", shape).member, inner, path)


__all__ = ("AWS_SPEC", "AwsSession", "Call", "Record", "require_boto", "retry_config")
