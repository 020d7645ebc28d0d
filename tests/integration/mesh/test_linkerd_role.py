"""The role linkerd on a real API server: certificates made once, keys never shown, from nothing to nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import SystemClock
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.apply_use_case import USE_CASE as APPLY
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import KubeClient
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.retry import send
from ansible_collections.aiplatform.eks.plugins.module_utils._mesh.linkerd_identity import SPEC, converge_identity
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from role_play import Played, play_states

NAMES = {"linkerd_namespace": "mesh", "linkerd_viz_namespace": "mesh-viz", "linkerd_cni_namespace": "mesh-cni"}
VARIABLES: dict[str, t.Any] = {**NAMES, "linkerd_stand_in": True, "linkerd_timeout": 90, "linkerd_replicas": 2}
DEFINITIONS = Path(__file__).resolve().parents[4] / "shared/upstream/crds/linkerd.yaml"
NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {
        "name": "mesh-test",
        "annotations": {"kwok.x-k8s.io/node": "fake"},
        "labels": {"kubernetes.io/os": "linux"},
    },
    "status": {name: {"cpu": "64", "memory": "256Gi", "pods": "100"} for name in ("allocatable", "capacity")},
}
POLICIES = ("v1beta3/namespaces/mesh-viz/servers", "v1alpha1/namespaces/mesh-viz/authorizationpolicies")
POLICIES = (*POLICIES, "v1alpha1/namespaces/mesh-viz/meshtlsauthentications")
LASTING = (
    "/api/v1/namespaces",
    "/api/v1/namespaces/kube-system/configmaps",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
)


class Rounds(t.NamedTuple):
    """What the plays gave, and what was there then."""

    check: Played
    first: Played
    second: Played
    secrets: dict[str, dict[str, str]]
    config_maps: dict[str, dict[str, str]]
    policies: list[dict[str, t.Any]]
    left: set[str]


@pytest.fixture(scope="module")
def client(cluster: t.Any) -> t.Iterator[KubeClient]:
    found = KubeClient({"kubeconfig": str(cluster.kubeconfig)})
    found.request("POST", "/api/v1/nodes", body=NODE)
    yield found
    found.request("DELETE", "/api/v1/nodes/mesh-test")


def everything(client: KubeClient) -> set[str]:
    return {
        f"{path}/{one['metadata']['name']}" for path in LASTING for one in client.request("GET", path).body["items"]
    }


def play(cluster: t.Any, scratch: Path, *states: str, check: bool = False) -> list[Played]:
    """Play the role once for each state, in one run; no key is ever in what it says."""
    return play_states(
        "linkerd", states, variables=VARIABLES, cluster=cluster, scratch=scratch, check=check, secret="PRIVATE KEY"
    )


def data_of(client: KubeClient, kind: str) -> dict[str, dict[str, str]]:
    items = [
        item
        for namespace in ("mesh", "mesh-viz")
        for item in client.request("GET", f"/api/v1/namespaces/{namespace}/{kind}").body["items"]
    ]
    return {item["metadata"]["name"]: item.get("data") or {} for item in items}


@pytest.fixture(scope="module")
def rounds(cluster: t.Any, client: KubeClient, tmp_path_factory: pytest.TempPathFactory) -> Rounds:
    """A check, the run that it spoke of, a second run, and the end."""
    scratch = tmp_path_factory.mktemp("linkerd")
    before = everything(client)
    (check,) = play(cluster, scratch, "present", check=True)
    first, second = play(cluster, scratch, "present", "present")
    secrets = {
        name: {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}
        for name, data in data_of(client, "secrets").items()
        if not name.startswith("sh.helm")
    }
    policies = [
        {**item, "apiVersion": f"policy.linkerd.io/{path.partition('/')[0]}", "kind": item["kind"]}
        for path in POLICIES
        for item in client.request("GET", f"/apis/policy.linkerd.io/{path}").body["items"]
    ]
    config_maps = data_of(client, "configmaps")
    play(cluster, scratch, "absent")
    return Rounds(check, first, second, secrets, config_maps, policies, everything(client) - before)


def told(played: Played) -> dict[str, t.Any]:
    """What each task says that it changes."""
    return {name: (task.get("changed"), task.get("steps"), task.get("counts")) for name, task in played.tasks.items()}


def test_check_says_what_the_run_does(rounds: Rounds) -> None:
    assert told(rounds.check) == told(rounds.first)
    assert len(rounds.first.changed) == 4


def test_a_second_run_changes_nothing(rounds: Rounds) -> None:
    assert rounds.second.changed == []


def test_absent_leaves_nothing(rounds: Rounds) -> None:
    assert rounds.left == set()


def test_the_certificates_are_what_linkerd_asks_for(rounds: Rounds) -> None:
    anchor = x509.load_pem_x509_certificate(rounds.secrets["linkerd-trust-anchor"]["ca-bundle.crt"].encode())
    issuer = x509.load_pem_x509_certificate(rounds.secrets["linkerd-identity-issuer"]["tls.crt"].encode())
    issuer.verify_directly_issued_by(anchor)
    assert issuer.extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(True, 0)
    assert issuer.subject.rfc4514_string() == "CN=identity.mesh.cluster.local"
    key = load_pem_private_key(rounds.secrets["linkerd-identity-issuer"]["tls.key"].encode(), None)
    assert key.public_key() == issuer.public_key()
    webhooks = x509.load_pem_x509_certificate(rounds.secrets["linkerd-webhook-authority"]["ca-bundle.crt"].encode())
    tap = x509.load_pem_x509_certificate(rounds.secrets["tap-k8s-tls"]["tls.crt"].encode())
    tap.verify_directly_issued_by(webhooks)
    names = tap.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "tap.mesh-viz.svc" in names.get_values_for_type(x509.DNSName)
    assert len(rounds.secrets) == 8


def test_the_control_plane_gets_the_anchors_and_no_port_of_training(rounds: Rounds) -> None:
    roots = rounds.config_maps["linkerd-identity-trust-roots"]["ca-bundle.crt"]
    assert roots == rounds.secrets["linkerd-trust-anchor"]["ca-bundle.crt"]
    values = yaml.safe_load(rounds.config_maps["linkerd-config"]["values"])
    assert values["disableHeartBeat"] is True
    assert values["cniEnabled"] is True
    assert "29500" in values["proxyInit"]["ignoreOutboundPorts"].split(",")
    assert "9092" in values["proxy"]["opaquePorts"].split(",")
    assert values["proxyInjector"]["caBundle"] == rounds.secrets["linkerd-webhook-authority"]["ca-bundle.crt"]


@pytest.mark.skipif(not DEFINITIONS.exists(), reason=f"{DEFINITIONS} is not here")
def test_linkerd_s_own_schemas_take_the_policies(rounds: Rounds, cluster: t.Any) -> None:
    kinds = list(yaml.safe_load_all(DEFINITIONS.read_text("utf-8")))
    wanted = {one["kind"] for one in rounds.policies}
    objects = [one for one in kinds if one["spec"]["names"]["kind"] in wanted]
    objects += [{**one, "metadata": {"name": one["metadata"]["name"]}} for one in rounds.policies]
    assert len(objects) == 6
    options = {name: option.get("default") for name, option in APPLY.spec.options.items()}
    options |= {"kubeconfig": str(cluster.kubeconfig), "name": "mesh-schema", "objects": objects, "wait": False}
    try:
        done = APPLY.run(options, Context(check_mode=False, diff_mode=False))
        assert done.facts["counts"] == {"created": 6}
    finally:
        options |= {"state": "absent", "deletable_kinds": ["CustomResourceDefinition"], "objects": None}
        APPLY.run({**options, "wait": True}, Context(check_mode=False, diff_mode=False))


class Identity:
    """The use case in a namespace of the cluster, at any time."""

    def __init__(self, cluster: t.Any, namespace: str) -> None:
        defaults = {name: one.get("default") for name, one in SPEC.options.items()}
        webhooks = [{"service": "tap", "secret": "tap-tls"}]
        self.namespace = namespace
        self.options = {**defaults, "kubeconfig": str(cluster.kubeconfig), "namespace": namespace, "webhooks": webhooks}

    @property
    def issuer(self) -> str:
        return f"Secret {self.namespace}/linkerd-identity-issuer"

    def play(self, *, days: int = 0, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        context = Context(check_mode=check, diff_mode=True)
        now = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
        result = converge_identity({**self.options, **options}, context, now=now).to_result(context)
        assert "PRIVATE KEY" not in json.dumps(result)
        return result


@pytest.fixture
def identity(cluster: t.Any, client: KubeClient) -> t.Iterator[Identity]:
    name = f"identity-{uuid.uuid4().hex[:8]}"
    client.request("POST", "/api/v1/namespaces", body={"metadata": {"name": name}})
    found = Identity(cluster, name)
    yield found
    found.play(state="absent")
    assert client.request("GET", f"/api/v1/namespaces/{name}/secrets").body["items"] == []
    client.request("DELETE", f"/api/v1/namespaces/{name}")


def proxied(client: KubeClient, namespace: str, name: str, *, bundle: str, **labels: str) -> None:
    """A pod as the injector leaves it; it waits for ever to be scheduled."""
    mesh = {"linkerd.io/control-plane-ns": namespace, **labels}
    annotations = {"linkerd.io/trust-root-sha256": hashlib.sha256(bundle.strip().encode()).hexdigest()}
    pod = {
        "metadata": {"name": name, "labels": mesh, "annotations": annotations},
        "spec": {"containers": [{"name": "a", "image": "a"}], "schedulingGates": [{"name": "mesh.test/never"}]},
    }
    # "default" is made a moment after the namespace.
    send(client, "POST", f"/api/v1/namespaces/{namespace}/pods", clock=SystemClock(), body=pod)


def test_certificates_are_renewed_and_anchors_overlap(identity: Identity, client: KubeClient) -> None:
    foretold = identity.play(check=True)
    made = identity.play()
    assert foretold["steps"] == made["steps"]
    assert len(made["steps"]) == 5 - 1
    proxied(client, identity.namespace, "workload", bundle=made["trust_anchors"])
    control = {"linkerd.io/control-plane-component": "identity"}
    proxied(client, identity.namespace, "control-plane", bundle="older", **control)
    assert not identity.play(days=100)["changed"]
    renewed = identity.play(days=125)
    assert [step.partition(" (")[0] for step in renewed["steps"]] == [f"update {identity.issuer}"]
    assert renewed["trust_anchors"] == made["trust_anchors"]
    joined = identity.play(days=2500)
    assert joined["trust_anchors"].startswith(made["trust_anchors"])
    assert joined["trust_anchors"].count("BEGIN CERTIFICATE") == 2
    outdated = [{"namespace": identity.namespace, "pods": 1}]
    assert not renewed["restart_proxies"]
    again = identity.play(days=2500)
    assert not again["changed"]
    for one in (joined, again):  # a run that was broken off does not take the message with it
        assert (one["restart_proxies"], one["outdated_proxies"]) == (True, outdated)
    client.request("DELETE", f"/api/v1/namespaces/{identity.namespace}/pods/workload")
    proxied(client, identity.namespace, "workload-restarted", bundle=joined["trust_anchors"])
    assert not identity.play(days=2500)["restart_proxies"]
    signed = identity.play(days=2520)
    assert any("not signed by the authority's current" in step for step in signed["steps"])
    left = identity.play(days=2530)
    assert left["trust_anchors"].count("BEGIN CERTIFICATE") == 1
    assert left["trust_anchors"] not in made["trust_anchors"]


def test_somebody_else_s_secret_is_left_alone(identity: Identity, client: KubeClient) -> None:
    theirs = {"metadata": {"name": "linkerd-identity-issuer"}, "stringData": {"tls.crt": "theirs"}}
    path = f"/api/v1/namespaces/{identity.namespace}/secrets"
    client.request("POST", path, body=theirs)
    try:
        with pytest.raises(PlatformError, match="is there and not ours"):
            identity.play()
        assert [one["metadata"]["name"] for one in client.request("GET", path).body["items"]] == [
            "linkerd-identity-issuer"
        ]
        assert identity.play(issuer=False)["trust_anchors"] == ""
        identity.play(issuer=False, state="absent")
    finally:
        client.request("DELETE", f"{path}/linkerd-identity-issuer")


def test_a_spoilt_anchor_is_never_replaced(identity: Identity, client: KubeClient) -> None:
    identity.play()
    path = f"/api/v1/namespaces/{identity.namespace}/secrets/linkerd-trust-anchor"
    live = client.request("GET", path).body
    key = next(name for name in live["data"] if name.endswith(".key"))
    client.request("PUT", path, body={**live, "data": {**live["data"], key: base64.b64encode(b"gone").decode()}})
    with pytest.raises(PlatformError, match="restore the Secret from a backup"):
        identity.play()


def test_a_spoilt_issuer_is_made_anew(identity: Identity, client: KubeClient) -> None:
    identity.play()
    path = f"/api/v1/namespaces/{identity.namespace}/secrets/linkerd-identity-issuer"
    live = client.request("GET", path).body
    client.request("PUT", path, body={**live, "data": {**live["data"], "tls.key": ""}})
    again = identity.play()
    assert again["steps"] == [f"update {identity.issuer} (certificates): it is not there"]
    assert not identity.play()["changed"]
