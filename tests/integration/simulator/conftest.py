"""The fixtures of the simulator's tests."""

from __future__ import annotations

from simulator_fixture import gpu_world, world

__all__ = ("gpu_world", "world")
