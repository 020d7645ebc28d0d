"""The objects that follow from sharing policies, put before the real API server: strict about fields, CEL compiled."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import SharingPolicy, sharing_policy
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy_objects import (
    claim_templates,
    node_overlays,
    placement,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.errors import KubeApiError

KARPENTER = Path(__file__).resolve().parents[4] / "shared/upstream/crds/karpenter.yaml"
STRICT = {"dryRun": "All", "fieldValidation": "Strict"}
MIXTURE = [{"gpus": 6, "profiles": {"1g.10gb+me": 1, "1g.10gb": 2, "1g.20gb": 2}}, {"gpus": 2}]
WISHES: list[dict[str, t.Any]] = [
    {"mode": "dra"},
    {"mode": "mig", "layout": "all-balanced"},
    {"mode": "mig", "layout": MIXTURE},
    {"mode": "mig", "layout": {"3g.40gb": 2}, "replicas": 2},
    {"mode": "time_slicing", "replicas": 3},
    {"mode": "time_slicing", "replicas": 3, "rename": False},
]


def policy(sharing: dict[str, t.Any]) -> SharingPolicy:
    return sharing_policy({"name": "h100", "instance_types": ["p5.48xlarge"], "gpu_sharing": sharing})


@pytest.fixture(scope="module")
def client(cluster: t.Any) -> KubeClient:
    return KubeClient({"kubeconfig": str(cluster.kubeconfig)})


@pytest.fixture(scope="module")
def overlays(client: KubeClient) -> t.Iterator[str]:
    """The path of NodeOverlays, once Karpenter's own definition of them is served."""
    if not KARPENTER.exists():
        pytest.skip("../shared/upstream/crds/karpenter.yaml is not here: it is data beside the project")
    documents = yaml.safe_load_all(KARPENTER.read_text(encoding="utf-8"))
    (definition,) = [one for one in documents if one and one["metadata"]["name"] == "nodeoverlays.karpenter.sh"]
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    client.request("POST", definitions, body=definition)
    path = "/apis/karpenter.sh/v1alpha1/nodeoverlays"
    for _attempt in range(200):
        try:
            client.request("GET", path)
            break
        except KubeApiError as error:
            if error.status not in (404, 429):  # 429: its storage is being made
                raise
            time.sleep(0.1)
    else:
        raise AssertionError("NodeOverlays are not served after 20 s")
    yield path
    client.request("DELETE", f"{definitions}/nodeoverlays.karpenter.sh")


@pytest.mark.parametrize("sharing", WISHES, ids=str)
def test_claims_and_pods_are_accepted(client: KubeClient, sharing: dict[str, t.Any]) -> None:
    found = policy(sharing)
    templates = claim_templates(found, namespace="default")
    assert bool(templates) == (sharing["mode"] in ("dra", "mig"))
    for template in templates:
        path = "/apis/resource.k8s.io/v1/namespaces/default/resourceclaimtemplates"
        assert client.request("POST", path, query=STRICT, body=template).status == 201
    where = placement(found)
    container = {"name": "c", "image": "c", "resources": where.pop("resources")}
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [container], **where}}
    assert client.request("POST", "/api/v1/namespaces/default/pods", query=STRICT, body=pod).status == 201


@pytest.mark.parametrize("sharing", WISHES, ids=str)
def test_overlays_are_accepted(client: KubeClient, overlays: str, sharing: dict[str, t.Any]) -> None:
    made = node_overlays(policy(sharing))
    assert bool(made) == (sharing["mode"] != "dra")
    for overlay in made:
        assert client.request("POST", overlays, query=STRICT, body=overlay).status == 201


def test_the_server_would_refuse_wrong_ones(client: KubeClient, overlays: str) -> None:
    (template, *_rest) = claim_templates(policy({"mode": "mig", "layout": "all-balanced"}), namespace="default")
    request = template["spec"]["spec"]["devices"]["requests"][0]["exactly"]
    request["selectors"][0]["cel"]["expression"] = "device.attributes['gpu.nvidia.com'].profile == "
    (overlay,) = node_overlays(policy({"mode": "time_slicing", "replicas": 3}))
    overlay["spec"]["capacity"]["cpu"] = "9"
    claims = "/apis/resource.k8s.io/v1/namespaces/default/resourceclaimtemplates"
    for path, body in ((claims, template), (overlays, overlay)):
        with pytest.raises(KubeApiError):
            client.request("POST", path, query=STRICT, body=body)
