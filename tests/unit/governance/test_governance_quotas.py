# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Quotas in GPUs become quotas in what the pools publish, and are never above what the pools have."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.quotas import quantity, resource_quota

Pool = dict[str, t.Any]
SYSTEM: Pool = {"name": "system", "instance_types": ["m7i.2xlarge"], "scaling": {"min": 3, "max": 10}}
SLICED = {"mode": "time_slicing", "replicas": 3}
SHARED: Pool = {"name": "shared", "instance_types": ["p4de.24xlarge"], "scaling": {"max": 4}, "gpu_sharing": SLICED}
FAST: Pool = {"name": "fast", "instance_types": ["p5.48xlarge"], "scaling": {"max": 2}, "gpu_sharing": SLICED}
HALVES = {"mode": "mig", "layout": {"3g.40gb": 2}}
MIG: Pool = {"name": "mig", "instance_types": ["p4de.24xlarge"], "scaling": {"max": 4}, "gpu_sharing": HALVES}
WHOLE: Pool = {"name": "whole", "instance_types": ["p4d.24xlarge", "p4de.24xlarge"], "scaling": {"max": 4}}
POOLS = [SYSTEM, SHARED, MIG, FAST, WHOLE]


def test_gpus_are_counted_as_what_the_pools_publish() -> None:
    wish = {"cpu": 160, "memory": "640Gi", "gpus": {"shared": 4, "fast": 4, "whole": 12}}
    assert resource_quota(wish, POOLS) == {
        "requests.cpu": "160",
        "requests.memory": "640Gi",
        "requests.nvidia.com/gpu": "12",
        "requests.nvidia.com/gpu.shared": "24",
        "requests.nvidia.com/mig-3g.40gb": "0",
    }


@pytest.mark.parametrize(
    ("pool", "gpus", "found"),
    [
        (
            {**MIG, "gpu_sharing": {"mode": "mig", "layout": "all-balanced"}},
            3,
            {"1g.10gb": 6, "2g.20gb": 3, "3g.40gb": 3},
        ),
        ({**MIG, "gpu_sharing": {**HALVES, "replicas": 2}}, 3, {"3g.40gb.shared": 12}),
    ],
)
def test_mixed_layouts_and_shared_slices(pool: Pool, gpus: int, found: dict[str, int]) -> None:
    wanted = {f"requests.nvidia.com/mig-{profile}": str(count) for profile, count in found.items()}
    assert resource_quota({"gpus": {"mig": gpus}}, [pool]) == wanted


def test_a_claimed_gpu_is_counted_by_its_device_class() -> None:
    pool = {**WHOLE, "gpu_sharing": {"mode": "dra"}}
    assert resource_quota({"gpus": 3}, [pool]) == {"gpu.nvidia.com.deviceclass.resource.k8s.io/devices": "3"}


def test_what_is_left_out_is_not_bounded_and_nothing_is_zero() -> None:
    assert resource_quota({"hard": {"pods": 50}}, POOLS) == {"pods": "50"}
    assert set(resource_quota({"gpus": 0}, POOLS).values()) == {"0"}


def test_one_number_for_all_pools_of_one_name() -> None:
    assert resource_quota({"gpus": 8}, [SYSTEM, SHARED, FAST]) == {"requests.nvidia.com/gpu.shared": "24"}
    fourths = {**FAST, "gpu_sharing": {**SLICED, "replicas": 4}}
    assert resource_quota({"gpus": 8}, [SHARED, fourths]) == {"requests.nvidia.com/gpu.shared": "24"}
    with pytest.raises(PlatformError, match=r"quota\.gpus is 49, but all pools at their largest have 48 GPUs"):
        resource_quota({"gpus": 49}, [SHARED, FAST])


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"gpu": 3}, "unknown key 'gpu'; known are cpu, gpus, hard and memory; did you mean 'gpus'?"),
        ({"cpu": 5000}, "quota.cpu is 5000, but all node pools at their largest have 1616 CPUs; lower the quota or"),
        ({"memory": "1Ei"}, "quota.memory is 1Ei, but all node pools"),
        ({"memory": "lots"}, "quota.memory is 'lots'; wanted is a quantity such as 160, 500m or 640Gi"),
        ({"gpus": 8}, "and a quota cannot add them up; say how many GPUs of each pool, e.g. {shared: 8}"),
        ({"gpus": {"shraed": 8}}, "unknown GPU pool 'shraed'; known are fast, mig, shared and whole; did you mean"),
        ({"gpus": {"mig": 33}}, "33 GPUs of mig, which has 32 at its largest (4 nodes); lower the quota or raise"),
        ({"gpus": {"mig": -1}}, "quota.gpus.mig is -1; wanted is a number of GPUs, 0 or more"),
        ({"gpus": True}, "quota.gpus is True; wanted is a number of GPUs"),
    ],
)
def test_what_no_pool_can_give_is_refused(wish: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(PlatformError) as caught:
        resource_quota(wish, POOLS)
    assert sentence in caught.value.message


@pytest.mark.parametrize(("text", "number"), [("2", 2), ("500m", 0.5), ("1.5Gi", 1.5 * 2**30), ("3k", 3000)])
def test_quantities(text: str, number: float) -> None:
    assert quantity(text, where="x") == number


def test_the_filter_gives_the_same_and_its_errors_are_sentences() -> None:
    templar = Templar(loader=DataLoader(), variables={"pools": POOLS})
    wish = "{{ {'gpus': {'mig': %d}} | aiplatform.eks.resource_quota(pools, where='governance_quotas.inference') }}"
    assert templar.template(trust_as_template(wish % 10))["requests.nvidia.com/mig-3g.40gb"] == "20"
    with pytest.raises(AnsibleError, match=r"governance_quotas\.inference\.gpus: 99 GPUs of mig"):
        templar.template(trust_as_template(wish % 99))
