# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Grafana dashboards from compact data: rows of panels, each with its queries. Pure.

Shapes follow Grafana's dashboard JSON model, https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
(schema version 41, which Grafana 12 and 13 read).
"""

from __future__ import annotations

import itertools
import string
import typing as t
from collections.abc import Iterable, Iterator, Mapping

from .._core.errors import PlatformError
from .._core.text import unknown_name

Object = dict[str, t.Any]
SCHEMA_VERSION = 41
WIDTH = 24  # columns of Grafana's grid
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
SIZES = {
    "stat": (4, 4),
    "gauge": (4, 6),
    "bargauge": (12, 8),
    "timeseries": (12, 8),
    "table": (24, 9),
    "heatmap": (12, 8),
    "piechart": (8, 8),
}
DASHBOARD_KEYS = {"uid", "title", "about", "tags", "refresh", "range", "variables", "rows"}
ROW_KEYS = {"title", "panels"}
PANEL_KEYS = {"title", "about", "kind", "unit", "size", "queries", "thresholds", "stack", "units", "maximum", "columns"}
VARIABLE_KEYS = {"name", "label", "query"}


def dashboard(data: Mapping[str, t.Any]) -> Object:
    """Grafana's JSON of one dashboard.

    :param data: C(uid), C(title), C(rows) of C(panels); a panel has C(title), C(kind) and C(queries), a mapping of
        legends to PromQL. A legend may hold labels as C({{pod}}); in a table it heads the column of the values.
    :raises PlatformError: a key or a panel kind that there is not, a panel without a query or wider than the page.
    """
    where = f"dashboard {data.get('uid') or data.get('title')}"
    _check(data, DASHBOARD_KEYS, {"uid", "title", "rows"}, where)
    panels = list(_placed(data["rows"], where))
    return {
        "uid": data["uid"],
        "title": data["title"],
        "description": data.get("about", ""),
        "tags": ["aiplatform", *data.get("tags", ())],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": data.get("refresh", "1m"),
        "time": {"from": f"now-{data.get('range', '6h')}", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [DATA_SOURCE, *(_variable(one, where) for one in data.get("variables", ()))]},
        "annotations": {"list": []},
        "links": [],
        "panels": [{"id": number, **panel} for number, panel in enumerate(panels, start=1)],
    }


DATA_SOURCE: Object = {
    "name": "datasource",
    "label": "Data source",
    "type": "datasource",
    "query": "prometheus",
    "hide": 0,
    "refresh": 1,
}


def expressions(data: Mapping[str, t.Any]) -> Iterator[str]:
    """Every PromQL text of a dashboard's compact data, the variables' included."""
    for variable in data.get("variables", ()):
        yield variable["query"].removeprefix("label_values(").rpartition(",")[0]
    for row in data["rows"]:
        for panel in row["panels"]:
            yield from panel["queries"].values()


def _check(data: Mapping[str, t.Any], known: set[str], needed: Iterable[str], where: str) -> None:
    for key in data:
        if key not in known:
            raise PlatformError(f"{where}: {unknown_name('key', str(key), known)}")
    for key in needed:
        if not data.get(key):
            raise PlatformError(f"{where} says no {key}")


def _variable(data: Mapping[str, t.Any], where: str) -> Object:
    _check(data, VARIABLE_KEYS, {"name", "query"}, f"{where}, variable {data.get('name')}")
    return {
        "name": data["name"],
        "label": data.get("label", data["name"].capitalize()),
        "type": "query",
        "datasource": SOURCE,
        "definition": data["query"],
        "query": {"query": data["query"], "refId": data["name"]},
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
        "hide": 0,
        "refresh": 2,
        "sort": 1,
    }


def _placed(rows: Iterable[Mapping[str, t.Any]], where: str) -> Iterator[Object]:
    """Rows and panels with their places: left to right, a new line when the page is full."""
    top = 0
    for row in rows:
        place = f"{where}, row {row.get('title')}"
        _check(row, ROW_KEYS, {"title", "panels"}, place)
        yield {
            "type": "row",
            "title": row["title"],
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1},
        }
        top += 1
        left = line = 0
        for data in row["panels"]:
            panel, (width, height) = _panel(data, place)
            if left + width > WIDTH:
                top, left, line = top + line, 0, 0
            yield {**panel, "gridPos": {"x": left, "y": top, "w": width, "h": height}}
            left, line = left + width, max(line, height)
        top += line


def _panel(data: Mapping[str, t.Any], where: str) -> tuple[Object, tuple[int, int]]:
    where = f"{where}, panel {data.get('title')}"
    _check(data, PANEL_KEYS, {"title", "queries"}, where)
    kind = data.get("kind", "timeseries")
    if kind not in SIZES:
        raise PlatformError(f"{where}: {unknown_name('panel kind', kind, SIZES)}")
    width, height = data.get("size") or SIZES[kind]
    if not 0 < width <= WIDTH:
        raise PlatformError(f"{where} is {width} columns wide; a page has {WIDTH}")
    panel: Object = {
        "type": kind,
        "title": data["title"],
        "description": data.get("about", ""),
        "datasource": SOURCE,
        "targets": list(_targets(data["queries"], kind)),
        "fieldConfig": {"defaults": _defaults(data, kind), "overrides": list(_overrides(data.get("units") or {}))},
        "options": _options(kind),
    }
    if kind == "table":
        panel["transformations"] = _columns(data["queries"], data.get("columns") or {})
    return panel, (width, height)


def _targets(queries: Mapping[str, str], kind: str) -> Iterator[Object]:
    at_once = kind not in ("timeseries", "heatmap")
    for letter, (legend, expression) in zip(_letters(), queries.items(), strict=False):
        found: Object = {"refId": letter, "datasource": SOURCE, "expr": " ".join(expression.split())}
        found |= {"legendFormat": legend, "instant": at_once, "range": not at_once}
        if kind == "table":
            found["format"] = "table"
        if kind == "heatmap":
            found["format"] = "heatmap"
        yield found


def _letters() -> Iterator[str]:
    """The names of a panel's queries, as Grafana counts: A to Z, AA to AZ, and so on."""
    for length in itertools.count(1):
        yield from map("".join, itertools.product(string.ascii_uppercase, repeat=length))


