from __future__ import annotations

from emulator_fixture import emulator, emulator_server

__all__ = ("emulator", "emulator_server")
