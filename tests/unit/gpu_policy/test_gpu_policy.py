"""The sharing policy: what it derives, and that the data plane gives exactly what it promises."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu import policy_boot as boot
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu import policy_cluster as cluster
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu import policy_nodes as nodes
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu import policy_objects as objects
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.device_plugin_config import read_device_plugin_config
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.instances import instance_type, instance_types
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.mig_parted import read_mig_parted
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import sharing_policies, sharing_policy
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator import hardware, nvidia, plugin_config
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator import mig_parted as simulated_layouts
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.catalogue import Catalogue
from gpu_policy_pools import MIXED_LAYOUT, pool

# instance type, sharing, strategy -> resources of one node
GIVES = [
    ("p5.48xlarge", None, "mixed", {"nvidia.com/gpu": 8}),
    ("p5.48xlarge", {"mode": "time_slicing", "replicas": 3}, "mixed", {"nvidia.com/gpu.shared": 24}),
    ("g5.xlarge", {"mode": "time_slicing", "replicas": 4, "rename": False}, "mixed", {"nvidia.com/gpu": 4}),
    ("p5.48xlarge", {"mode": "mig", "layout": {"3g.40gb": 2}}, "mixed", {"nvidia.com/mig-3g.40gb": 16}),
    ("p5.48xlarge", {"mode": "mig", "layout": {"3g.40gb": 2}}, "single", {"nvidia.com/gpu": 16}),
    (
        "p5.48xlarge",
        {"mode": "mig", "layout": MIXED_LAYOUT},
        "mixed",
        {"nvidia.com/gpu": 2, "nvidia.com/mig-1g.10gb": 28, "nvidia.com/mig-3g.40gb": 4},
    ),
    (
        "p5.48xlarge",
        {"mode": "mig", "layout": MIXED_LAYOUT, "replicas": 2, "rename": False},
        "mixed",
        {"nvidia.com/gpu": 4, "nvidia.com/mig-1g.10gb": 56, "nvidia.com/mig-3g.40gb": 8},
    ),
    (
        "p4d.24xlarge",
        {"mode": "mig", "layout": "all-balanced", "replicas": 2},
        "mixed",
        {"nvidia.com/mig-1g.5gb.shared": 32, "nvidia.com/mig-2g.10gb.shared": 16, "nvidia.com/mig-3g.20gb.shared": 16},
    ),
    ("p5.4xlarge", {"mode": "mig", "layout": "all-1g.10gb.me"}, "mixed", {"nvidia.com/mig-1g.10gb.me": 1}),
    ("p5.48xlarge", {"mode": "mps", "replicas": 4, "rename": False}, "single", {"nvidia.com/gpu": 32}),
    ("p5.48xlarge", {"mode": "mps", "replicas": 4}, "single", {"nvidia.com/gpu.shared": 32}),
    ("p5.48xlarge", {"mode": "dra"}, "mixed", {}),
    ("trn1.32xlarge", None, "mixed", {"aws.amazon.com/neuron": 16, "aws.amazon.com/neuroncore": 32}),
    ("m7i.2xlarge", None, "mixed", {}),
]


@pytest.mark.parametrize(("instance", "sharing", "strategy", "gives"), GIVES)
def test_allocatable(instance: str, sharing: t.Any, strategy: str, gives: dict[str, int]) -> None:
    policy = sharing_policy(pool(instance, sharing), mig_strategy=strategy)
    assert nodes.allocatable(policy, instance_type(instance)) == gives
    assert nodes.scale_from_zero(policy) == gives
    if policy.mode != "dra":
        assert nodes.quota_keys(policy) == tuple(sorted(f"requests.{name}" for name in gives))


EVERY_GPU_TYPE = sorted(name for name, one in instance_types().items() if one.has_gpu)


def wishes(name: str) -> list[tuple[t.Any, str]]:
    """Every way to share that we can express on a type, with the cluster's strategy."""
    found: list[tuple[t.Any, str]] = [
        (None, "mixed"),
        (None, "single"),
        ({"mode": "time_slicing", "replicas": 3}, "mixed"),
        ({"mode": "time_slicing", "replicas": 3, "rename": False}, "single"),
        ({"mode": "mps", "replicas": 4}, "single"),
        ({"mode": "mps", "replicas": 4, "rename": False}, "none"),
    ]
    if instance_type(name).board in ("a100-40gb", "a100-80gb", "h100-80gb", "h200-141gb", "b200-180gb"):
        found += [
            ({"mode": "mig", "layout": "all-balanced"}, "mixed"),
            ({"mode": "mig", "layout": "all-balanced", "replicas": 2}, "mixed"),
            ({"mode": "mig", "layout": "all-balanced", "replicas": 2, "rename": False}, "mixed"),
        ]
    if name == "p5.48xlarge":
        found += [
            ({"mode": "mig", "layout": MIXED_LAYOUT}, "mixed"),
            ({"mode": "mig", "layout": MIXED_LAYOUT, "replicas": 2, "rename": False}, "mixed"),
            ({"mode": "mig", "layout": {"1g.10gb": 7}}, "single"),
            ({"mode": "mig", "layout": {"1g.10gb": 7}, "replicas": 2, "rename": False}, "single"),
        ]
    return found


