"""The real control plane with simulated GPU nodes, whose groups are those of the emulated EKS."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.extend(str(Path(__file__).parent.parent / name) for name in ("sharing", "eks"))

from emulator_fixture import emulator, emulator_server

__all__ = ("emulator", "emulator_server")
