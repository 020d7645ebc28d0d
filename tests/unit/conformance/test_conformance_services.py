# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which Services need an endpoint, on clusters with real charts, and what is said of the others."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._conformance.checks import EVALUATORS
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError

APP = {"app": "one"}
READY, WAITING, UNKNOWN = ({"conditions": {"ready": True}}, {"conditions": {"ready": False}}, {"conditions": {}})


def service(**spec: t.Any) -> dict[str, t.Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": "a", "name": "web"},
        "spec": {"selector": APP, "clusterIP": "10.0.0.1", **spec},
    }


def slices(*endpoints: dict[str, t.Any] | None, owner: str = "web") -> dict[str, t.Any]:
    metadata = {"namespace": "a", "name": "web-x", "labels": {"kubernetes.io/service-name": owner}}
    return {"kind": "EndpointSlice", "metadata": metadata, "endpoints": list(endpoints) or None}


def workload(kind: str, *, namespace: str = "a", **more: t.Any) -> dict[str, t.Any]:
    spec = {"template": {"metadata": {"labels": {**APP, "more": "x"}}}}
    if "replicas" in more:
        spec["replicas"] = more.pop("replicas")
    metadata = {"namespace": namespace, "name": "one"}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec, **more}


def said(asked: dict[str, t.Any], *there: dict[str, t.Any]) -> list[str]:
    world = SimpleNamespace(objects=lambda _version, kind: [one for one in there if one["kind"] == kind])
    return list(EVALUATORS["services"](asked, world))


@pytest.mark.parametrize(
    "there",
    [
        (service(), slices(WAITING), slices(READY)),
        (service(), slices(UNKNOWN)),
        (service(selector=None),),
        (service(type="ExternalName", externalName="example.com"),),
        (service(clusterIP="None"),),
        (service(), workload("Deployment", replicas=0)),
        (service(), slices(), workload("StatefulSet", replicas=0)),
        (service(), workload("DaemonSet", status={"desiredNumberScheduled": 0})),
        (service(type="LoadBalancer"), workload("Deployment", replicas=0)),
    ],
)
def test_a_service_with_an_endpoint_or_with_a_reason_passes(there: tuple[dict[str, t.Any], ...]) -> None:
    assert said({}, *there) == []


@pytest.mark.parametrize(
    ("there", "sentence"),
    [
        ((slices(WAITING, WAITING),), "Service a/web: none of its 2 endpoints is ready"),
        ((workload("Deployment"),), "Service a/web has no endpoint, though Deployment a/one wants 1 pods"),
        (
            (workload("Deployment", replicas=0), workload("DaemonSet", status={"desiredNumberScheduled": 3})),
            "Service a/web has no endpoint, though DaemonSet a/one wants 3 pods",
        ),
        (
            (workload("Deployment", namespace="b", replicas=0), slices(READY, owner="other")),
            "Service a/web selects app=one, which no pod and no workload has; correct its selector, or list it "
            "among the idle ones",
        ),
    ],
)
def test_a_service_that_leads_nowhere_is_said(there: tuple[dict[str, t.Any], ...], sentence: str) -> None:
    assert said({}, service(), *there) == [sentence]
    assert said({"idle": ["web"]}, service(), *there) == []
    assert said({"idle": ["a/web"]}, service(), *there) == []
    assert said({"idle": ["b/web"]}, service(), *there) == [sentence]


def test_a_named_service_must_be_there() -> None:
    asked = {"namespaces": ["a"], "names": ["web", "gone"]}
    assert said(asked, service(), slices(READY)) == ["Service a/gone is not there"]


@pytest.mark.parametrize("expression", ["metadata.[", "nothing(@)", "length(spec)", ""])
def test_a_wrong_expression_is_a_sentence(expression: str) -> None:
    world = SimpleNamespace(objects=lambda *_kind: [{**service(), "spec": 1}])
    with pytest.raises(PlatformError, match=r"the JMESPath expression .* is wrong: .*; correct the check"):
        list(EVALUATORS["objects"]({"api_version": "v1", "kind": "Service", "query": expression or " "}, world))


def test_a_wrong_address_is_a_sentence() -> None:
    flow = {"source": {"namespace": "a"}, "target": {"address": "10.0.0.0/8"}, "port": 1, "allowed": False}
    with pytest.raises(PlatformError, match=r"names the address '10.0.0.0/8'; wanted is one IPv4 or IPv6 address"):
        list(EVALUATORS["network"]({"flows": [flow]}, SimpleNamespace()))
