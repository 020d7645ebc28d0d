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
    :param others: secret options that may stand in its place, without their C(_file).
    """

    section: str
    secret_field: str
    others: tuple[str, ...] = ()


INTEGRATIONS = {
    "email": Integration("email_configs", "auth_password_file", ("auth_secret",)),
    "msteams": Integration("msteamsv2_configs", "webhook_url_file"),
    "opsgenie": Integration("opsgenie_configs", "api_key_file"),
    "pagerduty": Integration("pagerduty_configs", "routing_key_file", ("service_key",)),
    "slack": Integration("slack_configs", "api_url_file", ("app_token",)),
    "sns": Integration("sns_configs", ""),  # signed by the pod's identity
    "webhook": Integration("webhook_configs", "url_file"),
}
# Of every integration, at any depth: <http_config>, <oauth2>, <tls_config> and <sigv4_config> of the reference.
SECRETS_OF_ALL = frozenset(
    (
        *("password", "credentials", "bearer_token", "client_secret", "client_certificate_key", "secret_key"),
        *("api_key", "api_secret", "bot_token", "token", "user_key", "webhook_url", "proxy_connect_header"),
    )
)
WITHOUT_FILE = {
    "secret_key": "leave sigv4 to the pod's own identity (eks_pod_identities)",
    "proxy_connect_header": "let the proxy know the pod by its address",
}
USER_AND_PASSWORD = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/@\s]*:[^/@\s]+@")
SECRET_HEADER = re.compile(r"authorization|cookie|token|key|secret", re.IGNORECASE)
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
    own = {name for name in (way.secret_field.removesuffix("_file"), *way.others) if name}
    _refuse_open(options, own, where)
    found: Object = _filed({key: value for key, value in options.items() if key != "secret"}, where, secrets)
    found.setdefault("send_resolved", True)
    if not way.secret_field or (any(f"{name}_file" in found for name in own) and "secret" not in options):
        return found
    told = f"secret needs name and key of the Secret that holds {way.secret_field.removesuffix('_file')}"
    return {**found, way.secret_field: _file(options.get("secret"), f"{where}: {told}", secrets)}


def _refuse_open(options: Mapping[str, t.Any], own: set[str], where: str, place: tuple[str, ...] = ()) -> None:
    """Refuse what is a secret and stands in the options themselves, however deep.

    :param own: the integration's own secrets, which stand at its top.
    :raises PlatformError: with the way to put it into a file.
    """
    for key, value in options.items():
        path = (*place, str(key))
        if value in (None, "") or path == ("secret",):
            continue
        if path[-1] in own or _is_secret(path):
            raise _open(path, where)
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, Mapping):
                _refuse_open(inner, set(), where, path)
            elif USER_AND_PASSWORD.match(str(inner)):
                raise PlatformError(f"{where}: {'.'.join(path)} holds a password; name the address without it")


def _is_secret(path: tuple[str, ...]) -> bool:
    if path[-3:-2] == ("http_headers",):
        return path[-1] == "secrets" or (path[-1] == "values" and bool(SECRET_HEADER.search(path[-2])))
    return path[-1] in SECRETS_OF_ALL or path[-2:] == ("tls_config", "key")


def _open(path: tuple[str, ...], where: str) -> PlatformError:
    shown, key, reference = ".".join(path), path[-1], "{name: ..., key: ...}"
    if key in WITHOUT_FILE:
        return PlatformError(f"{where}: {shown} is a secret that Alertmanager reads from no file; {WITHOUT_FILE[key]}")
    ways = f"{key}_file: {reference}"
    if path[-3:-2] == ("http_headers",):
        ways = f"files: [{reference}]"
    elif len(path) == 1:
        ways = f"secret: {reference} or {ways}"
    return PlatformError(f"{where}: {shown} is a secret; put it into a Secret and say {ways} instead")


def _filed(value: t.Any, where: str, secrets: set[str], key: str = "") -> t.Any:
    """The options with paths in place of references to Secrets, which stand at C(..._file) and in C(files)."""
    if isinstance(value, Mapping) and key.endswith("_file"):
        return _file(value, f"{where}: {key} needs name and key of a Secret", secrets)
    if isinstance(value, Mapping):
        return {name: _filed(inner, where, secrets, str(name)) for name, inner in value.items()}
    if isinstance(value, list):
        inside = "_file" if key == "files" else ""
        return [_filed(inner, where, secrets, inside) for inner in value]
    return value


def _file(reference: t.Any, problem: str, secrets: set[str]) -> str:
    """Where Alertmanager's pod sees a Secret's key."""
    told = reference if isinstance(reference, Mapping) else {}
    if not told.get("name") or not told.get("key"):
        raise PlatformError(problem)
    secrets.add(str(told["name"]))
    return f"{SECRETS}/{told['name']}/{told['key']}"


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