@pytest.mark.parametrize("name", [name for name in EVERY_GPU_TYPE if not name.startswith(("g4dn", "g5.", "g6"))])
def test_the_data_plane_gives_what_the_policy_promises(name: str) -> None:
    """The simulator reads only what we write: both texts and the label; its answer must equal our derivation."""
    catalogue = Catalogue()
    machine, one = catalogue.machine(name), instance_type(name)
    assert machine is not None
    simulated = catalogue.board(machine.board) if machine.board else None
    for sharing, strategy in wishes(name):
        policy = sharing_policy(pool(name, sharing), mig_strategy=strategy)
        documents = cluster.plugin_documents([policy])
        read = plugin_config.read_plugin_config(yaml.safe_dump(documents[policy.config_key]))
        gpus: hardware.Gpus = tuple(hardware.Gpu() for _other in range(machine.gpus))
        if policy.layout is not None:
            assert simulated is not None
            layouts = simulated_layouts.read_layouts(yaml.safe_dump(cluster.mig_document([policy])))
            aims = hardware.aims(simulated, gpus, layouts[nodes.labels(policy)[nodes.MIG_CONFIG]])
            gpus, error = hardware.apply_layout(simulated, gpus, aims, min)
            assert not error
        equipment = nvidia.Equipment(machine, simulated, gpus)
        assert nvidia.resources(equipment, strategy=strategy, sharing=read.sharing) == nodes.allocatable(policy, one)
        theirs = nvidia.labels(equipment, strategy=strategy, sharing=read.sharing)
        ours = nodes.discovered_labels(policy, one)
        assert {key: theirs.get(key) for key in ours} == ours, sharing


def test_documents_survive_our_strict_readers() -> None:
    policies = sharing_policies(
        [
            pool("p5.48xlarge", {"mode": "mig", "layout": MIXED_LAYOUT, "replicas": 2}),
            {**pool("p4de.24xlarge", {"mode": "time_slicing", "replicas": 3}), "name": "y"},
        ]
    )
    configs = cluster.plugin_configs(policies)
    assert {key: read_device_plugin_config(config.to_document()) for key, config in configs.items()} == configs
    layouts = read_mig_parted(cluster.mig_document(policies))
    assert set(layouts) == {"all-disabled", "4gpu_1g.10gb-x7_2gpu_3g.40gb-x2_2gpu_whole"}


def test_names_follow_the_content_and_fit_into_a_label() -> None:
    one = sharing_policy(pool("p5.48xlarge", {"mode": "mig", "layout": {"3g.40gb": 2}}))
    assert nodes.labels(one)[nodes.MIG_CONFIG] == "3g.40gb-x2"
    groups = [{"gpus": 1, "profiles": {"1g.10gb+me": 1, "1g.10gb": 2, "1g.20gb": 1}}] * 7 + [{"gpus": 1}]
    long = sharing_policy(pool("p5.48xlarge", {"mode": "mig", "layout": groups, "replicas": 2}))
    assert all(len(value) <= 63 for value in nodes.labels(long).values())
    other = sharing_policy(pool("p5.48xlarge", {"mode": "mig", "layout": groups[1:] + groups[:1], "replicas": 2}))
    assert nodes.labels(other)[nodes.MIG_CONFIG] != nodes.labels(long)[nodes.MIG_CONFIG]
    assert nodes.labels(other)[nodes.PLUGIN_CONFIG] != nodes.labels(long)[nodes.PLUGIN_CONFIG]


