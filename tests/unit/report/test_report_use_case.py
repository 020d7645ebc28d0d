# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report's file: written when it says something new, and never without a word in check mode."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._report.platform_report import USE_CASE
from report_world import cluster

CHANGED = {"started": "2026-11-21 11:02 UTC", "changed": [{"host": "a", "task": "Node pools", "steps": ["create b"]}]}


def report(path: Path, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    context = Context(check_mode=check, diff_mode=True)
    given = {"path": str(path), "state": "present", "clusters": [cluster()], "run_record": None, **options}
    return USE_CASE.run(given, context).to_result(context)


def test_check_says_what_the_run_does_and_a_second_run_does_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new/report.html"
    check = report(path, check=True)
    assert not path.exists()
    run = report(path)
    assert check == run
    assert run["steps"] == [f"create report {path}"]
    assert not report(path)["changed"]


def test_a_run_that_changed_nothing_keeps_what_the_last_one_changed(tmp_path: Path) -> None:
    path, record = tmp_path / "report.html", tmp_path / "run.json"
    record.write_text(json.dumps(CHANGED), encoding="utf-8")
    report(path, run_record=str(record))
    assert "The last run that changed something, 2026-11-21 11:02 UTC: 1 tasks." in path.read_text(encoding="utf-8")
    record.write_text(json.dumps({"started": "2026-11-22 09:00 UTC", "changed": []}), encoding="utf-8")
    assert not report(path, run_record=str(record))["changed"]
    news = [cluster(addons=[])]
    assert report(path, run_record=str(record), clusters=news)["changed"]
    assert "create b" in path.read_text(encoding="utf-8")


def test_the_diff_is_what_the_page_says(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    report(path)
    (entry,) = report(path, check=True, clusters=[cluster(addons=[])])["diff"]
    gone = set(entry["before"]["versions"]) - set(entry["after"]["versions"])
    assert gone == {"vpc-cni EKS add-on v1.21.1-eksbuild.1 ✓ ACTIVE"}


def test_absent_takes_the_page_away(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    report(path)
    assert report(path, state="absent", clusters=None)["steps"] == [f"delete report {path}"]
    assert list(tmp_path.iterdir()) == []
    assert not report(path, state="absent", clusters=None)["changed"]


def test_what_stands_there_and_is_no_report_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text('<script type="application/json" id="run-record">no JSON</script>', encoding="utf-8")
    assert report(path)["changed"]


def test_a_broken_record_is_refused(tmp_path: Path) -> None:
    record = tmp_path / "run.json"
    record.write_text("{", encoding="utf-8")
    with pytest.raises(PlatformError, match=r"cannot read the run's record .*; name the file that the callback"):
        report(tmp_path / "report.html", run_record=str(record))


def test_a_folder_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="cannot read the report"):
        report(tmp_path)
