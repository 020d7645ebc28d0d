"""A rehearsal: what each step must be, where it ends, what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path
from textwrap import indent
from types import SimpleNamespace

import pytest
from ansible import context
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.aiplatform.eks.plugins.callback.run_record import CallbackModule
from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import SteppingClock
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._local.rehearsal import Ran, Step, judge, play, run
from ansible_collections.aiplatform.eks.plugins.plugin_utils._outer_run import asks_for_password, vault_ids

ROOT = Path(__file__).resolve().parents[3]


def ran(*tasks: str, code: int = 0, **more: t.Any) -> Ran:
    return Ran(code, {"changed": [{"host": "a", "task": task} for task in tasks], "seconds": 2.0, **more})


def rehearse(tmp_path: Path, expected: list[str], *answers: Ran, check_mode: bool = False) -> t.Any:
    playbook = tmp_path / "site.yml"
    playbook.touch()
    names = iter(range(99))
    steps = [
        {"name": f"Step {next(names)}", "playbook": str(playbook), "check": False, "extra_vars": {}, "expect": expect}
        for expect in expected
    ]
    options = {"steps": steps, "log_dir": str(tmp_path / "logs"), "inventories": [], "extra_vars": {}}
    left = list(answers)
    return run(options, Context(check_mode=check_mode, clock=SteppingClock()), lambda _step, _log: left.pop(0))


def test_all_steps_go_well(tmp_path: Path) -> None:
    outcome = rehearse(tmp_path, ["success", "unchanged"], ran("x"), ran())
    assert outcome.changed
    assert [(one["passed"], one["changed"]) for one in outcome.facts["verdict"]] == [(True, 1), (True, 0)]
    assert [one["tasks"] for one in outcome.facts["verdict"]] == [[{"host": "a", "task": "x"}], []]
    assert outcome.facts["verdict"][1]["log"].endswith("logs/2-step-1.log")


@pytest.mark.parametrize(
    ("expected", "answers", "sentence"),
    [
        (["unchanged"], [ran("x", "y")], "step 'Step 0': 2 tasks changed something, wanted is none: a: x, a: y; see "),
        (["success"], [ran(code=2, failed=[{"task": "Pools", "message": "no zone"}])], "Pools failed: no zone"),
        (["success"], [Ran(4, {}, "no such inventory")], "ansible-playbook failed: no such inventory"),
        (["success", "as_predicted"], [ran("x"), ran("x", "y")], "not predicted: a: y"),
        (["success", "as_predicted"], [ran("x", "z"), ran("x")], "predicted and not done: a: z"),
        (["unchanged"], [ran(*"abcdefg")], "7 tasks changed .* a: e and 2 more"),
        (["success", "as_predicted"], [ran("x"), ran("x", "x")], "not predicted: a: x"),
        (["success", "as_predicted"], [ran("x", "x"), ran("x")], "predicted and not done: a: x"),
        (["success"], [Ran(-9, {}, "TASK [Wait]", late=True)], r"it was ended after 7200 s, at: TASK \[Wait\]; raise"),
    ],
)
def test_the_first_wrong_step_ends_it(tmp_path: Path, expected: list[str], answers: list[Ran], sentence: str) -> None:
    with pytest.raises(PlatformError, match=sentence) as caught:
        rehearse(tmp_path, [*expected, "success"], *answers)
    verdict = caught.value.details["verdict"]
    assert len(verdict) == len(answers)
    assert not verdict[-1]["passed"]


def test_as_predicted_goes_well(tmp_path: Path) -> None:
    assert rehearse(tmp_path, ["success", "as_predicted"], ran("x", "y"), ran("x", "y")).changed


def test_check_mode_runs_nothing(tmp_path: Path) -> None:
    assert rehearse(tmp_path, ["success"], check_mode=True).facts == {"verdict": []}


def test_a_playbook_that_is_not_there_is_said_before_anything_runs(tmp_path: Path) -> None:
    step = {"name": "x", "playbook": "/nowhere.yml", "check": False, "extra_vars": {}, "expect": "success"}
    with pytest.raises(PlatformError, match=r"there is no playbook /nowhere.yml"):
        run({"steps": [step], "log_dir": str(tmp_path), "inventories": [], "extra_vars": {}}, Context())


BOOK = """
- name: First
  hosts: localhost
  gather_facts: false
  tasks:
    - {name: Set, ansible.builtin.debug: {msg: "{{ canary }} {{ outer }}"}, changed_when: true, no_log: true}
    - name: Try
      block:
        - {name: Inner, block: [{name: Refuse, ansible.builtin.fail: {msg: no}}]}
      rescue:
        - {name: Mend, ansible.builtin.debug: {msg: mended}}
    - {name: Read, ansible.builtin.debug: {msg: "{{ sealed }}"}}
    - {name: Give up, ansible.builtin.fail: {msg: "{{ found }}"}, vars: {found: "{{ outer }} {{ step }} {{ every }}"}}
