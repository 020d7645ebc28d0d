from __future__ import annotations

import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.cluster import use_case
from eks_script import Record, Script

ROLE = "arn:aws:iam::123456789012:role/cluster"
ARN = "arn:aws:eks:us-east-1:123456789012:cluster/prod"
SUBNETS = ["subnet-0a", "subnet-0b"]


def cluster(**more: t.Any) -> Record:
    network = {
        "subnetIds": SUBNETS,
        "securityGroupIds": [],
        "endpointPublicAccess": True,
        "endpointPrivateAccess": False,
    }
    return {
        "name": "prod",
        "arn": ARN,
        "status": "ACTIVE",
        "version": "1.33",
        "roleArn": ROLE,
        "endpoint": "https://prod",
        "certificateAuthority": {"data": "Q0E="},
        "resourcesVpcConfig": {**network, "publicAccessCidrs": ["0.0.0.0/0"], **more.pop("network", {})},
        "accessConfig": {"authenticationMode": "API"},
        "logging": {"clusterLogging": [{"types": ["api"], "enabled": True}, {"types": ["audit"], "enabled": False}]},
        "tags": {"aiplatform.eks/cluster": "prod"},
        **more,
    }


def describe(script: Script, **more: t.Any) -> Script:
    return script.call("eks:DescribeCluster", {"name": "prod"}, {"cluster": cluster(**more)})


def updated(script: Script, operation: str, parameters: Record) -> Script:
    script.call(f"eks:{operation}", parameters, {"update": {"id": "u-1", "status": "InProgress"}})
    for status in ("InProgress", "Successful"):
        answer = {"update": {"id": "u-1", "status": status}}
        script.call("eks:DescribeUpdate", {"name": "prod", "updateId": "u-1"}, answer)
    return script


def insights(script: Script, version: str, *rows: Record) -> Script:
    found = {"clusterName": "prod", "filter": {"categories": ["UPGRADE_READINESS"], "kubernetesVersions": [version]}}
    return script.call("eks:ListInsights", found, {"insights": list(rows)})


def test_an_unchanged_cluster_costs_one_call() -> None:
    wish = {"version": "1.33", "role_arn": ROLE, "subnets": SUBNETS[::-1], "logging": ["api"], "tags": {}}
    outcome = describe(Script()).run(use_case, name="prod", **wish)
    assert not outcome.changed
    assert outcome.facts["cluster"]["endpoint_url"] == "https://prod"


def test_creating_a_cluster() -> None:
    script = Script().fails("eks:DescribeCluster", "ResourceNotFoundException")
    parameters = {
        "name": "prod",
        "version": "1.34",
        "roleArn": ROLE,
        "resourcesVpcConfig": {"subnetIds": SUBNETS, "endpointPublicAccess": False, "endpointPrivateAccess": True},
        "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
        "bootstrapSelfManagedAddons": True,
        "logging": {"clusterLogging": [{"types": ["api", "audit"], "enabled": True}]},
        "encryptionConfig": [{"resources": ["secrets"], "provider": {"keyArn": "key"}}],
        "deletionProtection": True,
        "zonalShiftConfig": {"enabled": True},
        "tags": {"a": "b", "aiplatform.eks/cluster": "prod"},
    }
    script.call("eks:CreateCluster", parameters, {"cluster": cluster(status="CREATING")})
    describe(describe(describe(script, status="CREATING")))
    outcome = script.run(
        use_case,
        name="prod",
        version="1.34",
        role_arn=ROLE,
        subnets=SUBNETS,
        endpoint={"public": False, "private": True},
        logging=["audit", "api"],
        encryption_key="key",
        deletion_protection=True,
        zonal_shift=True,
        tags={"a": "b"},
    )
    assert outcome.facts["steps"] == ["create cluster prod"]


