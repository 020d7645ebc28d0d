# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All operations that the emulator answers itself, by service and name."""

from __future__ import annotations

from collections.abc import Callable

from .aws_call import Answer, Answers, AwsCall, AwsError, Record
from .cloudformation.api import OPERATIONS as CLOUDFORMATION
from .cloudformation.api import CloudFormation
from .cloudformation.errors import CloudFormationError
from .eks.api import OPERATIONS, Eks
from .eks.errors import EksError
from .faults import Faults
from .gaps import images, launch_templates, prices, quotas
from .gaps.capacity import Capacity
from .gaps.file_systems import EFS, FSX
from .gaps.keys import KEYS
from .gaps.placement_groups import PlacementGroups


def of_eks(eks: Eks) -> Answers:
    """EKS, every operation of it."""

    def answer(call: AwsCall) -> Record:
        try:
            return eks.call(call.place, call.operation, call.parameters)
        except EksError as error:
            raise AwsError(error.code, error.message, members=error.members) from None

    return {("eks", operation): answer for operation in OPERATIONS}


def of_cloudformation(cloud: CloudFormation) -> Answers:
    """CloudFormation; what it lacks is moto's, which knows no stack then."""

    def answer(call: AwsCall) -> Record:
        try:
            return cloud.call(call.place, call.operation, call.parameters)
        except CloudFormationError as error:
            raise AwsError(error.code, error.message) from None

    return {("cloudformation", operation): answer for operation in CLOUDFORMATION}


class Gaps:
    """The small services and operations that moto lacks.

    :param faults: the switches as they are now: they set quotas and prices.
    """

    def __init__(self, faults: Callable[[], Faults]) -> None:
        self._capacity = Capacity()
        self._placement_groups = PlacementGroups()
        self.parts: tuple[Answers, ...] = (
            self._capacity.answers(),
            self._placement_groups.answers(),
            EFS,
            FSX,
            KEYS,
            launch_templates.ANSWERS,
            images.answers(),
            quotas.answers(lambda: faults().quotas),
            prices.answers(lambda: faults().prices),
        )

    def reset(self) -> None:
        """Forget everything."""
        for rows in (self._capacity.rows, self._placement_groups.rows):
            rows.clear()


def all_answers(eks: Eks, cloud: CloudFormation, gaps: Gaps) -> Answers:
    """Every operation that is not left to moto."""
    found: dict[tuple[str, str], Answer] = {}
    for part in (of_eks(eks), of_cloudformation(cloud), *gaps.parts):
        found |= part
    return found


__all__ = ("Gaps", "all_answers", "of_cloudformation", "of_eks")
