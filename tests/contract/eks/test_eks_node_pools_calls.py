from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools import info, use_case
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.spec import specs_of
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.state import template_record
from botocore.stub import ANY
from eks_script import Record, Script

ROLE = "arn:aws:iam::123456789012:role/nodes"
ARN = "arn:aws:eks:us-east-1:123456789012:nodegroup/prod/system/1"
SUBNETS = ["subnet-0a", "subnet-0b"]
WHERE = {"clusterName": "prod", "nodegroupName": "system"}
UPDATE = {"name": "prod", "nodegroupName": "system", "updateId": "u-1"}
ISSUE = {"code": "AsgInstanceLaunchFailures", "message": "no capacity", "resourceIds": ["asg-1"]}


def options(**more: t.Any) -> Record:
    task = {key: more.pop(key) for key in list(more) if key in ("state", "prune", "wait", "recreate_failed", "tags")}
    pool = {"name": "system", "instance_types": ["m7i.2xlarge"], "scaling": {"min": 1, "max": 4}, **more}
    return {"cluster_name": "prod", "node_role": ROLE, "subnets": SUBNETS, "parallel": 1, "pools": [pool], **task}


def digest(**more: t.Any) -> str:
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    result = ArgumentSpecValidator(dict(use_case.SPEC.options), **use_case.SPEC.constraints()).validate(options(**more))
    launch = specs_of(result.validated_parameters)[0].launch
    assert launch is not None
    return launch.digest


def group(*, wish: Record | None = None, **more: t.Any) -> Record:
    """DescribeNodegroup of the pool that C(options) wishes."""
    return {
        "nodegroupName": "system",
        "nodegroupArn": ARN,
        "clusterName": "prod",
        "status": "ACTIVE",
        "version": "1.34",
        "releaseVersion": "1.34.1-20261101",
        "amiType": "AL2023_x86_64_STANDARD",
        "capacityType": "ON_DEMAND",
        "scalingConfig": {"minSize": 1, "maxSize": 4, "desiredSize": 2},
        "subnets": SUBNETS,
        "nodeRole": ROLE,
        "labels": {},
        "taints": [],
        "updateConfig": {"maxUnavailable": 1},
        "launchTemplate": {"id": "lt-1", "name": "aiplatform-prod-system", "version": "1"},
        "resources": {"autoScalingGroups": [{"name": "eks-system"}]},
        "health": {"issues": []},
        "tags": {
            "aiplatform.eks/cluster": "prod",
            "aiplatform.eks/pool": "system",
            "aiplatform.eks/launch-template": template_record(1, digest(**(wish or {}))),
        },
        **more,
    }


def describe(script: Script, **more: t.Any) -> Script:
    return script.call("eks:DescribeNodegroup", WHERE, {"nodegroup": group(**more)})


def update(script: Script, status: str = "Successful", errors: list[Record] | None = None) -> Script:
    answer = {"update": {"id": "u-1", "status": status, "errors": errors or []}}
    return script.call("eks:DescribeUpdate", UPDATE, answer)


def begun(script: Script, operation: str, **parameters: t.Any) -> Script:
    return script.call(f"eks:{operation}", {**WHERE, **parameters}, {"update": {"id": "u-1", "status": "InProgress"}})


def reads_of_an_absent_pool(script: Script) -> Script:
    script.fails("eks:DescribeNodegroup", "ResourceNotFoundException", parameters=WHERE)
    script.call("eks:ListNodegroups", {"clusterName": "prod"}, {"nodegroups": []})
    script.call("eks:DescribeCluster", {"name": "prod"}, {"cluster": {"name": "prod", "status": "ACTIVE"}})
    zones = [{"SubnetId": name, "AvailabilityZone": f"us-east-1{name[-1]}"} for name in SUBNETS]
    script.call("ec2:DescribeSubnets", {"SubnetIds": SUBNETS}, {"Subnets": zones})
    offer = {"InstanceType": "m7i.2xlarge", "LocationType": "availability-zone", "Location": "us-east-1a"}
    filters = [
        {"Name": "instance-type", "Values": ["m7i.2xlarge"]},
        {"Name": "location", "Values": ["us-east-1a", "us-east-1b"]},
    ]
    return script.call(
        "ec2:DescribeInstanceTypeOfferings",
        {"LocationType": "availability-zone", "Filters": filters},
        {"InstanceTypeOfferings": [offer]},
    )


