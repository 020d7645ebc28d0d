# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The login of the kubernetes package as a kubeconfig, which is how helm gets it. Pure."""

from __future__ import annotations

import base64
import typing as t


def kubeconfig_of(configuration: t.Any) -> dict[str, t.Any]:
    """A kubeconfig with the login that the kubernetes package has made; C(exec) logins are not made again."""
    cluster: dict[str, t.Any] = {"server": configuration.host}
    if configuration.ssl_ca_cert:
        cluster["certificate-authority"] = str(configuration.ssl_ca_cert)
    if authority := getattr(configuration, "ca_cert_data", None):  # the EKS login has it as text
        text = authority.encode() if isinstance(authority, str) else authority
        cluster["certificate-authority-data"] = base64.b64encode(text).decode()
    if not configuration.verify_ssl:
        cluster = {"server": configuration.host, "insecure-skip-tls-verify": True}
    if configuration.proxy:
        cluster["proxy-url"] = configuration.proxy
    user: dict[str, t.Any] = {}
    bearer = configuration.auth_settings().get("BearerToken", {}).get("value")
    if bearer:
        user["token"] = str(bearer).removeprefix("Bearer ")
    if configuration.cert_file:
        user.update({"client-certificate": configuration.cert_file, "client-key": configuration.key_file})
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "task", "cluster": cluster}],
        "users": [{"name": "task", "user": user}],
        "contexts": [{"name": "task", "context": {"cluster": "task", "user": "task"}}],
        "current-context": "task",
    }


__all__ = ("kubeconfig_of",)
