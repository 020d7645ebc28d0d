from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.plan import Step
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.plan import plan_pools
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools.wanted import Policy
from eks_pool_cases import Record, node_group, reading, spec
from hypothesis import given, settings
from hypothesis import strategies as st

POLICY = Policy("prod")


def step_for(group: Record | None, policy: Policy = POLICY, reading_more: Record | None = None, **wish: t.Any) -> Step:
    wanted = spec(**wish)
    return plan_pools(reading(wanted, group, **(reading_more or {})), policy).steps[0]


def live(**more: t.Any) -> Record:
    return node_group(spec(), **more)


def test_a_pool_that_is_right_changes_nothing() -> None:
    assert step_for(live()).action == "none"


def test_the_order_of_subnets_does_not_matter() -> None:
    assert step_for(live(subnets=["subnet-0b", "subnet-0a"])).action == "none"


@pytest.mark.parametrize(
    ("wish", "group", "path", "config"),
    [
        pytest.param(
            {"labels": {"NodeType": "b"}},
            {"labels": {"NodeType": "a"}},
            "labels.NodeType",
            {"labels": {"addOrUpdateLabels": {"NodeType": "b"}}},
            id="label value",
        ),
        pytest.param(
            {"labels": {}}, {"labels": {"a": "1"}}, "labels.a", {"labels": {"removeLabels": ["a"]}}, id="label gone"
        ),
        pytest.param(
            {"taints": [{"key": "gpu", "value": "no", "effect": "NoSchedule"}]},
            {"taints": [{"key": "gpu", "value": "yes", "effect": "NO_SCHEDULE"}]},
            "taints.gpu:NoSchedule",
            {"taints": {"addOrUpdateTaints": [{"key": "gpu", "value": "no", "effect": "NO_SCHEDULE"}]}},
            id="taint value",
        ),
        pytest.param(
            {"taints": []},
            {"taints": [{"key": "gpu", "effect": "NO_SCHEDULE"}]},
            "taints.gpu:NoSchedule",
            {"taints": {"removeTaints": [{"key": "gpu", "effect": "NO_SCHEDULE"}]}},
            id="taint gone",
        ),
        pytest.param(
            {"taints": [{"key": "gpu", "effect": "NoExecute"}]},
            {"taints": [{"key": "gpu", "effect": "NO_SCHEDULE"}]},
            "taints.gpu:NoExecute",
            {
                "taints": {
                    "addOrUpdateTaints": [{"key": "gpu", "effect": "NO_EXECUTE"}],
                    "removeTaints": [{"key": "gpu", "effect": "NO_SCHEDULE"}],
                }
            },
            id="taint effect is identity",
        ),
        pytest.param(
            {"update": {"max_unavailable_percentage": 25}},
            {},
            "update.max_unavailable",
            {"updateConfig": {"maxUnavailablePercentage": 25, "updateStrategy": "DEFAULT"}},
            id="percentage instead of count",
        ),
        pytest.param(
            {"node_repair": {"enabled": True}},
            {},
            "node_repair.enabled",
            {"nodeRepairConfig": {"enabled": True}},
            id="node repair",
        ),
        pytest.param(
            {"warm_pool": {"enabled": True, "min_size": 2, "pool_state": "STOPPED"}},
            {},
            "warm_pool.enabled",
            {"warmPoolConfig": {"enabled": True, "minSize": 2, "poolState": "STOPPED"}},
            id="warm pool",
        ),
    ],
)
def test_what_changes_in_place_is_one_config_update(wish: Record, group: Record, path: str, config: Record) -> None:
    step = step_for(live(**group), **wish)
    assert step.action == "update"
    assert path in [one.path for one in step.differences()]
    assert step.payload.config == config
    assert step.payload.roll is None


def test_options_that_are_left_out_leave_what_is_there() -> None:
    group = live(
        labels={"by": "hand"}, taints=[{"key": "x", "effect": "NO_SCHEDULE"}], updateConfig={"maxUnavailable": 7}
    )
    assert step_for(group).action == "none"


