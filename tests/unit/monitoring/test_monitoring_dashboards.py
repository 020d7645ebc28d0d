"""Grafana's JSON of compact data: every panel in a place of its own, complete, and nothing misspelt."""

from __future__ import annotations

import copy
import itertools
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._monitoring.dashboards import dashboard

FILES = sorted((Path(__file__).resolve().parents[3] / "roles/monitoring/files/dashboards").glob("*.yml"))
SMALL: dict[str, t.Any] = {
    "uid": "u",
    "title": "T",
    "variables": [{"name": "pool", "query": "label_values(m, p)"}],
    "rows": [
        {
            "title": "R",
            "panels": [
                {"title": "S", "kind": "stat", "queries": {"now": "sum(m)"}},
                {"title": "L", "queries": {"{{pod}}": "sum by (pod)\n (m)"}, "thresholds": {5: "red"}},
                {
                    "title": "T",
                    "kind": "table",
                    "columns": {"pod": "Pod"},
                    "units": {"B": "bytes"},
                    "queries": {"A": "a", "B": "b"},
                },
            ],
        }
    ],
}


def area(panel: dict[str, t.Any]) -> set[tuple[int, int]]:
    place = panel["gridPos"]
    return set(
        itertools.product(range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"]))
    )


def panels_of(path: Path) -> list[dict[str, t.Any]]:
    found: list[dict[str, t.Any]] = dashboard(yaml.safe_load(path.read_text(encoding="utf-8")))["panels"]
    return found


def test_there_is_a_dashboard_for_each_question() -> None:
    assert {path.stem for path in FILES} == {"cost", "gpu_fleet", "mig_slices", "serving"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_panels_do_not_overlap_and_fit_the_page(path: Path) -> None:
    panels = panels_of(path)
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in itertools.combinations(panels, 2):
        assert not area(one) & area(other), (one["title"], other["title"])
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_legends_and_columns_name_labels_that_the_query_keeps(path: Path) -> None:
    """A label in a legend that the aggregation dropped shows as nothing."""
    for panel in panels_of(path):
        for target in panel.get("targets", ()):
            kept = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", target["expr"]))))
            legend = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert legend <= kept or "by (" not in target["expr"], (panel["title"], target["legendFormat"])


def test_a_dashboard_is_what_grafana_reads() -> None:
    found = dashboard(SMALL)
    assert found["schemaVersion"] >= 39
    assert [panel["type"] for panel in found["panels"]] == ["row", "stat", "timeseries", "table"]
    row, stat, lines, table = found["panels"]
    assert [panel["gridPos"]["y"] for panel in (row, stat, lines, table)] == [0, 1, 1, 9]
    assert stat["targets"][0]["instant"]
    assert lines["targets"][0]["expr"] == "sum by (pod) (m)"
    assert lines["fieldConfig"]["defaults"]["thresholds"]["steps"][1] == {"color": "red", "value": 5}
    assert [target["refId"] for target in table["targets"]] == ["A", "B"]
    organised = table["transformations"][-1]["options"]
    assert organised["renameByName"] == {"pod": "Pod", "Value #A": "A", "Value #B": "B"}
    assert [one["name"] for one in found["templating"]["list"]] == ["datasource", "pool"]


def spoil(change: t.Callable[[dict[str, t.Any]], t.Any]) -> dict[str, t.Any]:
    data = copy.deepcopy(SMALL)
    change(data)
    return data


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (spoil(lambda d: d.update(titel="x")), "did you mean 'title'"),
        (spoil(lambda d: d["rows"][0]["panels"][0].update(kind="stats")), "did you mean 'stat'"),
        (spoil(lambda d: d["rows"][0]["panels"][0].update(queries={})), "says no queries"),
        (spoil(lambda d: d["rows"][0]["panels"][0].update(size=[25, 4])), "25 columns wide"),
        (spoil(lambda d: d["variables"][0].pop("query")), "variable pool says no query"),
    ],
)
def test_what_is_misspelt_is_refused(data: dict[str, t.Any], said: str) -> None:
    with pytest.raises(PlatformError, match=said):
        dashboard(data)


@pytest.mark.parametrize("kind", ["timeseries", "table"])
def test_a_panel_shows_every_query_however_many_there_are(kind: str) -> None:
    queries = {f"query {number}": f"m{number}" for number in range(30)}
    data = {**SMALL, "rows": [{"title": "R", "panels": [{"title": "many", "kind": kind, "queries": queries}]}]}
    panel = dashboard(data)["panels"][1]
    assert [one["expr"] for one in panel["targets"]] == list(queries.values())
    assert [one["refId"] for one in panel["targets"]][24:29] == ["Y", "Z", "AA", "AB", "AC"]
    if kind == "table":
        columns = panel["transformations"][1]["options"]["include"]["names"]
        assert columns[25:27] == ["Value #Z", "Value #AA"]
