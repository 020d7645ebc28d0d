"""Prometheus' own promtool for tests: from PATH, the cache or a build.

Use it in a conftest.py: ``from promtool_fixture import promtool`` with an C(__all__).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from go_program import provide


@pytest.fixture(scope="session")
def promtool() -> Path:
    """The program."""
    found = shutil.which("promtool")
    return Path(found) if found else provide("promtool")
