"""Who knows whom: arrows run downward only (DESIGN 2)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ROOT / "plugins/module_utils"
MAY_KNOW = {
    "_core": set(),
    "_gpu": {"_core"},
    "_aws": {"_core"},
    "_eks": {"_core", "_aws", "_gpu"},
    "_inventory": {"_core", "_aws", "_eks", "_gpu"},
    "_k8s": {"_core"},
    "_helm": {"_core", "_k8s"},
    "_sharing": {"_core", "_gpu", "_k8s"},
    "_monitoring": {"_core"},
    "_mesh": {"_core", "_k8s"},
    "_conformance": {"_core", "_gpu", "_k8s", "_helm", "_sharing"},
    "_report": {"_core", "_aws", "_gpu", "_k8s", "_helm"},
    "_local": {"_core", "_gpu", "_aws", "_k8s"},
}


def imported_rooms(path: Path) -> set[str]:
    """Other rooms that a file imports from, by relative or absolute name."""
    inside = path.relative_to(ROOMS).parts
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if not isinstance(node, ast.ImportFrom):
            continue
        names = (node.module or "").split(".")
        if node.level == len(inside):
            names = names if node.module else [alias.name for alias in node.names]
            found.add(names[0])
        elif "module_utils" in names:
            after = names[names.index("module_utils") + 1 :]
            found.update(after[:1])
    return {name for name in found if name.startswith("_")} - {inside[0]}


def test_every_room_is_on_the_plan() -> None:
    rooms = {path.name for path in ROOMS.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms <= set(MAY_KNOW), f"DESIGN 2 does not know {sorted(rooms - set(MAY_KNOW))}"


@pytest.mark.parametrize("room", sorted(MAY_KNOW))
def test_arrows_run_downward(room: str) -> None:
    wrong = {
        str(path.relative_to(ROOMS)): sorted(extra)
        for path in sorted((ROOMS / room).rglob("*.py"))
        if (extra := imported_rooms(path) - MAY_KNOW[room])
    }
    assert not wrong
