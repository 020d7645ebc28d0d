# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must be renewed, signed anew or given up, and when: authorities with overlap, and what they sign. Pure.

An authority is a list of certificates that are trusted at once, oldest first. A new one joins the list long before
anything is signed with it, and an old one leaves when nothing that it signed is in use any more: so every proxy trusts
both sides of every connection at any time, however late it restarts within the overlap.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

# Linkerd's own certificates live 24 hours (identity.issuer.issuanceLifetime); a day more for clocks and sleepers.
IN_USE = timedelta(days=2)
RENEW_AT = 2 / 3


@dataclass(frozen=True)
class Credential:
    """A certificate with its key.

    :param certificate: PEM.
    :param key: PEM of the private key; never shown.
    :param identity: tells it from all others: the fingerprint.
    :param names: DNS names that it is good for, empty for an authority.
    :param signed_by: the C(identity) of the authority's certificate that signed it, its own when it signed itself;
        empty when that one is not known.
    """

    certificate: str
    key: str = field(repr=False)
    identity: str
    start: datetime
    end: datetime
    names: tuple[str, ...] = ()
    signed_by: str = ""

    def is_due(self, now: datetime) -> bool:
        """Whether a third of its life or less is left."""
        return now >= self.start + (self.end - self.start) * RENEW_AT


@dataclass(frozen=True)
class Wish:
    """A certificate that is to be there.

    :param names: the DNS names; the first is its common name.
    :param intermediate: whether it signs others itself, as Linkerd's issuer does.
    """

    names: tuple[str, ...]
    life: timedelta
    intermediate: bool = False


class Mint(t.Protocol):
    """Makes certificates."""

    def authority(self, *, name: str, life: timedelta, now: datetime) -> Credential:
        """A certificate that signs itself."""

    def leaf(self, wish: Wish, *, signer: Credential, now: datetime) -> Credential:
        """A certificate as wished, valid no longer than its signer."""


def renewed_authority(
    live: Iterable[Credential],
    leaves: Sequence[Credential],
    *,
    name: str,
    life: timedelta,
    overlap: timedelta,
    now: datetime,
    mint: Mint,
) -> tuple[Credential, ...]:
    """The certificates to trust from now on, oldest first.

    :param leaves: what is in use of what the authority signed.
    :param overlap: how long a new certificate is trusted before it signs.
    """
    valid = sorted((one for one in live if one.end > now), key=lambda one: one.start)
    kept = [one for one in valid if not _is_done(one, valid, leaves, overlap=overlap, now=now)]
    if not kept or kept[-1].is_due(now):
        kept.append(mint.authority(name=name, life=life, now=now))
    return tuple(kept)


def _is_done(
    one: Credential, valid: Sequence[Credential], leaves: Sequence[Credential], *, overlap: timedelta, now: datetime
) -> bool:
    """Whether a younger certificate signs, and all that this one signed is out of use."""
    followed = any(other.start > one.start and other.start + overlap <= now for other in valid)
    return followed and all(leaf.signed_by != one.identity and leaf.start + IN_USE <= now for leaf in leaves)


def signer(authority: Sequence[Credential], *, overlap: timedelta, now: datetime) -> Credential:
    """The youngest certificate that everybody trusts by now, else the oldest."""
    known = [one for one in authority if one.start + overlap <= now]
    return known[-1] if known else authority[0]


def reason_to_renew(live: Credential | None, wish: Wish, *, signer: Credential, now: datetime) -> str:
    """Why a certificate is made anew, in words; empty when it is good."""
    if live is None:
        return "it is not there"
    if live.end <= now:
        return f"it ended on {live.end:%Y-%m-%d}"
    if set(live.names) != set(wish.names):
        return "its names are others"
    if live.signed_by != signer.identity:
        return "it is not signed by the authority's current certificate"
    if live.is_due(now):
        return f"it ends on {live.end:%Y-%m-%d}"
    return ""


__all__ = ("Credential", "Mint", "Wish", "reason_to_renew", "renewed_authority", "signer")
