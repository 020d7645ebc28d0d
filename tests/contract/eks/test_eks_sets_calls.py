from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.access import use_case as access
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.addons import use_case as addons
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.pod_identities import use_case as identities
from eks_script import Record, Script

ROLE = "arn:aws:iam::123456789012:role/"
OURS = {"aiplatform.eks/cluster": "prod"}
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
EDIT = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy"


class TestAddons:
    WHERE: t.ClassVar[Record] = {"clusterName": "prod", "addonName": "vpc-cni"}
    ARN = "arn:aws:eks:us-east-1:123456789012:addon/prod/vpc-cni/1"

    def addon(self, **more: t.Any) -> Record:
        found = {"addonName": "vpc-cni", "addonArn": self.ARN, "status": "ACTIVE", "addonVersion": "v1", "tags": OURS}
        return {"addon": {**found, **more}}

    def describe(self, script: Script, **more: t.Any) -> Script:
        return script.call("eks:DescribeAddon", self.WHERE, self.addon(**more))

    def run(self, script: Script, *, check: bool = False, **more: t.Any) -> t.Any:
        task = {key: more.pop(key) for key in list(more) if key in ("state", "recreate_failed", "degraded", "preserve")}
        addon = {"name": "vpc-cni", **more}
        return script.run(addons, check=check, cluster_name="prod", parallel=1, addons=[addon], **task)

    def test_create(self) -> None:
        script = Script().fails("eks:DescribeAddon", "ResourceNotFoundException")
        parameters = {
            **self.WHERE,
            "addonVersion": "v1",
            "configurationValues": '{"a": {"b": 1}}',
            "resolveConflicts": "OVERWRITE",
            "tags": OURS,
        }
        script.call("eks:CreateAddon", parameters, self.addon(status="CREATING"))
        self.describe(self.describe(self.describe(script, status="CREATING")))
        outcome = self.run(script, version="v1", configuration={"a": {"b": 1}})
        assert outcome.facts["steps"] == ["create add-on vpc-cni"]

    def test_the_same_configuration_in_other_letters_is_no_change(self) -> None:
        script = self.describe(Script(), configurationValues='{"b":2,\n "a":1}')
        assert not self.run(script, configuration={"a": 1, "b": 2}).changed

    def test_the_default_version_is_asked_for_the_clusters_kubernetes(self) -> None:
        script = self.describe(Script())
        script.call("eks:DescribeCluster", {"name": "prod"}, {"cluster": {"version": "1.34"}})
        rows = [
            {
                "addonVersion": version,
                "compatibilities": [{"clusterVersion": "1.34", "defaultVersion": version == "v2"}],
            }
            for version in ("v3", "v2", "v1")
        ]
        wish = {"addonName": "vpc-cni", "kubernetesVersion": "1.34"}
        script.call("eks:DescribeAddonVersions", wish, {"addons": [{"addonVersions": rows}]})
        parameters = {
            **self.WHERE,
            "addonVersion": "v2",
            "configurationValues": "{}",
            "podIdentityAssociations": [],
            "resolveConflicts": "OVERWRITE",
        }
        script.call("eks:UpdateAddon", parameters, {"update": {"id": "u-1", "status": "InProgress"}})
        answer = {"update": {"id": "u-1", "status": "Successful"}}
        script.call("eks:DescribeUpdate", {"name": "prod", "addonName": "vpc-cni", "updateId": "u-1"}, answer)
        self.describe(script, addonVersion="v2")
        assert self.run(script, version="default").facts["addons"][0]["version"] == "v2"

    ISSUE: t.ClassVar[Record] = {"issues": [{"code": "ConfigurationConflict", "message": "aws-node differs"}]}

    @pytest.mark.parametrize("status", ["CREATE_FAILED", "DEGRADED"])
    def test_a_broken_one_is_never_ok(self, status: str) -> None:
        script = self.describe(Script(), status=status, health=self.ISSUE)
        with pytest.raises(PlatformError, match=rf"is {status}: ConfigurationConflict: aws-node differs"):
            self.run(script, check=True)

    def test_a_failed_update_is_sent_again(self) -> None:
        script = self.describe(Script(), status="UPDATE_FAILED")
        assert self.run(script, check=True).facts["steps"] == ["update add-on vpc-cni: its last update failed"]

    def test_a_need_that_nobody_makes_is_refused(self) -> None:
        with pytest.raises(PlatformError, match="needs coredns, which is not in addons"):
            self.run(Script(), needs=["coredns"])

    def test_delete_and_keep_the_software(self) -> None:
        script = self.describe(Script())
        script.call("eks:DeleteAddon", {**self.WHERE, "preserve": True}, self.addon(status="DELETING"))
        self.describe(script, status="DELETING").fails("eks:DescribeAddon", "ResourceNotFoundException")
        assert self.run(script, state="absent", preserve=True).changed


