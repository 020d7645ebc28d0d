"""What the sharing policy refuses, and the sentence with which it does."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import sharing_policies, sharing_policy
from gpu_policy_pools import pool

REFUSED = [
    (pool("p5.48xlarge", {"mode": "time_slicng"}), "did you mean 'time_slicing'"),
    (pool("p5.48xlarge", {"mode": "time_slicing", "replica": 3}), "did you mean 'replicas'"),
    (pool("p5.48xlarge", {"mode": "time_slicing"}), "replicas is None; the device plugin wants 2 or more"),
    (pool("p5.48xlarge", {"mode": "time_slicing", "replicas": 1}), "for no sharing take mode exclusive"),
    (pool("p5.48xlarge", {"mode": "time_slicing", "replicas": True}), "replicas is True"),
    (pool("p5.48xlarge", {"mode": "time_slicing", "replicas": 2, "rename": "yes"}), "wanted is true or false"),
    (pool("p5.48xlarge", {"mode": "time_slicing", "replicas": 2, "layout": {}}), "belongs to mode mig"),
    (pool("p5.48xlarge", {"replicas": 3}), "does nothing in mode exclusive"),
    (pool("p5.48xlarge", {"mode": "mig"}), "mig without a layout"),
    (
        pool("p4d.24xlarge", {"mode": "mig", "layout": {"3g.40gb": 2}}),
        "3g.20gb is the same share; or choose p4de or p5",
    ),
    (pool("p4de.24xlarge", {"mode": "mig", "layout": {"3g.40gb": 2, "1g.10gb": 1}}), "the nearest that fit are"),
    (pool("p4de.24xlarge", {"mode": "mig", "layout": {"1g.10gb": 0}}), "holds no instance"),
    (pool("p4de.24xlarge", {"mode": "mig", "layout": {"1g.10gb": -1}}), "count of 0 or more"),
    (pool("p4de.24xlarge", {"mode": "mig", "layout": "all-3g.20gb"}), "unknown layout name of a100-80gb"),
    (pool("p4de.24xlarge", {"mode": "mig", "layout": [{"gpus": 4, "profiles": {"1g.10gb": 7}}]}), "name every GPU"),
    (pool("p4de.24xlarge", {"mode": "mig", "layout": [{"gpu": 8}]}), "did you mean 'gpus'"),
    (pool("p4de.24xlarge", {"mode": "mig", "layout": {"1c.3g.40gb": 2}}), "MIG profile of a100-80gb"),
    (pool("g5.xlarge", {"mode": "mig", "layout": {"1g.10gb": 1}}), "cannot do MIG"),
    (pool("p6-b300.48xlarge", {"mode": "mig", "layout": {"1g.34gb": 7}}), "are not published"),
    (pool("p6e-gb200.36xlarge", {"mode": "mig", "layout": {"1g.23gb": 7}}), "CDMM"),
    (pool("m7i.2xlarge", {"mode": "time_slicing", "replicas": 2}), "has no GPU"),
    (pool("trn1.32xlarge", {"mode": "time_slicing", "replicas": 2}), "shared by the core"),
    (pool("p5.48xlarge", {"mode": "mig", "layout": {"3g.40gb": 2}}, purpose="training"), "NVLink"),
    (pool("p5.48xlarge", {"mode": "mig", "layout": {"3g.40gb": 2}}, efa=True), "it has EFA"),
    (pool("p5.48xlarge", {"mode": "time_slicing", "replicas": 2}, purpose="training"), "NCCL"),
    (pool("p5.48xlarge", {"mode": "mps", "replicas": 4}), "the device plugin refuses mps"),
    (pool("p5.48xlarge", {"mode": "dra"}, ami_family="bottlerocket"), "counts each GPU twice"),
    (pool("p5.48xlarge", {"mode": "dra", "replicas": 2}), "does nothing in mode dra"),
    (pool("p5.48xlarge", {"mode": "mig", "layout": "all-balanced"}, ami_family="bottlerocket"), "one and the same"),
    (pool("p5.49xlarge"), "known are p5.48xlarge and p5.4xlarge"),
    (pool("p5.48xlarge", purpose="serving"), "unknown purpose"),
    ({"name": "x", "instance_types": ["p5.48xlarge", "m7i.large"]}, "different accelerators"),
    (
        {"name": "x", "instance_types": ["p4de.24xlarge", "p5.48xlarge"], "gpu_sharing": {"mode": "mig", "layout": {}}},
        "different boards",
    ),
]


@pytest.mark.parametrize(("wish", "sentence"), REFUSED, ids=[sentence for _wish, sentence in REFUSED])
def test_harm_is_refused_with_its_reason(wish: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(PlatformError) as caught:
        sharing_policy(wish)
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("node pool x: ")


def test_strategies_of_the_cluster() -> None:
    mixed_profiles = pool("p5.48xlarge", {"mode": "mig", "layout": "all-balanced"})
    with pytest.raises(PlatformError, match="the MIG strategy single demands"):
        sharing_policy(mixed_profiles, mig_strategy="single")
    with pytest.raises(PlatformError, match="whole GPUs that no pod can use"):
        sharing_policy(mixed_profiles, mig_strategy="none")
    with pytest.raises(PlatformError, match="at most 48 clients"):
        sharing_policy(pool("p5.48xlarge", {"mode": "mps", "replicas": 49}), mig_strategy="single")
    with pytest.raises(PlatformError, match="at most 16 clients"):
        sharing_policy(pool("p3.2xlarge", {"mode": "mps", "replicas": 17}), mig_strategy="single")
    with pytest.raises(PlatformError, match="stand twice"):
        sharing_policies([pool("p5.48xlarge"), pool("p5.48xlarge")])