def creation(script: Script, **more: t.Any) -> Script:
    script.fails("ec2:DescribeLaunchTemplateVersions", "InvalidLaunchTemplateName.NotFoundException")
    script.call(
        "ec2:CreateLaunchTemplate",
        {
            "LaunchTemplateName": "aiplatform-prod-system",
            "VersionDescription": f"aiplatform.eks {digest()}",
            "LaunchTemplateData": ANY,
            "TagSpecifications": ANY,
        },
        {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "LatestVersionNumber": 1}},
    )
    parameters = {
        **WHERE,
        "scalingConfig": {"minSize": 1, "maxSize": 4, "desiredSize": 1},
        "subnets": SUBNETS,
        "nodeRole": ROLE,
        "capacityType": "ON_DEMAND",
        "amiType": "AL2023_x86_64_STANDARD",
        "launchTemplate": {"id": "lt-1", "version": "1"},
        "tags": group()["tags"],
    }
    return script.call("eks:CreateNodegroup", {**parameters, **more}, {"nodegroup": group(status="CREATING")})


def test_an_unchanged_pool_costs_one_call() -> None:
    outcome = describe(Script()).run(use_case, **options())
    assert not outcome.changed
    assert outcome.facts["pools"][0]["status"] == "ACTIVE"


def test_creating_a_pool() -> None:
    script = creation(reads_of_an_absent_pool(Script()))
    describe(describe(describe(script, status="CREATING")))
    outcome = script.run(use_case, **options())
    assert outcome.facts["steps"] == ["create node pool system"]
    assert outcome.facts["pools"][0]["launch_template"]["id"] == "lt-1"


def test_check_mode_reads_and_writes_nothing_and_says_the_same() -> None:
    checked = reads_of_an_absent_pool(Script()).run(use_case, check=True, **options())
    script = creation(reads_of_an_absent_pool(Script()))
    describe(describe(script))
    done = script.run(use_case, **options())
    assert (checked.changed, checked.diff, checked.facts["steps"]) == (done.changed, done.diff, done.facts["steps"])
    assert set(checked.facts) == set(done.facts)
    assert set(checked.facts["pools"][0]) == set(done.facts["pools"][0])


def test_the_result_has_the_same_keys_without_waiting() -> None:
    script = describe(creation(reads_of_an_absent_pool(Script())), status="CREATING")
    outcome = script.run(use_case, **options(wait=False))
    assert outcome.facts["pools"][0]["status"] == "CREATING"
    checked = reads_of_an_absent_pool(Script()).run(use_case, check=True, **options())
    assert set(outcome.facts["pools"][0]) == set(checked.facts["pools"][0])


def test_an_interrupted_run_uses_the_launch_template_that_it_made() -> None:
    script = reads_of_an_absent_pool(Script())
    row = {"LaunchTemplateId": "lt-1", "VersionNumber": 1, "VersionDescription": f"aiplatform.eks {digest()}"}
    script.call("ec2:DescribeLaunchTemplateVersions", ANY_TEMPLATE, {"LaunchTemplateVersions": [row]})
    script.call("eks:CreateNodegroup", _ANY_CREATE, {"nodegroup": group(status="CREATING")})
    describe(describe(script))
    assert script.run(use_case, **options()).changed


ANY_TEMPLATE = {"LaunchTemplateName": "aiplatform-prod-system", "Versions": ["$Latest"]}
_ANY_CREATE = {
    **WHERE,
    **dict.fromkeys(("scalingConfig", "subnets", "nodeRole", "capacityType", "amiType", "launchTemplate", "tags"), ANY),
}


def test_a_label_value_is_changed() -> None:
    script = describe(Script(), labels={"NodeType": "a"})
    begun(script, "UpdateNodegroupConfig", labels={"addOrUpdateLabels": {"NodeType": "b"}})
    describe(update(update(script, "InProgress")), labels={"NodeType": "b"})
    outcome = script.run(use_case, **options(labels={"NodeType": "b"}))
    assert outcome.facts["pools"][0]["labels"] == {"NodeType": "b"}


def test_labels_taints_sizes_and_repair_are_one_update() -> None:
    script = describe(Script(), taints=[{"key": "old", "effect": "NO_SCHEDULE"}])
    begun(
        script,
        "UpdateNodegroupConfig",
        scalingConfig={"minSize": 3, "maxSize": 6, "desiredSize": 3},
        labels={"addOrUpdateLabels": {"a": "1"}},
        taints={
            "addOrUpdateTaints": [{"key": "new", "value": "x", "effect": "NO_EXECUTE"}],
            "removeTaints": [{"key": "old", "effect": "NO_SCHEDULE"}],
        },
        nodeRepairConfig={"enabled": True},
    )
    describe(update(script))
    wish = {
        "scaling": {"min": 3, "max": 6},
        "labels": {"a": "1"},
        "taints": [{"key": "new", "value": "x", "effect": "NoExecute"}],
        "node_repair": {"enabled": True},
    }
    outcome = script.run(use_case, **options(**wish))
    assert outcome.facts["steps"] == [
        "update node pool system (labels.a, node_repair.enabled, scaling.desired, scaling.max, scaling.min, "
        "taints.new:NoExecute, taints.old:NoSchedule)"
    ]


