from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._eks.cluster import info, use_case
from eks_flow import ROLE, Flow, Record


def base(flow: Flow, **more: t.Any) -> Record:
    wish = {
        "version": "1.32",
        "role_arn": f"{ROLE}cluster",
        "subnets": flow.subnets,
        "authentication_mode": "CONFIG_MAP",
    }
    return {"name": flow.cluster, **wish, **more}


def test_from_nothing_through_every_field_to_nothing(empty_flow: Flow) -> None:
    flow = empty_flow
    flow.emulator.control(delays={"cluster.create": 0.2, "cluster.update": 0.05})
    flow.both(use_case, **base(flow, tags={"a": "b"}, logging=["api"]))
    everything = base(
        flow,
        authentication_mode="API",
        logging=["audit", "scheduler"],
        endpoint={"private": True, "public_cidrs": ["10.0.0.0/8"]},
        subnets=flow.subnets[:2],
        support_type="STANDARD",
        zonal_shift=True,
        deletion_protection=True,
        encryption_key="arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012",
        control_plane_tier="tier-xl",
        kube_api_server={"event_ttl": "2h0m0s"},
        kube_scheduler={"scoring": "MostAllocated", "weights": {"cpu": 1}},
        kube_controller_manager={"terminated_pod_gc_threshold": 100},
        auto_mode={"enabled": True, "node_pools": ["system"], "node_role": f"{ROLE}nodes"},
        tags={"a": "c"},
    )
    changed = flow.both(use_case, **everything)
    assert len(changed.facts["steps"]) == 15
    upgraded = flow.both(use_case, **{**everything, "version": "1.34"})
    assert upgraded.facts["steps"] == [f"upgrade cluster {flow.cluster} (version)"] * 2
    assert flow.counts() == {"DescribeCluster": 1}
    read = flow.run(info, names=[flow.cluster, "gone"])
    assert read.facts["clusters"] == [upgraded.facts["cluster"] | _later(read.facts["clusters"][0])]
    with pytest.raises(PlatformError, match="protected from deletion"):
        flow.run(use_case, name=flow.cluster, state="absent")
    gone = flow.both(use_case, name=flow.cluster, state="absent", deletion_protection=False)
    assert gone.facts["cluster"]["status"] == "ABSENT"


def _later(cluster: Record) -> Record:
    return {"platform_version": cluster["platform_version"]}


def test_an_insight_in_error_stops_the_upgrade_before_any_write(flow: Flow) -> None:
    live = flow.eks.describe_cluster(name=flow.cluster)["cluster"]["version"]
    newer = f"1.{int(live.split('.')[1]) + 1}"
    rule = {"status": "ERROR", "name": "Kubelet version skew", "reason": "3 nodes are too old"}
    flow.emulator.control(insights=[rule])
    with pytest.raises(PlatformError, match=rf"not ready for {newer}: Kubelet version skew: 3 nodes are too old"):
        flow.run(use_case, name=flow.cluster, version=newer)
    assert not flow.counts(writes=True)


def test_somebody_elses_update_is_awaited(flow: Flow) -> None:
    flow.emulator.control(delays={"cluster.update": 0.3})
    flow.eks.update_cluster_config(name=flow.cluster, zonalShiftConfig={"enabled": True})
    outcome = flow.run(use_case, name=flow.cluster, deletion_protection=True)
    assert outcome.facts["cluster"]["deletion_protection"]
    assert outcome.facts["cluster"]["zonal_shift"]


def test_throttling_and_server_errors(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    flow.emulator.control(throttle={"eks": 0.2}, server_errors={"eks": 0.05})
    assert flow.run(use_case, name=flow.cluster, logging=["api"], zonal_shift=True).changed
    flow.emulator.control(throttle={}, server_errors={})
    assert not flow.run(use_case, name=flow.cluster, logging=["api"], zonal_shift=True).changed
