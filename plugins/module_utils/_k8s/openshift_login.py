# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Log in to OpenShift (and ROSA) as a user: the OAuth challenge flow of the C(openshift) package."""

from __future__ import annotations

import typing as t

from .._core.errors import MissingLibraryError, PlatformError

try:
    import requests.exceptions
    from kubernetes.client import Configuration
    from openshift.helper.userpassauth import OCPLoginConfiguration, OCPLoginException
except ImportError as import_error:
    OCPLoginConfiguration = None
    IMPORT_ERROR: ImportError | None = import_error
else:
    IMPORT_ERROR = None


def openshift_token(*, host: str, username: str, password: str, verify: bool, ca_cert: str | None) -> str:
    """A bearer token for this user.

    :param verify: whether certificates are verified.
    :raises MissingLibraryError: the openshift package is absent.
    :raises PlatformError: the server is no OpenShift, or refuses the user.
    """
    if OCPLoginConfiguration is None:
        raise MissingLibraryError(
            f"a login by username needs the Python package 'openshift' ({IMPORT_ERROR}): pip install openshift"
        )
    login: t.Any = OCPLoginConfiguration.__new__(OCPLoginConfiguration)
    Configuration.__init__(login, host=host)  # its own passes an argument that kubernetes 36 no longer takes
    login.ocp_username, login.ocp_password = username, password
    login.verify_ssl = verify
    login.ssl_ca_cert = ca_cert
    try:
        login.get_token()
    except OCPLoginException as error:
        words = error.args[0] if error.args else str(error).partition("\t")[0]
        raise PlatformError(f"cannot log in to OpenShift at {host} as {username}: {words}") from error
    except requests.exceptions.RequestException as error:
        raise PlatformError(f"cannot log in to OpenShift at {host}: no answer: {error}") from error
    return str(login.token["access_token"])


__all__ = ("openshift_token",)