class TestDesiredSize:
    def test_the_autoscalers_size_is_kept(self) -> None:
        group = live(scalingConfig={"minSize": 1, "maxSize": 4, "desiredSize": 4})
        assert step_for(group, scaling={"min": 1, "max": 4, "desired": 1}).action == "none"

    def test_min_and_max_do_not_need_desired(self) -> None:
        step = step_for(live(), scaling={"min": 2, "max": 6})
        assert step.payload.config == {"scalingConfig": {"minSize": 2, "maxSize": 6}}

    def test_a_raised_minimum_takes_the_size_along(self) -> None:
        step = step_for(live(), scaling={"min": 3, "max": 6})
        assert step.payload.config == {"scalingConfig": {"minSize": 3, "maxSize": 6, "desiredSize": 3}}

    def test_it_is_enforced_only_on_request(self) -> None:
        step = step_for(live(), scaling={"min": 1, "max": 4, "desired": 4}, manage_desired=True)
        assert step.payload.config["scalingConfig"]["desiredSize"] == 4

    @settings(derandomize=True, max_examples=60, deadline=None)
    @given(low=st.integers(0, 9), more=st.integers(1, 9), size=st.integers(0, 30))
    def test_what_is_sent_is_always_within_the_limits(self, low: int, more: int, size: int) -> None:
        group = live(scalingConfig={"minSize": 0, "maxSize": 40, "desiredSize": size})
        step = step_for(group, reading_more={"autoscaling_tags": {}}, scaling={"min": low, "max": low + more})
        sent = step.payload.config["scalingConfig"]
        assert low <= sent.get("desiredSize", size) <= low + more
        assert ("desiredSize" in sent) == (not low <= size <= low + more)


class TestImmutable:
    @pytest.mark.parametrize(
        ("wish", "path"),
        [
            ({"subnets": ["subnet-0a"]}, "subnets"),
            ({"node_role": "arn:aws:iam::123456789012:role/other"}, "node_role"),
            ({"capacity_type": "spot"}, "capacity_type"),
            ({"ami_type": "AL2023_ARM_64_STANDARD"}, "ami_type"),
            ({"instance_types": ["m7i.2xlarge", "m6i.2xlarge"]}, "instance_types"),
        ],
    )
    def test_the_exact_field_is_named(self, wish: Record, path: str) -> None:
        with pytest.raises(PlatformError, match=rf"node pool system: EKS cannot change in place {path} \(.* -> .*\)"):
            step_for(live(), **wish)

    def test_every_pool_is_named_at_once(self) -> None:
        one, other = spec(name="a", subnets=["s"]), spec(name="b", subnets=["s"])
        both = reading(one, node_group(spec(name="a")))
        both = type(both)((*both.pools, *reading(other, node_group(spec(name="b"))).pools))
        with pytest.raises(PlatformError, match=r"node pool a: .*; node pool b: ") as caught:
            plan_pools(both, POLICY)
        assert len(caught.value.details["problems"]) == 2

    def test_ignoring_leaves_them_and_warns_but_changes_the_rest(self) -> None:
        wanted = spec(subnets=["subnet-0a"], on_immutable="ignore", labels={"a": "1"})
        plan = plan_pools(reading(wanted, live()), POLICY)
        assert [one.path for one in plan.steps[0].differences()] == ["labels.a"]
        assert "left as it is" in plan.warnings[0]

    def test_replacing_keeps_what_the_user_leaves_out(self) -> None:
        group = live(labels={"by": "hand"}, scalingConfig={"minSize": 1, "maxSize": 4, "desiredSize": 3})
        step = step_for(group, subnets=["subnet-0a"], on_immutable="replace_first")
        assert step.action == "replace"
        assert step.after is not None
        assert step.after["labels"] == {"by": "hand"}
        assert step.after["scaling"]["desired"] == 3
        assert step.payload.delete_last
        assert step.payload.group_name.startswith("system-r")

    def test_replacing_in_place_keeps_the_name_and_deletes_first(self) -> None:
        step = step_for(live(), subnets=["subnet-0a"], on_immutable="replace_in_place")
        assert (step.payload.group_name, step.payload.delete, step.payload.delete_last) == ("system", "system", False)


