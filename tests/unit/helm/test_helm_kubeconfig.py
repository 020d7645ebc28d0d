"""The kubeconfig that helm gets, for each way to log in."""

from __future__ import annotations

import base64

from ansible_collections.aiplatform.eks.plugins.module_utils._helm.kubeconfig import kubeconfig_of
from kubernetes.client import Configuration

AUTHORITY = "-----BEGIN CERTIFICATE-----\n"


def test_eks_gives_its_authority_as_text_and_a_token() -> None:
    login = Configuration(host="https://abc.eks.amazonaws.com")
    login.ca_cert_data = AUTHORITY
    login.api_key = {"authorization": "k8s-aws-v1.x"}
    login.api_key_prefix = {"authorization": "Bearer"}
    made = kubeconfig_of(login)
    cluster = made["clusters"][0]["cluster"]
    assert cluster["server"] == "https://abc.eks.amazonaws.com"
    assert base64.b64decode(cluster["certificate-authority-data"]).decode() == AUTHORITY
    assert made["users"][0]["user"] == {"token": "k8s-aws-v1.x"}


def test_a_file_stays_a_file() -> None:
    login = Configuration(host="https://127.0.0.1:6443")
    login.ssl_ca_cert, login.cert_file, login.key_file = "/ca.crt", "/me.crt", "/me.key"
    made = kubeconfig_of(login)
    assert made["clusters"][0]["cluster"]["certificate-authority"] == "/ca.crt"
    assert made["users"][0]["user"] == {"client-certificate": "/me.crt", "client-key": "/me.key"}


def test_without_verification_there_is_no_authority() -> None:
    login = Configuration(host="https://127.0.0.1:6443")
    login.ca_cert_data, login.verify_ssl = AUTHORITY, False
    assert kubeconfig_of(login)["clusters"][0]["cluster"] == {
        "server": "https://127.0.0.1:6443",
        "insecure-skip-tls-verify": True,
    }
