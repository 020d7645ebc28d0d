"""Every MIG layout that a GPU can have, as we write it: our strict reader and every driver accept it."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import yaml
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu import policy_cluster
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.boards import board
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.creation_order import safe_order
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.demands import mig_board
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.geometry import feasible_layouts, maximal_layouts
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.instances import InstanceType, instance_types
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.mig_parted import read_mig_parted
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import SharingPolicy, sharing_policy
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy_boot import boot_script
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator import hardware
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator import mig_parted as simulated
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.catalogue import Catalogue

# The largest type of each board that can do MIG on EKS.
TYPES = {
    one.board: one for one in sorted(instance_types().values(), key=lambda one: one.accelerator_count) if mig_board(one)
}


def layouts(one: InstanceType) -> list[dict[str, int]]:
    """All that a GPU of it can have: every plain one, and the maximal ones with media engines or graphics."""
    target = board(one.board or "")
    found = [dict(layout) for layout in (*feasible_layouts(target), *maximal_layouts(target, plain=False)) if layout]
    return list({tuple(sorted(layout.items())): layout for layout in found}.values())


def policies(one: InstanceType) -> list[SharingPolicy]:
    """All its layouts, a different one on each GPU of a node."""
    every, size = layouts(one), one.accelerator_count
    every += every[: -len(every) % size]
    nodes = [every[start : start + size] for start in range(0, len(every), size)]
    pool = {"name": "x", "instance_types": [one.name]}
    return [
        sharing_policy({**pool, "gpu_sharing": {"mode": "mig", "layout": [{"gpus": 1, "profiles": p} for p in node]}})
        for node in nodes
    ]


@pytest.mark.parametrize("one", TYPES.values(), ids=lambda one: one.board)
def test_what_we_write_is_read_strictly_and_made_by_every_driver(one: InstanceType) -> None:
    driver, target, made = Catalogue().board(one.board or ""), board(one.board or ""), 0
    assert driver is not None
    for policy in policies(one):
        assert policy.layout is not None
        text, wanted = (
            yaml.safe_dump(policy_cluster.mig_document([policy])),
            policy.layout.per_gpu(one.accelerator_count),
        )
        assert read_mig_parted(yaml.safe_load(text))[policy.layout.name] == policy.layout.entries()
        whole = tuple(hardware.Gpu() for _gpu in wanted)
        aims = hardware.aims(driver, whole, simulated.read_layouts(text)[policy.layout.name])
        drivers = [min, max, *(hardware.chooser("random", seed) for seed in range(3))]
        for number, choose in enumerate(drivers):
            gpus, error = hardware.apply_layout(driver, whole, aims, choose)
            safe = all(layout and safe_order(target, layout) for layout in wanted)
            assert not error or (number > 1 and not safe)
            if not error:
                assert [gpu.counts for gpu in gpus] == list(wanted)
                made += 1
    assert made >= 2 * len(layouts(one)) / one.accelerator_count


@pytest.mark.parametrize("one", TYPES.values(), ids=lambda one: one.board)
def test_at_boot_each_instance_gets_a_place_of_its_own(one: InstanceType) -> None:
    driver = Catalogue().board(one.board or "")
    assert driver is not None
    for policy in policies(one):
        assert policy.layout is not None
        commands = re.findall(r"--create-gpu-instance=(\S+)", boot_script(policy))
        for command, wanted in zip(commands, policy.layout.per_gpu(one.accelerator_count), strict=True):
            places = [(name, int(start)) for name, _colon, start in (one.rpartition(":") for one in command.split(","))]
            assert Counter(name for name, _start in places) == wanted
            gpu: hardware.Gpu | None = hardware.Gpu(mig=True)
            for name, start in places:
                assert start in driver.profiles[name].starts
                gpu = hardware.place(driver, gpu, name, lambda free, start=start: start if start in free else -1)
                assert gpu is not None
                assert gpu.instances[-1] == (name, start)
