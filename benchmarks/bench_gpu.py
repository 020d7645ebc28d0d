"""The GPU planner against the ways in which others place MIG instances; a roll of 1,000 nodes against its waves."""

from __future__ import annotations

import random
import statistics
import typing as t
from collections import Counter
from collections.abc import Iterator, Sequence

from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import SystemClock
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.boards import board
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.demands import Demand, Offer
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.instances import instance_type
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.planner import plan
from ansible_collections.aiplatform.eks.plugins.module_utils._sharing.roll import RollSettings, Target
from ansible_collections.aiplatform.eks.plugins.module_utils._sharing.roller import Roller

from benchmarks.gpu_baselines import PEERS, bought
from benchmarks.harness import Row, seconds
from benchmarks.memory_cluster import MemoryCluster

if t.TYPE_CHECKING:
    from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient

SIX = ("p4d.24xlarge", "p4de.24xlarge", "p5.48xlarge", "p5en.48xlarge", "p6-b200.48xlarge", "g7e.48xlarge")
INSTANCES, SEEDS = 10_000, 20
PROFILES = ("1g.10gb", "1g.20gb", "2g.20gb", "3g.40gb", "4g.40gb")
Case = tuple[list[Demand], list[str]]


def rows() -> Iterator[Row]:
    """Seconds, USD per hour and GPUs."""
    yield from plan_rows()
    yield from gpu_rows()
    yield from roll_rows()


def plan_rows() -> Iterator[Row]:
    """Ten thousand instances over six board types."""
    offers = [Offer(instance_type(name), instance_type(name).price or 0.0) for name in SIX]
    cases = [demanded(random.Random(seed)) for seed in range(SEEDS)]
    plan(cases[0][0], offers=offers)
    times = [seconds(lambda demands=demands: plan(demands, offers=offers)) for demands, _arrivals in cases]
    work = f"plan {INSTANCES} instances on {len(SIX)} board types, proved"
    yield Row("gpu", f"{work}, median", statistics.median(times), "s", "none: no other plans", None, "value", 0.2)
    yield Row("gpu", f"{work}, slowest of {SEEDS}", max(times), "s", "none: no other plans")
    ours = [plan(demands, offers=offers) for demands, _arrivals in cases]
    assert all(one.proved for one in ours)
    for name, peer in PEERS.items():
        peers = [_price(bought(demands, arrivals, offers, peer), offers) for demands, arrivals in cases]
        mean = statistics.mean(one.price for one in ours)
        yield Row("gpu", f"price of {INSTANCES} instances", mean, "USD/h", name, statistics.mean(peers), "ratio", 1.0)


def gpu_rows() -> Iterator[Row]:
    """One board type: GPUs and compute slices that serve nobody, for a hundred random instances."""
    offer, target = Offer(instance_type("p5.4xlarge"), 1.0), board("h100-80gb")
    arrivals = [_shuffled(seed) for seed in range(20)]
    ours = [plan(_demands(Counter(names)), offers=[offer]) for names in arrivals]
    gpus = statistics.mean(one.bought.total() for one in ours)
    needed = statistics.mean(sum(target.profiles[name].compute_slices for name in names) for names in arrivals)
    for name, peer in PEERS.items():
        theirs = statistics.mean(peer(target, names) for names in arrivals)
        yield Row("gpu", "GPUs for 100 instances of one board", gpus, "GPUs", name, theirs, "ratio", 1.0)
        waste = [used * target.compute_slices - needed for used in (gpus, theirs)]
        yield Row("gpu", "compute slices of these that serve nobody", waste[0], "slices", name, waste[1], "ratio", 1.0)


def roll_rows() -> Iterator[Row]:
    """A thousand nodes, each with a GPU pod, a tenth of them out at once; the API server takes no time of its own."""
    nodes, out, work = 1000, 100, 2.0
    layouts = {"old": {"nvidia.com/mig-1g.10gb": "56"}, "new": {"nvidia.com/mig-3g.40gb": "16"}}
    cluster = MemoryCluster(nodes, layouts=layouts, start="old", work=work)
    settings = RollSettings(max_unavailable=out)
    target = Target("h100", "new", {"nvidia.com/mig-3g.40gb": 16})
    roller = Roller(
        t.cast("KubeClient", cluster),
        clock=SystemClock(),
        targets=dict.fromkeys(cluster.objects["nodes"], target),
        settings=settings,
    )
    took = seconds(roller.run)
    cluster.stop()
    assert {one.result for one in roller.results.values()} == {"changed"}
    waves = nodes / out * (work + settings.settle)
    peer = f"none: the bare sum of its waves is {waves:.0f} s"
    yield Row(
        "gpu",
        f"roll {nodes} nodes, {out} at once, over the sum of its waves",
        took / waves,
        "x",
        peer,
        None,
        "value",
        1.2,
    )
    yield Row(
        "gpu",
        "requests a node in that roll",
        cluster.requests / nodes,
        "requests",
        "none: nobody else rolls",
        None,
        "value",
        8,
    )


def demanded(dice: random.Random) -> Case:
    """Eighteen demands by memory and compute, twelve of them for a board each, and the order in which all come."""
    shares = sorted(dice.sample(range(1, INSTANCES), 17))
    counts = [end - start for start, end in zip([0, *shares], [*shares, INSTANCES], strict=True)]
    homes = [instance_type(name).board or "" for name in SIX]
    demands = [
        Demand(
            f"d{index}",
            count,
            memory_gb=dice.choice([5, 10, 20, 40] if index < 12 else [5, 10, 20, 40, 70]),
            compute_slices=dice.choice([0, 1, 2, 3]),
            boards=(homes[index // 2],) if index < 12 else (),
        )
        for index, count in enumerate(counts)
    ]
    arrivals = [demand.name for demand in demands for _each in range(demand.count)]
    dice.shuffle(arrivals)
    return demands, arrivals


def _shuffled(seed: int) -> list[str]:
    dice = random.Random(seed)
    return [dice.choice(PROFILES) for _each in range(100)]


def _demands(counts: Counter[str]) -> list[Demand]:
    return [Demand(name, count, profile=name) for name, count in sorted(counts.items())]


def _price(nodes: Counter[str], offers: Sequence[Offer]) -> float:
    return sum(nodes[offer.one.name] * offer.price for offer in offers)
