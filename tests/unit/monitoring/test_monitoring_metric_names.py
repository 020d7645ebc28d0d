"""Every metric that a panel or an alert asks for is one that an exporter of the platform gives, and is scraped so."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.aiplatform.eks.plugins.module_utils._monitoring.dashboards import expressions
from role_data import role_data

ROOT = Path(__file__).resolve().parents[3]
FILES = ROOT / "roles/monitoring/files"
DASHBOARDS = sorted((FILES / "dashboards").glob("*.yml"))
ALERTS = sorted((FILES / "alerts").glob("*.yml"))
# What may stand where a metric may: PromQL's words, https://prometheus.io/docs/prometheus/latest/querying/operators/
WORDS = {
    "sum",
    "avg",
    "min",
    "max",
    "count",
    "topk",
    "and",
    "or",
    "unless",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "offset",
    "inf",
}
GONE = {"vllm:gpu_cache_usage_perc", "vllm:time_per_output_token_seconds_bucket"}
TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"'  # strings
    r"|\{[^}]*\}|\[[^\]]*\]"  # label matchers, ranges
    r"|(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"  # lists of labels
    r"|(?P<call>[a-zA-Z_]\w*\s*(?=\())"
    r"|(?P<number>\d[\d.]*(?:e\d+)?)"
    r"|(?P<name>[a-zA-Z_:][\w:]*)"
)


def read(path: Path) -> t.Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def names(expression: str) -> set[str]:
    """The metrics that a PromQL expression asks for."""
    found = {match["name"] for match in TOKEN.finditer(expression) if match["name"]}
    return found - WORDS


def asked() -> dict[str, list[str]]:
    """The expressions of each file."""
    found = {f"dashboards/{path.stem}": list(expressions(read(path))) for path in DASHBOARDS}
    for path in ALERTS:
        found[f"alerts/{path.stem}"] = [rule["expr"] for group in read(path)["groups"] for rule in group["rules"]]
    return found


def known() -> dict[str, set[str]]:
    found = {name: set(entry["names"]) for name, entry in read(Path(__file__).with_name("known_metrics.yml")).items()}
    metrics = role_data("gpu_operator", "vars/main.yml")["__gpu_operator_metrics"]
    return {**found, "dcgm": {metric["field"] for metric in metrics}}


ASKED = asked()
KNOWN = known()


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ('sum by (pod, le) (rate(a_total{x=~"b|c"}[5m])) / on (pod) group_left (d) e:f', {"a_total", "e:f"}),
        ("count(up == 1) or vector(0)", {"up"}),
        ("1e6 * a unless on (node) (b and c)", {"a", "b", "c"}),
        ("histogram_quantile(0.95, sum by (le) (rate(x_bucket[10m]))) > 5", {"x_bucket"}),
    ],
)
def test_names_are_read_from_promql(expression: str, wanted: set[str]) -> None:
    assert names(expression) == wanted


@pytest.mark.parametrize("file", sorted(ASKED))
def test_files_ask_for_known_metrics_only(file: str) -> None:
    all_known = set().union(*KNOWN.values())
    unknown = {name for expression in ASKED[file] for name in names(expression)} - all_known
    assert not unknown
    assert len(ASKED[file]) >= 6


def test_no_known_name_is_left_over_or_gone_upstream() -> None:
    used = {name for texts in ASKED.values() for expression in texts for name in names(expression)}
    listed = {name for exporter, found in KNOWN.items() if exporter != "dcgm" for name in found}
    assert listed - used == set()
    assert not GONE & used


def test_node_labels_that_are_asked_for_are_exported() -> None:
    labels = role_data("monitoring", "vars/main.yml")["__monitoring_node_labels"]
    exported = {"label_" + re.sub(r"[^a-zA-Z0-9]", "_", label) for label in labels}
    used = {label for texts in ASKED.values() for text in texts for label in re.findall(r"\blabel_\w+", text)}
    used -= {"label_values"}
    assert used - exported == set()
