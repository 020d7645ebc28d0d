from __future__ import annotations

from promtool_fixture import promtool

__all__ = ("promtool",)