"""


def test_a_real_playbook(tmp_path: Path) -> None:
    playbook, password = tmp_path / "p.yml", tmp_path / "password"
    playbook.write_text(BOOK)
    password.write_text("open sesame")
    sealed = VaultLib([("default", VaultSecret(b"open sesame"))]).encrypt("the sealed").decode()
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text(f"sealed: !vault |\n{indent(sealed, '  ')}")
    outer = {"outer": "of the run", "every": "outer", "step": "outer"}
    options = {
        "inventories": ["localhost,"],
        "outer_vars": json.dumps(outer),
        "extra_vars": {"every": "of all steps", "step": "every"},
        "vault_ids": [f"default@{password}"],
    }
    given = {"canary": "s3cret", "step": "of the step"}
    step = Step("make it", str(playbook), check=True, extra_vars=given, expect="success")
    said: list[str] = []
    log = tmp_path / "log"
    found = play(options, said.append, step, log)
    assert found.code == 2
    assert found.record["changed"] == [{"host": "localhost", "task": "Set", "steps": []}]
    assert judge(step, found, []) == "Give up failed: of the run of the step of all steps"
    assert said == ["make it: First"]
    assert "s3cret" not in log.read_text()
    assert "the sealed" in log.read_text()


def test_a_step_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    playbook = tmp_path / "p.yml"
    playbook.write_text("- {name: Wait, hosts: localhost, tasks: [{ansible.builtin.pause: {seconds: 60}}]}\n")
    options = {"inventories": ["localhost,"], "outer_vars": "{}", "extra_vars": {}, "vault_ids": []}
    step = Step("wait", str(playbook), check=False, extra_vars={}, expect="success", timeout=0.2)
    found = play(options, print, step, tmp_path / "log")
    assert found.late
    assert judge(step, found, []).startswith("it was ended after 0 s")


def test_the_outer_run_hands_its_vault_ids_on(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"vault_ids": ["prod@vault.sh"], "vault_password_files": ["/etc/vault"], "ask_vault_pass": False}
    monkeypatch.setattr(context, "CLIARGS", given)
    assert vault_ids() == ["prod@vault.sh", "/etc/vault"]
    assert not asks_for_password()
    for typed in ({"ask_vault_pass": True}, {"vault_ids": ["prod@prompt"]}, {"vault_ids": ["prompt_ask_vault_pass"]}):
        monkeypatch.setattr(context, "CLIARGS", given | typed)
        assert asks_for_password()


def test_tasks_find_the_record_wherever_its_path_was_said(tmp_path: Path) -> None:
    playbook, record = tmp_path / "p.yml", tmp_path / "run.json"
    said = "{{ lookup('ansible.builtin.env', 'AIPLATFORM_RUN_RECORD') }}"
    task = {"name": "Look", "ansible.builtin.assert": {"that": [f"'{record}' == lookup_of_it"]}}
    play = {"hosts": "localhost", "gather_facts": False, "vars": {"lookup_of_it": said}, "tasks": [task]}
    playbook.write_text(json.dumps([play]))
    (tmp_path / "ansible.cfg").write_text(
        f"[defaults]\ncallbacks_enabled = aiplatform.eks.run_record\n[callback_run_record]\npath = {record}\n"
    )
    command = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "-c", "local", str(playbook)]
    settings = {
        "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"),
    }
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert json.loads(record.read_text())["hosts"]["localhost"]["ok"] == 1


@pytest.mark.parametrize(
    ("action", "no_log", "kept"),
    [
        ("aiplatform.eks.k8s_apply_set", False, ["created Namespace a"]),
        ("aiplatform.eks.k8s_apply_set", True, []),
        ("somebody.elses.module", False, []),
    ],
)
def test_a_record_keeps_what_our_modules_name_and_nothing_else(action: str, no_log: bool, kept: list[str]) -> None:
    task = SimpleNamespace(action=action, no_log=no_log)
    assert CallbackModule._steps(SimpleNamespace(task=task, result={"steps": ["created Namespace a"]})) == kept
