"""The sets of a cluster, of which some are another tool's."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s import apply_sets_info
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.apply_set import ApplySet, Record, parent_document
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import Answer


class Cluster:
    silent_since: float | None = None

    def __init__(self, records: list[dict[str, t.Any]]) -> None:
        self.asked: list[tuple[str, str]] = []
        self._records = records

    def request(self, method: str, path: str, *, query: t.Any, **_request: t.Any) -> Answer:
        self.asked.append((path, query["labelSelector"]))
        return Answer(200, {"metadata": {}, "items": self._records}, {})


def test_all_sets_of_ours_are_found_by_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = [ApplySet("vllm", "inference"), ApplySet("linkerd", "linkerd"), ApplySet("a", "z")]
    records = [parent_document(one, Record()) for one in ours]
    records[2]["metadata"]["annotations"]["applyset.kubernetes.io/tooling"] = "kubectl/v1.36"
    cluster = Cluster(records)
    monkeypatch.setattr(apply_sets_info, "connect", lambda *_given, **_more: cluster)
    assert apply_sets_info.run({}, Context()).facts == {
        "sets": [
            {"name": "linkerd", "namespace": "linkerd", "apply_set": ours[1].id},
            {"name": "vllm", "namespace": "inference", "apply_set": ours[0].id},
        ]
    }
    assert cluster.asked == [("/api/v1/configmaps", "applyset.kubernetes.io/id")]
