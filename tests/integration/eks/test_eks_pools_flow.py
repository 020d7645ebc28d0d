from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools import info, use_case
from eks_flow import ROLE, Flow, Record
from emulator_fixture import ROOT

FIVE: tuple[Record, ...] = (
    {"name": "system", "instance_types": ["m7i.2xlarge"], "scaling": {"min": 3, "max": 10}},
    {
        "name": "a100-mig",
        "instance_types": ["p4de.24xlarge"],
        "scaling": {"min": 0, "max": 4},
        "efa": True,
        "instance_store": "raid0",
        "labels": {"nvidia.com/mig.config": "all-3g.40gb"},
        "taints": [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}],
        "startup_taints": [{"key": "mig", "value": "pending", "effect": "NoSchedule"}],
        "scale_from_zero_resources": {"nvidia.com/mig-3g.40gb": 16},
    },
    {"name": "h100", "instance_types": ["p5.48xlarge"], "scaling": {"min": 1, "max": 2}, "efa": True},
    {
        "name": "batch",
        "instance_types": ["m7i.large", "m6i.large"],
        "capacity_type": "spot",
        "scaling": {"min": 1, "max": 9},
    },
    {"name": "arm", "instance_types": ["m7g.large"], "ami_family": "bottlerocket", "scaling": {"min": 1, "max": 3}},
)


def both(flow: Flow, *pools: Record, **more: t.Any) -> t.Any:
    options = {"cluster_name": flow.cluster, "node_role": f"{ROLE}nodes", "subnets": flow.subnets, **more}
    return flow.both(use_case, pools=list(pools), **options)


def changed(pool: Record, **more: t.Any) -> Record:
    return {**pool, **more}


class TestFivePools:
    def test_from_nothing_to_nothing(self, flow: Flow) -> None:
        outcome = both(flow, *FIVE)
        assert flow.counts() == {"DescribeNodegroup": 5}
        by_name = {pool["name"]: pool for pool in outcome.facts["pools"]}
        assert [by_name[pool["name"]]["ami_type"] for pool in FIVE] == [
            "AL2023_x86_64_STANDARD",
            "AL2023_x86_64_NVIDIA",
            "AL2023_x86_64_NVIDIA",
            "AL2023_x86_64_STANDARD",
            "BOTTLEROCKET_ARM_64",
        ]
        read = flow.run(info, cluster_name=flow.cluster)
        assert sorted(read.facts["pools"], key=lambda pool: pool["name"]) == [by_name[name] for name in sorted(by_name)]
        gone = both(flow, *FIVE, state="absent")
        assert gone.facts["pools"] == []
        assert flow.templates() == []

    def test_all_are_created_before_the_first_is_ready(self, flow: Flow) -> None:
        flow.emulator.control(delays={"nodegroup.create": 600})
        with pytest.raises(PlatformError, match="is still CREATING after 2 s"):
            flow.pools(*FIVE, use_case=use_case, wait_timeout=2)
        assert flow.counts(writes=True)["CreateNodegroup"] == len(FIVE)

    def test_several_changes_at_once(self, flow: Flow) -> None:
        flow.emulator.control(delays={"nodegroup.update": 0.2})
        flow.pools(*FIVE, use_case=use_case)
        outcome = both(
            flow,
            changed(FIVE[0], instance_types=["m7i.4xlarge"], scaling={"min": 4, "max": 12}),
            changed(FIVE[1], labels={"nvidia.com/mig.config": "all-1g.10gb"}, scale_from_zero_resources={"x": 1}),
            changed(FIVE[2], update={"max_unavailable": 2}),
            changed(FIVE[3], tags={"team": "ml"}),
            changed(FIVE[4], disk={"size": 200}),
        )
        assert [line.split(" (")[0] for line in outcome.facts["steps"]] == [
            "roll node pool system",
            "update node pool a100-mig",
            "update node pool h100",
            "update node pool batch",
            "roll node pool arm",
        ]


