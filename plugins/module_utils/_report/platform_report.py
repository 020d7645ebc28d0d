# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The use case of platform_report: one page of HTML about clusters, written when it says something new."""

from __future__ import annotations

import json
import os
import re
import typing as t
from collections.abc import Mapping
from html import unescape
from pathlib import Path

from .._core.argument_spec import ArgumentSpec
from .._core.errors import PlatformError
from .._core.outcome import Context, Outcome, UseCase, converge
from .._core.plan import Plan, Step
from .page import RUN, page

SPEC = ArgumentSpec(
    options={
        "path": {"type": "path", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "clusters": {"type": "list", "elements": "dict"},
        "run_record": {"type": "path"},
    },
    required_if=(("state", "present", ("clusters",)),),
)
EMBEDDED = re.compile(rf'<script type="application/json" id="{RUN}">(.*?)</script>', re.DOTALL)
SECTION = re.compile(r'<section id="(\w+)"[^>]*>(.*?)</section>', re.DOTALL)
TAG = re.compile(r"<[^>]+>")
Text = Mapping[str, t.Any]


def run(options: Mapping[str, t.Any], context: Context) -> Outcome:
    """Make the page; write it when it differs from the one that is there."""
    path = Path(options["path"])
    before, after = _read(path), None
    if options["state"] == "present":
        after = page(options["clusters"], last_change(_record(options.get("run_record")), before))
    facts = {"report": str(path)}  # a key "path" would make a module process add the file's owner and mode

    def write(_plan: Plan) -> dict[str, t.Any]:
        _write(path, after)
        return facts

    return converge(Plan(_steps(path, before, after)), context, apply=write, predict=lambda _plan: facts)


def last_change(record: Text, before: str | None) -> Text:
    """What this run changed so far; if it changed nothing, what the page says already.

    So the page stays as it is, byte by byte, as long as nothing changes.
    """
    if record.get("changed"):
        changed = [{key: one.get(key) or [] for key in ("host", "task", "steps")} for one in record["changed"]]
        return {"time": str(record.get("started", "")), "changed": changed}
    found = EMBEDDED.search(before or "")
    try:
        kept = json.loads(found[1]) if found else {}
    except json.JSONDecodeError:
        return {}
    return kept if isinstance(kept, dict) and {"time", "changed"} <= set(kept) else {}


def words(text: str) -> dict[str, list[str]]:
    """What a page says, by section, line by line: for the diff."""
    found = {}
    for name, body in SECTION.findall(text):
        lines = (" ".join(unescape(TAG.sub(" ", line)).split()) for line in body.split("\n"))
        found[str(name)] = [line for line in lines if line]
    return found


def _steps(path: Path, before: str | None, after: str | None) -> tuple[Step, ...]:
    if before == after:
        return ()
    action = "create" if before is None else "delete" if after is None else "update"
    said = [None if text is None else words(text) for text in (before, after)]
    return (Step(action, f"report {path}", before=said[0], after=said[1]),)


def _record(path: str | None) -> Text:
    """The record that the callback run_record keeps of this run; empty without one."""
    if not path:
        return {}
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise PlatformError(
            f"cannot read the run's record {path}: {error}; name the file that the callback run_record writes, or "
            "leave run_record out"
        ) from error
    return found if isinstance(found, Mapping) else {}


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise PlatformError(f"cannot read the report {path}: {error}; remove it, or name another path") from error


def _write(path: Path, text: str | None) -> None:
    """Whole or not at all; without a text the page goes."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if text is None:
            path.unlink()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise PlatformError(f"cannot write the report {path}: {error}; name a path that can be written") from error


USE_CASE = UseCase(spec=SPEC, run=run)

__all__ = ("USE_CASE", "last_change", "words")
