# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles as their own argument specs and defaults describe them."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .._core.errors import MissingLibraryError, PlatformError

try:
    import yaml
except ImportError as error:
    YAML_ERROR: ImportError | None = error
else:
    YAML_ERROR = None

ENTRY = "main"
SET_FACT = "ansible.builtin.set_fact"
BLOCKS = ("block", "rescue", "always")
# What every platform has; the other roles are components that an inventory chooses.
BASE = frozenset(
    {
        "cluster",
        "components",
        "foundation",
        "governance",
        "gpu_operator",
        "local_cloud",
        "node_pools",
        "preflight",
        "report",
        "session",
        "smoke",
        "storage",
        "summary",
        "teardown",
        "verify",
    }
)


@dataclass(frozen=True)
class Role:
    """A role.

    :param options: of its main entry point, by name of the variable.
    :param defaults: as they stand in its file, templates included.
    :param facts: that it sets for the others.
    """

    name: str
    options: Mapping[str, Mapping[str, t.Any]]
    defaults: Mapping[str, t.Any]
    facts: frozenset[str] = frozenset()


def read_roles(folder: Path) -> dict[str, Role]:
    """The public roles of a folder, by name.

    :raises PlatformError: the folder has none, or a file of a role is no YAML.
    """
    if YAML_ERROR is not None:
        raise MissingLibraryError(f"reading the roles needs PyYAML: {YAML_ERROR}")
    paths = sorted(folder.glob("[a-z]*/meta/argument_specs.yml"))
    if not paths:
        raise PlatformError(
            f"roles_path {folder} holds no role with an argument spec; name the roles of the collection"
        )
    return {path.parent.parent.name: _role(path) for path in paths}


def _role(path: Path) -> Role:
    home = path.parent.parent
    specs = _read(path).get("argument_specs") or {}
    defaults = home / "defaults" / "main.yml"
    return Role(
        home.name,
        (specs.get(ENTRY) or {}).get("options") or {},
        _read(defaults) if defaults.is_file() else {},
        frozenset(name for tasks in sorted(home.glob("tasks/*.yml")) for name in _facts(_read(tasks))),
    )


def _facts(tasks: t.Any) -> Iterator[str]:
    """The names that set_fact sets somewhere in these tasks."""
    if isinstance(tasks, list):
        for task in tasks:
            yield from _facts(task)
    elif isinstance(tasks, dict):
        yield from tasks.get(SET_FACT) or ()
        for part in BLOCKS:
            yield from _facts(tasks.get(part))


def _read(path: Path) -> t.Any:
    try:
        found = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(path.read_bytes()).get_single_data()
    except yaml.YAMLError as error:
        raise PlatformError(f"{path} is no YAML: {error}") from None
    return found or {}


def components(roles: Iterable[str]) -> list[str]:
    """The roles that an inventory may choose."""
    return sorted(set(roles) - BASE)


__all__ = ("BASE", "Role", "components", "read_roles")
