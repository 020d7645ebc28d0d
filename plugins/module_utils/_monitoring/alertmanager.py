# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alertmanager's configuration from receivers and routes; a receiver's secret is only ever a file. Pure.

Options of the integrations: https://prometheus.io/docs/alerting/latest/configuration/
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .._core.errors import PlatformError
from .._core.text import listed, unknown_name

Object = dict[str, t.Any]
NOBODY = "nobody"
# Where Alertmanager's pod sees the Secrets that its object lists (prometheus-operator, AlertmanagerSpec.secrets).
SECRETS = "/etc/alertmanager/secrets"
MATCHER = re.compile(r'^\s*[a-zA-Z_][a-zA-Z0-9_]*\s*(=~|!~|!=|=)\s*("[^"]*"|[^\s,"{}]+)\s*$')


@dataclass(frozen=True)
class Integration:
    """One way to tell somebody.

    :param section: the key of the receiver that lists it.
    :param secret_field: the option that names the file with its secret; empty when it needs none.
    """

    section: str
    secret_field: str


INTEGRATIONS = {
    "email": Integration("email_configs", "auth_password_file"),
    "msteams": Integration("msteamsv2_configs", "webhook_url_file"),
    "opsgenie": Integration("opsgenie_configs", "api_key_file"),
    "pagerduty": Integration("pagerduty_configs", "routing_key_file"),
    "slack": Integration("slack_configs", "api_url_file"),
    "sns": Integration("sns_configs", ""),  # signed by the pod's identity
    "webhook": Integration("webhook_configs", "url_file"),
}
# A critical alert hides the lesser ones of the same thing; a node that is gone hides what its GPUs say.
INHIBITIONS: list[Object] = [
    {
        "source_matchers": ["severity = critical"],
        "target_matchers": ["severity =~ warning|info"],
        "equal": ["namespace", "alertname"],
    },
    {
        "source_matchers": ["severity = warning"],
        "target_matchers": ["severity = info"],
        "equal": ["namespace", "alertname"],
    },
    {"source_matchers": ["alertname = InfoInhibitor"], "target_matchers": ["severity = info"], "equal": ["namespace"]},
    {
        "source_matchers": ["alertname =~ KubeNodeNotReady|KubeNodeUnreachable"],
        "target_matchers": ["alertname =~ Gpu.*|Mig.*"],
        "equal": ["node"],
    },
]


def configuration(receivers: Iterable[Mapping[str, t.Any]], routes: Iterable[Mapping[str, t.Any]]) -> Object:
    """C(config), Alertmanager's configuration, and C(secrets), the names of the Secrets that it needs.

    :param receivers: C(name) and one or more of C(INTEGRATIONS), each with C(secret) (C(name), C(key)) and options.
    :param routes: C(receiver) and C(match), a list of matchers; the first that matches wins. An alert that matches no
        route goes to the first receiver, to nobody when there is none.
    :raises PlatformError: an unknown receiver, integration or matcher, or a secret that stands in the open.
    """
    known: dict[str, Object] = {}
    secrets: set[str] = set()
    for data in receivers:
        name = str(data["name"])
        if name in {*known, NOBODY}:
            raise PlatformError(f"alert receiver {name} stands twice, or has the name {NOBODY}, which is taken")
        known[name] = _receiver(data, secrets)
    default = next(iter(known), NOBODY)
    tree: Object = {
        "receiver": default,
        "group_by": ["namespace", "alertname"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "12h",
        "routes": [
            {"receiver": NOBODY, "matchers": ['alertname =~ "Watchdog|InfoInhibitor"']},
            *(_route(data, known) for data in routes),
        ],
    }
    config = {
        "global": {"resolve_timeout": "5m"},
        "inhibit_rules": INHIBITIONS,
        "route": tree,
        "receivers": [{"name": NOBODY}, *known.values()],
        "templates": ["/etc/alertmanager/config/*.tmpl"],
    }
    return {"config": config, "secrets": sorted(secrets)}


def _receiver(data: Mapping[str, t.Any], secrets: set[str]) -> Object:
    where = f"alert receiver {data['name']}"
    ways = {key: value for key, value in data.items() if key != "name" and value}
    if not ways:
        raise PlatformError(f"{where} tells nobody; give it one of {listed(INTEGRATIONS, conjunction='or')}")
    found: Object = {"name": str(data["name"])}
    for way, options in ways.items():
        if way not in INTEGRATIONS:
            raise PlatformError(f"{where}: {unknown_name('integration', way, INTEGRATIONS)}")
        found[INTEGRATIONS[way].section] = [_options(options, INTEGRATIONS[way], f"{where}, {way}", secrets)]
    return found


def _options(options: Mapping[str, t.Any], way: Integration, where: str, secrets: set[str]) -> Object:
    found = {key: value for key, value in options.items() if key != "secret"}
    found.setdefault("send_resolved", True)
    if not way.secret_field:
        return found
    in_the_open = way.secret_field.removesuffix("_file")
    if in_the_open in found:
        raise PlatformError(
            f"{where}: {in_the_open} is a secret; put it into a Secret and say secret: {{name: ..., key: ...}} instead"
        )
    secret = options.get("secret") or {}
    if not secret.get("name") or not secret.get("key"):
        raise PlatformError(f"{where}: secret needs name and key of the Secret that holds {in_the_open}")
    secrets.add(secret["name"])
    return {**found, way.secret_field: f"{SECRETS}/{secret['name']}/{secret['key']}"}


def _route(data: Mapping[str, t.Any], receivers: Mapping[str, Object]) -> Object:
    name = str(data.get("receiver"))
    if name not in {*receivers, NOBODY}:
        raise PlatformError(f"alert route: {unknown_name('receiver', name, {*receivers, NOBODY})}")
    matchers = list(data.get("match") or ())
    if not matchers:
        raise PlatformError(f"the alert route to {name} matches everything; the first receiver gets the rest already")
    for matcher in matchers:
        if not MATCHER.match(matcher):
            raise PlatformError(f"the alert route to {name}: {matcher!r} is no matcher such as severity = critical")
    found: Object = {"receiver": name, "matchers": matchers}
    return found | {key: value for key, value in data.items() if key not in ("receiver", "match") and value}


__all__ = ("INTEGRATIONS", "NOBODY", "configuration")
