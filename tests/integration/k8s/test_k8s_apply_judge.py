"""kubectl and the API server as judges: random sets, edits by others, and changes give the same live state.

Two namespaces get the same history. In one our engine applies, in the twin ``kubectl apply --server-side`` under the
same field manager does. Afterwards both hold the same objects with the same ownership, what we called unchanged is what
a server dry-run calls unchanged, and the diff of check mode is the change that then happened.
"""

from __future__ import annotations

import itertools
import json
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.apply_set import PART_OF, ApplySet
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.apply_write import equal_content
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.client import APPLY_PATCH, KubeClient
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.discovery import discover
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.masking import presentable
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.ownership import applied_fields
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from k8s_apply_harness import Object, Sets, actions, custom_kind

pytestmark = pytest.mark.cluster
MANAGER = "aiplatform.eks"
NUMBERS = itertools.count()
KEYS = st.sampled_from(["a", "b", "c", "d.e/f"])
TEXTS = st.sampled_from(["", "1", "x", "true", "long text\nwith lines\n"])
CPU = st.sampled_from(["1", "1000m", "0.5", "250m", 1])
MEMORY = st.sampled_from(["1Gi", "1024Mi", "128974848", "0.5Gi"])


def labels() -> st.SearchStrategy[Object]:
    return st.dictionaries(st.sampled_from(["team", "tier"]), st.sampled_from(["x", "y"]), max_size=2)


def config_maps() -> st.SearchStrategy[Object]:
    data = st.dictionaries(KEYS.map(lambda key: key.replace("/", "_")), TEXTS, max_size=3)
    return st.builds(lambda data, marks: document("v1", "ConfigMap", marks, data=data), data, labels())


def services() -> st.SearchStrategy[Object]:
    def build(ports: list[int], udp: bool, marks: Object) -> Object:
        entries: list[Object] = [{"name": f"p{port}", "port": port} for port in ports]
        if udp:
            entries.append({"name": "udp", "port": 53, "protocol": "UDP", "targetPort": "dns"})
        return document("v1", "Service", marks, spec={"selector": {"app": "x", **marks}, "ports": entries})

    ports = st.lists(st.integers(80, 84), min_size=1, max_size=3, unique=True)
    return st.builds(build, ports, st.booleans(), labels())


@st.composite
def workloads(draw: t.Any) -> Object:
    names = draw(st.permutations(["app", *draw(st.sets(st.sampled_from(["proxy", "log"])))]))
    containers = []
    for name in names:
        env = [
            {"name": key, "value": draw(TEXTS)}
            for key in draw(st.lists(st.sampled_from("ABC"), unique=True, max_size=3))
        ]
        if draw(st.booleans()):
            env.append({"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}})
        container: Object = {"name": name, "image": "a:1", "env": env}
        if draw(st.booleans()):
            container["resources"] = {"requests": {"cpu": draw(CPU), "memory": draw(MEMORY)}}
        if draw(st.booleans()):
            container["ports"] = [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]
        containers.append(container)
    pod: Object = {"containers": containers}
    if draw(st.booleans()):
        pod["tolerations"] = [{"operator": "Exists"}]
    if draw(st.booleans()):
        pod["volumes"] = [{"name": "tmp", "emptyDir": {}}, {"name": "all", "projected": {"sources": [
            {"serviceAccountToken": {"path": "token"}}]}}]  # fmt: skip
    spec: Object = {
        "selector": {"matchLabels": {"app": "x"}},
        "template": {"metadata": {"labels": {"app": "x"}, "creationTimestamp": None}, "spec": pod},
    }
    spec["replicas"] = 0
    if draw(st.booleans()):
        spec["strategy"] = {"rollingUpdate": {"maxSurge": draw(st.sampled_from([1, "25%"]))}}
    return document("apps/v1", "Deployment", draw(labels()), spec=spec)


@st.composite
def custom_objects(draw: t.Any) -> Object:
    spec: Object = {
        "mode": draw(st.sampled_from(["on", "off"]))
    }  # never empty: the server makes null of an emptied map
    if draw(st.booleans()):
        spec["parts"] = [
            {"name": name, "value": draw(st.sampled_from(["1", "2", None]))}
            for name in draw(st.lists(st.sampled_from(["p", "q", "r"]), unique=True, max_size=3))
        ]
    if draw(st.booleans()):
        spec["tags"] = draw(st.lists(st.sampled_from(["s", "t", "u"]), unique=True, max_size=3))
    if draw(st.booleans()):
        spec["free"] = draw(st.sampled_from([{"deep": {"er": [1, {"x": None}]}}, {"list": []}]))
    if draw(st.booleans()):
        spec["port"] = draw(st.sampled_from([80, "http"]))
    if draw(st.booleans()):
        spec["size"] = draw(st.integers(1, 3))
    version = draw(st.sampled_from(["v1", "v2"]))
    return document(f"test.aiplatform/{version}", "Judged", draw(labels()), spec=spec)


def document(api_version: str, kind: str, marks: Object, **rest: t.Any) -> Object:
    metadata: Object = {"name": "subject"}
    if marks:
        metadata["labels"] = marks
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}


OBJECTS = st.tuples(config_maps(), services(), workloads(), custom_objects())
FOREIGN = (
    document("v1", "ConfigMap", {"team": "z"}, data={"a": "foreign", "z": "foreign"}),
    document("v1", "Service", {"foreign": "z"}, spec={"ports": [{"name": "foreign", "port": 9000, "protocol": "TCP"}]}),
    document("apps/v1", "Deployment", {"tier": "z"}, spec={
        "replicas": 0, "minReadySeconds": 5,
        "template": {"spec": {"containers": [{"name": "app", "env": [{"name": "A", "value": "foreign"}]}]}},
    }),
    document("test.aiplatform/v1", "Judged", {}, spec={"size": 9, "parts": [{"name": "p", "value": "foreign"}]}),
)  # fmt: skip


@pytest.fixture(scope="module")
def judged(cluster: t.Any) -> Sets:
    sets = Sets(cluster.kubeconfig_user, cluster.bin / "kubectl")
    kind = custom_kind("judged", "Judged", versions=("v1", "v2"))
    sets.apply("judged-kind", [kind])
    return sets


@given(before=OBJECTS, foreign=st.sets(st.integers(0, 3)), after=OBJECTS)
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # an example takes seconds: shrinking would take minutes
    suppress_health_check=list(HealthCheck),
)
def test_our_apply_is_kubectls(judged: Sets, before: t.Any, foreign: set[int], after: t.Any) -> None:
    ours, twin = (f"judge-{next(NUMBERS)}" for _other in range(2))
    judge = Judge(judged)
    for namespace in (ours, twin):
        judge.make_namespace(namespace)
    for documents in (before, before):  # the second apply settles what the first one's defaults left open
        judged.apply("judged", list(documents), namespace=ours)
        judge.kubectl_apply(twin, documents)
    for number in foreign:
        for namespace in (ours, twin):
            judge.apply(FOREIGN[number], namespace, manager="foreign")

    verdicts = {kind: judge.would_change(one, ours) for one in after if (kind := one["kind"])}
    checked = judged.apply("judged", list(after), namespace=ours, check=True)
    done = judged.apply("judged", list(after), namespace=ours)
    judge.kubectl_apply(twin, after)

    said = {kind.partition("/")[0]: action != "unchanged" for kind, action in actions(checked).items()}
    assert said == verdicts
    assert actions(checked) == actions(done)
    assert checked.diff == done.diff
    for one in after:
        assert judge.state(one, ours) == judge.state(one, twin)
    assert not judged.apply("judged", list(after), namespace=ours).changed