def test_one_kind_of_change_a_call_each_awaited() -> None:
    script = describe(Script())
    script.call("eks:TagResource", {"resourceArn": ARN, "tags": {"a": "b"}})
    updated(script, "UpdateClusterConfig", {"name": "prod", "deletionProtection": True})
    rows = [{"types": ["audit"], "enabled": True}, {"types": ["api"], "enabled": False}]
    updated(script, "UpdateClusterConfig", {"name": "prod", "logging": {"clusterLogging": rows}})
    access = {"endpointPublicAccess": True, "endpointPrivateAccess": True, "publicAccessCidrs": ["10.0.0.0/8"]}
    updated(script, "UpdateClusterConfig", {"name": "prod", "resourcesVpcConfig": access})
    updated(
        script, "UpdateClusterConfig", {"name": "prod", "resourcesVpcConfig": {"subnetIds": ["subnet-0a", "subnet-0c"]}}
    )
    updated(script, "UpdateClusterConfig", {"name": "prod", "upgradePolicy": {"supportType": "STANDARD"}})
    encryption = [{"resources": ["secrets"], "provider": {"keyArn": "key"}}]
    updated(script, "AssociateEncryptionConfig", {"clusterName": "prod", "encryptionConfig": encryption})
    outcome = describe(script).run(
        use_case,
        name="prod",
        tags={"a": "b"},
        deletion_protection=True,
        logging=["audit"],
        endpoint={"private": True, "public_cidrs": ["10.0.0.0/8"]},
        subnets=["subnet-0c", "subnet-0a"],
        support_type="STANDARD",
        encryption_key="key",
    )
    assert len(outcome.facts["steps"]) == 7


def test_the_three_switches_of_auto_mode_are_turned_together() -> None:
    parameters = {
        "name": "prod",
        "computeConfig": {"enabled": True, "nodePools": ["system"], "nodeRoleArn": ROLE},
        "storageConfig": {"blockStorage": {"enabled": True}},
        "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": True}},
    }
    script = describe(updated(describe(Script()), "UpdateClusterConfig", parameters))
    wish = {"enabled": True, "node_pools": ["system"], "node_role": ROLE}
    assert script.run(use_case, name="prod", auto_mode=wish).changed


def test_access_modes_go_one_by_one() -> None:
    script = describe(Script(), accessConfig={"authenticationMode": "CONFIG_MAP"})
    for mode in ("API_AND_CONFIG_MAP", "API"):
        updated(script, "UpdateClusterConfig", {"name": "prod", "accessConfig": {"authenticationMode": mode}})
    assert describe(script).run(use_case, name="prod", authentication_mode="API").changed


class TestUpgrade:
    def test_it_goes_one_minor_version_at_a_time_and_asks_again(self) -> None:
        script = insights(insights(describe(Script()), "1.34"), "1.35")
        updated(script, "UpdateClusterVersion", {"name": "prod", "version": "1.34"})
        insights(script, "1.35")
        updated(script, "UpdateClusterVersion", {"name": "prod", "version": "1.35"})
        outcome = describe(script, version="1.35").run(use_case, name="prod", version="1.35")
        assert outcome.facts["cluster"]["version"] == "1.35"

    ROW: t.ClassVar[Record] = {
        "name": "Deprecated APIs removed in Kubernetes v1.34",
        "insightStatus": {"status": "ERROR", "reason": "flowcontrol v1beta3 is in use"},
    }

    def test_an_insight_in_error_refuses_it_by_name(self) -> None:
        script = insights(describe(Script()), "1.34", self.ROW)
        with pytest.raises(PlatformError, match=r"not ready for 1.34: Deprecated APIs .*: flowcontrol v1beta3"):
            script.run(use_case, check=True, name="prod", version="1.34")

    def test_the_user_can_turn_the_gate_down(self) -> None:
        script = insights(describe(Script()), "1.34", self.ROW)
        outcome = script.run(use_case, check=True, name="prod", version="1.34", insights="warn")
        assert "flowcontrol" in outcome.warnings[0]
        assert describe(Script()).run(use_case, check=True, name="prod", version="1.34", insights="ignore").changed

    def test_never_down(self) -> None:
        with pytest.raises(PlatformError, match=r"version is 1.33 and cannot go down to 1.32"):
            describe(Script()).run(use_case, name="prod", version="1.32")


