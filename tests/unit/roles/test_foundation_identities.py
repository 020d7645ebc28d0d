"""The managed policies that the foundation gives drivers are those that EKS recommends for them."""

from __future__ import annotations

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.aiplatform.eks.plugins.module_utils._local.emulator.eks.addon_catalogue import KINDS
from role_data import role_data


@pytest.mark.parametrize(
    ("file", "role", "addon"),
    [
        ("cluster_roles", "VpcCniRole", "vpc-cni"),
        ("identities/ebs_csi", "EbsCsiRole", "aws-ebs-csi-driver"),
        ("identities/efs_csi", "EfsCsiRole", "aws-efs-csi-driver"),
    ],
)
def test_a_driver_has_the_managed_policy_that_eks_recommends(file: str, role: str, addon: str) -> None:
    resource = role_data("foundation", f"files/{file}.yml")["Resources"][role]["Properties"]
    given = {arn["Fn::Sub"].replace("${AWS::Partition}", "aws") for arn in resource["ManagedPolicyArns"]}
    recommended = {policy for _account, policies in KINDS[addon].service_accounts for policy in policies}
    assert given == recommended


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_roles_are_named_in_the_region_s_partition(region: str, partition: str) -> None:
    data = role_data("foundation", "vars/main.yml")
    given = {"foundation_region": region, "foundation_cluster": "prod", "__foundation_account": "123456789012"}
    names = ("__foundation_partition", "__foundation_role_arns")
    expressions = {name: trust_as_template(data[name]) for name in names}
    variables = {**given, **expressions, "__foundation_role_names": ["ebs_csi"]}
    templar = Templar(loader=DataLoader(), variables=variables)
    found = templar.template(expressions["__foundation_role_arns"])
    assert found == {"ebs_csi": f"arn:{partition}:iam::123456789012:role/prod-ebs-csi"}