def _defaults(data: Mapping[str, t.Any], kind: str) -> Object:
    steps = [{"color": "green", "value": None}]
    steps += [{"color": colour, "value": value} for value, colour in (data.get("thresholds") or {}).items()]
    found: Object = {
        "unit": data.get("unit", "short"),
        "min": 0,
        "color": {"mode": "palette-classic" if kind in ("timeseries", "piechart") else "thresholds"},
        "thresholds": {"mode": "absolute", "steps": steps},
    }
    if "maximum" in data:
        found["max"] = data["maximum"]
    if kind == "timeseries":
        stacking = {"mode": "normal" if data.get("stack") else "none", "group": "A"}
        lines = "dashed" if data.get("thresholds") else "off"
        fill = 30 if data.get("stack") else 8
        found["custom"] = {"fillOpacity": fill, "stacking": stacking, "thresholdsStyle": {"mode": lines}}
    return found


def _overrides(units: Mapping[str, str]) -> Iterator[Object]:
    for column, unit in units.items():
        yield {"matcher": {"id": "byName", "options": column}, "properties": [{"id": "unit", "value": unit}]}


def _options(kind: str) -> Object:
    last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    if kind == "timeseries":
        legend = {"displayMode": "table", "placement": "bottom", "calcs": ["mean", "lastNotNull"], "showLegend": True}
        return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    if kind == "table":
        return {"showHeader": True, "cellHeight": "sm"}
    if kind == "piechart":
        return {"reduceOptions": last, "pieType": "donut", "legend": {"displayMode": "table", "placement": "right"}}
    if kind == "heatmap":
        return {"calculate": False, "color": {"scheme": "Oranges"}, "yAxis": {"unit": "s"}}
    return {"reduceOptions": last, "orientation": "auto"}


def _columns(queries: Mapping[str, str], columns: Mapping[str, str]) -> list[Object]:
    """One row for each set of labels: the named labels first, then a column of values for each query."""
    values = (
        {f"Value #{letter}": legend for letter, legend in zip(_letters(), queries, strict=False)}
        if len(queries) > 1
        else dict.fromkeys(["Value"], next(iter(queries)))
    )
    names = {**columns, **values}
    return [
        {"id": "merge", "options": {}},
        {"id": "filterFieldsByName", "options": {"include": {"names": list(names)}}},
        {
            "id": "organize",
            "options": {"renameByName": names, "indexByName": {name: at for at, name in enumerate(names)}},
        },
    ]


__all__ = ("dashboard", "expressions")