class TestPeersFailures:
    """The rows of facts/eks-and-moto.md 3.1 that need more than one call to show."""

    POOL: t.ClassVar[Record] = {
        "name": "system",
        "instance_types": ["m7i.large"],
        "scaling": {"min": 1, "max": 4},
        "labels": {"NodeType": "a", "keep": "1"},
        "taints": [{"key": "x", "value": "1", "effect": "NoSchedule"}],
    }

    def test_label_keys_keep_their_letters(self, flow: Flow) -> None:
        assert both(flow, self.POOL).facts["pools"][0]["labels"] == {"NodeType": "a", "keep": "1"}

    def test_leaving_labels_and_taints_out_is_no_change(self, flow: Flow) -> None:
        both(flow, self.POOL)
        bare = {key: value for key, value in self.POOL.items() if key not in ("labels", "taints")}
        assert not flow.pools(bare, use_case=use_case).changed

    def test_taking_them_away_is_one(self, flow: Flow) -> None:
        both(flow, self.POOL)
        outcome = both(flow, changed(self.POOL, labels={}, taints=[]))
        assert (outcome.facts["pools"][0]["labels"], outcome.facts["pools"][0]["taints"]) == ({}, [])

    def test_the_autoscalers_size_stays(self, flow: Flow) -> None:
        both(flow, self.POOL)
        flow.eks.update_nodegroup_config(
            clusterName=flow.cluster,
            nodegroupName="system",
            scalingConfig={"minSize": 1, "maxSize": 4, "desiredSize": 4},
        )
        assert not flow.pools(changed(self.POOL, scaling={"min": 1, "max": 4, "desired": 1}), use_case=use_case).changed
        outcome = both(flow, changed(self.POOL, scaling={"min": 1, "max": 2}))
        assert outcome.facts["pools"][0]["scaling"] == {"min": 1, "max": 2, "desired": 2}

    def test_subnets_in_another_order(self, flow: Flow) -> None:
        both(flow, changed(self.POOL, subnets=flow.subnets))
        assert not flow.pools(changed(self.POOL, subnets=flow.subnets[::-1]), use_case=use_case).changed

    def test_an_own_launch_template_goes_with_instance_types_and_image(self, flow: Flow) -> None:
        ec2 = flow.emulator.client("ec2")
        made = ec2.create_launch_template(LaunchTemplateName="mine", LaunchTemplateData={"KeyName": "k"})[
            "LaunchTemplate"
        ]
        data = {"LaunchTemplateName": "mine", "LaunchTemplateData": {"KeyName": "k2"}}
        ec2.create_launch_template_version(**data)
        pool = {
            "name": "own",
            "instance_types": ["p5.48xlarge"],
            "ami_type": "AL2023_x86_64_NVIDIA",
            "launch_template": {"id": made["LaunchTemplateId"], "version": "1"},
        }
        both(flow, pool)
        outcome = both(
            flow, changed(pool, launch_template={"id": made["LaunchTemplateId"], "version": "2"}, labels={"a": "1"})
        )
        assert outcome.facts["steps"] == ["roll node pool own (labels.a, launch_template.version)"]

    def test_tags_come_and_go(self, flow: Flow) -> None:
        both(flow, self.POOL)
        assert both(flow, changed(self.POOL, tags={"a": "1", "b": "1"})).changed
        outcome = both(flow, changed(self.POOL, tags={"a": "2"}))
        assert outcome.facts["pools"][0]["tags"] == {"a": "2"}

    def test_an_unknown_option_is_refused(self, flow: Flow) -> None:
        with pytest.raises(AssertionError, match="amiTypes"):
            flow.pools(changed(self.POOL, amiTypes="x"), use_case=use_case)


