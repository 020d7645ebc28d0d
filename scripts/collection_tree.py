"""Make the two trees that Ansible's tools want from this flat checkout.

``link``: build/collections/ansible_collections/aiplatform/eks, a real folder whose entries are links to the
checkout: always current, used by ansible-playbook, pytest, molecule and mypy.
``copy``: build/sanity/ansible_collections/aiplatform/eks, real files (ansible-test and galaxy-importer walk the
tree without following links): the tracked and the untracked, not ignored files, refreshed by size and time.
It is a git work tree of its own, because ansible-test asks the nearest one which files there are.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSIDE = Path("ansible_collections/aiplatform/eks")
LINKED = (
    "CHANGELOG.rst",
    "README.md",
    "LICENSE",
    "changelogs",
    "docs",
    "galaxy.yml",
    "meta",
    "playbooks",
    "plugins",
    "requirements.txt",
    "roles",
    "tests",
)


def link() -> Path:
    """Make the live tree, and drop links whose target is gone."""
    tree = ROOT / "build/collections" / INSIDE
    tree.mkdir(parents=True, exist_ok=True)
    for name in LINKED:
        entry, target = tree / name, ROOT / name
        if entry.is_symlink() and (not target.exists() or entry.resolve() != target):
            entry.unlink()
        if target.exists() and not entry.is_symlink():
            entry.symlink_to(os.path.relpath(target, tree))
    return tree


def copy() -> Path:
    """Make or refresh the copied tree: only files whose size or time changed are written."""
    tree = ROOT / "build/sanity" / INSIDE
    tree.mkdir(parents=True, exist_ok=True)
    if not (tree / ".git").exists():
        subprocess.run(["git", "init", "--quiet", str(tree)], check=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    wanted = {name for name in listed if name and (ROOT / name).is_file()}
    for name in sorted(wanted):
        source, target = ROOT / name, tree / name
        if target.exists() and _same(source, target):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    for path in sorted(tree.rglob("*"), reverse=True):
        inside = path.relative_to(tree)
        if inside.parts[0] == ".git" or inside.parts[:2] == ("tests", "output"):
            continue
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif str(inside) not in wanted:
            path.unlink()
    return tree


def _same(one: Path, other: Path) -> bool:
    left, right = one.stat(), other.stat()
    return (left.st_size, left.st_mtime_ns, left.st_mode) == (right.st_size, right.st_mtime_ns, right.st_mode)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", choices=("link", "copy"))
    print({"link": link, "copy": copy}[parser.parse_args().tree]())
    return 0


if __name__ == "__main__":
    sys.exit(main())
