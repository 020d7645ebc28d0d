"""Drivers, device plugin and feature discovery against what NVIDIA's own programs said (facts/mock-nvml.md, §1.5)."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.boards import board as measured
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.geometry import maximal_layouts
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.catalogue import Catalogue
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.hardware import (
    Gpu,
    aims,
    apply_layout,
    chooser,
    pack,
    partition,
    standard_layouts,
    unpack,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.mig_parted import Entry
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.nvidia import Equipment, labels, resources
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.plugin_config import Sharing

CATALOGUE = Catalogue()
GPU = "nvidia.com/gpu"
MIXTURE = (
    Entry((0, 1, 2, 3), mig_enabled=True, mig_devices=(("1g.10gb", 7),)),
    Entry((4, 5), mig_enabled=True, mig_devices=(("3g.40gb", 2),)),
)


def equipment(instance_type="p5.48xlarge", layout=()):
    machine = CATALOGUE.machine(instance_type)
    board = CATALOGUE.board(machine.board) if machine.board else None
    gpus = tuple(Gpu() for _other in range(machine.gpus))
    if layout:
        gpus, error = apply_layout(board, gpus, aims(board, gpus, layout), min)
        assert not error
    return Equipment(machine, board, gpus)


def shared(resource, replicas, **more):
    return Sharing(
        more.get("strategy", "time-slicing"), {f"nvidia.com/{resource}": replicas}, more.get("renamed", False)
    )


NONE = Sharing()
ALL_1G = (Entry(None, mig_enabled=True, mig_devices=(("1g.10gb", 7),)),)
BOTH = Sharing("time-slicing", {GPU: 3, "nvidia.com/mig-1g.10gb": 2})


@pytest.mark.parametrize(
    ("layout", "strategy", "sharing", "expected"),
    [
        ((), "single", NONE, {GPU: 8}),
        ((), "mixed", NONE, {GPU: 8}),
        ((), "none", shared("gpu", 3), {GPU: 24}),
        ((), "none", shared("gpu", 4, renamed=True), {"nvidia.com/gpu.shared": 32}),
        ((), "none", shared("gpu", 4, strategy="mps"), {GPU: 32}),
        (MIXTURE, "mixed", NONE, {GPU: 2, "nvidia.com/mig-1g.10gb": 28, "nvidia.com/mig-3g.40gb": 4}),
        (MIXTURE, "mixed", BOTH, {GPU: 6, "nvidia.com/mig-1g.10gb": 56, "nvidia.com/mig-3g.40gb": 4}),
        (MIXTURE, "none", NONE, {GPU: 8}),
        (ALL_1G, "mixed", NONE, {"nvidia.com/mig-1g.10gb": 56}),
        (ALL_1G, "single", NONE, {GPU: 56}),
        (ALL_1G, "single", shared("gpu", 2), {GPU: 112}),
        (
            ALL_1G,
            "mixed",
            shared("mig-1g.10gb", 2, renamed=True),
            {"nvidia.com/mig-1g.10gb.shared": 112},
        ),
    ],
)
def test_the_device_plugin_publishes(layout, strategy, sharing, expected):
    assert resources(equipment(layout=layout), strategy=strategy, sharing=sharing) == expected


@pytest.mark.parametrize(
    ("layout", "strategy", "sharing", "complaint"),
    [
        (MIXTURE, "single", NONE, "same migEnabled value"),
        (
            (*MIXTURE, Entry((6, 7), mig_enabled=True, mig_devices=(("7g.80gb", 1),))),
            "single",
            NONE,
            "more than one MIG",
        ),
        ((Entry(None, mig_enabled=True),), "single", NONE, "no MIG devices"),
        ((), "mixed", shared("gpu", 2, strategy="mps"), "not supported with MPS"),
        (ALL_1G, "single", shared("gpu", 2, strategy="mps"), "not supported for mig devices"),
    ],
)
def test_the_device_plugin_gives_up(layout, strategy, sharing, complaint):
    with pytest.raises(PlatformError, match=complaint):
        resources(equipment(layout=layout), strategy=strategy, sharing=sharing)


def test_labels_of_a_time_sliced_node():
    found = labels(equipment(), strategy="none", sharing=shared("gpu", 3))
    assert {
        "nvidia.com/gpu.count": "8",
        "nvidia.com/gpu.replicas": "3",
        "nvidia.com/gpu.sharing-strategy": "time-slicing",
        "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3-SHARED",
        "nvidia.com/gpu.memory": "81559",
        "nvidia.com/gpu.family": "hopper",
        "nvidia.com/gpu.compute.major": "9",
        "nvidia.com/mig.capable": "true",
        "nvidia.com/mps.capable": "false",
        "nvidia.com/gpu.machine": "p5.48xlarge",
    }.items() <= found.items()
    assert "nvidia.com/mig.strategy" not in found


def test_a_renamed_resource_keeps_the_product():
    found = labels(equipment(), strategy="single", sharing=shared("gpu", 3, renamed=True))
    assert found["nvidia.com/gpu.product"] == "NVIDIA-H100-80GB-HBM3"
    assert (found["nvidia.com/gpu.replicas"], found["nvidia.com/mig.strategy"]) == ("3", "single")


def test_labels_of_a_mixture_count_all_gpus():
    found = labels(equipment(layout=MIXTURE), strategy="mixed", sharing=NONE)
    assert found["nvidia.com/gpu.count"] == "8"
    assert found["nvidia.com/mig-1g.10gb.count"] == "28"
    assert found["nvidia.com/mig-3g.40gb.count"] == "4"
    assert found["nvidia.com/mig-1g.10gb.product"] == "NVIDIA-H100-80GB-HBM3-MIG-1g.10gb"
    assert found["nvidia.com/mig-1g.10gb.memory"] == "9984"
    assert found["nvidia.com/mig-1g.10gb.multiprocessors"] == "16"
    assert found["nvidia.com/mig-3g.40gb.slices.gi"] == "3"
    assert found["nvidia.com/gpu.replicas"] == "1"
    assert "nvidia.com/mig-1g.10gb.engines.copy" in found


def test_a_mixture_under_single_is_invalid_and_silent():
    found = labels(equipment(layout=MIXTURE), strategy="single", sharing=NONE)
    assert found["nvidia.com/gpu.product"] == "NVIDIA-H100-80GB-HBM3-MIG-INVALID"
    assert (found["nvidia.com/gpu.count"], found["nvidia.com/gpu.replicas"]) == ("0", "0")


def test_a_mixture_under_none_looks_like_eight_gpus():
    found = labels(equipment(layout=MIXTURE), strategy="none", sharing=NONE)
    assert (found["nvidia.com/gpu.count"], found["nvidia.com/gpu.product"]) == ("8", "NVIDIA-H100-80GB-HBM3")
    assert not [name for name in found if name.startswith("nvidia.com/mig-")]


def test_shared_instances():
    found = labels(equipment(layout=ALL_1G), strategy="mixed", sharing=shared("mig-1g.10gb", 2))
    assert found["nvidia.com/mig-1g.10gb.replicas"] == "2"
    assert found["nvidia.com/mig-1g.10gb.product"].endswith("-MIG-1g.10gb-SHARED")
    assert found["nvidia.com/gpu.replicas"] == "0", "the parent of MIG devices is not shared"


def test_single_names_the_profile_in_the_product():
    found = labels(equipment(layout=ALL_1G), strategy="single", sharing=NONE)
    assert found["nvidia.com/gpu.product"] == "NVIDIA-H100-80GB-HBM3-MIG-1g.10gb"
    assert (found["nvidia.com/gpu.count"], found["nvidia.com/gpu.memory"]) == ("56", "9984")


def test_mps():
    found = labels(equipment(), strategy="none", sharing=shared("gpu", 4, strategy="mps"))
    assert (found["nvidia.com/mps.capable"], found["nvidia.com/gpu.sharing-strategy"]) == ("true", "mps")


def test_a_board_without_mig():
    found = labels(equipment("g5.xlarge"), strategy="mixed", sharing=NONE)
    assert (found["nvidia.com/gpu.product"], found["nvidia.com/gpu.memory"]) == ("NVIDIA-A10G", "23028")
    assert (found["nvidia.com/mig.capable"], found["nvidia.com/gpu.compute.minor"]) == ("false", "6")


BOARDS = ["a100-40gb", "a100-80gb", "h100-80gb", "h200-141gb", "b200-180gb", "a30-24gb", "rtx-pro-6000-blackwell"]


@pytest.mark.parametrize("name", BOARDS)
def test_every_feasible_layout_can_be_made_by_a_low_and_by_a_high_driver(name):
    """Judged by the planner's own table of what is feasible, which knows nothing of drivers and orders."""
    board = CATALOGUE.board(name)
    layouts = maximal_layouts(measured(name))
    assert len(layouts) >= 4
    for wanted, placement in itertools.product(layouts, ("lowest", "highest")):
        made = partition(board, wanted, chooser(placement, 1))
        assert dict(made.counts) == dict(wanted)
        slots = [range(start, start + board.profiles[profile].size) for profile, start in made.instances]
        assert all(set(one).isdisjoint(other) for one, other in itertools.combinations(slots, 2))
        assert all(start in board.profiles[profile].starts for profile, start in made.instances)


