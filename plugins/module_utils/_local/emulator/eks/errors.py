# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors of the EKS API as values; codes and messages are AWS's."""

from __future__ import annotations


class EksError(Exception):
    """An error that EKS answers with.

    :param code: the name of its shape in the API model; the HTTP status follows from it.
    :param members: its further members, C(clusterName) for example.
    """

    def __init__(self, code: str, message: str, **members: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.members = members


def not_found(message: str, **members: str) -> EksError:
    """404."""
    return EksError("ResourceNotFoundException", message, **members)


def in_use(message: str, **members: str) -> EksError:
    """409: it exists already, has dependents, or an update runs."""
    return EksError("ResourceInUseException", message, **members)


def invalid_parameter(message: str, **members: str) -> EksError:
    """400: a value."""
    return EksError("InvalidParameterException", message, **members)


def invalid_request(message: str, **members: str) -> EksError:
    """400: not in this state."""
    return EksError("InvalidRequestException", message, **members)


def no_cluster(name: str) -> EksError:
    """There is no such cluster."""
    return not_found(f"No cluster found for name: {name}.", clusterName=name)


__all__ = ("EksError", "in_use", "invalid_parameter", "invalid_request", "no_cluster", "not_found")