class Judge:
    """Asks the API server itself."""

    def __init__(self, sets: Sets) -> None:
        self._sets = sets
        self._client = KubeClient({"kubeconfig": str(sets.kubeconfig)})
        self._kinds = discover(self._client)

    def make_namespace(self, name: str) -> None:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self._client.request("POST", "/api/v1/namespaces", body=body)

    def path(self, one: Object, namespace: str) -> str:
        return self._kinds.require(one["apiVersion"], one["kind"]).path(namespace=namespace, name="subject")

    def apply(self, one: Object, namespace: str, *, manager: str, dry_run: bool = False) -> Object:
        query = {"fieldManager": manager, "force": "true", **({"dryRun": "All"} if dry_run else {})}
        return self._client.request(
            "PATCH", self.path(one, namespace), query=query, body=one, content_type=APPLY_PATCH
        ).body

    def would_change(self, one: Object, namespace: str) -> bool:
        """Whether a server dry-run of the document as a member of our set changes the object."""
        live = self._client.request("GET", self.path(one, namespace)).body
        member = ApplySet("judged", namespace).member(one)
        answer = self.apply(member, namespace, manager=MANAGER, dry_run=True)
        return not equal_content(live, answer, manager=MANAGER)

    def kubectl_apply(self, namespace: str, documents: t.Iterable[Object]) -> None:
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(documents)})
        self._sets.kubectl(
            "apply", "--server-side", "--force-conflicts", f"--field-manager={MANAGER}", "-n", namespace, "-f", "-",
            text=text,
        )  # fmt: skip

    def state(self, one: Object, namespace: str) -> t.Any:
        """What the object is and what our manager owns of it, without what differs between namespaces and sets."""
        live = self._client.request("GET", self.path(one, namespace)).body
        shown = t.cast("Object", presentable(live))
        shown["metadata"].pop("namespace")
        (shown["metadata"].get("labels") or {}).pop(PART_OF, None)
        (shown["metadata"].get("annotations") or {}).pop("deployment.kubernetes.io/revision", None)
        for name in ("clusterIP", "clusterIPs"):
            (shown.get("spec") or {}).pop(name, None)
        shown["metadata"] = {key: value for key, value in shown["metadata"].items() if value}
        fields = json.loads(json.dumps(applied_fields(live, manager=MANAGER, api_version=one["apiVersion"])))
        owned = fields.get("f:metadata", {}).get("f:labels", {})
        owned.pop(f"f:{PART_OF}", None)
        owned.pop(".", None)
        if not owned:
            fields.get("f:metadata", {}).pop("f:labels", None)
        if not fields.get("f:metadata"):
            fields.pop("f:metadata", None)
        return shown, fields