class TestAccessEntries:
    WHERE: t.ClassVar[Record] = {"clusterName": "prod", "principalArn": f"{ROLE}dev"}

    def entry(self, **more: t.Any) -> Record:
        arn = "arn:aws:eks:us-east-1:123456789012:access-entry/prod/dev/1"
        found = {
            "principalArn": f"{ROLE}dev",
            "accessEntryArn": arn,
            "type": "STANDARD",
            "username": "dev",
            "tags": OURS,
        }
        return {"accessEntry": {**found, "kubernetesGroups": [], **more}}

    def describe(self, script: Script, *policies: Record, **more: t.Any) -> Script:
        script.call("eks:DescribeAccessEntry", self.WHERE, self.entry(**more))
        if more.get("type", "STANDARD") != "STANDARD":
            return script
        answer = {"associatedAccessPolicies": list(policies)}
        return script.call("eks:ListAssociatedAccessPolicies", self.WHERE, answer)

    def run(self, script: Script, *, check: bool = False, state: str = "present", **more: t.Any) -> t.Any:
        entry = {"principal_arn": f"{ROLE}dev", **more}
        return script.run(access, check=check, cluster_name="prod", parallel=1, state=state, entries=[entry])

    def test_create_with_policies(self) -> None:
        script = Script().fails("eks:DescribeAccessEntry", "ResourceNotFoundException")
        parameters = {**self.WHERE, "type": "STANDARD", "kubernetesGroups": ["a"], "tags": OURS}
        script.call("eks:CreateAccessEntry", parameters, self.entry())
        scope = {"type": "namespace", "namespaces": ["x"]}
        script.call("eks:AssociateAccessPolicy", {**self.WHERE, "policyArn": EDIT, "accessScope": scope})
        self.describe(script)
        policies = [{"policy": "AmazonEKSEditPolicy", "namespaces": ["x"]}]
        assert self.run(script, groups=["a"], policies=policies).changed

    def test_one_that_eks_made_meanwhile_is_taken_over(self) -> None:
        script = Script().fails("eks:DescribeAccessEntry", "ResourceNotFoundException")
        script.fails("eks:CreateAccessEntry", "ResourceInUseException", "already in use")
        self.describe(script, tags={})
        script.call("eks:UpdateAccessEntry", {**self.WHERE, "kubernetesGroups": ["a"]})
        script.call("eks:TagResource", {"resourceArn": self.entry()["accessEntry"]["accessEntryArn"], "tags": OURS})
        self.describe(script, kubernetesGroups=["a"])
        assert self.run(script, groups=["a"]).facts["entries"][0]["groups"] == ["a"]

    def test_policies_are_exchanged(self) -> None:
        live = {"policyArn": EDIT, "accessScope": {"type": "cluster"}}
        script = self.describe(Script(), live)
        script.call("eks:AssociateAccessPolicy", {**self.WHERE, "policyArn": VIEW, "accessScope": {"type": "cluster"}})
        script.call("eks:DisassociateAccessPolicy", {**self.WHERE, "policyArn": EDIT})
        self.describe(script)
        assert self.run(script, policies=[{"policy": "AmazonEKSViewPolicy"}]).changed

    def test_what_is_left_out_stays(self) -> None:
        live = {"policyArn": EDIT, "accessScope": {"type": "cluster"}}
        assert not self.run(self.describe(Script(), live, kubernetesGroups=["ops"])).changed

    def test_the_type_is_fixed(self) -> None:
        with pytest.raises(PlatformError, match="is of type EC2_LINUX, which EKS cannot change to STANDARD"):
            self.run(self.describe(Script(), type="EC2_LINUX"), type="STANDARD")

    def test_a_node_role_has_no_groups(self) -> None:
        with pytest.raises(PlatformError, match="an entry of type EC2_LINUX has no username, groups or policies"):
            self.run(Script(), type="EC2_LINUX", groups=["a"])


