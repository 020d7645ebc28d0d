from __future__ import annotations

import random
import typing as t
from collections import Counter
from dataclasses import replace

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.boards import board
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.demands import Demand, LiveGpu, LiveNode, Offer, slots
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.geometry import maximal_layouts
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.instances import instance_type
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.planner import plan
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.planner_nodes import Colouring
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.program import (
    OutOfTimeError,
    Program,
    Solved,
    Stop,
    Terms,
)
from gpu_plan_oracle import cheapest, check, least_change
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.bench_gpu import SIX, demanded
from benchmarks.gpu_baselines import PEERS

SMALL = ("p5.4xlarge", "g7e.2xlarge", "g7e.12xlarge", "g6.xlarge", "p4de.24xlarge")
SPREADS = ("none", "gpu")
H100_PROFILES = ("1g.10gb", "1g.20gb", "2g.20gb", "3g.40gb", "4g.40gb")


def offers(*names: str) -> list[Offer]:
    return [Offer(instance_type(name), instance_type(name).price or 0.0) for name in names]


def demand_kinds() -> st.SearchStrategy[Demand]:
    exact = st.sampled_from(["1g.10gb", "2g.20gb", "3g.40gb", "1g.24gb", "gpu", "1g.10gb+me"]).map(
        lambda name: {"profile": name}
    )
    least = st.tuples(st.sampled_from([5, 20, 40, 75]), st.sampled_from([0, 1, 3])).map(
        lambda pair: {"memory_gb": pair[0], "compute_slices": pair[1]}
    )
    return st.builds(
        lambda need, count, spread, isolated: Demand("", count, spread=spread, isolated=isolated, **need),
        st.one_of(exact, least),
        st.integers(1, 4),
        st.sampled_from([*SPREADS, "node"]),
        st.booleans(),
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(demand_kinds(), min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(SMALL), st.sampled_from([None, 1, 2, 3]), min_size=1),
)
def test_the_price_is_that_of_brute_force(kinds: list[Demand], limits: dict[str, int | None]) -> None:
    demands = [Demand(**{**vars(kind), "name": f"d{index}"}) for index, kind in enumerate(kinds)]
    on_offer = [replace(offer, most=limits[offer.one.name]) for offer in offers(*sorted(limits))]
    most = {name: limit for name, limit in limits.items() if limit is not None}
    expected = cheapest(demands, {offer.one: offer.price for offer in on_offer}, most)
    if expected == float("inf"):
        with pytest.raises(PlatformError, match=r"demand d|do not fit on 0 live GPUs"):
            plan(demands, offers=on_offer)
        return
    planned = plan(demands, offers=on_offer)
    check(planned, demands, on_offer)
    assert planned.proved
    assert planned.price == pytest.approx(expected)


def live_gpu(dice: random.Random, demands: list[Demand], type_name: str) -> LiveGpu:
    layouts = [None, *maximal_layouts(board(instance_type(type_name).board or ""))]
    layout = dice.choice(layouts)
    used = Counter[tuple[str, str]]()
    for slot, count in ({"gpu": 1} if layout is None else layout).items():
        for _each in range(count):
            fit = [d for d in demands if d.accepts(slots(type_name)[slot], instance_type(type_name).board)]
            if fit and dice.random() < 0.6:
                used[dice.choice(fit).name, slot] += 1
    return LiveGpu(None if layout is None else tuple(sorted(layout.items())), tuple(sorted(used.items())))


@pytest.mark.parametrize("seed", range(40))
def test_a_live_state_changes_as_little_as_brute_force_finds(seed: int) -> None:
    dice = random.Random(seed)
    type_name, profiles = dice.choice([("g7e.2xlarge", ("1g.24gb", "2g.48gb", "gpu")), ("p5.4xlarge", H100_PROFILES)])
    demands = [
        Demand(name, dice.randint(0, 3), profile=dice.choice(profiles), spread=dice.choice(SPREADS)) for name in "abc"
    ]
    gpus = [live_gpu(dice, demands, type_name) for _each in range(3)]
    nodes = [LiveNode(f"n{index}", instance_type(type_name), (gpu,)) for index, gpu in enumerate(gpus)]
    expected = least_change(demands, instance_type(type_name), gpus)
    if expected is None:
        with pytest.raises(PlatformError, match="do not fit on 3 live GPUs"):
            plan(demands, nodes=nodes)
        return
    planned = plan(demands, nodes=nodes)
    check(planned, demands, live=nodes)
    assert (planned.repartitioned, planned.moved) == expected
    assert planned.repartitioned_bound == planned.repartitioned


@pytest.mark.parametrize("seed", range(12))
def test_never_more_gpus_than_any_heuristic(seed: int) -> None:
    dice = random.Random(seed)
    arrivals = [dice.choice(H100_PROFILES) for _each in range(dice.choice([10, 30, 100]))]
    demands = [Demand(name, count, profile=name) for name, count in sorted(Counter(arrivals).items())]
    planned = plan(demands, offers=offers("p5.4xlarge"))
    check(planned, demands, offers("p5.4xlarge"))
    assert planned.proved
    for peer, gpus in PEERS.items():
        assert planned.bought["p5.4xlarge"] <= gpus(board("h100-80gb"), arrivals), peer


@pytest.mark.parametrize("seed", [1, 7, 14])
def test_ten_thousand_instances_on_six_boards_are_planned_with_a_proof(seed: int) -> None:
    """Seed 1 is one of the many where the relaxation settles it; for 7 it promises too much, for 14 too little."""
    demands, _arrivals = demanded(random.Random(seed))
    planned = plan(demands, offers=offers(*SIX))
    check(planned, demands, offers(*SIX))
    assert planned.proved


