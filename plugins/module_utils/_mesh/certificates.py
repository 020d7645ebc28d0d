# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates by the cryptography library: ECDSA on P-256, which Linkerd asks for, PKCS #8 keys without a password.

https://linkerd.io/2/tasks/generate-certificates/ says what Linkerd wants of trust anchor and issuer.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from datetime import datetime, timedelta

from .._core.errors import MissingLibraryError
from .renewal import Credential, Wish

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError as import_error:
    IMPORT_ERROR: ImportError | None = import_error
else:
    IMPORT_ERROR = None

CLOCK_SKEW = timedelta(minutes=5)


class Certificates:
    """Makes and reads certificates.

    :raises MissingLibraryError: the cryptography library is absent.
    """

    def __init__(self) -> None:
        if IMPORT_ERROR is not None:
            raise MissingLibraryError(f"cryptography cannot be imported ({IMPORT_ERROR}); pip install cryptography")

    def authority(self, *, name: str, life: timedelta, now: datetime) -> Credential:
        """A certificate that signs itself and may sign authorities below it."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        builder = _builder(subject, subject, key, now=now, end=now + life)
        builder = _with_usage(builder.add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True), True)
        return self._credential(builder.sign(key, hashes.SHA256()), key)

    def leaf(self, wish: Wish, *, signer: Credential, now: datetime) -> Credential:
        """A certificate as wished, valid no longer than its signer."""
        parent = x509.load_pem_x509_certificate(signer.certificate.encode())
        parent_key = t.cast(ec.EllipticCurvePrivateKey, _load_key(signer.key))
        key = ec.generate_private_key(ec.SECP256R1())
        end = min(now + wish.life, signer.end)
        builder = _builder(_name(wish.names[0]), parent.subject, key, now=now, end=end)
        constraints = x509.BasicConstraints(ca=wish.intermediate, path_length=0 if wish.intermediate else None)
        builder = _with_usage(builder.add_extension(constraints, critical=True), wish.intermediate)
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in wish.names])
        builder = builder.add_extension(alternatives, critical=False)
        if not wish.intermediate:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        return self._credential(builder.sign(parent_key, hashes.SHA256()), key, [signer])

    def read(self, certificate: str, key: str, authority: Iterable[Credential] = ()) -> Credential | None:
        """The credential of two PEM texts, or None when they cannot be read or do not belong to each other.

        :param authority: who may have signed it.
        """
        try:
            found = x509.load_pem_x509_certificate(certificate.encode())
            private = _load_key(key)
        except (ValueError, TypeError):
            return None
        if found.public_key() != private.public_key():
            return None
        return self._credential(found, private, authority)

    @staticmethod
    def _credential(certificate: t.Any, key: t.Any, authority: Iterable[Credential] = ()) -> Credential:
        text = certificate.public_bytes(serialization.Encoding.PEM).decode()
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Credential(
            certificate=text,
            key=private.decode(),
            identity=certificate.fingerprint(hashes.SHA256()).hex(),
            start=certificate.not_valid_before_utc,
            end=certificate.not_valid_after_utc,
            names=_names(certificate),
            signed_by=next((one.identity for one in authority if _signed(certificate, one)), ""),
        )


def _signed(certificate: t.Any, signer: Credential) -> bool:
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(signer.certificate.encode()))
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _names(certificate: t.Any) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(extension.value.get_values_for_type(x509.DNSName))


def _name(text: str) -> t.Any:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _load_key(text: str) -> t.Any:
    return serialization.load_pem_private_key(text.encode(), password=None)


def _builder(subject: t.Any, issuer: t.Any, key: t.Any, *, now: datetime, end: datetime) -> t.Any:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _with_usage(builder: t.Any, signs: bool) -> t.Any:
    usage = x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
    return builder.add_extension(usage, critical=True)


__all__ = ("Certificates",)
