"""What the simulator reads from the emulated AWS, by the emulator's state and by the EKS API alike."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.launch_spec import LaunchSpec
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.user_data import user_data_for
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.catalogue import Catalogue
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.eks_documents import EksDocuments
from ansible_collections.aiplatform.eks.plugins.module_utils._local.simulator.eks_reader import EksReader
from emulator_fixture import REGION, emulator, emulator_server

__all__ = ("emulator", "emulator_server")
SCALING = {"minSize": 0, "maxSize": 9, "desiredSize": 2}


def reader(emulator, **more):
    documents = EksDocuments(
        endpoint=emulator.endpoint, region=REGION, cluster="", eks=lambda: emulator.client("eks", retries=True)
    )
    return documents, EksReader(
        documents=documents.read, ec2=emulator.client("ec2"), region=REGION, catalogue=Catalogue(), **more
    )


@pytest.fixture
def groups(emulator):
    emulator.cluster()
    emulator.node_group(
        "gpu",
        scalingConfig=SCALING,
        instanceTypes=["p5.48xlarge"],
        amiType="AL2023_x86_64_NVIDIA",
        labels={"pool": "gpu"},
        taints=[{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}],
        updateConfig={"maxUnavailablePercentage": 50},
    )
    network = [{"DeviceIndex": index, "InterfaceType": "efa"} for index in range(2)]
    disks = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 200}}]
    data = {"InstanceType": "p4d.24xlarge", "NetworkInterfaces": network, "BlockDeviceMappings": disks}
    made = emulator.client("ec2").create_launch_template(LaunchTemplateName="t", LaunchTemplateData=data)
    template = {"id": made["LaunchTemplate"]["LaunchTemplateId"], "version": "1"}
    emulator.node_group("templated", scalingConfig=SCALING, launchTemplate=template)
    return emulator


def test_local_disks_hold_the_kubelets_data_where_the_user_data_say_so(emulator):
    emulator.cluster()
    script = user_data_for(LaunchSpec("p4de.24xlarge", instance_store="raid0"), {})
    user_data = base64.b64encode(script.encode()).decode()
    data = {"InstanceType": "p4de.24xlarge", "UserData": user_data}
    made = emulator.client("ec2").create_launch_template(LaunchTemplateName="raid", LaunchTemplateData=data)
    template = {"id": made["LaunchTemplate"]["LaunchTemplateId"], "version": "1"}
    emulator.node_group("raid", scalingConfig=SCALING, launchTemplate=template)
    assert reader(emulator)[1].read()["demo/raid"].disk_gib == 7450


def test_both_ways_say_the_same(groups):
    documents, by_state = reader(groups)
    groups.clear_calls()
    state = by_state.read()
    assert not groups.calls("eks"), "the log of calls belongs to the users"
    documents._eks = groups.client("eks", retries=True)
    api = by_state.read()
    assert {key: replace(group, labels=dict(group.labels)) for key, group in api.items()} == state
    assert set(state) == {"demo/gpu", "demo/templated"}


def test_a_group_as_the_nodes_need_it(groups):
    found = reader(groups)[1].read()
    gpu, templated = found["demo/gpu"], found["demo/templated"]
    assert (gpu.machine.board, gpu.desired, gpu.version, gpu.parallel) == ("h100-80gb", 2, "1.36", 1)
    assert [taint.document() for taint in gpu.taints] == [
        {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}
    ]
    assert len({subnet.zone for subnet in gpu.subnets}) == 3
    assert (templated.machine.board, templated.efa_interfaces, templated.disk_gib) == ("a100-40gb", 2, 200)
    assert templated.template_version == "1"


def test_nobody_there():
    documents = EksDocuments(endpoint="http://127.0.0.1:9", region=REGION, cluster="", eks=lambda: None)
    with pytest.raises(PlatformError, match="refused"):
        documents.read()