def test_shares_with_the_name_of_whole_gpus_get_a_taint_of_their_own() -> None:
    plain = sharing_policy(pool("p5.48xlarge", {"mode": "time_slicing", "replicas": 2, "rename": False}))
    renamed = sharing_policy(pool("p5.48xlarge", {"mode": "time_slicing", "replicas": 2}))
    half = sharing_policy(pool("p5.48xlarge", {"mode": "mig", "layout": MIXED_LAYOUT}))
    assert [taint["key"] for taint in nodes.taints(plain)] == ["nvidia.com/gpu", nodes.MODE_LABEL]
    for policy in (renamed, half):
        assert [taint["key"] for taint in nodes.taints(policy)] == ["nvidia.com/gpu"]
    tolerated = cluster.operator_values([plain])["daemonsets"]["tolerations"]
    assert {one["key"] for one in tolerated} == {"nvidia.com/gpu", nodes.MODE_LABEL}


def test_operator_values() -> None:
    a100 = sharing_policy(pool("p4de.24xlarge", {"mode": "mig", "layout": {"3g.40gb": 2}}))
    h100 = sharing_policy(pool("p5.48xlarge", {"mode": "mig", "layout": {"3g.40gb": 2}}))
    at_boot = sharing_policy(pool("p5.48xlarge", {"mode": "mig", "layout": {"3g.40gb": 2}, "applied_by": "user_data"}))
    values = cluster.operator_values([a100])
    assert values["driver"] == values["toolkit"] == {"enabled": False}
    assert values["mig"] == {"strategy": "mixed"}
    assert values["migManager"]["enabled"]
    assert values["migManager"]["env"] == [{"name": "WITH_REBOOT", "value": "true"}]
    assert cluster.operator_values([h100])["migManager"]["env"] == [{"name": "WITH_REBOOT", "value": "false"}]
    assert not cluster.operator_values([at_boot])["migManager"]["enabled"]
    assert nodes.labels(at_boot)["nvidia.com/gpu.deploy.mig-manager"] == "false"
    assert nodes.MIG_CONFIG not in nodes.labels(at_boot)


def test_autoscalers_learn_the_shares() -> None:
    policy = sharing_policy(pool("p5.48xlarge", {"mode": "mig", "layout": {"3g.40gb": 2}}))
    tags = nodes.autoscaling_tags(policy)
    assert tags["k8s.io/cluster-autoscaler/node-template/resources/nvidia.com/mig-3g.40gb"] == "16"
    assert tags["k8s.io/cluster-autoscaler/node-template/taint/nvidia.com/gpu"] == "present:NoSchedule"
    (overlay,) = objects.node_overlays(policy)
    assert overlay["spec"]["capacity"] == {"nvidia.com/mig-3g.40gb": "16"}
    assert objects.node_overlays(sharing_policy(pool("p5.48xlarge"))) == []
    two = {"name": "x", "instance_types": ["p5.4xlarge", "p5.48xlarge"]}
    sizes = sharing_policy({**two, "gpu_sharing": {"mode": "time_slicing", "replicas": 2}})
    assert [one["spec"]["capacity"] for one in objects.node_overlays(sizes)] == [
        {"nvidia.com/gpu.shared": "2"},
        {"nvidia.com/gpu.shared": "16"},
    ]
    assert nodes.scale_from_zero(sizes) == {"nvidia.com/gpu.shared": 2}
    assert "scaling from zero counts with the smallest" in " ".join(sizes.warnings)


@pytest.mark.parametrize(
    ("instance", "more", "warned"),
    [
        ("p5.48xlarge", {}, True),
        ("p4de.24xlarge", {}, False),  # it reboots, which heals what the stopped kubelet broke
        ("p5.48xlarge", {"applied_by": "user_data"}, False),
    ],
)
def test_mig_that_can_break_a_new_node_is_warned_of(instance: str, more: dict[str, str], warned: bool) -> None:
    said = sharing_policy(pool(instance, {"mode": "mig", "layout": {"3g.40gb": 2}, **more})).warnings
    assert any("gpu-operator#2415" in one for one in said) == warned


