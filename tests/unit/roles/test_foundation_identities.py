"""The managed policies that the foundation gives drivers are those that EKS recommends for them."""

from __future__ import annotations

import pytest
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