def test_a_random_driver_makes_what_is_safe_and_breaks_what_is_not():
    board = CATALOGUE.board("h100-80gb")
    seeds = range(60)
    for seed in seeds:
        assert partition(board, {"1g.10gb": 7}, chooser("random", seed)).counts["1g.10gb"] == 7
        assert partition(board, {"3g.40gb": 2}, chooser("random", seed)).counts["3g.40gb"] == 2
    starts = {partition(board, {"3g.40gb": 1}, chooser("random", seed)).instances[0][1] for seed in seeds}
    assert starts == {0, 4}
    assert chooser("random", 5)(range(100)) == chooser("random", 5)(range(100)), "the same seed, the same choice"


@pytest.mark.parametrize(
    ("board", "wanted", "complaint"),
    [
        ("h100-80gb", {"4g.40gb": 2}, "all orderings failed"),
        ("h100-80gb", {"3g.40gb": 2, "1g.10gb": 1}, "all orderings failed"),
        ("h100-80gb", {"1g.10gb": 8}, "all orderings failed"),
        ("h100-80gb", {"1g.10gb+me": 1, "1g.10gb": 7}, "all orderings failed"),
        ("a100-40gb", {"3g.40gb": 2}, "'3g.40gb': Not Supported"),
        ("h100-80gb", {"1g.5gb": 7}, "Not Supported"),
    ],
)
def test_impossible_layouts_fail_and_leave_the_gpu_cleared(board, wanted, complaint):
    driver = CATALOGUE.board(board)
    before = (Gpu(mig=True, instances=(("7g.80gb", 0),)),)
    entry = Entry(None, mig_enabled=True, mig_devices=tuple(wanted.items()))
    after, error = apply_layout(driver, before, {0: entry}, min)
    assert complaint in error
    assert after == (Gpu(mig=True),)


