"""A whole roll against an API server in memory: what is asked, how often, and what never happens at once."""

from __future__ import annotations

import threading
import time
import typing as t

from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import SystemClock
from ansible_collections.aiplatform.eks.plugins.module_utils._sharing.roll import RollSettings, Target
from ansible_collections.aiplatform.eks.plugins.module_utils._sharing.roller import Roller

from benchmarks.memory_cluster import MemoryCluster

NODES, OUT = 60, 20
LAYOUTS = {"old": {"nvidia.com/mig-1g.10gb": "56"}, "new": {"nvidia.com/mig-3g.40gb": "16"}}
TARGET = Target("h100", "new", {"nvidia.com/mig-3g.40gb": 16})


class Watched(MemoryCluster):
    """Counts evictions that overlap, and nodes that are out at once."""

    def __init__(self) -> None:
        super().__init__(NODES, layouts=LAYOUTS, start="old", work=0.05)
        self.most_evictions = self.most_out = self._evicting = 0
        self._count = threading.Lock()

    def request(self, method: str, path: str, **more: t.Any) -> t.Any:
        eviction = path.endswith("/eviction")
        with self._count:
            self._evicting += eviction
            self.most_evictions = max(self.most_evictions, self._evicting)
        time.sleep(0.002 * eviction)
        answer = super().request(method, path, **more)
        with self._count:
            self._evicting -= eviction
            out = sum(bool(node["spec"].get("unschedulable")) for node in self.objects["nodes"].values())
            self.most_out = max(self.most_out, out)
        return answer


def test_a_roll_asks_little_and_evicts_one_after_the_other() -> None:
    """Evictions at once would conflict at the budget that their pods share."""
    cluster = Watched()
    settings = RollSettings(max_unavailable=OUT, settle=0.05)
    targets = dict.fromkeys(cluster.objects["nodes"], TARGET)
    try:
        results = Roller(t.cast("t.Any", cluster), clock=SystemClock(), targets=targets, settings=settings).run()
    finally:
        cluster.stop()
    assert {one.result for one in results.values()} == {"changed"}
    assert all(one.evicted for one in results.values())
    assert cluster.most_evictions == 1
    assert 1 < cluster.most_out <= OUT
    assert cluster.requests <= 8 * NODES
