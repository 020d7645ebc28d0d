"""Every layer begins with the check of the inventory, and so no role checks its own arguments again."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

PLAYBOOKS = Path(__file__).resolve().parents[3] / "playbooks"
IMPORT = "ansible.builtin.import_role"
SESSION = "tasks/session.yml"


def plays(path: Path) -> list[dict[str, t.Any]]:
    found: list[dict[str, t.Any]] = yaml.safe_load(path.read_text("utf-8"))
    return [play for play in found if "hosts" in play]


def layers() -> list[str]:
    """The playbooks that site.yml is made of, those before and after the layers left out, and the day-2 one."""
    site = yaml.safe_load((PLAYBOOKS / "site.yml").read_text("utf-8"))
    names = [play["ansible.builtin.import_playbook" if "hosts" in play else "import_playbook"] for play in site]
    return [*(name for name in names if name != "preflight.yml"), "mig_reconfigure.yml"]


def test_there_are_layers() -> None:
    assert {"foundation.yml", "gpu.yml", "vllm.yml", "summary.yml"} <= set(layers())


@pytest.mark.parametrize("name", layers())
def test_a_layer_checks_the_inventory_first_and_once(name: str) -> None:
    (play,) = plays(PLAYBOOKS / name)
    assert "roles" not in play
    first, *others = play["tasks"]
    assert first["ansible.builtin.import_tasks"] == SESSION
    imported = [task[IMPORT] for task in others if IMPORT in task]
    assert imported
    assert [one["name"] for one in imported if one.get("rolespec_validate") is not False] == []