def test_purchases_come_in_whole_nodes() -> None:
    planned = plan([Demand("small", 1, profile="1g.10gb", boards=("a100-80gb",))], offers=offers("p4de.24xlarge"))
    assert planned.bought == {"p4de.24xlarge": 1}
    assert planned.price == pytest.approx(27.44705)
    assert sum(gpu.layout is None for gpu in planned.nodes[0].gpus) == 7


def test_one_node_is_spared_the_second_demand_on_its_gpu() -> None:
    demands = [Demand("alone", 1, profile="1g.10gb", isolated=True), Demand("others", 7, profile="1g.10gb")]
    planned = plan(demands, offers=offers("p5.4xlarge"))
    check(planned, demands, offers("p5.4xlarge"))
    assert planned.bought == {"p5.4xlarge": 2}


def test_equals_stay_apart_on_nodes() -> None:
    demands = [Demand("server", 3, profile="1g.10gb", spread="node"), Demand("batch", 5, profile="3g.40gb")]
    planned = plan(demands, offers=offers("p5.48xlarge"))
    check(planned, demands, offers("p5.48xlarge"))
    assert planned.bought == {"p5.48xlarge": 3}


def test_live_nodes_are_used_before_anything_is_bought() -> None:
    node = LiveNode("a", instance_type("p5.4xlarge"), (LiveGpu(),))
    demands = [Demand("d", 8, profile="1g.10gb")]
    planned = plan(demands, offers=offers("p5.4xlarge"), nodes=[node])
    check(planned, demands, offers("p5.4xlarge"), [node])
    assert planned.bought == {"p5.4xlarge": 1}
    assert plan([Demand("d", 7, profile="1g.10gb")], offers=offers("p5.4xlarge"), nodes=[node]).price == 0


def test_layouts_that_every_driver_can_create_are_preferred() -> None:
    planned = plan([Demand("d", 3, profile="2g.20gb")], offers=offers("p5.4xlarge"))
    assert planned.nodes[0].gpus[0].layout == (("1g.10gb", 1), ("2g.20gb", 3))


def test_at_most_so_many_nodes_are_bought() -> None:
    limited = [Offer(instance_type("p5.4xlarge"), 6.88, most=1)]
    with pytest.raises(PlatformError, match=r"8 x d do not fit on 0 live GPUs and at most 1 x p5.4xlarge"):
        plan([Demand("d", 8, profile="1g.10gb")], offers=limited)


def test_the_limit_holds_where_equals_stay_apart_on_nodes() -> None:
    """Three GPUs would do; but two of three pairs always meet, so that no two nodes can hold these three."""
    demands = [Demand(name, 2, profile="3g.40gb", spread="node") for name in "abc"]
    for most in (2, None):
        limited = [Offer(instance_type("p5.48xlarge"), 55.04, most=most)]
        planned = plan(demands, offers=limited)
        check(planned, demands, limited)
        assert planned.bought == {"p5.48xlarge": 2}
        assert planned.proved
    with pytest.raises(PlatformError, match=r"do not fit on 0 live GPUs and at most 1 x p5\.48xlarge"):
        plan(demands, offers=[Offer(instance_type("p5.48xlarge"), 55.04, most=1)])


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 5])
def test_once_there_is_a_plan_no_goal_takes_it_away(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is over after the second search (the price, then the live GPUs), after the third, and so on."""
    dice, search, left = random.Random(seed), Program._run, [999]
    demands = [Demand(name, dice.randint(1, 3), profile=dice.choice(H100_PROFILES)) for name in "abc"]
    nodes = [LiveNode("n", instance_type("p5.4xlarge"), (live_gpu(dice, demands, "p5.4xlarge"),))]

    def impatient(self: Program, goal: Terms, stop: Stop, integral: t.Any, **options: t.Any) -> Solved | None:
        left[0] -= any(integral)
        if any(integral) and left[0] < 0:
            raise OutOfTimeError("no time")
        return search(self, goal, stop, integral, **options)

    monkeypatch.setattr(Program, "_run", impatient)
    best = plan(demands, offers=offers("p5.4xlarge"), nodes=nodes)
    needed = 999 - left[0]
    assert (best.unproved, needed > 2) == ((), True)
    for enough in range(2, needed):
        left[0] = enough
        planned = plan(demands, offers=offers("p5.4xlarge"), nodes=nodes)
        check(planned, demands, offers("p5.4xlarge"), nodes)
        assert planned.unproved
        assert (planned.price, planned.repartitioned, planned.moved) >= (best.price, best.repartitioned, best.moved)


def test_a_user_that_no_demand_names_is_refused() -> None:
    node = LiveNode("a", instance_type("p5.4xlarge"), (LiveGpu(None, ((("old", "gpu"), 1),)),))
    with pytest.raises(PlatformError, match="node a is used by old, which no demand names"):
        plan([Demand("d", 1, profile="gpu")], nodes=[node])
    planned = plan([Demand("d", 1, profile="gpu"), Demand("old", 0)], nodes=[node])
    assert (planned.ended, planned.moved) == (1, 0)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=60))
def test_edges_are_coloured_with_as_many_colours_as_the_largest_degree(edges: list[tuple[int, int]]) -> None:
    degrees = Counter[str]()
    for left, right in edges:
        degrees[f"l{left}"] += 1
        degrees[f"demand {right}"] += 1
    colours = max(degrees.values(), default=0)
    colouring = Colouring(colours)
    for left, right in edges:
        colouring.add(f"l{left}", f"demand {right}")
    found = list(colouring.edges())
    assert Counter((left, right) for left, right, _colour in found) == Counter(
        (f"l{left}", f"demand {right}") for left, right in edges
    )
    assert all(0 <= colour < colours for _left, _right, colour in found)
