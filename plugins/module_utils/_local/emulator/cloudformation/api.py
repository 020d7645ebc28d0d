# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulated CloudFormation: every operation, without HTTP."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable

from ...._core.clock import Clock
from ..eks.neighbours import Place
from ..faults import Faults
from . import change_sets, operations
from .provider import Provider
from .session import Operation, Record, Region, Session

OPERATIONS: dict[str, Operation] = operations.OPERATIONS | change_sets.OPERATIONS


class CloudFormation:
    """CloudFormation of all accounts and regions, one call at a time."""

    def __init__(self, *, clock: Clock, faults: Callable[[], Faults], provider: Provider) -> None:
        self._clock = clock
        self._faults = faults
        self._provider = provider
        self._lock = threading.RLock()
        self._regions: dict[Place, Region] = {}

    def call(self, place: Place, operation: str, request: Record) -> Record:
        """Carry an operation out.

        :raises CloudFormationError: as CloudFormation would.
        """
        with self._lock:
            region = self._regions.setdefault(place, Region())
            region.settle(self._clock.now())
            session = Session(place, region, self._provider, self._clock, self._faults())
            return copy.deepcopy(OPERATIONS[operation](session, request))

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._regions.clear()


__all__ = ("OPERATIONS", "CloudFormation")