@pytest.mark.parametrize("broken", ["x", 1, {"key": "x"}, [None, {"key": "team"}]])
def test_pods_tolerate_the_taints_that_the_inventory_gives_their_pool(broken: t.Any) -> None:
    pool = {"name": "x", "instance_types": ["p5.48xlarge"]}
    own = {"key": "team", "value": "a", "effect": "NoExecute"}
    usual = objects.placement(sharing_policy(pool))["tolerations"]
    found = objects.placement(sharing_policy({**pool, "taints": [own]}))["tolerations"]
    assert found == [*usual, {"key": "team", "operator": "Exists", "effect": "NoExecute"}]
    assert objects.placement(sharing_policy({**pool, "taints": broken}))["tolerations"] == usual


def test_placement_of_pods() -> None:
    shared = sharing_policy(pool("p5.48xlarge", {"mode": "time_slicing", "replicas": 3}))
    assert objects.placement(shared)["resources"]["limits"] == {"nvidia.com/gpu.shared": "1"}
    with pytest.raises(PlatformError, match="gives no more than one"):
        objects.placement(shared, count=2)
    whole = sharing_policy(pool("p5.48xlarge"))
    assert objects.placement(whole, count=8)["resources"]["limits"] == {"nvidia.com/gpu": "8"}
    with pytest.raises(PlatformError, match="a node has 8"):
        objects.placement(whole, count=9)
    mixed = sharing_policy(pool("p5.48xlarge", {"mode": "mig", "layout": "all-balanced"}))
    assert objects.resource_name(mixed) == "nvidia.com/mig-1g.10gb"
    assert objects.resource_name(mixed, "3g.40gb") == "nvidia.com/mig-3g.40gb"
    with pytest.raises(PlatformError, match=r"did you mean '3g\.40gb'"):
        objects.resource_name(mixed, "4g.40gb")
    with pytest.raises(PlatformError, match="one MIG device only"):
        objects.placement(mixed, count=2, profile="3g.40gb")
    claimed = sharing_policy(pool("p5.48xlarge", {"mode": "dra"}))
    assert objects.placement(claimed)["resourceClaims"] == [{"name": "gpu", "resourceClaimTemplateName": "x"}]
    assert objects.claim_templates(claimed, namespace="n")[0]["apiVersion"] == "resource.k8s.io/v1"
    expression = objects.claim_templates(mixed, namespace="n")[0]["spec"]["spec"]["devices"]["requests"][0]["exactly"]
    assert expression["selectors"][0]["cel"]["expression"].endswith("profile == '1g.10gb'")


def test_notebook_profiles_offer_each_share_once() -> None:
    mixed = sharing_policy(pool("p5.48xlarge", {"mode": "mig", "layout": "all-balanced"}))
    found = objects.notebook_profiles(mixed)
    assert [next(iter(one["kubespawner_override"]["extra_resource_limits"])) for one in found] == [
        f"nvidia.com/mig-{name}" for name in ("1g.10gb", "2g.20gb", "3g.40gb")
    ]
    assert len({one["slug"] for one in found}) == 3
    assert objects.notebook_profiles(sharing_policy(pool("p5.48xlarge", purpose="training"))) == []


def test_bottlerocket_shares_by_its_own_settings() -> None:
    policy = sharing_policy(
        pool("p4d.24xlarge", {"mode": "mig", "layout": {"1g.5gb": 7}, "replicas": 4}, ami_family="bottlerocket")
    )
    assert nodes.allocatable(policy, policy.types[0]) == {"nvidia.com/gpu.shared": 224}
    settings = boot.bottlerocket_settings(policy)
    assert '"a100.40gb" = "1g.5gb"' in settings
    assert "replicas = 4" in settings
    assert nodes.labels(policy)["nvidia.com/gpu.deploy.operands"] == "false"
    assert cluster.plugin_documents([policy]) == {}
    assert boot.bottlerocket_settings(sharing_policy(pool("p4d.24xlarge", ami_family="bottlerocket"))) == ""
