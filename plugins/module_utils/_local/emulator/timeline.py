# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What will happen at which moment: looked after whenever somebody looks."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(eq=False)
class Timeline:
    """Things to come, in order."""

    _future: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=itertools.count)

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Do this at that moment (of the clock), or rather when somebody looks after it."""
        heapq.heappush(self._future, (moment, next(self._number), action))

    def settle(self, now: float) -> None:
        """Let everything happen that is due, in order."""
        while self._future and self._future[0][0] <= now:
            heapq.heappop(self._future)[2]()


__all__ = ("Timeline",)