def test_a_roll_is_awaited_before_the_other_update_and_tags_come_last() -> None:
    script = describe(Script())
    begun(script, "UpdateNodegroupVersion", version="1.35", force=False)
    update(update(script, "InProgress"))
    begun(script, "UpdateNodegroupConfig", labels={"addOrUpdateLabels": {"a": "1"}})
    update(script)
    script.call("eks:TagResource", {"resourceArn": ARN, "tags": {"team": "ml"}})
    describe(script)
    outcome = script.run(use_case, **options(version="1.35", labels={"a": "1"}, tags={"team": "ml"}))
    assert outcome.facts["steps"] == ["roll node pool system (labels.a, tags.team, version)"]


def test_a_larger_disk_is_a_new_version_of_the_template_and_a_roll() -> None:
    script = describe(Script())
    old = {"LaunchTemplateData": {"BlockDeviceMappings": []}}
    script.call(
        "ec2:DescribeLaunchTemplateVersions",
        {"LaunchTemplateId": "lt-1", "Versions": ["1"]},
        {"LaunchTemplateVersions": [old]},
    )
    row = {"LaunchTemplateId": "lt-1", "VersionNumber": 1, "VersionDescription": "aiplatform.eks other"}
    script.call("ec2:DescribeLaunchTemplateVersions", ANY_TEMPLATE, {"LaunchTemplateVersions": [row]})
    wish = {"disk": {"size": 300}}
    script.call(
        "ec2:CreateLaunchTemplateVersion",
        {
            "LaunchTemplateName": "aiplatform-prod-system",
            "VersionDescription": f"aiplatform.eks {digest(**wish)}",
            "LaunchTemplateData": ANY,
        },
        {"LaunchTemplateVersion": {"LaunchTemplateId": "lt-1", "VersionNumber": 2}},
    )
    begun(script, "UpdateNodegroupVersion", force=False, launchTemplate={"id": "lt-1", "version": "2"})
    update(script)
    tags = {"aiplatform.eks/launch-template": template_record(2, digest(**wish))}
    script.call("eks:TagResource", {"resourceArn": ARN, "tags": tags})
    describe(script)
    assert script.run(use_case, **options(**wish)).changed


def test_old_versions_of_the_template_are_tidied() -> None:
    script = describe(Script())
    data = {"LaunchTemplateVersions": [{"LaunchTemplateData": {"BlockDeviceMappings": []}}]}
    script.call("ec2:DescribeLaunchTemplateVersions", {"LaunchTemplateId": "lt-1", "Versions": ["1"]}, data)
    newest = {"LaunchTemplateId": "lt-1", "VersionNumber": 7, "VersionDescription": "aiplatform.eks other"}
    script.call("ec2:DescribeLaunchTemplateVersions", ANY_TEMPLATE, {"LaunchTemplateVersions": [newest]})
    made = {"LaunchTemplateVersion": {"LaunchTemplateId": "lt-1", "VersionNumber": 8}}
    names = ("LaunchTemplateName", "VersionDescription", "LaunchTemplateData")
    script.call("ec2:CreateLaunchTemplateVersion", dict.fromkeys(names, ANY), made)
    begun(script, "UpdateNodegroupVersion", force=False, launchTemplate={"id": "lt-1", "version": "8"})
    update(script)
    script.call("eks:TagResource", {"resourceArn": ARN, "tags": ANY})
    rows = {"LaunchTemplateVersions": [{"VersionNumber": number} for number in range(2, 9)]}
    script.call("ec2:DescribeLaunchTemplateVersions", {"LaunchTemplateId": "lt-1"}, rows)
    script.call("ec2:ModifyLaunchTemplate", {"LaunchTemplateId": "lt-1", "DefaultVersion": "8"})
    gone = {"LaunchTemplateId": "lt-1", "Versions": ["2", "3"]}
    script.call("ec2:DeleteLaunchTemplateVersions", gone)
    describe(script)
    assert script.run(use_case, **options(disk={"size": 300})).changed


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
    for _look in range(4):
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
        found.fails("eks:DescribeCluster", "ResourceNotFoundException")
        zones = {"Subnets": [{"SubnetId": name, "AvailabilityZone": "us-east-1a"} for name in SUBNETS]}
        found.call("ec2:DescribeSubnets", {"SubnetIds": SUBNETS}, zones)
        offer = {"InstanceType": "m7i.2xlarge", "Location": "us-east-1a"}
        parameters = {"LocationType": "availability-zone", "Filters": ANY}
        return found.call("ec2:DescribeInstanceTypeOfferings", parameters, {"InstanceTypeOfferings": [offer]})

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
