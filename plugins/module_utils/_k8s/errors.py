# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures of the Kubernetes API as sentences."""

from __future__ import annotations

import typing as t

from .._core.errors import PlatformError


class KubeApiError(PlatformError):
    """An answer of the API server other than 2xx.

    :param status: the HTTP status; 0 when no answer came.
    :param reason: C(reason) of the Status object, e.g. C(NotFound).
    :param causes: C(details.causes) of the Status object: reason, message, field.
    :param retry_after: seconds that the server asked us to wait, if it did.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        reason: str = "",
        causes: tuple[dict[str, str], ...] = (),
        retry_after: float | None = None,
        **details: t.Any,
    ) -> None:
        super().__init__(message, **details)
        self.status = status
        self.reason = reason
        self.causes = causes
        self.retry_after = retry_after


class ClusterAbsentError(PlatformError):
    """The cluster that is named does not exist, or has no endpoint yet."""


__all__ = ("ClusterAbsentError", "KubeApiError")
