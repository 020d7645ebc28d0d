# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Model servers: from the inventory's models to what their pods say."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.model_servers import Settings, model_servers

HALVES = {"mode": "mig", "layout": {"3g.40gb": 2}}
SLICED = {"mode": "time_slicing", "replicas": 3}
POOLS: list[dict[str, t.Any]] = [
    {"name": "system", "instance_types": ["m7i.2xlarge"], "scaling": {"max": 3}},
    {"name": "shared", "instance_types": ["p4de.24xlarge"], "scaling": {"max": 4}, "gpu_sharing": SLICED},
    {"name": "halves", "instance_types": ["p4de.24xlarge"], "scaling": {"max": 1}, "gpu_sharing": HALVES},
    {"name": "whole", "instance_types": ["p5.48xlarge"], "scaling": {"max": 2}, "instance_store": "raid0"},
    {"name": "small-disk", "instance_types": ["p5.48xlarge"], "scaling": {"max": 1}, "disk": {"size": 150}},
    {"name": "spot", "instance_types": ["p5.48xlarge"], "scaling": {"max": 2}, "purpose": "training"},
    {"name": "claimed", "instance_types": ["p5.48xlarge"], "scaling": {"max": 1}, "gpu_sharing": {"mode": "dra"}},
]
SMALL = {"name": "small", "model": "meta-llama/Llama-3.1-8B-Instruct"}
LARGE = {"name": "large", "model": "meta-llama/Llama-3.1-70B-Instruct", "pool": "whole"}


def servers(*models: dict[str, t.Any], **settings: t.Any) -> list[dict[str, t.Any]]:
    return model_servers(models, POOLS, Settings(**settings))


def test_the_cheapest_isolated_share_is_taken() -> None:
    (small,) = servers(SMALL)
    assert small["pool"] == "halves"
    assert small["placement"]["resources"]["limits"] == {"nvidia.com/mig-3g.40gb": "1"}
    assert small["placement"]["nodeSelector"] == {"aiplatform.eks/pool": "halves"}
    assert {one["key"] for one in small["placement"]["tolerations"]} >= {"nvidia.com/gpu"}


def test_a_large_model_is_split_and_gets_time_to_load() -> None:
    (large,) = servers(LARGE)
    count = large["sizing"]["count"]
    assert f"--tensor-parallel-size={count}" in large["arguments"]
    assert large["placement"]["resources"]["limits"] == {"nvidia.com/gpu": str(count)}
    # 131.4 GiB at 100 MiB/s, and five minutes.
    assert large["start_seconds"] == 300 + 1346
    assert large["startup_failures"] * 10 >= large["start_seconds"]
    assert large["memory_gib"] >= 131 + 4 * count


def test_a_pod_asks_for_the_disk_that_its_weights_take() -> None:
    (streamed,) = servers({**LARGE, "source": "s3://bucket/llama"}, buckets=True)
    (shared,) = servers(LARGE, shared_cache=True)
    (own,) = servers(LARGE)
    assert streamed["disk_gib"] == shared["disk_gib"] == 10
    assert own["disk_gib"] == 142


def test_weights_that_no_node_has_room_for_are_refused() -> None:
    cramped = {**LARGE, "pool": "small-disk"}
    with pytest.raises(PlatformError, match=r"need 142 GiB of disk, but .* small-disk have 104 GiB") as no:
        servers(cramped)
    assert "; set instance_store: raid0 (p5.48xlarge has 30,400 GB of NVMe), set disk.size to 193 or" in str(no.value)
    assert servers(cramped, shared_cache=True)[0]["disk_gib"] == 10


def test_slow_storage_means_a_longer_probe() -> None:
    (slow,), (fast,) = servers(LARGE, load_mib_per_second=50), servers(LARGE, load_mib_per_second=1000)
    assert slow["start_seconds"] > 2 * fast["start_seconds"]


@pytest.mark.parametrize(
    ("source", "argument", "claim", "extra"),
    [
        ("hf://meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B", "", "--revision=abc"),
        ("pvc://models/llama/8b", "/models/models/llama/8b", "models", None),
        ("s3://bucket/llama", "s3://bucket/llama", "", "--load-format=runai_streamer"),
    ],
)
def test_sources(source: str, argument: str, claim: str, extra: str | None) -> None:
    (one,) = servers({**SMALL, "source": source, "revision": "abc"}, buckets=True)
    assert one["arguments"][:2] == [argument, "--served-model-name=small"]
    assert one["source"]["claim"] == claim
    assert {"--revision=abc", "--load-format=runai_streamer"} & set(one["arguments"]) == ({extra} if extra else set())


def test_the_models_own_arguments_win() -> None:
    (one,) = servers({**SMALL, "arguments": ["--max-num-seqs=3", "--enable-prefix-caching"]})
    assert [text for text in one["arguments"] if text.startswith("--max-num-seqs")] == ["--max-num-seqs=3"]
    assert "--enable-prefix-caching" in one["arguments"]


def test_a_rollout_has_more_pods_only_where_there_is_room() -> None:
    assert [one["surge"] for one in servers({**SMALL, "replicas": 15})] == [True]
    assert [one["surge"] for one in servers({**SMALL, "replicas": 16})] == [False]
    both = servers({**SMALL, "replicas": 10}, {**SMALL, "name": "other", "replicas": 6})
    assert [one["surge"] for one in both] == [False, False]


def test_claimed_devices_come_with_their_template() -> None:
    (one,) = servers({**SMALL, "pool": "claimed"})
    assert one["placement"]["resourceClaims"] == [{"name": "gpu", "resourceClaimTemplateName": "small"}]
    assert one["claim_template"]["metadata"] == {"name": "small"}


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ({"pool": "shared"}, "pool shared is not for model servers: nothing bounds the memory of those who take turns"),
        ({"pool": "spot"}, "its purpose is training; possible are halves, whole, small-disk and claimed"),
        ({"pool": "system"}, "it has no GPUs"),
        ({"pool": "hole"}, "unknown node pool 'hole'; known are .*; did you mean 'whole'"),
        (
            {"model": "meta-llama/Llama-3.1-70B", "pool": "halves"},
            "small: Llama-3.1-70B with 4 requests .* fits nowhere",
        ),
        ({"replicas": 17, "pool": "halves"}, "small want 17 nvidia.com/mig-3g.40gb of pool halves, which has 16"),
        ({"source": "gs://bucket/model"}, "unknown scheme of the source 'gs'"),
        ({"source": "pvc://claim"}, "wanted is hf://publisher/model, s3://bucket/folder or pvc://claim/folder"),
        ({"source": "s3://bucket/model"}, "list serving in foundation_identities"),
        ({"max_replicas": 4}, "nothing scales it; list keda in aiplatform_components"),
        ({"replicas": 3, "max_replicas": 2}, "wanted is 1 <= replicas <= max"),
        ({"context": 10_000_000}, "knows contexts of at most 131072 tokens"),
    ],
)
def test_what_cannot_be_is_refused(model: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(PlatformError, match=sentence):
        servers({**SMALL, **model})


def test_names_are_unique() -> None:
    with pytest.raises(PlatformError, match="small stand twice"):
        servers(SMALL, SMALL)
