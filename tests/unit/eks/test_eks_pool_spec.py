from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.spec import specs_of
from eks_pool_cases import options, pool, spec


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"name": "-x"}, "a name has 1 to 63 letters"),
        ({"instance_types": []}, "instance_types is missing"),
        ({"scaling": {"min": 3, "max": 2}}, "scaling.min 3 is above scaling.max 2"),
        ({"scaling": {"min": 3, "desired": 2}}, "scaling.min 3 is above scaling.desired 2"),
        ({"scaling": {"max": 3, "desired": 4}}, "scaling.desired 4 is above scaling.max 3"),
        ({"scaling": {"min": -1}}, "scaling.min is -1, the least is 0"),
        ({"scaling": {"max": 0}}, "scaling.max is 0, the least is 1"),
        ({"manage_desired": True}, "manage_desired needs scaling.desired"),
        ({"capacity_type": "capacity_block"}, "a capacity block needs capacity_reservation.id"),
        (
            {"capacity_type": "capacity_block", "instance_types": ["a", "b"], "capacity_reservation": {"id": "cr-1"}},
            "a capacity block holds one instance type",
        ),
        ({"efa": True, "instance_types": ["a", "b"]}, "fit one instance type"),
        ({"ami_id": "ami-1", "version": "1.34"}, "version and release_version go with EKS' images"),
        ({"version": "v1.34"}, "wanted is a minor version"),
        ({"labels": {"kubernetes.io/os": "linux"}}, "reserved prefix"),
        ({"labels": {"a": "x" * 64}}, "longer than 63"),
        ({"taints": [{"key": "a", "effect": "NoSchedule"}] * 2}, "stands there twice"),
        ({"taints": [{"key": f"k{n}", "effect": "NoSchedule"} for n in range(51)]}, "51 taints, at most 50"),
        ({"tags": {"aws:x": "1"}}, "is reserved"),
        ({"tags": {f"k{n}": "1" for n in range(47)}}, "47 tags, at most 46"),
        ({"update": {"max_unavailable_percentage": 101}}, "possible are 1 to 100"),
        ({"launch_template": {"id": "lt-1", "version": "1"}, "efa": True}, "efa belongs into the launch template"),
        ({"bottlerocket_settings": "a = 1"}, "bottlerocket_settings means nothing to the image al2023"),
        ({"boot_script": "a", "ami_family": "bottlerocket"}, "boot_script means nothing to the image bottlerocket"),
    ],
)
def test_what_aws_would_refuse_later_is_refused_now(more: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(PlatformError, match=sentence):
        specs_of(options(pool(**more)))


def test_a_name_stands_there_once() -> None:
    with pytest.raises(PlatformError, match="system stands there more than once"):
        specs_of(options(pool(), pool()))


def test_one_type_stands_in_the_launch_template_and_several_do_not() -> None:
    one, several = spec(), spec(instance_types=["m7i.large", "m6i.large"])
    assert (one.instance_types, one.launch and one.launch.instance_type) == ((), "m7i.2xlarge")
    assert (several.instance_types, several.launch and several.launch.instance_type) == (
        ("m6i.large", "m7i.large"),
        None,
    )


@pytest.mark.parametrize(
    "more",
    [
        {"instance_types": ["m7i.4xlarge"]},
        {"disk": {"size": 101}},
        {"efa": True},
        {"instance_store": "raid0"},
        {"placement_group": "pg"},
        {"ami_family": "bottlerocket"},
        {"node_config": {"kubelet": {"config": {"maxPods": 50}}}},
        {"capacity_reservation": {"id": "cr-1"}},
        {"instance_tags": {"a": "b"}},
    ],
)
def test_the_digest_changes_with_every_wish_for_the_launch_template(more: dict[str, t.Any]) -> None:
    one, other = spec(), spec(**more)
    assert one.launch is not None
    assert other.launch is not None
    assert one.launch.digest != other.launch.digest


def test_the_digest_does_not_change_with_what_eks_changes_in_place() -> None:
    one, other = spec(), spec(labels={"a": "b"}, tags={"c": "d"}, scaling={"min": 2, "max": 9})
    assert one.launch is not None
    assert other.launch is not None
    assert one.launch.digest == other.launch.digest
