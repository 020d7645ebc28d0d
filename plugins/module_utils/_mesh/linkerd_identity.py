# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The use case of linkerd_identity: Linkerd's certificates in Secrets, made once and renewed in time."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from .._core.argument_spec import ArgumentSpec
from .._core.errors import PlatformError
from .._core.outcome import Context, Outcome, UseCase, converge
from .._core.plan import NO_CHANGE, Plan, Step
from .._k8s.connection import CONNECTION_SPEC
from .._k8s.to_come import connect
from .certificates import Certificates
from .proxies import outdated_proxies
from .renewal import Credential, Wish, reason_to_renew, renewed_authority, signer
from .secrets import Place, Secret, Secrets, authority_data, authority_of, leaf_data, leaf_of

ANCHOR, WEBHOOK_AUTHORITY, ISSUER = "linkerd-trust-anchor", "linkerd-webhook-authority", "linkerd-identity-issuer"
SHORTEST_DAYS = 6  # a third of it is the two days for which what it signed is in use
SPEC = ArgumentSpec(
    options={
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "namespace": {"type": "str", "default": "linkerd"},
        "issuer": {"type": "bool", "default": True},
        "trust_anchors": {"type": "str", "default": ""},
        "trust_domain": {"type": "str", "default": "cluster.local"},
        "webhooks": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "service": {"type": "str", "required": True},
                "secret": {"type": "str", "required": True, "no_log": False},
                "namespace": {"type": "str"},
            },
        },
        "anchor_days": {"type": "int", "default": 3650},
        "issuer_days": {"type": "int", "default": 180},
        "webhook_days": {"type": "int", "default": 365},
        "overlap_days": {"type": "int", "default": 14},
    }
).merge(CONNECTION_SPEC)


@dataclass(frozen=True)
class Settings:
    """What is wished.

    :param leaves: wishes by place; the issuer first, then the webhooks.
    :param others_anchors: PEM of the anchors of somebody else's issuer; empty when the issuer is ours.
    """

    anchor: Place
    webhook_authority: Place
    issuer: Place
    leaves: Mapping[Place, Wish]
    anchor_life: timedelta
    overlap: timedelta
    trust_domain: str
    others_anchors: str = ""

    @classmethod
    def of(cls, options: Mapping[str, t.Any]) -> Settings:
        """Read the options.

        :raises PlatformError: a life that is too short for its renewal, or a Secret for two webhooks.
        """
        namespace = options["namespace"]
        issuer = Place(namespace, ISSUER)
        names = (f"identity.{namespace}.{options['trust_domain']}",)
        own_issuer = {issuer: Wish(names, _life(options, "issuer_days"), intermediate=True)}
        leaves = own_issuer if options["issuer"] else {}
        for webhook in options["webhooks"]:
            place = Place(webhook.get("namespace") or namespace, webhook["secret"])
            if place in leaves or place.name in (ANCHOR, WEBHOOK_AUTHORITY, ISSUER):
                raise PlatformError(f"webhooks: {place} stands twice; each webhook has a Secret of its own")
            name = f"{webhook['service']}.{place.namespace}.svc"
            leaves[place] = Wish((name, f"{name}.{options['trust_domain']}"), _life(options, "webhook_days"))
        overlap, life = options["overlap_days"], _life(options, "anchor_days")
        if not 0 <= overlap * 3 <= life.days:
            raise PlatformError(
                f"overlap_days is {overlap}; it must be from 0 to a third of anchor_days ({life.days // 3}), because "
                "a new anchor is made when a third of the old one's life is left"
            )
        return cls(
            anchor=Place(namespace, ANCHOR),
            webhook_authority=Place(namespace, WEBHOOK_AUTHORITY),
            issuer=issuer,
            leaves=leaves,
            anchor_life=life,
            overlap=timedelta(days=overlap),
            trust_domain=options["trust_domain"],
            others_anchors="" if options["issuer"] else options["trust_anchors"],
        )

    def authorities(self) -> tuple[Place, ...]:
        """Where the certificates of the authorities are that sign something."""
        signing = {self.authority_of(leaf) for leaf in self.leaves}
        return tuple(place for place in (self.anchor, self.webhook_authority) if place in signing)

    def places(self) -> tuple[Place, ...]:
        """Every Secret."""
        return (*self.authorities(), *self.leaves)

    def authority_of(self, leaf: Place) -> Place:
        """The authority that signs this leaf."""
        return self.anchor if leaf == self.issuer else self.webhook_authority

    def bundle_of(self, trust: Trust) -> str:
        """The certificates that proxies shall trust, PEM: ours, or those of somebody else's issuer."""
        return trust.bundle(self.anchor) or self.others_anchors


