"""The Galaxy artefact: holds what a user needs and nothing else, is accepted by Galaxy, works in an empty project."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
import typing as t
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
User = Callable[..., subprocess.CompletedProcess[str]]
GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
NEEDED = {"README.md", "LICENSE", "changelogs", "docs", "meta", "playbooks", "plugins", "requirements.txt", "roles"}
MADE_BY_GALAXY = {"MANIFEST.json", "FILES.json"}
MAY_BE = {"CHANGELOG.rst"}
NOT_FOR_USERS = re.compile(r"(^|/)(test_[^/]*|conftest\.py|__pycache__|.*\.pyc|\.[^/]+)$")
SIZE_LIMIT = 2 << 20
FULL_NAME = re.compile(r"\b([a-z][a-z0-9_]*\.[a-z][a-z0-9_]*)\.[a-z][a-z0-9_]+:(?:\s|$)")

MODULE_PLAY = """
- name: One module
  hosts: all
  gather_facts: false
  tasks:
    - name: Say where a model fits
      aiplatform.eks.llm_sizing:
        model: Llama-3.1-70B
        context: 8192
        concurrency: 4
      register: sizing
    - name: It fits somewhere
      ansible.builtin.assert:
        that: sizing.choice.instance_type is string
"""
ROLE_PLAY = """
- name: Roles of the collection in another project's playbook
  hosts: all
  gather_facts: false
  vars:
    aiplatform_cloud: local
    aiplatform_cluster: outside
    aiplatform_region: us-east-1
  environment: "{{ local_cloud_environment | default({}) }}"
  roles:
    - role: aiplatform.eks.local_cloud
    - role: aiplatform.eks.foundation
      foundation_identities: [serving]
  tasks:
    - name: The cluster answers
      aiplatform.eks.k8s_nodes_info:
    - name: The network is there
      ansible.builtin.assert:
        that:
          - foundation_outputs.network.private_subnet_ids | length == 3
"""
STOP_PLAY = """
- name: Stop
  hosts: all
  gather_facts: false
  roles:
    - role: aiplatform.eks.local_cloud
      local_cloud_state: stopped
"""


@pytest.fixture(scope="module")
def names(artefact: Path) -> list[str]:
    with tarfile.open(artefact) as archive:
        return [one.name for one in archive.getmembers() if one.isfile()]


@pytest.fixture(scope="module")
def project(artefact: Path, user: User, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty project with the artefact installed in a collections folder of its own."""
    folder = tmp_path_factory.mktemp("project")
    for name, text in (("module.yml", MODULE_PLAY), ("role.yml", ROLE_PLAY), ("stop.yml", STOP_PLAY)):
        (folder / name).write_text(text, encoding="utf-8")
    settings = ("[defaults]", "collections_path = collections", "host_pattern_mismatch = error")
    (folder / "ansible.cfg").write_text("\n".join(settings), encoding="utf-8")
    before = play(user, folder, "module.yml")
    assert "couldn't resolve module/action 'aiplatform.eks.llm_sizing'" in before.stdout + before.stderr
    installing = ("ansible-galaxy", "collection", "install", str(artefact), "-p", "collections", "--offline")
    installed = user(*installing, "--no-deps", cwd=folder)
    assert installed.returncode == 0, installed.stderr
    return folder


def play(user: User, folder: Path, name: str, *more: str) -> subprocess.CompletedProcess[str]:
    interpreter = "ansible_python_interpreter={{ ansible_playbook_python }}"
    return user("ansible-playbook", "-i", "host,", "-c", "local", "-e", interpreter, name, *more, cwd=folder)


@pytest.fixture
def local_cloud(project: Path, user: User) -> Iterator[Path]:
    yield project
    stopped = play(user, project, "stop.yml")
    assert stopped.returncode == 0, stopped.stdout


def test_it_holds_what_a_user_needs_and_nothing_else(names: list[str], artefact: Path) -> None:
    tops = {name.split("/", 1)[0] for name in names}
    assert tops - MAY_BE == NEEDED | MADE_BY_GALAXY
    assert [name for name in names if NOT_FOR_USERS.search(name)] == []
    assert artefact.stat().st_size < SIZE_LIMIT


def test_every_part_that_is_tracked_is_in_it(names: list[str]) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "plugins", "roles", "playbooks"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    tracked = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    assert tracked - set(names) == set()


def test_no_file_of_it_names_this_machine(artefact: Path) -> None:
    with tarfile.open(artefact) as archive:
        files = [one for one in archive.getmembers() if one.isfile()]
        texts = {one.name: t.cast("t.IO[bytes]", archive.extractfile(one)).read() for one in files}
    assert [name for name, content in texts.items() if str(ROOT).encode() in content] == []


def test_galaxy_accepts_it(artefact: Path, user: User, tmp_path: Path) -> None:
    """ansible-lint has its own check, so that the importer's is switched off."""
    switches = {"GALAXY_IMPORTER_RUN_ANSIBLE_LINT": "false", "GALAXY_IMPORTER_RUN_ANSIBLE_TEST": "false"}
    done = user("python", "-m", "galaxy_importer.main", str(artefact), cwd=tmp_path, **switches)
    assert "Importer processing completed successfully" in done.stdout, done.stdout[-3000:] + done.stderr[-3000:]
    assert [line for line in done.stdout.splitlines() if line.startswith(("ERROR", "WARNING"))] == []
    result = json.loads((tmp_path / "importer_result.json").read_text(encoding="utf-8"))
    found = {(one["content_type"], one["name"]) for one in result["contents"]}
    for kind, pattern in (("role", "roles/*/meta"), ("module", "plugins/modules/*.py")):
        wanted = {path.parent.name if kind == "role" else path.stem for path in ROOT.glob(pattern)}
        assert wanted <= {name for one, name in found if one == kind}


def test_its_playbooks_and_roles_use_only_what_galaxy_yml_names() -> None:
    known = {"ansible.builtin", "aiplatform.eks", *GALAXY["dependencies"]}
    used: dict[str, str] = {}
    for pattern in ("roles/*/tasks/*.yml", "roles/*/handlers/*.yml", "playbooks/*.yml"):
        for path in sorted(ROOT.glob(pattern)):
            for line in path.read_text(encoding="utf-8").splitlines():
                if found := FULL_NAME.match(line.strip().removeprefix("- ")):
                    used[found[1]] = f"{path.relative_to(ROOT)}: {line.strip()}"
    assert "aiplatform.eks" in used
    assert {name: where for name, where in used.items() if name not in known} == {}


@pytest.mark.parametrize("name", GALAXY["dependencies"])
def test_the_dependency_that_we_run_with_is_within_the_range(name: str) -> None:
    spec = find_spec(f"ansible_collections.{name}")
    assert spec, f"{name} is not installed"
    (place,) = t.cast("t.Any", spec.submodule_search_locations)
    manifest = json.loads((Path(place) / "MANIFEST.json").read_text(encoding="utf-8"))
    assert Version(manifest["collection_info"]["version"]) in SpecifierSet(GALAXY["dependencies"][name])


def test_a_module_runs_in_another_project(project: Path, user: User) -> None:
    done = play(user, project, "module.yml")
    assert done.returncode == 0, done.stdout


def test_roles_run_in_another_project(local_cloud: Path, user: User) -> None:
    """The local cloud starts from the artefact's own files, the foundation is made by galaxy.yml's dependency."""
    first = play(user, local_cloud, "role.yml")
    assert first.returncode == 0, first.stdout[-4000:]
    again = play(user, local_cloud, "role.yml")
    assert re.search(r"changed=0 .*failed=0", again.stdout), again.stdout[-4000:]
