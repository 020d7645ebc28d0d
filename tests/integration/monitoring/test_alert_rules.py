"""Each alert fires when it should, says what it should, and stays quiet when something merely comes close."""

from __future__ import annotations

import json
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.aiplatform.eks.plugins.module_utils._monitoring.dashboards import expressions

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "roles/monitoring/files/alerts").glob("*.yml"))
CASES: dict[str, dict[str, t.Any]] = yaml.safe_load(
    (Path(__file__).with_name("alert_cases.yml")).read_text(encoding="utf-8")
)


def rules(path: Path) -> dict[str, dict[str, t.Any]]:
    groups = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_alert_has_a_case_and_every_case_an_alert() -> None:
    names = [name for path in FILES for name in rules(path)]
    assert len(names) == len(set(names))
    assert set(names) == set(CASES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_prometheus_accepts_the_rules(promtool: Path, path: Path) -> None:
    assert "SUCCESS" in run(promtool, "check", "rules", "--lint=all", "--lint-fatal", path)
    for rule in rules(path).values():
        assert rule["labels"]["severity"] in {"info", "warning", "critical"}
        assert "{{" not in rule["annotations"]["description"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_alerts_fire_and_stay_quiet(promtool: Path, path: Path, tmp_path: Path) -> None:
    tests = [test for name, rule in rules(path).items() for test in both_ways(name, rule, CASES[name])]
    book = tmp_path / "tests.json"
    book.write_text(json.dumps({"rule_files": [str(path)], "evaluation_interval": "1m", "tests": tests}), "utf-8")
    run(promtool, "test", "rules", book)


def both_ways(name: str, rule: dict[str, t.Any], case: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """promtool's two tests of one alert."""
    fired = {
        "exp_labels": {**case["labels"], **rule["labels"]},
        "exp_annotations": {**rule["annotations"], "summary": case["says"]},
    }
    return [look(name, case["fires"], [fired]), look(name, case["quiet"], [])]


def look(name: str, scene: dict[str, t.Any], expected: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    numbers = [series for series, values in scene["input"].items() if not isinstance(values, str)]
    assert not numbers, f"{name}: YAML reads the values of {numbers} as a number; quote them"
    return {
        "name": f"{name}: {'fires' if expected else 'stays quiet'}",
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in scene["input"].items()],
        "alert_rule_test": [{"eval_time": scene["after"], "alertname": name, "exp_alerts": expected}],
    }


@pytest.mark.parametrize(
    "path", sorted((ROOT / "roles/monitoring/files/dashboards").glob("*.yml")), ids=lambda path: path.stem
)
def test_prometheus_understands_the_panels(promtool: Path, path: Path, tmp_path: Path) -> None:
    queries = [re.sub(r"\$\w+", "x", text) for text in expressions(yaml.safe_load(path.read_text(encoding="utf-8")))]
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(queries)]
    book = tmp_path / "panels.json"
    book.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    assert f"{len(rules)} rules found" in run(promtool, "check", "rules", "--lint=none", book)
