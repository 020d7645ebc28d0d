"""Labels that are held back while a pool has nodes."""

from __future__ import annotations

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.held import held_back
from eks_pool_cases import node_group, spec

KEY = "nvidia.com/mig.config"


@pytest.mark.parametrize(
    ("live", "wanted", "nodes", "labels", "held"),
    [
        ({KEY: "a"}, {KEY: "b", "x": "2"}, 2, {KEY: "a", "x": "2"}, [("a", "b")]),
        ({}, {KEY: "b"}, 2, {}, [(None, "b")]),
        ({KEY: "a"}, {"x": "2"}, 2, {KEY: "a", "x": "2"}, [("a", None)]),
        ({KEY: "a"}, {KEY: "b"}, 0, {KEY: "b"}, []),
        ({KEY: "a", "x": "1"}, {KEY: "a", "x": "2"}, 2, {KEY: "a", "x": "2"}, []),
    ],
)
def test_a_label_waits_for_the_roll(
    live: dict[str, str],
    wanted: dict[str, str],
    nodes: int,
    labels: dict[str, str],
    held: list[tuple[str | None, str | None]],
) -> None:
    group = node_group(spec(labels=live))
    group["scalingConfig"] = {**group["scalingConfig"], "desiredSize": nodes}
    found, back = held_back(spec(labels=wanted), group, [KEY])
    assert found.labels == labels
    assert [(one.live, one.wanted) for one in back] == held


def test_a_new_pool_and_one_that_says_nothing_are_not_held() -> None:
    wish = spec(labels={KEY: "b"})
    assert held_back(wish, None, [KEY]) == (wish, ())
    silent = spec()
    assert held_back(silent, node_group(spec(labels={KEY: "a"})), [KEY]) == (silent, ())
