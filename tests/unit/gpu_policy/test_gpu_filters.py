"""The filters, through Ansible's own templating."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

POOLS: list[dict[str, t.Any]] = [
    {"name": "shared", "instance_types": ["p5.48xlarge"], "gpu_sharing": {"mode": "time_slicing", "replicas": 3}},
    {"name": "mig", "instance_types": ["p5.48xlarge"], "gpu_sharing": {"mode": "mig", "layout": "all-balanced"}},
    {"name": "cpu", "instance_types": ["m7i.2xlarge"]},
]


def templated(expression: str) -> t.Any:
    templar = Templar(loader=DataLoader(), variables={"pools": POOLS})
    return templar.template(trust_as_template("{{ pools | aiplatform.eks." + expression + " }}"))


def test_gpu_resource() -> None:
    assert templated("gpu_resource('shared')") == "nvidia.com/gpu.shared"
    assert templated("gpu_resource('mig', profile='2g.20gb')") == "nvidia.com/mig-2g.20gb"


def test_gpu_placement() -> None:
    found = templated("gpu_placement('shared')")
    assert found["resources"]["limits"] == {"nvidia.com/gpu.shared": "1"}
    assert found["nodeSelector"] == {"aiplatform.eks/pool": "shared"}
    assert found["tolerations"][0]["key"] == "nvidia.com/gpu"


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("gpu_resource('sahred')", "did you mean 'shared'"),
        ("gpu_resource('cpu')", "it has no accelerators"),
        ("gpu_placement('shared', count=2)", "gives no more than one"),
    ],
)
def test_a_wrong_wish_is_a_sentence(expression: str, sentence: str) -> None:
    with pytest.raises(AnsibleError) as caught:
        templated(expression)
    assert sentence in str(caught.value)
