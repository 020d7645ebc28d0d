"""Refusals of layouts: the kind of fault, the sentence, and the nearest layouts that are possible."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.boards import board, boards
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.geometry import feasible_layouts, is_feasible
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.nearest import (
    judge,
    nearest_layouts,
    shown,
    translated,
    unknown_profile,
)

KNOWN = sorted(name for name, entry in boards().items() if entry.placements_known)
FAULTS = [
    ("h100-80gb", {"1g.10gb": -1}, "count", "1g.10gb has the count -1"),
    ("a100-40gb", {"3g.40gb": 2}, "profile", "3g.20gb is the same share"),
    ("h100-80gb", {"1g.10gb": 8}, "too_many", "takes at most 7 of them"),
    ("h100-80gb", {"3g.40gb": 2, "1g.10gb": 1}, "memory", "it takes 9 memory slices; a GPU of h100-80gb has 8"),
    ("h100-80gb", {"4g.40gb": 1, "3g.40gb": 1, "1g.10gb": 1}, "compute", "it takes 8 compute slices"),
    ("a30-24gb", {"1g.6gb+me": 1, "2g.12gb+me": 1}, "media", "only one instance of a GPU can hold the media engines"),
    ("rtx-pro-6000-blackwell", {"1g.24gb": 1, "2g.48gb+me.all": 1}, "engines", "it takes 5 decoders"),
    ("h100-80gb", {"1g.20gb": 1, "2g.20gb": 3, "1g.10gb": 0}, "", ""),
    ("b300", {"1g.34gb": 1}, "unpublished", "the MIG placements of b300 are not published"),
]


@pytest.mark.parametrize(("name", "layout", "fault", "sentence"), FAULTS)
def test_the_first_reason_is_named(name: str, layout: dict[str, int], fault: str, sentence: str) -> None:
    verdict = judge(board(name), layout)
    assert verdict.fault == fault
    assert sentence in verdict.reason
    assert verdict.fits == (not fault)


@pytest.mark.parametrize("name", KNOWN)
def test_a_verdict_says_what_the_geometry_says(name: str) -> None:
    target = board(name)
    for size in (1, 2, 3):
        for combination in itertools.combinations_with_replacement(target.profiles, size):
            layout = {one: combination.count(one) for one in combination}
            verdict = judge(target, layout)
            assert verdict.fits == is_feasible(target, layout)
            assert bool(verdict.reason) != verdict.fits


@pytest.mark.parametrize("name", KNOWN)
def test_every_smallest_impossible_layout_has_a_reason_in_numbers(name: str) -> None:
    """Counts, slices and engines explain every refusal on the boards of today; placements never have to."""
    target = board(name)
    for layout in feasible_layouts(target, plain=False):
        for more in target.profiles:
            verdict = judge(target, {**layout, more: layout.get(more, 0) + 1})
            assert verdict.fault in ("", "too_many", "media", "compute", "memory", "engines"), (layout, more)


def test_a_family_name_that_hides_two_memories_is_explained() -> None:
    assert unknown_profile(board("a100-40gb"), "3g.40gb", on="p4d.24xlarge") == (
        "3g.40gb does not exist on p4d.24xlarge, whose A100 has 40 GB: 3g.20gb is the same share; or choose p4de or p5"
    )


def test_a_profile_of_no_board_gets_the_nearest_name() -> None:
    sentence = unknown_profile(board("a100-80gb"), "3g.41gb", on="p4de.24xlarge")
    assert sentence.startswith("p4de.24xlarge: unknown MIG profile of a100-80gb '3g.41gb'; known are 1g.10gb")
    assert "did you mean" in sentence


@pytest.mark.parametrize("name", KNOWN)
def test_the_nearest_layouts_are_possible_and_none_is_nearer(name: str) -> None:
    target = board(name)
    most = {one: profile.max_instances + 1 for one, profile in target.profiles.items() if not profile.attributes}
    for one, two in itertools.pairwise(most):
        wish = {one: most[one], two: 1}
        found = nearest_layouts(target, wish)
        assert len(found) == 3
        assert all(layout and is_feasible(target, layout) for layout in found)
        assert found == tuple(sorted(found, key=lambda layout: slices_between(name, wish, layout)))
        best = min(slices_between(name, wish, layout) for layout in feasible_layouts(target) if layout)
        assert slices_between(name, wish, found[0]) == best


def slices_between(name: str, one: dict[str, int], other: dict[str, int]) -> int:
    """The distance, computed again: instances sorted by size, pair by pair."""
    lists = []
    for layout in (one, other):
        sizes = [(board(name).profiles[p].size or 0, board(name).profiles[p].compute_slices) for p in layout]
        lists.append(sorted((size for size, n in zip(sizes, layout.values(), strict=True) for _i in range(n)))[::-1])
    length = max(map(len, lists))
    padded = [values + [(0, 0)] * (length - len(values)) for values in lists]
    return sum(abs(a - c) + abs(b - d) for (a, b), (c, d) in zip(*padded, strict=True))


def test_a_layout_that_fits_is_its_own_nearest() -> None:
    for layout in feasible_layouts(board("h200-141gb")):
        if layout:
            assert nearest_layouts(board("h200-141gb"), layout, most=1) == (layout,)


def test_media_profiles_are_offered_only_to_those_who_ask_for_them() -> None:
    target = board("h100-80gb")
    assert nearest_layouts(target, {"1g.10gb+me": 1, "1g.10gb": 7})[0] == {"1g.10gb+me": 1, "1g.10gb": 6}
    assert all("1g.10gb+me" not in layout for layout in nearest_layouts(target, {"1g.10gb": 8}))


def test_another_boards_names_are_translated() -> None:
    assert translated(board("a100-40gb"), {"3g.40gb": 2, "3g.20gb": 1}) == {"3g.20gb": 3}
    assert nearest_layouts(board("a100-40gb"), {"3g.40gb": 2})[0] == {"3g.20gb": 2}
    with pytest.raises(PlatformError, match="unknown MIG profile"):
        translated(board("a100-40gb"), {"9g.1gb": 1})


def test_layouts_are_shown_sorted_and_without_zeros() -> None:
    assert shown({"3g.40gb": 1, "1g.10gb": 2, "7g.80gb": 0}) == "{1g.10gb: 2, 3g.40gb: 1}"