def _life(options: Mapping[str, t.Any], name: str) -> timedelta:
    if options[name] < SHORTEST_DAYS:
        raise PlatformError(f"{name} is {options[name]}; a certificate lives at least {SHORTEST_DAYS} days")
    return timedelta(days=options[name])


@dataclass(frozen=True)
class Trust:
    """Certificates by place: lists of authorities, and single ones of leaves (None: not there or not readable)."""

    authorities: Mapping[Place, tuple[Credential, ...]] = field(default_factory=dict)
    leaves: Mapping[Place, Credential | None] = field(default_factory=dict)

    def bundle(self, place: Place) -> str:
        """The certificates of an authority, PEM, oldest first."""
        return "".join(one.certificate for one in self.authorities.get(place, ()))


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:
    """Make, renew or take away the Secrets."""
    return converge_identity(options, context, now=datetime.now(UTC).replace(microsecond=0))


def converge_identity(options: Mapping[str, t.Any], context: Context, *, now: datetime) -> Outcome:
    """The same at a given time."""
    settings = Settings.of(options)
    client = connect(options, context)
    secrets = Secrets(client, context.clock)
    live = secrets.read(settings.places())
    if options["state"] == "absent":
        plan = Plan(tuple(_removal(place, live.get(place)) for place in settings.places()))
        nothing = facts(settings, Trust(), proxies=[], changed=False)
        return converge(plan, context, apply=lambda one: _apply(one, secrets, nothing), predict=lambda _plan: nothing)
    mint = Certificates()
    found = trust_of(live, settings, mint)
    wanted, reasons = renewed(found, settings, now=now, mint=mint)
    plan = Plan(tuple(_steps(live, found, wanted, reasons, settings)))
    before, after = settings.bundle_of(found), settings.bundle_of(wanted)
    proxies = outdated_proxies(client, namespace=settings.anchor.namespace, bundle=after) if after else []
    result = facts(settings, wanted, proxies=proxies, changed=bool(before) and before != after)
    return converge(plan, context, apply=lambda one: _apply(one, secrets, result), predict=lambda _plan: result)


def trust_of(live: Mapping[Place, Secret], settings: Settings, mint: Certificates) -> Trust:
    """What the Secrets hold.

    :raises PlatformError: an authority cannot be read; a new one in its place would cut every proxy off.
    """
    authorities = {place: authority_of(live[place], mint) if place in live else () for place in settings.authorities()}
    leaves = {
        place: leaf_of(live[place], mint, authorities[settings.authority_of(place)]) if place in live else None
        for place in settings.leaves
    }
    return Trust(authorities, leaves)


