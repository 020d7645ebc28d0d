"""docs/gpu-sharing.md, run: its pools give what it says, its plans can be made, its pod finds its share."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context, UseCase
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu import plan_use_case, sizing_use_case
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import sharing_policies, sharing_policy
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy_nodes import allocatable

PAGE = (Path(__file__).resolve().parents[3] / "docs/gpu-sharing.md").read_text(encoding="utf-8")
POOLS, TASKS, PLACE, AT_BOOT = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
INVENTORY: list[dict[str, t.Any]] = POOLS["aiplatform_node_pools"]


def result(use_case: UseCase, options: dict[str, t.Any]) -> dict[str, t.Any]:
    found = ArgumentSpecValidator(dict(use_case.spec.options), **use_case.spec.constraints()).validate(options)
    assert not found.error_messages
    return dict(use_case.run(found.validated_parameters, Context()).facts)


def test_a_node_offers_what_the_page_says() -> None:
    offered = {policy.pool: allocatable(policy, policy.types[0]) for policy in sharing_policies(INVENTORY)}
    said = re.search(r"`a100-shared` offers (\d+) x (\d+) `(\S+)`, one of `a100-mig` (\d+) x (\d+) `(\S+)`", PAGE)
    assert said is not None
    gpus, replicas, share, more, instances, profile = said.groups()
    assert offered["a100-shared"] == {share: int(gpus) * int(replicas)}
    assert offered["a100-mig"] == {profile: int(more) * int(instances)}


def test_its_plan_is_proved_and_its_model_fits() -> None:
    plan, sizing = (next(value for key, value in task.items() if key != "name") for task in TASKS)
    found = result(plan_use_case.USE_CASE, plan)
    assert (found["proved"], found["unproved"]) == (True, [])
    assert result(sizing_use_case.USE_CASE, sizing)["choice"]


def test_its_pod_gets_its_share() -> None:
    text = PLACE[0]["ansible.builtin.set_fact"]["place"]
    found = Templar(loader=DataLoader(), variables=POOLS).template(trust_as_template(text))
    assert found["resources"]["limits"] == {"nvidia.com/mig-3g.40gb": "1"}


def test_what_it_says_is_refused_is_refused() -> None:
    for sharing, more in (
        ({"mode": "mig", "layout": {"3g.40gb": 2}}, {"instance_types": ["p4d.24xlarge"]}),
        ({"mode": "mig", "layout": {"3g.40gb": 2}}, {"purpose": "training"}),
        ({"mode": "time_slicing", "replicas": 2}, {"efa": True}),
        ({"mode": "mps", "replicas": 2}, {}),
    ):
        with pytest.raises(PlatformError):
            sharing_policy({"name": "x", "instance_types": ["p5.48xlarge"], "gpu_sharing": sharing, **more})
    at_boot = sharing_policies(AT_BOOT["aiplatform_node_pools"])
    assert [(policy.applied_by, policy.warnings) for policy in at_boot] == [("user_data", ())]
