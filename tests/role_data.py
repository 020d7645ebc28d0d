"""What a role's YAML files say, read without Ansible: C(role_data("monitoring", "vars/main.yml"))."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

ROLES = Path(__file__).resolve().parent.parent / "roles"


class Loader(yaml.SafeLoader):
    """YAML with Ansible's tags."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(t.cast("yaml.ScalarNode", node)))


def role_data(role: str, file: str) -> t.Any:
    """The content of one file of a role."""
    return yaml.load((ROLES / role / file).read_text(encoding="utf-8"), Loader)
