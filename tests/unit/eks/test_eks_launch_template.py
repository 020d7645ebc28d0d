from __future__ import annotations

import base64
import email
import json
import tomllib
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.images import ami_type_for, check_ami_type
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.instances import InstanceFacts, facts_of
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.launch_template import (
    efa_interfaces,
    template_data,
    template_state,
)
from eks_pool_cases import spec

CLUSTER = {
    "name": "prod",
    "endpoint": "https://x",
    "certificateAuthority": {"data": "Q0E="},
    "kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16"},
    "resourcesVpcConfig": {"clusterSecurityGroupId": "sg-cluster"},
}
M7I = InstanceFacts("m7i.2xlarge", "x86_64")
P4DE = InstanceFacts("p4de.24xlarge", "x86_64", "nvidia", 4, 4, True)
P5 = InstanceFacts("p5.48xlarge", "x86_64", "nvidia", 32, 32, True)
P6B300 = InstanceFacts("p6-b300.48xlarge", "x86_64", "nvidia", 16, 17, True)
G5 = InstanceFacts("g5.8xlarge", "x86_64", "nvidia", 1, 1, True)
G5G = InstanceFacts("g5g.xlarge", "arm64", "nvidia")
INF2 = InstanceFacts("inf2.xlarge", "x86_64", "neuron")
M7G = InstanceFacts("m7g.large", "arm64")


def data(facts: InstanceFacts = M7I, **more: t.Any) -> dict[str, t.Any]:
    launch = spec(**more).launch
    assert launch is not None
    return template_data(launch, cluster=CLUSTER, facts=facts, of="node pool system")


def user_data(**more: t.Any) -> str:
    return base64.b64decode(data(P4DE, **more).get("UserData", "")).decode()


