from __future__ import annotations

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools import info, use_case
from botocore.stub import ANY
from eks_pool_script import (
    ARN,
    ISSUE,
    SUBNETS,
    WHERE,
    begun,
    creation,
    describe,
    group,
    options,
    reads_of_an_absent_pool,
    update,
)
from eks_script import Script


def test_another_update_under_way_is_awaited_and_the_call_made_again() -> None:
    script = describe(Script())
    script.fails("eks:UpdateNodegroupConfig", "ResourceInUseException", "update in progress")
    describe(describe(script, status="UPDATING"))
    begun(script, "UpdateNodegroupConfig", labels={"addOrUpdateLabels": {"a": "1"}})
    describe(update(script))
    assert script.run(use_case, **options(labels={"a": "1"})).changed


def test_a_failed_update_is_a_sentence_with_its_errors() -> None:
    script = describe(Script())
    begun(script, "UpdateNodegroupVersion", version="1.35", force=False)
    error = {"errorCode": "PodEvictionFailure", "errorMessage": "Reached max retries", "resourceIds": ["ip-10-0-0-1"]}
    update(script, "Failed", [error])
    with pytest.raises(PlatformError, match=r"of cluster prod failed: PodEvictionFailure: .*ip-10-0-0-1"):
        script.run(use_case, **options(version="1.35"))


def test_create_failed_is_reported_at_once_with_the_health_issue() -> None:
    script = creation(reads_of_an_absent_pool(Script()))
    describe(script, status="CREATE_FAILED", health={"issues": [ISSUE]})
    with pytest.raises(PlatformError, match=r"CREATE_FAILED: AsgInstanceLaunchFailures: no capacity \(asg-1\)"):
        script.run(use_case, **options())
    assert script.clock.now() <= 5


@pytest.mark.parametrize("status", ["CREATE_FAILED", "DEGRADED"])
@pytest.mark.parametrize("check", [True, False])
def test_the_next_run_is_not_ok_either(status: str, check: bool) -> None:
    script = describe(Script(), status=status, health={"issues": [ISSUE]})
    if status == "CREATE_FAILED":
        rows = {"LaunchTemplateVersions": [{"LaunchTemplateData": {}}]}
        script.call("ec2:DescribeLaunchTemplateVersions", {"LaunchTemplateId": "lt-1", "Versions": ["1"]}, rows)
    with pytest.raises(PlatformError, match=status):
        script.run(use_case, check=check, **options())


def test_a_denied_call_names_the_action() -> None:
    script = Script().fails("eks:DescribeNodegroup", "AccessDeniedException", "not authorised")
    with pytest.raises(PlatformError, match=r"cannot read node group system of .*allow eks:DescribeNodegroup"):
        script.run(use_case, **options())


def test_a_timeout_says_how_far_it_came() -> None:
    script = creation(reads_of_an_absent_pool(Script()))
    for _look in range(8):
        describe(script, status="CREATING")
    with pytest.raises(PlatformError, match="node group system is still CREATING after 8 s"):
        script.run(use_case, **{**options(), "wait_timeout": 8})


def test_tags_are_added_and_removed_later() -> None:
    script = describe(Script())
    script.call("eks:TagResource", {"resourceArn": ARN, "tags": {"new": "1"}})
    describe(script)
    assert script.run(use_case, **options(tags={"new": "1"})).changed
    script = Script()
    describe(script, tags={**group()["tags"], "old": "1"})
    script.call("eks:UntagResource", {"resourceArn": ARN, "tagKeys": ["old"]})
    describe(script)
    assert script.run(use_case, **options(tags={})).changed


def test_deleting_and_deleting_again() -> None:
    script = describe(Script())
    script.call("eks:DeleteNodegroup", WHERE, {"nodegroup": group(status="DELETING")})
    describe(script, status="DELETING")
    script.fails("eks:DescribeNodegroup", "ResourceNotFoundException")
    script.call("ec2:DeleteLaunchTemplate", {"LaunchTemplateName": "aiplatform-prod-system"})
    outcome = script.run(use_case, **options(state="absent"))
    assert (outcome.changed, outcome.facts["pools"]) == (True, [])
    script = Script().fails("eks:DescribeNodegroup", "ResourceNotFoundException")
    script.call("eks:ListNodegroups", {"clusterName": "prod"}, {"nodegroups": []})
    filters = [{"Name": "launch-template-name", "Values": ["aiplatform-prod-system"]}]
    script.call("ec2:DescribeLaunchTemplates", {"Filters": filters}, {"LaunchTemplates": []})
    assert not script.run(use_case, **options(state="absent")).changed


