# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All operations that the emulator answers itself, by service and name."""

from __future__ import annotations

from .aws_call import Answer, Answers, AwsCall, AwsError, Record
from .eks.api import OPERATIONS, Eks
from .eks.errors import EksError


def of_eks(eks: Eks) -> Answers:
    """EKS, every operation of it."""

    def answer(call: AwsCall) -> Record:
        try:
            return eks.call(call.place, call.operation, call.parameters)
        except EksError as error:
            raise AwsError(error.code, error.message, members=error.members) from None

    return {("eks", operation): answer for operation in OPERATIONS}


def all_answers(eks: Eks) -> Answers:
    """Every operation."""
    found: dict[tuple[str, str], Answer] = {}
    for part in (of_eks(eks),):
        found |= part
    return found


__all__ = ("all_answers", "of_eks")
