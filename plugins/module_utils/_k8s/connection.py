# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the cluster is and how we log in: one value from options, environment, kubeconfig or the pod we run in.

Built on the C(kubernetes) package's configuration loaders, which know kubeconfig files, C(exec) logins and
in-cluster service accounts. Nothing here is ever returned to the user.
"""

from __future__ import annotations

import os
import typing as t
from collections.abc import Mapping
from pathlib import Path

from .._core.argument_spec import ArgumentSpec
from .._core.errors import MissingLibraryError, PlatformError

try:
    import urllib3
    from kubernetes import client as kube_client
    from kubernetes import config as kube_config
except ImportError as import_error:
    kube_client = None
    kube_config = None
    IMPORT_ERROR: ImportError | None = import_error
else:
    IMPORT_ERROR = None

EKS_CLUSTER = "AIPLATFORM_EKS_CLUSTER"
CONNECTION_SPEC = ArgumentSpec(
    options={
        "kubeconfig": {"type": "path"},
        "context": {"type": "str"},
        "host": {"type": "str"},
        "api_key": {"type": "str", "no_log": True},
        "ca_cert": {"type": "path"},
        "client_cert": {"type": "path"},
        "client_key": {"type": "path", "no_log": False},
        "validate_certs": {"type": "bool", "default": True},
        "proxy": {"type": "str"},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "eks_cluster": {"type": "str"},
        "eks_region": {"type": "str"},
        "eks_profile": {"type": "str"},
    },
    mutually_exclusive=(("kubeconfig", "host", "eks_cluster"), ("api_key", "username")),
    required_together=(("client_cert", "client_key"), ("username", "password")),
    required_by={
        "api_key": ("host",),
        "client_cert": ("host",),
        "username": ("host",),
        "eks_region": ("eks_cluster",),
        "eks_profile": ("eks_cluster",),
    },
)


def load_configuration(options: Mapping[str, t.Any]) -> t.Any:
    """The C(kubernetes.client.Configuration) for these options.

    Order: C(eks_cluster); C(host) and its credentials; C(kubeconfig); E(AIPLATFORM_EKS_CLUSTER);
    E(K8S_AUTH_KUBECONFIG) or E(KUBECONFIG); the service account of the pod we run in; C(~/.kube/config).

    :raises MissingLibraryError: the kubernetes package is absent.
    :raises PlatformError: nothing tells where the cluster is, or the kubeconfig cannot be used.
    """
    if kube_client is None:
        raise MissingLibraryError(
            f"the Python package 'kubernetes' cannot be imported ({IMPORT_ERROR}); "
            "install it for the interpreter that runs this task: pip install 'kubernetes<37.0.2'"
        )
    configuration = kube_client.Configuration()
    named = options.get("eks_cluster") or ("" if _is_told(options) else os.environ.get(EKS_CLUSTER))
    if named:
        _eks(configuration, str(named), options)
    elif options.get("host"):
        _explicit(configuration, options)
    else:
        _from_file_or_pod(configuration, options)
    if not options.get("validate_certs", True):
        configuration.verify_ssl = False
    if not configuration.verify_ssl:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the user has said it already
    if options.get("proxy"):
        configuration.proxy = options["proxy"]
    return configuration


def _is_told(options: Mapping[str, t.Any]) -> bool:
    return bool(options.get("host") or options.get("kubeconfig"))


def _explicit(configuration: t.Any, options: Mapping[str, t.Any]) -> None:
    configuration.host = str(options["host"]).rstrip("/")
    configuration.ssl_ca_cert = options.get("ca_cert")
    configuration.cert_file = options.get("client_cert")
    configuration.key_file = options.get("client_key")
    token = options.get("api_key")
    if options.get("username"):
        from .openshift_login import openshift_token  # noqa: PLC0415 (its imports cost those who do not use it)

        token = openshift_token(
            host=configuration.host,
            username=options["username"],
            password=options["password"],
            verify=bool(options.get("validate_certs", True)),
            ca_cert=options.get("ca_cert"),
        )
    if token:
        _bearer(configuration, token)


def _eks(configuration: t.Any, cluster: str, options: Mapping[str, t.Any]) -> None:
    from .eks_login import eks_login  # noqa: PLC0415 (botocore costs 0.15 s that others need not pay)

    login = eks_login(cluster=cluster, region=options.get("eks_region"), profile=options.get("eks_profile"))
    configuration.host = login.endpoint.rstrip("/")
    configuration.ca_cert_data = login.authority
    _bearer(configuration, login.token)


def _bearer(configuration: t.Any, token: str) -> None:
    configuration.api_key = {"authorization": token}
    configuration.api_key_prefix = {"authorization": "Bearer"}


def _from_file_or_pod(configuration: t.Any, options: Mapping[str, t.Any]) -> None:
    path = options.get("kubeconfig") or os.environ.get("K8S_AUTH_KUBECONFIG") or os.environ.get("KUBECONFIG")
    in_pod = not path and "KUBERNETES_SERVICE_HOST" in os.environ
    default = Path("~/.kube/config").expanduser()
    if not path and not in_pod and not default.exists():
        raise PlatformError(
            "no cluster is named: give eks_cluster, kubeconfig or host, or set KUBECONFIG, or run inside a pod"
        )
    try:
        if in_pod:
            kube_config.load_incluster_config(client_configuration=configuration)
        else:
            kube_config.load_kube_config(
                config_file=str(path or default), context=options.get("context"), client_configuration=configuration
            )
    except Exception as error:
        raise PlatformError(f"cannot log in with {path or default}: {error}") from error


__all__ = ("CONNECTION_SPEC", "kube_client", "load_configuration")