def renewed(found: Trust, settings: Settings, *, now: datetime, mint: Certificates) -> tuple[Trust, dict[Place, str]]:
    """What there shall be, and why leaves are made anew."""
    authorities: dict[Place, tuple[Credential, ...]] = {}
    for place in settings.authorities():
        mine = [found.leaves.get(leaf) for leaf in settings.leaves if settings.authority_of(leaf) == place]
        authorities[place] = renewed_authority(
            found.authorities.get(place, ()),
            [leaf for leaf in mine if leaf is not None],
            name=_common_name(place, settings),
            life=settings.anchor_life,
            overlap=settings.overlap,
            now=now,
            mint=mint,
        )
    leaves: dict[Place, Credential | None] = {}
    reasons: dict[Place, str] = {}
    for place, wish in settings.leaves.items():
        by = signer(authorities[settings.authority_of(place)], overlap=settings.overlap, now=now)
        leaves[place] = live = found.leaves.get(place)
        if reason := reason_to_renew(live, wish, signer=by, now=now):
            reasons[place], leaves[place] = reason, mint.leaf(wish, signer=by, now=now)
    return Trust(authorities, leaves), reasons


def _common_name(place: Place, settings: Settings) -> str:
    first = "root" if place == settings.anchor else "webhooks"
    return f"{first}.{place.namespace}.{settings.trust_domain}"


def _steps(
    live: Mapping[Place, Secret], found: Trust, wanted: Trust, reasons: Mapping[Place, str], settings: Settings
) -> t.Iterator[Step]:
    """Authorities before what they sign: a proxy never meets a certificate whose authority is nowhere yet."""
    for place in settings.authorities():
        before, after = found.authorities.get(place, ()), wanted.authorities[place]
        shown = _shown(after, live=before)
        yield _step(live.get(place), place, _shown(before, live=before), shown, authority_data(after), "Opaque")
    for place in settings.leaves:
        old, new = found.leaves.get(place), wanted.leaves[place]
        if new is not None:
            known, data = [old] if old else [], leaf_data(new)
            was, becomes = _shown(known, live=known), _shown([new], live=known)
            step = _step(live.get(place), place, was, becomes, data, "kubernetes.io/tls")
            yield replace(step, reason=reasons.get(place, ""))


def _shown(credentials: Sequence[Credential], *, live: Sequence[Credential]) -> list[str]:
    """Certificates as the diff shows them: a new one has no identity yet when check mode foretells it."""
    known = {one.identity for one in live}
    return [f"{one.identity[:12] if one.identity in known else 'new'} until {one.end:%Y-%m-%d}" for one in credentials]


def _step(
    live: Secret | None, place: Place, before: list[str], after: list[str], data: Mapping[str, str], kind: str
) -> Step:
    same = before == after and live is not None
    return Step(
        action=NO_CHANGE if same else "update" if live else "create",
        target=str(place),
        before={"certificates": before} if live else None,
        after={"certificates": after},
        payload=Secret(place, data=data, kind=kind, version=live.version if live else ""),
    )


def _removal(place: Place, live: Secret | None) -> Step:
    return Step(action="delete" if live else NO_CHANGE, target=str(place), before={} if live else None, payload=live)


def _apply(plan: Plan, secrets: Secrets, result: Mapping[str, t.Any]) -> Mapping[str, t.Any]:
    for step in plan.pending:
        if step.action == "delete":
            secrets.delete(step.payload.place)
        else:
            secrets.write(step.payload)
    return result


def facts(
    settings: Settings, wanted: Trust, *, proxies: list[dict[str, t.Any]] | None, changed: bool
) -> dict[str, t.Any]:
    """The keys that the module returns: nothing secret.

    :param proxies: those that do not know the bundle; None when they could not be seen, so that what changed counts.
    """
    ends = {place: one[-1].end for place, one in wanted.authorities.items()}
    ends |= {place: one.end for place, one in wanted.leaves.items() if one is not None}
    return {
        "trust_anchors": settings.bundle_of(wanted),
        "webhook_authorities": wanted.bundle(settings.webhook_authority),
        "restart_proxies": changed if proxies is None else bool(proxies),
        "outdated_proxies": proxies or [],
        "certificates": [
            {"namespace": place.namespace, "secret": place.name, "valid_until": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
            for place, end in ends.items()
        ],
    }


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("SPEC", "USE_CASE", "Settings", "Trust", "converge_identity", "renewed", "run", "trust_of")
