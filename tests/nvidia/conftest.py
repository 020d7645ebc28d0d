"""Paths of this folder's modules, and the machine's permission to run the programs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))


@pytest.fixture(scope="session", autouse=True)
def allowed() -> None:
    """Fail at once, in plain words, where no mount namespace can be had."""
    from nvidia_node import namespace

    namespace()
