from __future__ import annotations

import itertools
import json
import typing as t
from collections import Counter
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.boards import Board, board, boards
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.creation_order import (
    HIGHEST,
    LOWEST,
    order_for,
    safe_order,
    succeeds,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.geometry import (
    compute_slices,
    feasible_layouts,
    is_feasible,
    maximal_layouts,
    memory_slices,
    placements,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.instances import instance_type, instance_types

FACTS = Path(__file__).resolve().parents[4] / "shared/facts/mig-geometry.json"
KNOWN = sorted(name for name, entry in boards().items() if entry.placements_known)
UNKNOWN = sorted(set(boards()) - set(KNOWN))


def facts() -> dict[str, t.Any]:
    if not FACTS.exists():
        pytest.skip("../shared/facts/mig-geometry.json is not here: it is data beside the project")
    return {product["id"]: product for product in json.loads(FACTS.read_text(encoding="utf-8"))["products"]}


def brute_force(target: Board, *, plain: bool) -> set[tuple[tuple[str, int], ...]]:
    """Every multiset that some set of pairwise disjoint placements realises, by looking at all sets of placements."""
    every = [
        (name, frozenset(range(start, start + (profile.size or 0))))
        for name, profile in target.profiles.items()
        if not (plain and profile.attributes)
        for start in profile.starts or ()
    ]
    found: set[tuple[tuple[str, int], ...]] = set()
    stack: list[tuple[int, frozenset[int], tuple[str, ...]]] = [(0, frozenset(), ())]
    while stack:
        index, taken, chosen = stack.pop()
        counts = Counter(chosen)
        if not allowed(target, counts):
            continue
        found.add(tuple(sorted(counts.items())))
        for later in range(index, len(every)):
            name, slots = every[later]
            if not taken & slots:
                stack.append((later + 1, taken | slots, (*chosen, name)))
    return found


def allowed(target: Board, counts: Counter[str]) -> bool:
    if any(count > target.profiles[name].max_instances for name, count in counts.items()):
        return False
    if sum(count for name, count in counts.items() if target.profiles[name].media) > 1:
        return False
    return all(
        sum((target.profiles[name].engines[engine] or 0) * count for name, count in counts.items()) <= total
        for engine, total in target.engine_totals.items()
    )


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("name", KNOWN)
def test_feasibility_equals_brute_force_over_placements(name: str, plain: bool) -> None:
    target = board(name)
    expected = brute_force(target, plain=plain)
    assert {tuple(sorted(layout.items())) for layout in feasible_layouts(target, plain=plain)} == expected
    names = [entry for entry, profile in target.profiles.items() if not (plain and profile.attributes)]
    bound = max(sum(count for _name, count in layout) for layout in expected) + 1
    for size in range(1, min(bound, 4) + 1):
        for combination in itertools.combinations_with_replacement(names, size):
            layout = Counter(combination)
            assert is_feasible(target, layout) == (tuple(sorted(layout.items())) in expected)


@pytest.mark.parametrize("name", KNOWN)
def test_counts_are_those_of_the_facts(name: str) -> None:
    computed = facts()[name]["computed"]
    for plain, key in ((True, "plain_profiles"), (False, "all_profiles")):
        assert len(feasible_layouts(board(name), plain=plain)) == computed[key]["feasible_multisets_incl_empty"]
        assert len(maximal_layouts(board(name), plain=plain)) == computed[key]["maximal_multisets"]


@pytest.mark.parametrize("name", KNOWN)
def test_a_witness_is_disjoint_and_legal(name: str) -> None:
    target = board(name)
    for layout in feasible_layouts(target, plain=False):
        witness = placements(target, layout)
        assert witness is not None
        assert Counter(place.profile for place in witness) == Counter(layout)
        slots = [slot for place in witness for slot in range(place.start, place.start + place.size)]
        assert len(slots) == len(set(slots)) == memory_slices(target, layout)
        assert all(place.start in (target.profiles[place.profile].starts or ()) for place in witness)
        assert compute_slices(target, layout) <= target.compute_slices


@pytest.mark.parametrize("name", KNOWN)
def test_a_safe_order_survives_every_driver(name: str) -> None:
    """Explore every choice of start by hand for the order that is called safe."""
    target = board(name)
    for layout in maximal_layouts(target):
        order = safe_order(target, layout)
        if order is None:
            continue
        frontier: set[frozenset[tuple[int, int]]] = {frozenset()}
        for profile_name in order:
            profile = target.profiles[profile_name]
            grown = set()
            for places in frontier:
                taken = {slot for start, size in places for slot in range(start, start + size)}
                free = [
                    start
                    for start in profile.starts or ()
                    if not taken & set(range(start, start + (profile.size or 0)))
                ]
                assert free, (layout, order)
                grown.update(places | {(start, profile.size or 0)} for start in free)
            frontier = grown


def test_creation_orders_are_those_of_the_facts() -> None:
    target = board("a100-40gb")
    for entry in facts()["a100-40gb"]["computed"]["plain_maximal_geometries"]:
        layout = entry["counts"]
        assert (safe_order(target, layout) is None) == (entry["order_safe_for_any_driver_choice"] is None)
        for choice, key in ((LOWEST, "lowest"), (HIGHEST, "highest")):
            order = order_for(target, layout, choice)
            assert (order is None) == (entry[f"order_for_{key}_start_driver"] is None)
            assert order is None or succeeds(target, order, choice)


def test_an_infeasible_layout_has_no_order() -> None:
    assert safe_order(board("a100-80gb"), {"3g.40gb": 3}) is None


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_placements_are_refused_with_that_reason(name: str) -> None:
    with pytest.raises(PlatformError, match=f"placements of {name} are not published"):
        feasible_layouts(board(name))


def test_compute_slices_alone_do_not_make_a_layout_feasible() -> None:
    target = board("a100-40gb")
    assert compute_slices(target, {"1g.5gb": 1, "3g.20gb": 2}) == 7
    assert not is_feasible(target, {"1g.5gb": 1, "3g.20gb": 2})


def test_one_family_name_hides_two_memories() -> None:
    assert instance_type("p4d.24xlarge").board == "a100-40gb"
    assert instance_type("p4de.24xlarge").board == "a100-80gb"
    with pytest.raises(PlatformError, match=r"unknown MIG profile of a100-40gb '3g.40gb'"):
        is_feasible(board("a100-40gb"), {"3g.40gb": 2})


def test_every_board_of_an_instance_type_exists() -> None:
    for entry in instance_types().values():
        assert entry.board is None or entry.board in boards()
        assert (entry.accelerator_count > 0) == (entry.resource is not None)


def test_configuration_names_are_understood() -> None:
    assert board("a100-40gb").profile("1g.5gb.me").name == "1g.5gb+me"
