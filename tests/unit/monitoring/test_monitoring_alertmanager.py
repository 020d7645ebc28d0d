"""Alertmanager's configuration: routes in order, secrets only as files, mistakes refused by name."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._monitoring.alertmanager import (
    INTEGRATIONS,
    configuration,
)

CANARY = "canary-9f27"
SECRET = {"name": "alerts", "key": "url"}
TEAM: dict[str, t.Any] = {"name": "team", "slack": {"channel": "#ai", "secret": SECRET}}
ON_CALL: dict[str, t.Any] = {"name": "on-call", "pagerduty": {"secret": {"name": "pager", "key": "routing"}}}


def test_without_receivers_nobody_is_told() -> None:
    found = configuration([], [])
    assert found["config"]["route"]["receiver"] == "nobody"
    assert found["config"]["receivers"] == [{"name": "nobody"}]
    assert found["secrets"] == []


def test_receivers_and_routes() -> None:
    found = configuration(
        [TEAM, ON_CALL], [{"receiver": "on-call", "match": ["severity = critical"], "repeat_interval": "1h"}]
    )
    route = found["config"]["route"]
    assert route["receiver"] == "team"
    assert route["routes"][1] == {
        "receiver": "on-call", "matchers": ["severity = critical"], "repeat_interval": "1h",
    }  # fmt: skip
    assert found["secrets"] == ["alerts", "pager"]
    assert {one["name"] for one in found["config"]["receivers"]} == {"nobody", "team", "on-call"}
    assert "/etc/alertmanager/secrets/alerts/url" in json.dumps(found["config"])


@pytest.mark.parametrize("way", sorted(INTEGRATIONS))
def test_every_integration_reads_its_secret_from_a_file(way: str) -> None:
    receiver = configuration([{"name": "one", way: {"secret": SECRET, "x": 1}}], [])["config"]["receivers"][1]
    options = receiver[INTEGRATIONS[way].section][0]
    field = INTEGRATIONS[way].secret_field
    assert options.get(field, "") == ("/etc/alertmanager/secrets/alerts/url" if field else "")
    assert "secret" not in options


@pytest.mark.parametrize(
    ("receivers", "routes", "said"),
    [
        ([{"name": "a", "slak": {}}], [], "tells nobody"),
        ([{"name": "a", "slak": {"channel": "x"}}], [], "did you mean 'slack'"),
        ([{"name": "a", "slack": {"channel": "x"}}], [], "needs name and key"),
        ([{"name": "a", "slack": {"api_url": "https://x", "secret": SECRET}}], [], "api_url is a secret"),
        ([TEAM, TEAM], [], "stands twice"),
        ([TEAM], [{"receiver": "taem", "match": ["a = b"]}], "did you mean 'team'"),
        ([TEAM], [{"receiver": "team"}], "matches everything"),
        ([TEAM], [{"receiver": "team", "match": ["severity: critical"]}], "is no matcher"),
    ],
)
def test_mistakes_are_refused(receivers: t.Any, routes: t.Any, said: str) -> None:
    with pytest.raises(PlatformError, match=said):
        configuration(receivers, routes)


OPEN_SECRETS: list[tuple[str, dict[str, t.Any], str]] = [
    ("email", {"auth_password": CANARY}, "say secret: {name: ..., key: ...} or auth_password_file: {name"),
    ("email", {"auth_secret": CANARY}, "auth_secret is a secret"),
    ("email", {"tls_config": {"key": CANARY}}, "tls_config.key is a secret; put it into a Secret and say key_file"),
    ("msteams", {"webhook_url": CANARY}, "webhook_url is a secret"),
    ("opsgenie", {"api_key": CANARY}, "api_key is a secret"),
    ("pagerduty", {"routing_key": CANARY}, "routing_key is a secret"),
    ("pagerduty", {"service_key": CANARY}, "service_key is a secret"),
    ("slack", {"api_url": CANARY}, "api_url is a secret"),
    ("slack", {"app_token": CANARY}, "app_token is a secret"),
    ("sns", {"sigv4": {"access_key": "id", "secret_key": CANARY}}, "sigv4.secret_key .* from no file; leave sigv4"),
    ("webhook", {"url": CANARY}, "url is a secret"),
    ("webhook", {"http_config": {"basic_auth": {"username": "u", "password": CANARY}}}, "say password_file: {name"),
    ("webhook", {"http_config": {"authorization": {"credentials": CANARY}}}, "say credentials_file: {name"),
    ("webhook", {"http_config": {"bearer_token": CANARY}}, "http_config.bearer_token is a secret"),
    ("webhook", {"http_config": {"oauth2": {"client_secret": CANARY}}}, "oauth2.client_secret is a secret"),
    ("webhook", {"http_config": {"oauth2": {"tls_config": {"key": CANARY}}}}, "tls_config.key is a secret"),
    ("webhook", {"http_config": {"http_headers": {"X": {"secrets": [CANARY]}}}}, r"X.secrets .* say files: \[{name"),
    ("webhook", {"http_config": {"http_headers": {"X-Api-Key": {"values": [CANARY]}}}}, "Key.values is a secret"),
    ("webhook", {"http_config": {"proxy_connect_header": {"A": [CANARY]}}}, "proxy_connect_header .* from no file"),
    ("webhook", {"http_config": {"proxy_url": f"http://me:{CANARY}@proxy:3128"}}, "proxy_url holds a password"),
]


@pytest.mark.parametrize(("way", "options", "said"), OPEN_SECRETS)
def test_no_secret_stands_in_the_open_and_the_refusal_shows_none(way: str, options: t.Any, said: str) -> None:
    for beside in ({"secret": SECRET}, {}):
        with pytest.raises(PlatformError, match=said) as refused:
            configuration([{"name": "a", way: {**options, **beside}}], [])
        assert CANARY not in str(refused.value)
        assert "alert receiver a, " in str(refused.value)


def test_further_secrets_are_files_too() -> None:
    reference = {"name": "proxy", "key": "token"}
    http = {
        "authorization": {"credentials_file": reference},
        "tls_config": {"key_file": "/etc/own.key", "insecure_skip_verify": False},
        "http_headers": {"X-Api-Key": {"files": [{"name": "headers", "key": "x"}]}, "X-Place": {"values": ["here"]}},
        "proxy_url": "http://proxy:3128",
    }
    found = configuration([{"name": "a", "webhook": {"secret": SECRET, "http_config": http}}], [])
    (made,) = found["config"]["receivers"][1]["webhook_configs"]
    assert found["secrets"] == ["alerts", "headers", "proxy"]
    assert made["http_config"] == {
        **http,
        "authorization": {"credentials_file": "/etc/alertmanager/secrets/proxy/token"},
        "http_headers": {
            "X-Api-Key": {"files": ["/etc/alertmanager/secrets/headers/x"]}, "X-Place": {"values": ["here"]},
        },
    }  # fmt: skip


def test_another_secret_may_stand_in_place_of_the_usual_one() -> None:
    found = configuration([{"name": "a", "pagerduty": {"service_key_file": SECRET}}], [])
    (made,) = found["config"]["receivers"][1]["pagerduty_configs"]
    assert made == {"service_key_file": "/etc/alertmanager/secrets/alerts/url", "send_resolved": True}
    assert found["secrets"] == ["alerts"]
    with pytest.raises(PlatformError, match="service_key_file needs name and key of a Secret"):
        configuration([{"name": "a", "pagerduty": {"service_key_file": {"name": "alerts"}}}], [])


def test_what_is_no_secret_elsewhere_is_taken() -> None:
    addresses = [("opsgenie", {"api_url": "https://api.eu.example"}), ("pagerduty", {"url": "https://events.example"})]
    actions = {"actions": [{"type": "button", "text": "Look", "url": "https://grafana.example"}]}
    for way, options in [*addresses, ("slack", actions)]:
        made = configuration([{"name": "a", way: {**options, "secret": SECRET}}], [])["config"]["receivers"][1]
        assert options.items() <= made[INTEGRATIONS[way].section][0].items()
