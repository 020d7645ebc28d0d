"""Every value that a role gives a chart is one that the chart has, under that name, in the version that the role pins.

A role takes part by naming C(__<role>_chart) and C(__<role>_values) in its vars, or, with several charts,
C(__<role>_<part>_chart) and C(__<role>_<part>_values). Data: ../shared/upstream/values (see SOURCES.md there).
"""

from __future__ import annotations

import functools
import json
import re
import typing as t
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from role_data import ROLES, role_data

UPSTREAM = ROLES.parent.parent / "shared/upstream/values"
# Maps whose keys are the user's although the chart has defaults in them.
FREE = {"grafana.grafana.ini", "grafana.sidecar.datasources.extraJsonData", "podSecurityContext"}
REFERENCE = re.compile(r"^\{\{ (__\w+) \}\}$")
# Two projects publish a chart of one name: what the index calls that of a repository.
LISTED = {("community-charts.github.io", "mlflow"): "mlflow-community"}
CHART = re.compile(r"^__(?P<stem>\w+_|)chart$")

pytestmark = pytest.mark.skipif(not UPSTREAM.is_dir(), reason=f"{UPSTREAM} is not here")


class Pair(t.NamedTuple):
    """One chart of a role with the values for it."""

    role: str
    chart: Mapping[str, t.Any]
    values: list[t.Any]
    version: str


@functools.cache
def index() -> dict[str, dict[str, t.Any]]:
    if not UPSTREAM.is_dir():
        return {}
    entries = json.loads((UPSTREAM / "index.json").read_text(encoding="utf-8"))
    return {Path(entry["file"]).stem: entry for entry in entries}


def listed(chart: Mapping[str, t.Any]) -> str:
    """The chart's name in the index."""
    host = urlsplit(str(chart.get("repository", ""))).hostname or ""
    return LISTED.get((host, chart["name"]), str(chart["name"]))


def upstream(file: str) -> t.Any:
    return yaml.safe_load((UPSTREAM.parent / file).read_text(encoding="utf-8")) or {}


def pairs() -> Iterator[Pair]:
    for path in sorted(ROLES.glob("*/vars/main.yml")):
        role = path.parents[1].name
        data = role_data(role, "vars/main.yml") or {}
        defaults = path.parents[1] / "defaults/main.yml"
        version = (role_data(role, "defaults/main.yml") if defaults.exists() else {}).get(f"{role}_version", "")
        for name, chart in data.items():
            match = CHART.match(name)
            if match and isinstance(chart, dict) and "name" in chart and listed(chart) in index():
                values = resolved(data.get(f"__{match['stem']}values", []), data)
                given = values if isinstance(values, list) else [values]
                yield Pair(role, chart, given, str(chart.get("version", version)))


def resolved(value: t.Any, variables: Mapping[str, t.Any]) -> t.Any:
    """The value with references to other variables of the file put in; other templates stay texts."""
    if isinstance(value, str) and (match := REFERENCE.match(value.strip())):
        return resolved(variables.get(match[1], value), variables) if match[1] in variables else value
    if isinstance(value, dict):
        return {key: resolved(one, variables) for key, one in value.items()}
    return [resolved(one, variables) for one in value] if isinstance(value, list) else value


def unknown(ours: t.Any, theirs: t.Any, path: str, extra: set[str]) -> Iterator[str]:
    """Paths that the chart does not have."""
    if not isinstance(ours, dict) or not theirs or path in FREE:
        return  # a value, or a map of the user's
    if not isinstance(theirs, dict):
        yield f"{path} is no map in the chart"
        return
    for key, value in ours.items():
        below = f"{path}.{key}" if path else str(key)
        if key in theirs:
            yield from unknown(value, theirs[key], below, extra)
        elif not any(one == below or below.startswith(f"{one}.") or one.startswith(f"{below}.") for one in extra):
            yield below


def merged(base: t.Any, over: t.Any) -> t.Any:
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over if over is not None else base
    return {**base, **{key: merged(base.get(key), value) for key, value in over.items()}}


def whole(chart: str) -> tuple[dict[str, t.Any], set[str]]:
    """A chart's values with those of its sub-charts, and the keys that only its templates know."""
    entry = index()[chart]
    known_only_inside = json.loads((UPSTREAM / "extra-keys.json").read_text(encoding="utf-8"))
    values = upstream(entry["file"])
    for more in entry["extra_files"]:
        values = merged(values, upstream(more))
    extra = set(known_only_inside.get(chart, ()))
    for part in entry["dependencies"]:
        name = part.get("alias") or part["name"]
        if "values_file" in part:
            values = merged({name: upstream(part["values_file"])}, values)
        extra |= {f"{name}.{key}" for key in known_only_inside.get(part["name"], ())}
    return values, extra


PAIRS = list(pairs())


def test_roles_with_charts_take_part() -> None:
    assert {"gpu_operator", "monitoring"} <= {pair.role for pair in PAIRS}


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.role}-{pair.chart['name']}")
def test_the_chart_has_every_value_that_the_role_gives(pair: Pair) -> None:
    theirs, extra = whole(listed(pair.chart))
    maps = [one for one in pair.values if isinstance(one, dict)]
    assert maps, "the role gives the chart no values that can be read without Ansible"
    assert [path for one in maps for path in unknown(one, theirs, "", extra)] == []


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.role}-{pair.chart['name']}")
def test_the_role_pins_the_version_that_was_read(pair: Pair) -> None:
    assert pair.version == index()[listed(pair.chart)]["released_version"].split()[0]


def test_a_misspelt_value_is_found() -> None:
    theirs, extra = whole("kube-prometheus-stack")
    wrong = {"grafana": {"admin": {"existingSekret": "x"}}, "prometheus": {"prometheusSpec": {"replica": 2}}}
    assert list(unknown(wrong, theirs, "", extra)) == [
        "grafana.admin.existingSekret",
        "prometheus.prometheusSpec.replica",
    ]
