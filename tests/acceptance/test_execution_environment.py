"""The image in which AWX runs jobs: ansible-builder accepts it, and it gets the collection with all that it needs."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
User = Callable[..., subprocess.CompletedProcess[str]]
# What ansible-builder leaves out, because the image has it anyway or amazon.aws comes as a collection.
BY_THE_IMAGE = {"ansible-core", "ansible", "pyyaml"}
ENVIRONMENT = yaml.safe_load((ROOT / "execution-environment.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def context(artefact: Path, user: User, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build context that ansible-builder makes; nothing of it needs a container tool."""
    folder = tmp_path_factory.mktemp("environment")
    shutil.copy(ROOT / "execution-environment.yml", folder)
    (folder / "build/galaxy").mkdir(parents=True)
    shutil.copy(artefact, folder / "build/galaxy")
    made = user("ansible-builder", "create", "--output-filename", "Containerfile", cwd=folder)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder / "context"


def test_the_image_gets_the_artefact_of_this_version(context: Path, artefact: Path) -> None:
    wanted = yaml.safe_load((context / "_build/requirements.yml").read_text(encoding="utf-8"))
    (collection,) = wanted["collections"]
    assert collection == {"name": f"galaxy/{artefact.name}", "type": "file"}
    assert (context / "_build" / collection["name"]).read_bytes() == artefact.read_bytes()


def test_the_programs_come_from_the_collections_own_table(context: Path) -> None:
    steps = (context / "Containerfile").read_text(encoding="utf-8")
    assert "_local.binaries" in steps
    for path in ("plugins/module_utils/_local/binaries.py", "roles/local_cloud/files/controlplane/go.mod"):
        assert (ROOT / path).is_file()
    assert steps.index("_local.binaries") > steps.index("COPY --from=builder"), "its Python packages come first"


def test_the_image_gets_what_the_collection_needs_of_python(artefact: Path, user: User, tmp_path: Path) -> None:
    installing = (
        "ansible-galaxy",
        "collection",
        "install",
        str(artefact),
        "-p",
        str(tmp_path),
        "--offline",
        "--no-deps",
    )
    assert user(*installing, cwd=tmp_path).returncode == 0
    found = user("ansible-builder", "introspect", str(tmp_path), "--write-pip", "found.txt", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    lines = (tmp_path / "found.txt").read_text(encoding="utf-8").splitlines()
    ours = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()

    def requirements(lines: list[str]) -> dict[str, Requirement]:
        bare = [line.split(" #", 1)[0].strip() for line in lines]
        parsed = [Requirement(line) for line in bare if line and not line.startswith("#")]
        return {one.name.lower(): one for one in parsed}

    wanted = {name: f"{one.specifier}" for name, one in requirements(ours).items() if name not in BY_THE_IMAGE}
    assert {name: f"{one.specifier}" for name, one in requirements(lines).items()} == wanted


def test_its_ansible_is_ours() -> None:
    ours = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert ENVIRONMENT["dependencies"]["ansible_core"]["package_pip"] in ours
