from __future__ import annotations

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.access import info as access_info
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.access import use_case as access
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.addons import info as addons_info
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.addons import use_case as addons
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.cluster import info as cluster_info
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.cluster import use_case as cluster
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools import info as pools_info
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.node_pools import use_case as pools
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.permissions import INDIRECT, READS, WRITES, actions_of
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.pod_identities import info as identities_info
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.pod_identities import use_case as identities
from eks_flow import ROLE, Flow, Record

MODULES = {
    "eks_access_entries": access,
    "eks_access_entries_info": access_info,
    "eks_addons": addons,
    "eks_addons_info": addons_info,
    "eks_cluster": cluster,
    "eks_cluster_info": cluster_info,
    "eks_node_pools": pools,
    "eks_node_pools_info": pools_info,
    "eks_pod_identities": identities,
    "eks_pod_identities_info": identities_info,
}


def test_addons_in_their_order(flow: Flow) -> None:
    flow.emulator.control(delays={"addon": 0.2})
    wish: list[Record] = [
        {"name": "coredns", "version": "default", "needs": ["vpc-cni"]},
        {"name": "vpc-cni", "version": "default", "configuration": {"env": {"ENABLE_PREFIX_DELEGATION": "true"}}},
        {"name": "aws-ebs-csi-driver", "pod_identities": {"ebs-csi-controller-sa": f"{ROLE}ebs"}},
    ]
    flow.run(addons, cluster_name=flow.cluster, addons=wish)
    rows = [row for row in flow.emulator.calls(writes=True) if row["operation"] == "CreateAddon"]
    made = [row["parameters"]["addonName"] for row in rows]
    assert made.index("vpc-cni") < made.index("coredns")
    wish[1]["configuration"] = {"env": {"ENABLE_PREFIX_DELEGATION": "false"}}
    wish[2]["pod_identities"] = {"ebs-csi-controller-sa": f"{ROLE}other"}
    outcome = flow.both(addons, cluster_name=flow.cluster, addons=wish, tags={"team": "ml"})
    assert outcome.facts["addons"][2]["pod_identities"] == {"ebs-csi-controller-sa": f"{ROLE}other"}
    read = flow.run(addons_info, cluster_name=flow.cluster).facts["addons"]
    assert sorted(read, key=lambda row: row["name"]) == sorted(outcome.facts["addons"], key=lambda row: row["name"])
    assert flow.both(addons, cluster_name=flow.cluster, addons=wish[1:2], prune=True).changed
    assert flow.both(addons, cluster_name=flow.cluster, addons=wish, state="absent").facts["addons"] == []


def test_an_add_on_that_fails_is_said_and_heals_on_request(flow: Flow) -> None:
    failure = {"kind": "addon", "name": "vpc-cni", "code": "ConfigurationConflict", "message": "aws-node differs"}
    flow.emulator.control(create_failures=[failure])
    wish = {"cluster_name": flow.cluster, "addons": [{"name": "vpc-cni"}, {"name": "coredns", "needs": ["vpc-cni"]}]}
    with pytest.raises(PlatformError, match=r"vpc-cni is CREATE_FAILED: ConfigurationConflict.*coredns was not begun"):
        flow.run(addons, **wish)
    flow.emulator.control(create_failures=[])
    assert flow.both(addons, **wish, recreate_failed=True).changed


def test_access_entries(flow: Flow) -> None:
    wish: list[Record] = [
        {"principal_arn": f"{ROLE}admin", "policies": [{"policy": "AmazonEKSClusterAdminPolicy"}]},
        {
            "principal_arn": f"{ROLE}dev",
            "groups": ["dev"],
            "policies": [{"policy": "AmazonEKSEditPolicy", "namespaces": ["a"]}],
        },
        {"principal_arn": f"{ROLE}nodes", "type": "EC2_LINUX"},
    ]
    flow.both(access, cluster_name=flow.cluster, entries=wish)
    wish[1] = {"principal_arn": f"{ROLE}dev", "groups": [], "policies": [{"policy": "AmazonEKSViewPolicy"}]}
    outcome = flow.both(access, cluster_name=flow.cluster, entries=wish, tags={"team": "ml"})
    read = flow.run(access_info, cluster_name=flow.cluster).facts["entries"]
    ours = {row["principal_arn"] for row in wish}
    assert [row for row in read if row["principal_arn"] in ours] == outcome.facts["entries"]
    pruned = flow.both(access, cluster_name=flow.cluster, entries=wish[:2], prune=True)
    assert pruned.facts["steps"] == [f"delete access entry {ROLE}nodes"]
    assert flow.both(access, cluster_name=flow.cluster, entries=wish, state="absent").facts["entries"] == []