class TestRefusals:
    @pytest.mark.parametrize(
        ("live", "wish", "sentence"),
        [
            ({}, {"role_arn": "other"}, r"EKS cannot change role_arn \(.* -> other\)"),
            ({}, {"authentication_mode": "CONFIG_MAP"}, "cannot go back to CONFIG_MAP"),
            ({}, {"endpoint": {"public": False, "private": False}}, "nobody could reach it"),
            (
                {"encryptionConfig": [{"resources": ["secrets"], "provider": {"keyArn": "one"}}]},
                {"encryption_key": "two"},
                "encrypted with one, which EKS cannot change to two",
            ),
            ({"status": "FAILED", "health": {"issues": [{"code": "X", "message": "y"}]}}, {}, "is FAILED: X: y"),
        ],
    )
    def test_nothing_is_written(self, live: Record, wish: Record, sentence: str) -> None:
        script = Script() if "endpoint" in wish else describe(Script(), **live)
        with pytest.raises(PlatformError, match=sentence):
            script.run(use_case, name="prod", **wish)

    def test_creating_needs_a_role_and_subnets(self) -> None:
        script = Script().fails("eks:DescribeCluster", "ResourceNotFoundException")
        with pytest.raises(PlatformError, match="role_arn and subnets is missing"):
            script.run(use_case, name="prod")


class TestDeletion:
    def test_protection_is_respected(self) -> None:
        script = describe(Script(), deletionProtection=True)
        with pytest.raises(PlatformError, match="protected from deletion"):
            script.run(use_case, name="prod", state="absent")

    def test_protection_is_taken_off_when_the_task_says_so(self) -> None:
        script = describe(Script(), deletionProtection=True)
        updated(script, "UpdateClusterConfig", {"name": "prod", "deletionProtection": False})
        script.call("eks:DeleteCluster", {"name": "prod"}, {"cluster": cluster(status="DELETING")})
        describe(script, status="DELETING")
        script.fails("eks:DescribeCluster", "ResourceNotFoundException")
        script.fails("eks:DescribeCluster", "ResourceNotFoundException")
        outcome = script.run(use_case, name="prod", state="absent", deletion_protection=False)
        assert outcome.facts["cluster"]["status"] == "ABSENT"

    @pytest.mark.parametrize("check", [True, False])
    def test_an_absent_one_stays_absent_and_nobody_waits(self, check: bool) -> None:
        script = Script().fails("eks:DescribeCluster", "ResourceNotFoundException")
        assert not script.run(use_case, check=check, name="prod", state="absent").changed
        assert script.clock.slept == []

    def test_check_mode_does_not_wait_for_what_it_did_not_delete(self) -> None:
        script = describe(Script())
        assert script.run(use_case, check=True, name="prod", state="absent").changed
        assert script.clock.slept == []


class TestKubeconfig:
    def test_it_is_written_once_and_only_its_owner_reads_it(self, tmp_path: Path) -> None:
        import yaml

        file = tmp_path / "kube" / "config"
        wish = {"name": "prod", "kubeconfig": {"path": str(file)}}
        script = describe(Script())
        script.session._options = {"region": "us-east-1"}
        checked = script.run(use_case, check=True, **wish)
        assert checked.changed
        assert not file.exists()
        script = describe(describe(Script()))
        script.session._options = {"region": "us-east-1"}
        done = script.run(use_case, **wish)
        assert done.diff == checked.diff
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        document = yaml.safe_load(file.read_text())
        assert document["clusters"][0]["cluster"] == {"server": "https://prod", "certificate-authority-data": "Q0E="}
        assert document["users"][0]["user"]["exec"]["args"][:4] == ["--region", "us-east-1", "eks", "get-token"]
        script = describe(Script())
        script.session._options = {"region": "us-east-1"}
        assert not script.run(use_case, **wish).changed
        file.chmod(0o644)
        script = describe(describe(Script()))
        script.session._options = {"region": "us-east-1"}
        assert script.run(use_case, **wish).facts["steps"] == [f"write kubeconfig {file} (mode)"]