def test_every_template_has_an_encrypted_gp3_volume_and_requires_imdsv2() -> None:
    found = data(disk={"size": 200, "iops": 6000, "throughput": 500, "kms_key_id": "key"})
    assert found["BlockDeviceMappings"] == [
        {
            "DeviceName": "/dev/xvda",
            "Ebs": {
                "VolumeSize": 200,
                "VolumeType": "gp3",
                "Encrypted": True,
                "DeleteOnTermination": True,
                "Iops": 6000,
                "Throughput": 500,
                "KmsKeyId": "key",
            },
        }
    ]
    assert found["MetadataOptions"]["HttpTokens"] == "required"
    assert found["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert "SecurityGroupIds" not in found


def test_bottlerockets_data_volume_is_the_second_one() -> None:
    assert data(ami_family="bottlerocket")["BlockDeviceMappings"][0]["DeviceName"] == "/dev/xvdb"


@pytest.mark.parametrize(
    ("facts", "layout"),
    [
        (G5, [(0, 0, "efa")]),
        (P4DE, [(0, 0, "interface"), (0, 1, "efa-only"), (1, 0, "efa-only"), (2, 0, "efa-only"), (3, 0, "efa-only")]),
        (P5, [(0, 0, "interface"), (0, 1, "efa-only"), *((card, 0, "efa-only") for card in range(1, 32))]),
        (P6B300, [(0, 0, "interface"), *((card, 0, "efa-only") for card in range(1, 17))]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_interfaces_of_efa(facts: InstanceFacts, layout: list[tuple[int, int, str]]) -> None:
    rows = efa_interfaces(facts, ["sg-cluster"], of="node pool x")
    assert [(row["NetworkCardIndex"], row["DeviceIndex"], row["InterfaceType"]) for row in rows] == layout
    assert all(row["Groups"] == ["sg-cluster"] for row in rows)


def test_efa_where_there_is_none_is_refused() -> None:
    with pytest.raises(PlatformError, match=r"efa is wanted, but m7i.2xlarge has no EFA"):
        data(efa=True)


def test_raid0_without_local_disks_is_refused() -> None:
    with pytest.raises(PlatformError, match="has no local disks"):
        data(instance_store="raid0")


def test_own_security_groups_stand_beside_the_clusters() -> None:
    assert data(security_groups=["sg-mine"])["SecurityGroupIds"] == ["sg-cluster", "sg-mine"]


def test_a_capacity_block_names_the_market_and_the_block() -> None:
    found = data(
        P5, capacity_type="capacity_block", capacity_reservation={"id": "cr-1"}, instance_types=["p5.48xlarge"]
    )
    assert found["InstanceMarketOptions"] == {"MarketType": "capacity-block"}
    assert found["CapacityReservationSpecification"] == {"CapacityReservationTarget": {"CapacityReservationId": "cr-1"}}
    assert found["InstanceType"] == "p5.48xlarge"


def test_a_preference_for_open_reservations() -> None:
    found = data(capacity_reservation={"preference": "open"})
    assert found["CapacityReservationSpecification"] == {"CapacityReservationPreference": "open"}


def _node_config(text: str) -> dict[str, t.Any]:
    head, body = text.split("Content-Type: application/node.eks.aws\n\n")
    assert head.startswith("MIME-Version: 1.0\nContent-Type: multipart/mixed;")
    document: dict[str, t.Any] = json.loads(body.rsplit("\n--//--", 1)[0])
    assert (document["apiVersion"], document["kind"]) == ("node.eks.aws/v1alpha1", "NodeConfig")
    return t.cast("dict[str, t.Any]", document["spec"])


def test_local_disks_become_one_raid_by_nodeadm() -> None:
    assert _node_config(user_data(instance_store="raid0")) == {"instance": {"localStorage": {"strategy": "RAID0"}}}


def test_node_config_is_merged_over_ours() -> None:
    more = {"instance": {"localStorage": {"mountPath": "/data"}}, "kubelet": {"flags": ["--v=3"]}}
    assert _node_config(user_data(instance_store="raid0", node_config=more)) == {
        "instance": {"localStorage": {"strategy": "RAID0", "mountPath": "/data"}},
        "kubelet": {"flags": ["--v=3"]},
    }


def test_an_own_image_is_told_the_cluster() -> None:
    found = _node_config(user_data(ami_id="ami-1"))
    assert found["cluster"] == {
        "name": "prod",
        "apiServerEndpoint": "https://x",
        "certificateAuthority": "Q0E=",
        "cidr": "172.20.0.0/16",
    }


def test_bottlerocket_gets_toml() -> None:
    text = user_data(instance_store="raid0", ami_family="bottlerocket")
    assert '["apiclient", "ephemeral-storage", "init"]' in text


def test_a_boot_script_comes_before_the_node_config() -> None:
    text = user_data(boot_script="#!/bin/bash\necho mig\n", instance_store="raid0")
    message = email.message_from_string(text)
    script, config = message.get_payload()
    assert script.get_content_type() == "text/x-shellscript"
    assert script.get_payload() == "#!/bin/bash\necho mig"
    assert json.loads(config.get_payload())["kind"] == "NodeConfig"
    assert "NodeConfig" not in user_data(boot_script="#!/bin/bash\n")


def test_bottlerocket_settings_stand_beside_ours() -> None:
    text = user_data(instance_store="raid0", ami_family="bottlerocket", bottlerocket_settings="[settings.x]\na = 1\n")
    assert tomllib.loads(text)["settings"]["x"] == {"a": 1}
    assert "bootstrap-commands" in tomllib.loads(text)["settings"]


def test_without_a_wish_eks_own_user_data_is_enough() -> None:
    assert "UserData" not in data()


def test_a_diff_shows_only_a_digest_of_user_data() -> None:
    state = template_state(data(user_data="password=hunter2"))
    assert state["user_data"].startswith("sha256:")
    assert "hunter2" not in json.dumps(state)


@pytest.mark.parametrize(
    ("facts", "family", "ami_type"),
    [
        (M7I, "al2023", "AL2023_x86_64_STANDARD"),
        (M7G, "al2023", "AL2023_ARM_64_STANDARD"),
        (P5, "al2023", "AL2023_x86_64_NVIDIA"),
        (G5G, "al2023", "AL2023_ARM_64_NVIDIA"),
        (INF2, "al2023", "AL2023_x86_64_NEURON"),
        (P5, "bottlerocket", "BOTTLEROCKET_x86_64_NVIDIA"),
        (M7G, "bottlerocket_fips", "BOTTLEROCKET_ARM_64_FIPS"),
    ],
)
def test_the_image_follows_from_the_instance_type(facts: InstanceFacts, family: str, ami_type: str) -> None:
    assert ami_type_for([facts], family=family, of="node pool x") == ami_type
    assert check_ami_type(ami_type, [facts], of="node pool x") == []


def test_types_that_need_several_images_are_refused() -> None:
    with pytest.raises(PlatformError, match="one pool has one image, but its instance types need several"):
        ami_type_for([M7I, M7G], family="al2023", of="node pool x")


def test_no_bottlerocket_for_neuron() -> None:
    with pytest.raises(PlatformError, match="there is no bottlerocket image for x86_64 Neuron"):
        ami_type_for([INF2], family="bottlerocket", of="node pool x")


@pytest.mark.parametrize(
    ("ami_type", "facts", "sentence"),
    [
        ("AL2023_ARM_64_STANDARD", M7I, "is for arm64, but m7i.2xlarge is x86_64"),
        ("AL2023_x86_64_NVIDIA", M7I, "is for nvidia, but m7i.2xlarge has no accelerator"),
        ("AL2023_x86_64_NEURON", P5, "is for neuron, but p5.48xlarge has an NVIDIA GPU"),
    ],
)
def test_an_image_that_cannot_boot_is_refused(ami_type: str, facts: InstanceFacts, sentence: str) -> None:
    with pytest.raises(PlatformError, match=sentence):
        check_ami_type(ami_type, [facts], of="node pool x")


def test_an_image_without_the_driver_is_a_warning() -> None:
    assert check_ami_type("AL2023_x86_64_STANDARD", [P5], of="node pool x") == [
        "node pool x: ami_type AL2023_x86_64_STANDARD brings no nvidia driver for p5.48xlarge"
    ]


def test_facts_come_from_ec2s_row() -> None:
    row = {
        "InstanceType": "p4de.24xlarge",
        "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
        "GpuInfo": {"Gpus": [{"Manufacturer": "NVIDIA", "Count": 8}]},
        "NetworkInfo": {"MaximumNetworkCards": 4, "EfaInfo": {"MaximumEfaInterfaces": 4}},
        "InstanceStorageSupported": True,
    }
    assert facts_of(row) == P4DE