def test_the_entry_that_eks_makes_for_the_nodes_is_no_error(flow: Flow) -> None:
    flow.emulator.node_group("system", cluster=flow.cluster)
    entry = {"principal_arn": flow.emulator.role("nodes"), "type": "EC2_LINUX"}
    flow.both(access, cluster_name=flow.cluster, entries=[entry])


def test_pod_identities(flow: Flow) -> None:
    wish: list[Record] = [
        {"namespace": "kube-system", "service_account": "karpenter", "role_arn": f"{ROLE}karpenter"},
        {"namespace": "ml", "service_account": "mlflow", "role_arn": f"{ROLE}mlflow", "disable_session_tags": True},
    ]
    flow.both(identities, cluster_name=flow.cluster, associations=wish)
    wish[0]["role_arn"] = f"{ROLE}other"
    outcome = flow.both(identities, cluster_name=flow.cluster, associations=wish, tags={"team": "ml"})
    assert flow.run(identities_info, cluster_name=flow.cluster).facts["associations"] == outcome.facts["associations"]
    assert flow.both(identities, cluster_name=flow.cluster, associations=wish[:1], prune=True).changed
    assert flow.both(identities, cluster_name=flow.cluster, associations=wish, state="absent").changed


class TestPermissions:
    def test_every_module_declares_its_actions(self) -> None:
        ours = [{name for name in declared if name.startswith("eks_")} for declared in (READS, WRITES)]
        assert ours == [set(MODULES), {name for name in MODULES if not name.endswith("_info")}]

    def test_the_calls_that_are_seen_are_declared(self, flow: Flow) -> None:
        """Each module runs through its life; each call must be declared, and check mode must need reads only."""
        for module, steps in _lives(flow).items():
            seen: set[str] = set()
            for options in steps:
                flow.run(MODULES[module], check=True, **options)
                assert self._seen(flow) <= set(READS[module]), module
                flow.run(MODULES[module], **options)
                seen |= self._seen(flow)
            assert seen <= set(actions_of(module)), module
            assert {action for action in seen if action in INDIRECT} == set()

    @staticmethod
    def _seen(flow: Flow) -> set[str]:
        return {f"{row['service']}:{row['operation']}" for row in flow.emulator.calls()}


def _lives(flow: Flow) -> dict[str, list[Record]]:
    """Runs of each module that together make all its calls."""
    pool = {"name": "gpu", "instance_types": ["g5.xlarge"], "scaling": {"min": 0, "max": 2}, "labels": {"a": "1"}}
    where = {"cluster_name": flow.cluster}
    fleet = {**where, "node_role": f"{ROLE}nodes", "subnets": flow.subnets}
    return {
        "eks_node_pools": [
            {**fleet, "pools": [pool]},
            {**fleet, "pools": [{**pool, "disk": {"size": 150}, "labels": {}}], "tags": {"a": "b"}, "prune": True},
            {**fleet, "pools": [pool], "tags": {}},
            {**fleet, "pools": [pool], "state": "absent"},
        ],
        "eks_addons": [
            {**where, "addons": [{"name": "vpc-cni", "version": "default"}], "tags": {"a": "b"}},
            {**where, "addons": [{"name": "vpc-cni", "configuration": {"env": {}}}], "tags": {}, "prune": True},
            {**where, "addons": [{"name": "vpc-cni"}], "state": "absent"},
        ],
        "eks_access_entries": [
            {**where, "entries": [{"principal_arn": f"{ROLE}x", "policies": [{"policy": "AmazonEKSViewPolicy"}]}]},
            {
                **where,
                "entries": [{"principal_arn": f"{ROLE}x", "policies": [], "groups": ["g"]}],
                "tags": {"a": "b"},
            },
            {**where, "entries": [{"principal_arn": f"{ROLE}x"}], "tags": {}, "prune": True},
            {**where, "entries": [{"principal_arn": f"{ROLE}x"}], "state": "absent"},
        ],
        "eks_pod_identities": [
            {**where, "associations": [{"namespace": "a", "service_account": "b", "role_arn": f"{ROLE}x"}]},
            {**where, "associations": [{"namespace": "a", "service_account": "b", "role_arn": f"{ROLE}y"}]},
            {**where, "associations": [{"namespace": "a", "service_account": "b"}], "state": "absent"},
        ],
    }
