from __future__ import annotations

from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools import use_case
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.state import template_record
from botocore.stub import ANY
from eks_pool_script import (
    ANY_CREATE,
    ANY_TEMPLATE,
    ARN,
    begun,
    creation,
    describe,
    digest,
    group,
    options,
    reads_of_an_absent_pool,
    update,
)
from eks_script import Script


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


def test_a_pool_is_made_without_the_subnets_in_zones_that_do_not_offer_its_type() -> None:
    made = {"subnets": ["subnet-0b"], "tags": {**group()["tags"], "aiplatform.eks/subnets": "0800f4fd9261d1fd"}}
    script = creation(reads_of_an_absent_pool(Script(), offered="b"), **made)
    describe(describe(script, **made), **made)
    outcome = script.run(use_case, **options())
    assert outcome.facts["pools"][0]["subnets"] == ["subnet-0b"]
    assert not describe(Script(), **made).run(use_case, **options()).changed


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
    script.fails("ec2:CreateLaunchTemplate", "InvalidLaunchTemplateName.AlreadyExistsException")
    row = {"LaunchTemplateId": "lt-1", "VersionNumber": 1, "VersionDescription": f"aiplatform.eks {digest()}"}
    script.call("ec2:DescribeLaunchTemplateVersions", ANY_TEMPLATE, {"LaunchTemplateVersions": [row]})
    script.call("eks:CreateNodegroup", ANY_CREATE, {"nodegroup": group(status="CREATING")})
    describe(describe(script))
    assert script.run(use_case, **options()).changed


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