class TestRoll:
    def test_a_newer_version_rolls_and_the_other_changes_follow(self) -> None:
        step = step_for(live(), version="1.35", labels={"a": "1"})
        assert step.action == "roll"
        assert step.payload.roll == {"force": False, "version": "1.35"}
        assert step.payload.config == {"labels": {"addOrUpdateLabels": {"a": "1"}}}

    def test_a_pinned_release_is_sent_with_every_roll(self) -> None:
        step = step_for(live(), version="1.35", release_version="1.35.0-20261115", force_update=True)
        assert step.payload.roll == {"force": True, "version": "1.35", "releaseVersion": "1.35.0-20261115"}

    @pytest.mark.parametrize("wish", [{"version": "1.33"}, {"release_version": "1.34.1-20261001"}])
    def test_never_down(self, wish: Record) -> None:
        with pytest.raises(PlatformError, match="cannot go down to"):
            step_for(live(), **wish)

    def test_the_disk_is_a_new_version_of_the_launch_template(self) -> None:
        before = {"LaunchTemplateData": {"BlockDeviceMappings": [_volume(100)]}}
        after = {"BlockDeviceMappings": [_volume(200)]}
        more = {"fresh": False, "template": before, "wanted_data": after}
        step = step_for(live(), reading_more=more, disk={"size": 200})
        assert step.action == "roll"
        assert step.payload.new_version
        assert [one.path for one in step.differences()] == ["launch_template.volumes./dev/xvda"]

    def test_a_lost_record_is_written_again_without_a_roll(self) -> None:
        data = {"BlockDeviceMappings": [_volume(100)]}
        more = {"fresh": False, "template": {"LaunchTemplateData": data}, "wanted_data": data}
        group = live(launchTemplate={"id": "lt-1", "name": "aiplatform-prod-system", "version": "4"})
        step = step_for(group, reading_more=more)
        assert step.action == "update"
        assert step.payload.roll is None
        assert step.payload.tags["aiplatform.eks/launch-template"].startswith("v4:")


def _volume(size: int) -> Record:
    return {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": size, "VolumeType": "gp3", "Encrypted": True}}


class TestHealth:
    ISSUES: t.ClassVar[Record] = {
        "issues": [{"code": "AsgInstanceLaunchFailures", "message": "no capacity", "resourceIds": ["asg-1"]}]
    }

    @pytest.mark.parametrize("status", ["CREATE_FAILED", "DELETE_FAILED", "DEGRADED"])
    def test_it_is_never_ok(self, status: str) -> None:
        with pytest.raises(PlatformError, match=rf"is {status}: AsgInstanceLaunchFailures: no capacity \(asg-1\)"):
            step_for(live(status=status, health=self.ISSUES))

    def test_a_failed_pool_is_made_anew_on_request(self) -> None:
        step = step_for(live(status="CREATE_FAILED", health=self.ISSUES), Policy("prod", recreate_failed=True))
        assert (step.action, step.payload.delete, step.payload.create) == ("recreate", "system", True)

    def test_a_degraded_pool_can_still_be_changed(self) -> None:
        assert step_for(live(status="DEGRADED", health=self.ISSUES), scaling={"min": 1, "max": 9}).action == "update"

    def test_what_an_earlier_run_began_is_awaited(self) -> None:
        plan = plan_pools(reading(spec(), live(status="CREATING")), POLICY)
        assert (plan.changed, plan.awaits) == (False, True)


class TestTags:
    def test_tags_change_after_create(self) -> None:
        group = live()
        group["tags"] |= {"old": "1", "kept": "1", "aws:x": "1"}
        step = step_for(group, tags={"kept": "2", "new": "3"})
        assert step.payload.tags == {"kept": "2", "new": "3"}
        assert step.payload.untag == ("old",)

    def test_without_purge_nothing_is_taken_away(self) -> None:
        group = live()
        group["tags"] |= {"old": "1"}
        assert step_for(group, Policy("prod", purge_tags=False), tags={}).action == "none"


class TestScaleFromZero:
    WISH: t.ClassVar[Record] = {
        "scaling": {"min": 0, "max": 4},
        "labels": {"tier": "gpu"},
        "taints": [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}],
        "startup_taints": [{"key": "mig", "value": "pending", "effect": "NoSchedule"}],
        "scale_from_zero_resources": {"nvidia.com/gpu": 8},
    }

    def test_the_group_gets_labels_taints_and_resources_but_no_startup_taint(self) -> None:
        group = live(scalingConfig={"minSize": 0, "maxSize": 4, "desiredSize": 0})
        step = step_for(group, reading_more={"autoscaling_tags": {}}, **self.WISH)
        prefix = "k8s.io/cluster-autoscaler/node-template"
        assert step.payload.autoscaling == (
            {
                f"{prefix}/label/tier": "gpu",
                f"{prefix}/resources/nvidia.com/gpu": "8",
                f"{prefix}/taint/nvidia.com/gpu": "true:NoSchedule",
            },
            (),
        )
        assert {row["key"] for row in step.payload.config["taints"]["addOrUpdateTaints"]} == {"nvidia.com/gpu", "mig"}


def test_a_pool_without_role_or_subnets_is_refused_before_it_is_made() -> None:
    wanted = spec(node_role=None)
    object.__setattr__(wanted, "node_role", None)
    with pytest.raises(PlatformError, match="node_role is missing"):
        plan_pools(reading(wanted, None), POLICY)