def test_same_name_other_meaning():
    assert partition(CATALOGUE.board("a100-40gb"), {"1g.10gb": 4}, min).counts["1g.10gb"] == 4
    with pytest.raises(PlatformError, match="all orderings failed"):
        partition(CATALOGUE.board("a100-40gb"), {"1g.10gb": 7}, min)


def test_the_order_matters_and_permutations_save_it():
    """3g at start 0 leaves no room for 4g: a driver that takes the lowest start needs the larger one first."""
    made = partition(CATALOGUE.board("h100-80gb"), {"3g.40gb": 1, "4g.40gb": 1}, min)
    assert set(made.instances) == {("4g.40gb", 0), ("3g.40gb", 4)}


def test_later_entries_win_and_unnamed_gpus_stay():
    board = CATALOGUE.board("h100-80gb")
    gpus = tuple(Gpu() for _other in range(4))
    layout = (Entry(None, mig_enabled=True), Entry((1,), mig_enabled=False), Entry((3,), mig_enabled=False))
    found = aims(board, gpus, layout)
    assert [found[index].mig_enabled for index in range(4)] == [True, False, True, False]
    assert set(aims(board, gpus, (Entry((2,), mig_enabled=True),))) == {2}
    filtered = Entry(None, mig_enabled=True, device_filter=("0x20B010DE",))
    assert aims(board, gpus, (filtered,)) == {}, "a filter of another board silently never matches"
    with pytest.raises(PlatformError, match="index 9"):
        aims(board, gpus, (Entry((9,), mig_enabled=True),))
    with pytest.raises(PlatformError, match="non MIG-capable"):
        aims(None, gpus, (Entry((0,), mig_enabled=True),))
    assert aims(None, gpus, (Entry(None, mig_enabled=True),)) == {}


def test_the_annotation_round_trips():
    gpus = equipment(layout=MIXTURE).gpus
    assert unpack(pack(gpus)) == gpus
    assert len(pack(gpus)) < 400


def test_the_names_that_mig_manager_generates():
    layouts = standard_layouts(CATALOGUE.board("h100-80gb"))
    assert {"all-disabled", "all-enabled", "all-balanced", "all-1g.10gb", "all-1g.10gb.me", "all-3g.40gb"} <= set(
        layouts
    )
    assert dict(layouts["all-balanced"][0].mig_devices) == {"1g.10gb": 2, "2g.20gb": 1, "3g.40gb": 1}
    assert dict(layouts["all-1g.20gb"][0].mig_devices) == {"1g.20gb": 4}
    for entry in (entries[0] for entries in layouts.values()):
        if entry.mig_devices:
            partition(CATALOGUE.board("h100-80gb"), dict(entry.mig_devices), min)