class TestTrouble:
    def test_create_failed_is_said_with_its_issue_and_heals_on_request(self, flow: Flow) -> None:
        failure = {"kind": "nodegroup", "name": "bad", "code": "NodeCreationFailure", "message": "did not join"}
        flow.emulator.control(create_failures=[failure])
        good, bad = FIVE[0], {"name": "bad", "instance_types": ["m7i.large"]}
        with pytest.raises(PlatformError, match=r"bad is CREATE_FAILED: NodeCreationFailure: did not join"):
            flow.pools(good, bad, use_case=use_case)
        statuses = {pool["name"]: pool["status"] for pool in flow.run(info, cluster_name=flow.cluster).facts["pools"]}
        assert statuses == {"system": "ACTIVE", "bad": "CREATE_FAILED"}
        for wait in (True, False):
            with pytest.raises(PlatformError, match="CREATE_FAILED"):
                flow.pools(good, bad, use_case=use_case, wait=wait)
        flow.emulator.control(create_failures=[])
        outcome = both(flow, good, bad, recreate_failed=True)
        assert outcome.facts["steps"][0].startswith("recreate node pool bad")

    def test_no_capacity(self, flow: Flow) -> None:
        flow.emulator.control(no_capacity=["p5.48xlarge"])
        with pytest.raises(PlatformError, match=r"node group h100 is CREATE_FAILED: .*"):
            flow.pools(FIVE[2], use_case=use_case)

    def test_a_failed_update_names_the_pod_eviction(self, flow: Flow) -> None:
        flow.pools(FIVE[0], use_case=use_case)
        flow.emulator.control(update_failures=[{"kind": "nodegroup", "name": "*", "code": "PodEvictionFailure"}])
        with pytest.raises(PlatformError, match=r"failed: PodEvictionFailure.*set force_update"):
            flow.pools(changed(FIVE[0], disk={"size": 300}), use_case=use_case)

    def test_somebody_elses_update_is_awaited(self, flow: Flow) -> None:
        flow.pools(FIVE[0], use_case=use_case)
        flow.emulator.control(delays={"nodegroup.update": 0.3})
        flow.eks.update_nodegroup_config(
            clusterName=flow.cluster, nodegroupName="system", labels={"addOrUpdateLabels": {"by": "hand"}}
        )
        outcome = flow.pools(changed(FIVE[0], scaling={"min": 3, "max": 20}), use_case=use_case)
        assert outcome.facts["pools"][0]["scaling"]["max"] == 20

    def test_throttling_and_server_errors(self, flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "12")
        flow.emulator.control(throttle={"eks": 0.2, "ec2": 0.2}, server_errors={"eks": 0.05}, delays={"nodegroup": 0.3})
        options = {
            "cluster_name": flow.cluster,
            "node_role": f"{ROLE}nodes",
            "subnets": flow.subnets,
            "poll_interval": 0.3,
        }
        assert flow.run(use_case, pools=list(FIVE), **options).changed
        flow.emulator.control(throttle={}, server_errors={})
        assert not flow.run(use_case, pools=list(FIVE), **options).changed

    def test_a_denied_action_is_named_and_the_other_pools_are_done(self, flow: Flow) -> None:
        flow.emulator.control(denied=["autoscaling:*"])
        with pytest.raises(PlatformError, match="allow autoscaling:CreateOrUpdateTags"):
            flow.pools(*FIVE, use_case=use_case)
        flow.emulator.control(denied=[])
        assert len(flow.run(info, cluster_name=flow.cluster).facts["pools"]) == 5
        outcome = both(flow, *FIVE)
        assert [line.split(" (")[0] for line in outcome.facts["steps"]] == ["update node pool a100-mig"]

    def test_killed_in_the_middle_and_run_again(self, flow: Flow, tmp_path: Path) -> None:
        flow.emulator.control(delays={"nodegroup.create": 1.5}, slow={"eks": 0.1})
        script = tmp_path / "run.py"
        script.write_text(
            textwrap.dedent(
                """
                import json, sys
                from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
                from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
                from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools import use_case
                options = json.load(open(sys.argv[1]))
                found = ArgumentSpecValidator(dict(use_case.SPEC.options)).validate(options)
                use_case.run(found.validated_parameters, Context())
                """
            )
        )
        options = {"cluster_name": flow.cluster, "node_role": f"{ROLE}nodes", "subnets": flow.subnets, "parallel": 2}
        document = tmp_path / "options.json"
        document.write_text(json.dumps({**options, "pools": FIVE}))
        flow.emulator.clear_calls()
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "build/collections")}
        process = subprocess.Popen([sys.executable, str(script), str(document)], env=environment)
        end = time.monotonic() + 30
        while flow.counts()["CreateNodegroup"] < 2 and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert 2 <= flow.counts()["CreateNodegroup"] < 5
        flow.emulator.control(slow={})
        outcome = flow.run(use_case, pools=list(FIVE), **options)
        assert outcome.changed
        assert {pool["status"] for pool in outcome.facts["pools"]} == {"ACTIVE"}
        assert not flow.run(use_case, pools=list(FIVE), **options).changed
        assert flow.templates() == sorted(f"aiplatform-{flow.cluster}-{pool['name']}" for pool in FIVE)


