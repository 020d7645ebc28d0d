"""Certificates over the years: no proxy ever meets one that it does not trust, however late it restarts."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._mesh.linkerd_identity import (
    SPEC,
    Settings,
    Trust,
    renewed,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._mesh.renewal import (
    Credential,
    Wish,
    reason_to_renew,
    signer,
)
from hypothesis import given, settings
from hypothesis import strategies as st

START = datetime(2026, 11, 21, tzinfo=UTC)
DAY = timedelta(days=1)
WEBHOOKS = [
    {"service": "injector", "secret": "injector-tls"},
    {"service": "tap", "secret": "tap-tls", "namespace": "viz"},
]


class CountingMint:
    """Certificates without keys: their identities are numbers."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)

    def authority(self, *, name: str, life: timedelta, now: datetime) -> Credential:
        number = str(next(self.numbers))
        return Credential(f"<{number}>", "key", number, now, now + life, signed_by=number)

    def leaf(self, wish: Wish, *, signer: Credential, now: datetime) -> Credential:
        number = str(next(self.numbers))
        end = min(now + wish.life, signer.end)
        return Credential(f"<{number}>", "key", number, now, end, names=wish.names, signed_by=signer.identity)


def options(**given: object) -> dict[str, object]:
    return {**{name: one.get("default") for name, one in SPEC.options.items()}, "webhooks": WEBHOOKS, **given}


def identities(trust: Trust, wanted: Settings) -> list[str]:
    return [one.identity for one in trust.authorities[wanted.anchor]]


def played(days: list[int], **given: int) -> list[tuple[datetime, Trust]]:
    """What is there after plays that many days after each other."""
    wanted, mint, trust, now = Settings.of(options(**given)), CountingMint(), Trust(), START
    found = []
    for pause in days:
        now += pause * DAY
        trust, _reasons = renewed(trust, wanted, now=now, mint=mint)  # type: ignore[arg-type]
        found.append((now, trust))
    return found


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=60, max_size=150),
    st.integers(3, 14),
)
def test_no_proxy_ever_meets_a_stranger(days: list[int], overlap: int) -> None:
    given_ = {"anchor_days": 120, "issuer_days": 30, "webhook_days": 40, "overlap_days": overlap}
    wanted = Settings.of(options(**given_))
    history = played(days, **given_)
    for at, (now, trust) in enumerate(history):
        bundle = {one.identity: one for one in trust.authorities[wanted.anchor]}
        issuer = trust.leaves[wanted.issuer]
        assert issuer is not None
        assert now < issuer.end <= bundle[issuer.signed_by].end
        # A proxy that restarted up to overlap days ago has the bundle of then: it knows today's issuer.
        then = [old for when, old in history[: at + 1] if when + wanted.overlap <= now]
        if then:
            assert issuer.signed_by in identities(then[-1], wanted)
        # One that starts now knows every issuer whose certificates are still in use.
        for when, old in history[: at + 1]:
            used = old.leaves[wanted.issuer]
            assert used is not None
            following = [later for later, _trust in history[: at + 1] if later > when]
            in_use_until = (following[0] if following else now) + DAY
            if in_use_until > now and used.end > now:
                assert used.signed_by in bundle


def test_years_of_plays_use_several_anchors_and_drop_the_old_ones() -> None:
    history = played([7] * 260, anchor_days=365, issuer_days=60, overlap_days=14)
    wanted = Settings.of(options())
    sizes = [len(trust.authorities[wanted.anchor]) for _now, trust in history]
    assert max(sizes) == 2
    assert sizes[-1] == 1
    assert len({identity for _now, trust in history for identity in identities(trust, wanted)}) >= 5


def test_a_second_play_changes_nothing() -> None:
    (_first, one), (_second, other) = played([0, 1])
    assert one == other


def test_after_a_long_sleep_all_is_made_anew() -> None:
    (_first, one), (now, other) = played([0, 4000])
    wanted = Settings.of(options())
    assert not set(identities(one, wanted)) & set(identities(other, wanted))
    assert all(leaf is not None and leaf.end > now for leaf in other.leaves.values())


def test_an_anchor_is_known_before_it_signs() -> None:
    old = Credential("a", "k", "old", START, START + 300 * DAY)
    new = Credential("b", "k", "new", START + 200 * DAY, START + 500 * DAY)
    overlap = 14 * DAY
    assert signer([old, new], overlap=overlap, now=START + 213 * DAY).identity == "old"
    assert signer([old, new], overlap=overlap, now=START + 214 * DAY).identity == "new"
    assert signer([new], overlap=overlap, now=START + 201 * DAY).identity == "new"


@pytest.mark.parametrize(
    ("live", "said"),
    [
        (None, "is not there"),
        (Credential("a", "k", "1", START, START + DAY, ("x",), "ca"), "ended on 2026-11-22"),
        (Credential("a", "k", "1", START, START + 90 * DAY, ("y",), "ca"), "names"),
        (Credential("a", "k", "1", START, START + 90 * DAY, ("x",), "other"), "not signed"),
        (Credential("a", "k", "1", START, START + 14 * DAY, ("x",), "ca"), "ends on 2026-12-05"),
        (Credential("a", "k", "1", START, START + 90 * DAY, ("x",), "ca"), ""),
    ],
)
def test_reasons(live: Credential | None, said: str) -> None:
    authority = Credential("ca", "k", "ca", START, START + 900 * DAY)
    found = reason_to_renew(live, Wish(("x",), 90 * DAY), signer=authority, now=START + 10 * DAY)
    assert said in found
    assert bool(said) == bool(found)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"issuer_days": 5}, "issuer_days is 5"),
        ({"overlap_days": 40, "anchor_days": 90}, r"from 0 to a third of anchor_days \(30\)"),
        ({"overlap_days": -1}, "overlap_days is -1"),
        ({"webhooks": [WEBHOOKS[0], WEBHOOKS[0]]}, "stands twice"),
        ({"webhooks": [{"service": "x", "secret": "linkerd-trust-anchor"}]}, "a Secret of its own"),
    ],
)
def test_wrong_options_are_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(PlatformError, match=said):
        Settings.of(options(**wrong))


def test_keys_are_never_shown() -> None:
    assert "hidden" not in repr(Credential("pem", "hidden", "1", START, START))
