"""The same task through the module process and in the controller: same result; templates, files, no secret anywhere."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from k8s_apply_harness import Sets

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).resolve().parent.parent.parent.parent
SECRET = "hunter-of-doors"
TASKS = """
- name: Apply
  aiplatform.eks.k8s_apply_set:
    name: doors
    namespace: "{{ space }}"
    templates: [part.yaml.j2]
    files: [more]
    wait_timeout: 20
    objects:
      - {apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {word: "{{ word }}"}}
      - apiVersion: apps/v1
        kind: Deployment
        metadata: {name: w}
        spec:
          replicas: 0
          selector: {matchLabels: {a: w}}
          template: {metadata: {labels: {a: w}}, spec: {containers: [{name: a, image: a}]}}
  register: applied
- name: Look
  aiplatform.eks.k8s_apply_set_info:
    name: doors
    namespace: "{{ space }}"
  register: seen
- name: Tell
  ansible.builtin.debug:
    msg: "told {{ {'applied': applied, 'seen': seen} | to_json | b64encode }}."
"""
TEMPLATE = "{% for i in range(2) %}\n---\n{% include 'inner.j2' %}\n\ndata: {x: \"{{ value }}\"}\n{% endfor %}\n"
INNER = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t{{ i }}}\n"


@pytest.fixture
def playbook(tmp_path: Path) -> Path:
    role = tmp_path / "roles/demo"
    for name, text in (
        ("tasks/main.yml", TASKS),
        ("templates/part.yaml.j2", TEMPLATE),
        ("templates/inner.j2", INNER),
        ("files/more/deep/f.yml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: f}\n"),
    ):
        (role / name).parent.mkdir(parents=True, exist_ok=True)
        (role / name).write_text(text)
    return tmp_path / "play.yml"


def play(playbook: Path, sets: Sets, doors: list[bool], *arguments: str, **variables: t.Any) -> tuple[list[t.Any], str]:
    """The registered results through one door after the other, and everything that was printed."""
    roles = [
        {"role": "demo", "vars": {"aiplatform_in_process": door, "round": number}} for number, door in enumerate(doors)
    ]
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "roles": roles}]))
    given = json.dumps({"word": SECRET, **variables})
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", playbook, "-vvv", "-e", given, *arguments],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"),
            "K8S_AUTH_KUBECONFIG": str(sets.kubeconfig),
        },
        capture_output=True,
        text=True,
        check=False,
        cwd=playbook.parent,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed[-3000:]
    return [json.loads(base64.b64decode(told)) for told in re.findall(r'"msg": "told ([^.]+)\."', printed)], printed


def comparable(results: t.Any) -> t.Any:
    for entry in results["applied"]["objects"]:
        entry.pop("ms")
    return results


def test_both_doors_give_the_same(playbook: Path, sets: Sets, space: str) -> None:
    def through(doors: list[bool], value: str, *arguments: str) -> list[t.Any]:
        results, printed = play(playbook, sets, doors, "--diff", *arguments, space=space, value=value)
        assert SECRET not in printed.replace(f'"word": "{SECRET}"', "")
        assert SECRET not in json.dumps(results)
        return [comparable(one) for one in results]

    (first,) = through([True], "1")
    assert first["applied"]["counts"] == {"created": 5}
    assert first["seen"]["ready"]
    checked_here, checked_there = through([True, False], "2", "--check")
    assert checked_here == checked_there
    assert checked_here["applied"]["counts"] == {"configured": 2, "unchanged": 3}
    done, again_here, again_there = through([False, True, False], "2")
    assert done["applied"]["diff"] == checked_here["applied"]["diff"]
    assert again_here == again_there
    assert not again_here["applied"]["changed"]
