# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The faults at work: which switches are set now, and the dice that decide which call they hit."""

from __future__ import annotations

import random
import threading
import typing as t
from collections.abc import Mapping

from .aws_call import AwsError
from .faults import Faults, of_service

# (code, HTTP status) of "too many calls" and of a failed server, where a service has names of its own.
THROTTLED = {
    "ec2": ("RequestLimitExceeded", 503),
    "iam": ("Throttling", 400),
    "sts": ("Throttling", 400),
    "cloudformation": ("Throttling", 400),
    "autoscaling": ("Throttling", 400),
    "elbv2": ("Throttling", 400),
    "s3": ("SlowDown", 503),
    "eks": ("ThrottlingException", 429),
}
FAILED = {
    "ec2": ("InternalError", 500),
    "eks": ("ServerException", 500),
    "s3": ("InternalError", 500),
    "iam": ("ServiceFailure", 500),
}
DENIED = {"eks": "AccessDeniedException", "ec2": "UnauthorizedOperation"}


class Switches:
    """What is switched on.

    :param initial: the document that a reset goes back to.
    """

    def __init__(self, initial: Mapping[str, t.Any]) -> None:
        self._initial = dict(initial)
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """As at the start; the dice begin anew."""
        self._document = dict(self._initial)
        self._apply(Faults.of(self._document))

    def _apply(self, faults: Faults) -> None:
        self.faults = faults
        self._dice = random.Random(faults.seed)  # noqa: S311  # dice for tests, no secrets

    def change(self, document: Mapping[str, t.Any]) -> None:
        """Set these keys; the others stay.

        :raises PlatformError: when the document is wrong; nothing is changed then.
        """
        merged = {**self._document, **document}
        faults = Faults.of(merged)
        with self._lock:
            self._document = merged
            self._apply(faults)

    @property
    def document(self) -> dict[str, t.Any]:
        """What is set, as a document."""
        return dict(self._document)

    def _hit(self, share: float) -> bool:
        if share <= 0:
            return False
        with self._lock:
            return self._dice.random() < share

    def before(self, service: str, operation: str) -> AwsError | None:
        """The error that a call gets instead of being carried out."""
        faults = self.faults
        if faults.denies(service, operation):
            message = f"User is not authorized to perform: {service}:{operation}"
            return AwsError(DENIED.get(service, "AccessDenied"), message, status=403)
        if self._hit(of_service(faults.throttle, service)):
            code, status = THROTTLED.get(service, ("ThrottlingException", 400))
            return AwsError(code, "Rate exceeded", status=status)
        if self._hit(of_service(faults.server_errors, service)):
            return self._failed(service)
        return None

    def after(self, service: str) -> AwsError | None:
        """The error that a call gets although it was carried out."""
        return self._failed(service) if self._hit(of_service(self.faults.lost_answers, service)) else None

    def slowness(self, service: str) -> float:
        """Seconds to wait before the answer."""
        return of_service(self.faults.slow, service)

    @staticmethod
    def _failed(service: str) -> AwsError:
        code, status = FAILED.get(service, ("InternalFailure", 500))
        return AwsError(code, "The emulator was asked to fail.", status=status)


__all__ = ("Switches",)