def test_pruning_takes_only_what_carries_our_mark() -> None:
    script = describe(Script())
    script.call("eks:ListNodegroups", {"clusterName": "prod"}, {"nodegroups": ["system", "ours", "theirs"]})
    for name, tags in (("ours", {"aiplatform.eks/cluster": "prod"}), ("theirs", {})):
        found = {"nodegroup": group(nodegroupName=name, tags=tags)}
        script.call("eks:DescribeNodegroup", {**WHERE, "nodegroupName": name}, found)
    script.call("eks:DeleteNodegroup", {**WHERE, "nodegroupName": "ours"}, {"nodegroup": group(nodegroupName="ours")})
    script.fails("eks:DescribeNodegroup", "ResourceNotFoundException")
    script.call("ec2:DeleteLaunchTemplate", {"LaunchTemplateName": "aiplatform-prod-ours"})
    outcome = script.run(use_case, **options(prune=True))
    assert outcome.facts["steps"] == ["delete node pool ours"]


def test_a_pool_in_zones_that_do_not_offer_its_type_is_refused_before_any_write() -> None:
    script = Script().fails("eks:DescribeNodegroup", "ResourceNotFoundException")
    script.call("eks:ListNodegroups", {"clusterName": "prod"}, {"nodegroups": []})
    script.call("eks:DescribeCluster", {"name": "prod"}, {"cluster": {"name": "prod", "status": "ACTIVE"}})
    zones = {"Subnets": [{"SubnetId": name, "AvailabilityZone": "us-east-1a"} for name in SUBNETS]}
    script.call("ec2:DescribeSubnets", {"SubnetIds": SUBNETS}, zones)
    parameters = {"LocationType": "availability-zone", "Filters": ANY}
    script.call("ec2:DescribeInstanceTypeOfferings", parameters, {"InstanceTypeOfferings": []})
    with pytest.raises(PlatformError, match=r"none of its zones us-east-1a offers m7i.2xlarge"):
        script.run(use_case, **options())


def test_an_absent_cluster_is_a_warning_in_check_mode_and_an_error_in_the_run() -> None:
    def script() -> Script:
        found = Script().fails("eks:DescribeNodegroup", "ResourceNotFoundException")
        found.fails("eks:ListNodegroups", "ResourceNotFoundException")
        return found.fails("eks:DescribeCluster", "ResourceNotFoundException")

    assert "does not exist" in script().run(use_case, check=True, **options()).warnings[0]
    with pytest.raises(PlatformError, match="cluster prod does not exist; create it first"):
        script().run(use_case, **options())


def test_scale_from_zero_tags_follow_the_creation() -> None:
    from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.autoscaling import digest_of

    prefix = "k8s.io/cluster-autoscaler/node-template"
    wanted = {f"{prefix}/label/tier": "gpu", f"{prefix}/resources/nvidia.com/gpu": "8"}
    wish = {
        "scaling": {"min": 0, "max": 4},
        "labels": {"tier": "gpu"},
        "scale_from_zero_resources": {"nvidia.com/gpu": 8},
    }
    script = creation(
        reads_of_an_absent_pool(Script()),
        scalingConfig={"minSize": 0, "maxSize": 4, "desiredSize": 0},
        labels={"tier": "gpu"},
    )
    live = {"scalingConfig": {"minSize": 0, "maxSize": 4, "desiredSize": 0}, "labels": {"tier": "gpu"}}
    describe(describe(script, **live), **live)
    where = {"ResourceId": "eks-system", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    rows = [{**where, "Key": key, "Value": value} for key, value in wanted.items()]
    script.call("autoscaling:CreateOrUpdateTags", {"Tags": rows})
    record = {"aiplatform.eks/autoscaling": digest_of(wanted)}
    script.call("eks:TagResource", {"resourceArn": ARN, "tags": record})
    describe(script, **live)
    assert script.run(use_case, **options(**wish)).changed
    script = describe(Script(), **live, tags={**group()["tags"], **record})
    assert not script.run(use_case, **options(**wish)).changed


def test_info_reads_all_or_the_named_ones() -> None:
    script = Script().call("eks:ListNodegroups", {"clusterName": "prod"}, {"nodegroups": ["system"]})
    outcome = describe(script).run(info, cluster_name="prod")
    assert outcome.facts["pools"][0]["name"] == "system"
    script = Script().fails("eks:DescribeNodegroup", "ResourceNotFoundException")
    assert script.run(info, cluster_name="prod", names=["gone"]).facts == {"pools": []}