class TestPodIdentities:
    ARN = "arn:aws:eks:us-east-1:123456789012:podidentityassociation/prod/a-1"

    def association(self, **more: t.Any) -> Record:
        found = {"namespace": "ml", "serviceAccount": "mlflow", "associationId": "a-1", "associationArn": self.ARN}
        return {**found, "roleArn": f"{ROLE}one", "tags": OURS, **more}

    def listed(self, script: Script, *rows: Record) -> Script:
        shown = ("namespace", "serviceAccount", "associationId", "associationArn")
        found = {"associations": [{key: row[key] for key in shown} for row in rows]}
        return script.call("eks:ListPodIdentityAssociations", {"clusterName": "prod"}, found)

    def describe(self, script: Script, **more: t.Any) -> Script:
        parameters = {"clusterName": "prod", "associationId": "a-1"}
        answer = {"association": self.association(**more)}
        return script.call("eks:DescribePodIdentityAssociation", parameters, answer)

    def run(self, script: Script, *, check: bool = False, state: str = "present", **more: t.Any) -> t.Any:
        row = {"namespace": "ml", "service_account": "mlflow", **more}
        return script.run(identities, check=check, cluster_name="prod", parallel=1, state=state, associations=[row])

    def test_create(self) -> None:
        script = self.listed(Script())
        parameters = {
            "clusterName": "prod",
            "namespace": "ml",
            "serviceAccount": "mlflow",
            "roleArn": f"{ROLE}one",
            "disableSessionTags": False,
            "tags": OURS,
        }
        script.call("eks:CreatePodIdentityAssociation", parameters, {"association": self.association()})
        self.describe(self.listed(script, self.association()))
        assert self.run(script, role_arn=f"{ROLE}one").facts["associations"][0]["id"] == "a-1"

    def test_another_role(self) -> None:
        script = self.describe(self.listed(Script(), self.association()))
        parameters = {
            "clusterName": "prod",
            "associationId": "a-1",
            "roleArn": f"{ROLE}two",
            "disableSessionTags": False,
        }
        script.call("eks:UpdatePodIdentityAssociation", parameters, {"association": self.association()})
        self.describe(script, roleArn=f"{ROLE}two")
        assert self.run(script, role_arn=f"{ROLE}two").facts["steps"] == ["update pod identity ml/mlflow (role_arn)"]

    def test_one_that_belongs_to_an_add_on_is_left_to_it(self) -> None:
        script = self.describe(self.listed(Script(), self.association()), ownerArn="arn:addon")
        with pytest.raises(PlatformError, match="belongs to arn:addon; change it there"):
            self.run(script, role_arn=f"{ROLE}two")

    def test_delete(self) -> None:
        script = self.describe(self.listed(Script(), self.association()))
        parameters = {"clusterName": "prod", "associationId": "a-1"}
        script.call("eks:DeletePodIdentityAssociation", parameters, {"association": self.association()})
        assert self.run(script, state="absent").changed

    def test_a_new_one_needs_a_role(self) -> None:
        with pytest.raises(PlatformError, match="role_arn is missing"):
            self.run(self.listed(Script()))
