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
