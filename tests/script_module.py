"""A script of the project as a module: C(script_module("permissions"))."""

from __future__ import annotations

import importlib.util
import sys
import typing as t
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


def script_module(name: str) -> t.Any:
    """The module of C(scripts/<name>.py)."""
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look for their module there
    spec.loader.exec_module(module)
    return module