class TestReplacement:
    POOL: t.ClassVar[Record] = {"name": "gpu", "instance_types": ["g5.xlarge"], "scaling": {"min": 1, "max": 2}}

    def test_it_fails_with_the_exact_field_in_both_modes(self, flow: Flow) -> None:
        flow.pools(self.POOL, use_case=use_case)
        for check in (True, False):
            with pytest.raises(PlatformError, match=r"EKS cannot change in place subnets"):
                flow.pools(self.POOL, use_case=use_case, check=check, subnets=flow.subnets[:1])

    def test_the_new_one_comes_before_the_old_one_goes(self, flow: Flow) -> None:
        flow.pools(changed(self.POOL, labels={"by": "hand"}), use_case=use_case)
        outcome = both(flow, self.POOL, subnets=flow.subnets[:1], on_immutable="replace_first")
        pool = outcome.facts["pools"][0]
        assert (pool["name"], pool["labels"]) == ("gpu", {"by": "hand"})
        assert pool["node_group"].startswith("gpu-r")
        assert flow.eks.list_nodegroups(clusterName=flow.cluster)["nodegroups"] == [pool["node_group"]]
        assert both(flow, changed(self.POOL, scaling={"min": 1, "max": 5}), subnets=flow.subnets[:1]).changed
        assert both(flow, self.POOL, state="absent").facts["pools"] == []

    def test_the_old_one_goes_first_for_capacity_blocks(self, flow: Flow) -> None:
        flow.pools(self.POOL, use_case=use_case)
        outcome = both(flow, self.POOL, subnets=flow.subnets[:1], on_immutable="replace_in_place")
        assert outcome.facts["pools"][0]["node_group"] == "gpu"

    def test_pruning_spares_what_is_not_ours(self, flow: Flow) -> None:
        flow.emulator.node_group("theirs", cluster=flow.cluster)
        flow.pools(self.POOL, FIVE[0], use_case=use_case)
        outcome = flow.pools(FIVE[0], use_case=use_case, prune=True)
        assert outcome.facts["steps"] == ["delete node pool gpu"]
        assert sorted(flow.eks.list_nodegroups(clusterName=flow.cluster)["nodegroups"]) == ["system", "theirs"]

    def test_another_version_of_the_template_by_hand_is_rolled_back(self, flow: Flow) -> None:
        pool = flow.pools(self.POOL, use_case=use_case).facts["pools"][0]
        ec2 = flow.emulator.client("ec2")
        template = pool["launch_template"]
        data = {"InstanceType": "g5.2xlarge"}
        ec2.create_launch_template_version(LaunchTemplateId=template["id"], LaunchTemplateData=data)
        flow.eks.update_nodegroup_version(
            clusterName=flow.cluster, nodegroupName="gpu", launchTemplate={"id": template["id"], "version": "2"}
        )
        outcome = both(flow, self.POOL)
        assert "launch_template.instance_type" in outcome.facts["steps"][0]
        assert outcome.facts["pools"][0]["launch_template"]["version"] == "3"

    def test_tags_of_the_autoscaling_group_changed_by_hand_are_found_when_asked(self, flow: Flow) -> None:
        both(flow, FIVE[1])
        group = flow.eks.describe_nodegroup(clusterName=flow.cluster, nodegroupName="a100-mig")["nodegroup"]
        name = group["resources"]["autoScalingGroups"][0]["name"]
        key = "k8s.io/cluster-autoscaler/node-template/resources/nvidia.com/mig-3g.40gb"
        tag = {"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": key, "Value": "1"}
        flow.emulator.client("autoscaling").create_or_update_tags(Tags=[{**tag, "PropagateAtLaunch": False}])
        assert not flow.pools(FIVE[1], use_case=use_case).changed
        outcome = both(flow, FIVE[1], verify_records=True)
        assert outcome.facts["steps"] == [f"update node pool a100-mig (autoscaling_tags.{key})"]
