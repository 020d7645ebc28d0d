"""What GPUs need at boot, from the inventory's sharing policy into the launch template of the emulated EC2."""

from __future__ import annotations

import base64
import email
import email.message
import tomllib
import typing as t

from ansible_collections.aiplatform.eks.plugins.filter.node_pool_settings import node_pool_settings
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools import use_case
from eks_flow import ROLE, Flow, Record

WISH = {"name": "boot", "instance_types": ["p5.48xlarge"], "scaling": {"max": 1}, "instance_store": "raid0"}
AT_BOOT = {"mode": "mig", "layout": {"3g.40gb": 2}, "applied_by": "user_data"}


def converged(flow: Flow, pool: Record) -> t.Any:
    """The inventory's pool through the filter and the module, in check mode and in the run."""
    options = {"cluster_name": flow.cluster, "node_role": f"{ROLE}nodes", "subnets": flow.subnets}
    return flow.both(use_case, pools=node_pool_settings([pool]), **options)


def user_data(flow: Flow, outcome: t.Any) -> bytes:
    """That of the launch template which the node group uses."""
    template = outcome.facts["pools"][0]["launch_template"]
    wanted = {"LaunchTemplateId": template["id"], "Versions": [template["version"]]}
    (version,) = flow.emulator.client("ec2").describe_launch_template_versions(**wanted)["LaunchTemplateVersions"]
    return base64.b64decode(version["LaunchTemplateData"]["UserData"])


def boot_script(flow: Flow, outcome: t.Any) -> str:
    message = email.message_from_bytes(user_data(flow, outcome))
    script, node_config = t.cast("list[email.message.Message]", message.get_payload())
    kinds = (script.get_content_type(), node_config.get_content_type())
    assert kinds == ("text/x-shellscript", "application/node.eks.aws")
    return str(script.get_payload())


def test_the_launch_template_holds_the_script_and_rolls_when_the_layout_changes(flow: Flow) -> None:
    made = converged(flow, {**WISH, "gpu_sharing": AT_BOOT})
    assert "--create-gpu-instance=3g.40gb:0,3g.40gb:4" in boot_script(flow, made)
    other = converged(flow, {**WISH, "gpu_sharing": {**AT_BOOT, "layout": {"1g.10gb": 7}}})
    (step,) = other.facts["steps"]
    assert step.startswith("roll node pool boot")
    assert "launch_template.user_data" in step
    assert "--create-gpu-instance=1g.10gb:0,1g.10gb:1" in boot_script(flow, other)


def test_bottlerocket_gets_its_settings(flow: Flow) -> None:
    sharing = {"mode": "time_slicing", "replicas": 3}
    made = converged(flow, {**WISH, "ami_family": "bottlerocket", "gpu_sharing": sharing})
    settings = tomllib.loads(user_data(flow, made).decode())["settings"]
    assert settings["kubelet-device-plugins"]["nvidia"]["time-slicing"]["replicas"] == 3
    assert "local-storage" in settings["bootstrap-commands"]
