# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys, certificates, tokens and kubeconfigs of a local control plane: made anew for every fresh start."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import secrets
import typing as t

from .._core.errors import MissingLibraryError
from .run_folder import RunFolder

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
except ImportError as import_error:
    x509 = None  # type: ignore[assignment]  # mypy knows the module only
    IMPORT_ERROR: ImportError | None = import_error
else:
    IMPORT_ERROR = None

NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
ADDRESSES = ("127.0.0.1", "10.96.0.1")
DAYS = 3650
# identity -> group; system:masters is beyond RBAC and API priority, so tests need the other two as well.
IDENTITIES: t.Mapping[str, str] = {"admin": "system:masters", "user": "", "readonly": ""}


def write_secrets(folder: RunFolder, *, endpoint: str) -> None:
    """Write the CA, the one serving certificate, the service-account key, tokens and kubeconfigs.

    :param endpoint: https address of the API server.
    :raises MissingLibraryError: the cryptography package is absent.
    :raises PlatformError: a file cannot be written.
    """
    if x509 is None:
        raise MissingLibraryError(
            f"the Python package 'cryptography' cannot be imported ({IMPORT_ERROR}); install it for the interpreter "
            "that runs this task: pip install cryptography (ansible-core brings it)"
        )
    authority_key, server_key, account_key = (ec.generate_private_key(ec.SECP256R1()) for _number in range(3))
    authority = _authority(authority_key)
    server = _server(server_key, authority, authority_key)
    folder.write_secret(folder.authority, _pem(authority))
    folder.write_secret(folder.pki / "server.crt", _pem(server) + _pem(authority))
    folder.write_secret(folder.pki / "server.key", _private(server_key))
    folder.write_secret(folder.pki / "service-account.key", _private(account_key))
    tokens = {identity: secrets.token_hex(24) for identity in IDENTITIES}
    lines = (f'{tokens[name]},{name},{name},"{group}"\n' for name, group in IDENTITIES.items())
    folder.write_secret(folder.tokens, "".join(lines))
    for identity, token in tokens.items():
        config = kubeconfig(identity, token=token, endpoint=endpoint, authority=_pem(authority))
        folder.write_secret(folder.kubeconfig(identity), json.dumps(config, indent=1))


def kubeconfig(identity: str, *, token: str, endpoint: str, authority: str) -> dict[str, t.Any]:
    """A kubeconfig that holds all it needs, so that it can be copied."""
    data = base64.b64encode(authority.encode()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local-cloud", "cluster": {"server": endpoint, "certificate-authority-data": data}}],
        "users": [{"name": identity, "user": {"token": token}}],
        "contexts": [{"name": "local-cloud", "context": {"cluster": "local-cloud", "user": identity}}],
        "current-context": "local-cloud",
    }


def _authority(key: t.Any) -> t.Any:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "aiplatform local cloud")])
    return (
        _certificate(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(key: t.Any, authority: t.Any, authority_key: t.Any) -> t.Any:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kube-apiserver")])
    alternatives: list[x509.GeneralName] = [x509.DNSName(value) for value in NAMES]
    alternatives += [x509.IPAddress(ipaddress.ip_address(value)) for value in ADDRESSES]
    return (
        _certificate(name, authority.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        # Python 3.13 verifies strictly: without this identifier it refuses the certificate.
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _certificate(subject: t.Any, issuer: t.Any, public_key: t.Any) -> t.Any:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
    )


def _usage(*, signs_certificates: bool) -> t.Any:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: t.Any) -> str:
    return t.cast("str", certificate.public_bytes(serialization.Encoding.PEM).decode())


def _private(key: t.Any) -> str:
    # The API server reads service-account keys in the traditional form only, not as PKCS 8.
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return pem.decode()


__all__ = ("IDENTITIES", "kubeconfig", "write_secrets")
