# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures of AWS calls as sentences."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from contextlib import contextmanager

from .._core.errors import PlatformError

try:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        EndpointConnectionError,
        NoCredentialsError,
        NoRegionError,
        ProfileNotFound,
    )
    from botocore.parsers import ResponseParserError
except ImportError:  # the session says so before the first call
    BotoCoreError = type("BotoCoreError", (Exception,), {})  # type: ignore[misc,assignment]
    ClientError = type("ClientError", (Exception,), {})  # type: ignore[misc,assignment]
    ResponseParserError = type("ResponseParserError", (Exception,), {})  # type: ignore[misc,assignment]
    EndpointConnectionError = NoCredentialsError = BotoCoreError  # type: ignore[misc,assignment]
    NoRegionError = ProfileNotFound = BotoCoreError  # type: ignore[misc,assignment]

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"})
THROTTLED = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"})


class AwsError(PlatformError):
    """A call that AWS refused or that did not reach it.

    :param code: the error's code, e.g. C(ResourceInUseException); empty when no answer came.
    :param status: the HTTP status; 0 when no answer came.
    """

    def __init__(self, message: str, *, code: str = "", status: int = 0) -> None:
        super().__init__(message, aws_error=code)
        self.code = code
        self.status = status


@contextmanager
def said_as(doing: str, *, action: str) -> Iterator[None]:
    """Turn botocore's exceptions into a sentence that begins with what we were doing.

    :param doing: an infinitive without C(to): C(create node group a100 of cluster prod).
    :param action: the IAM action behind the call, for the way out.
    :raises AwsError: instead of anything that botocore raises.
    """
    try:
        yield
    except ClientError as error:
        raise _refused(error, doing=doing, action=action) from error
    except ResponseParserError as error:
        raise AwsError(
            f"cannot {doing}: the endpoint's answer to {action} is no AWS answer ({_first_line(error)})"
        ) from error
    except BotoCoreError as error:
        raise AwsError(f"cannot {doing}: {_unreached(error)}") from error


def _refused(error: ClientError, *, doing: str, action: str) -> AwsError:
    answer: dict[str, t.Any] = t.cast("dict[str, t.Any]", error.response)
    code = str(answer.get("Error", {}).get("Code", ""))
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    text = str(answer.get("Error", {}).get("Message", "")).strip() or "no reason given"
    way_out = _way_out(code, status, action)
    return AwsError(f"cannot {doing}: {text} ({code}){way_out}", code=code, status=status)


def _way_out(code: str, status: int, action: str) -> str:
    if code in DENIED:
        return f"; allow {action} for the identity that runs the task"
    if code in EXPIRED:
        return "; renew the credentials"
    if code in THROTTLED or status == 429:
        return "; AWS still throttles after all retries, run again later or lower the parallelism"
    if status >= 500:
        return "; AWS still fails after all retries, run again later"
    return ""


def _unreached(error: Exception) -> str:
    if isinstance(error, NoCredentialsError):
        return "no AWS credentials were found; set profile, access_key and secret_key, or the AWS_* environment"
    if isinstance(error, NoRegionError):
        return "no AWS region is known; set region or AWS_REGION"
    if isinstance(error, ProfileNotFound):
        return f"{_first_line(error)}; name a profile of the AWS configuration file"
    if isinstance(error, EndpointConnectionError):
        return f"{_first_line(error)}; check the region, the endpoint and the way to it"
    return _first_line(error)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


__all__ = ("DENIED", "EXPIRED", "THROTTLED", "AwsError", "said_as")
