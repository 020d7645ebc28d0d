# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A call to the emulated AWS as a value, what answers it, and the errors of services other than EKS."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .eks.neighbours import Place

Record = dict[str, t.Any]


@dataclass(frozen=True)
class AwsCall:
    """One call.

    :param service: boto3's name of the service: C(eks), C(service-quotas).
    :param operation: its name in the API: C(DescribeCluster).
    :param parameters: by the names of the API, without those that are not given.
    """

    service: str
    operation: str
    parameters: Record
    place: Place


class AwsError(Exception):
    """An error that a service answers with.

    :param status: the HTTP status; None: what the service's model says of the code.
    :param members: further members of the error's shape.
    """

    def __init__(
        self, code: str, message: str, *, status: int | None = None, members: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        for name, value in (members or {}).items():
            setattr(self, name, value)


class Pass(Exception):  # noqa: N818  # no error: it says that moto is to answer this call
    """Raised by an answer that leaves the call to moto."""


# Gives the answer's members by the names of the API; raises AwsError, or Pass.
Answer = Callable[[AwsCall], Record]
Answers = Mapping[tuple[str, str], Answer]

READING = (
    "Describe",
    "List",
    "Get",
    "Head",
    "BatchGet",
    "Lookup",
    "Search",
    "Select",
    "Query",
    "Scan",
    "Simulate",
    "Validate",
    "Test",
    "Decode",
    "Estimate",
    "Assume",
    "Detect",
)


def is_write(operation: str) -> bool:
    """Whether an operation may change something, by its name."""
    return not operation.startswith(READING)


__all__ = ("Answer", "Answers", "AwsCall", "AwsError", "Pass", "Record", "is_write")
