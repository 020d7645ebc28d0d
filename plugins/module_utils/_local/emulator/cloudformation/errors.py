# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors of CloudFormation."""

from __future__ import annotations


class CloudFormationError(Exception):
    """An error that CloudFormation answers with.

    :param code: C(ValidationError), C(AlreadyExistsException), C(ChangeSetNotFound)...
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> CloudFormationError:
    """ValidationError: most of what can be wrong."""
    return CloudFormationError("ValidationError", message)


__all__ = ("CloudFormationError", "invalid")
