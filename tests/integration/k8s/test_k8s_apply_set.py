from __future__ import annotations

import base64
import json
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s import apply_info
from k8s_apply_harness import (
    Sets,
    actions,
    config_map,
    custom_kind,
    deployment,
    namespace_object,
    requests_counted,
    validated,
)

pytestmark = pytest.mark.cluster
WRITES = {"PATCH", "POST", "PUT", "DELETE"}


def test_the_life_of_a_set(sets: Sets, space: str) -> None:
    objects = [config_map("a", x="1"), config_map("b", x="1"), deployment("web", replicas=0)]
    first = sets.apply("life", objects, namespace=space)
    assert first.changed
    assert first.facts["counts"] == {"created": 3}

    with requests_counted() as requests:
        second = sets.apply("life", objects, namespace=space)
    assert not second.changed
    assert second.facts["counts"] == {"unchanged": 3}
    assert second.diff == ()
    assert len(requests) == 2 + 1 + 2  # discovery, record, one LIST per kind
    assert not WRITES & {method for method, _path in requests}

    edited = [config_map("a", x="2"), deployment("web", replicas=0)]
    checked = sets.apply("life", edited, namespace=space, check=True)
    assert sets.get("configmap", "a", space)["data"] == {"x": "1"}
    done = sets.apply("life", edited, namespace=space)
    assert actions(done) == {"ConfigMap/a": "configured", "ConfigMap/b": "pruned", "Deployment/web": "unchanged"}
    assert checked.diff == done.diff
    assert actions(checked) == actions(done)
    assert checked.facts.keys() == done.facts.keys()
    assert sets.get("configmap", "b", space) is None

    gone = sets.apply("life", [], namespace=space, state="absent", wait=True)
    assert gone.facts["counts"] == {"deleted": 2}
    assert sets.get("configmap", "applyset-life", space) is None
    assert not sets.apply("life", [], namespace=space, state="absent").changed


def test_a_namespace_a_kind_and_its_objects_in_one_set(sets: Sets, fresh: t.Any) -> None:
    space = fresh["metadata"]["name"]
    thing = {
        "apiVersion": "test.aiplatform/v1",
        "kind": "Thing",
        "metadata": {"name": "one", "namespace": space},
        "spec": {"size": 3},
    }
    objects = [thing, config_map("a", space), custom_kind("things", "Thing"), fresh]
    checked = sets.apply("kinds", objects, namespace=space, check=True)
    assert checked.facts["counts"] == {"created": 4}
    assert sets.get("namespace", space) is None
    done = sets.apply("kinds", objects, namespace=space)
    assert done.facts["counts"] == {"created": 4}
    assert checked.diff == done.diff
    assert [entry["wave"] for entry in done.facts["objects"]] == [0, 0, 1, 2]
    again = sets.apply("kinds", objects, namespace=space)
    assert again.facts["counts"] == {"unchanged": 4}

    everything = ["Namespace", "CustomResourceDefinition"]
    kept = sets.apply("kinds", [], namespace=space, state="absent", wait=True)
    assert kept.facts["counts"] == {"deleted": 2, "kept": 2}
    gone = sets.apply("kinds", [], namespace=space, state="absent", wait=True, deletable_kinds=everything)
    assert gone.facts["counts"] == {"deleted": 2}
    assert sets.get("crd", "things.test.aiplatform") is None


def test_secrets_are_folded_and_never_shown(sets: Sets, space: str) -> None:
    def secret(**plain: str) -> dict[str, t.Any]:
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": plain}

    first = sets.apply("hidden", [secret(user="hunter-one", password="hunter-two")], namespace=space)
    second = sets.apply("hidden", [secret(user="hunter-three")], namespace=space)
    assert sets.apply("hidden", [secret(user="hunter-three")], namespace=space).facts["counts"] == {"unchanged": 1}
    live = sets.get("secret", "s", space)
    assert live["data"] == {"user": base64.b64encode(b"hunter-three").decode()}
    assert second.diff[0]["before"]["data"] == {"user": "*** (before)", "password": "*** (before)"}
    assert second.diff[0]["after"]["data"] == {"user": "*** (after)"}
    for outcome in (first, second):
        text = json.dumps([outcome.facts, outcome.diff])
        for word in ("hunter-one", "hunter-two", "hunter-three"):
            assert word not in text
            assert base64.b64encode(word.encode()).decode() not in text


def test_conflicts_name_each_field_and_its_owner(sets: Sets, space: str) -> None:
    sets.apply("conflict", [config_map("a", x="1")], namespace=space)
    other = json.dumps(config_map("a", space, x="2", y="2"))
    sets.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=other", "-f", "-", text=other)
    error = sets.refused("conflict", [config_map("a", x="3")], namespace=space, force_conflicts=False)
    assert "ConfigMap" in error.message
    assert ".data.x" in error.message
    assert '"other"' in error.message
    assert error.details["counts"] == {"failed": 1}
    sets.apply("conflict", [config_map("a", x="3")], namespace=space)
    assert sets.get("configmap", "a", space)["data"] == {"x": "3", "y": "2"}


def test_fields_of_a_client_side_apply_become_ours(sets: Sets, space: str) -> None:
    sets.kubectl("apply", "-f", "-", text=json.dumps(config_map("a", space, old="1", x="1")))
    checked = sets.apply("migrated", [config_map("a", x="1")], namespace=space, check=True)
    assert sets.get("configmap", "a", space)["data"] == {"old": "1", "x": "1"}
    done = sets.apply("migrated", [config_map("a", x="1")], namespace=space)
    assert actions(checked) == actions(done) == {"ConfigMap/a": "configured"}
    assert checked.diff == done.diff
    live = sets.get("configmap", "a", space)
    assert live["data"] == {"x": "1"}
    assert "annotations" not in live["metadata"]
    assert [entry["manager"] for entry in live["metadata"]["managedFields"]] == ["aiplatform.eks"]
    assert not sets.apply("migrated", [config_map("a", x="1")], namespace=space).changed


def test_replicas_that_are_left_to_an_autoscaler_stay_as_they_are(sets: Sets, space: str) -> None:
    scaled = deployment("web", replicas=3)
    sets.apply("scaled", [scaled], namespace=space)
    left = {**scaled, "spec": {key: value for key, value in scaled["spec"].items() if key != "replicas"}}
    checked = sets.apply("scaled", [left], namespace=space, check=True)
    before = sets.get("deployment", "web", space)
    done = sets.apply("scaled", [left], namespace=space)
    after = sets.get("deployment", "web", space)
    assert after["spec"] == before["spec"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"], "not even for a moment"
    assert checked.diff == done.diff
    sets.kubectl("-n", space, "scale", "deployment/web", "--replicas=5")
    assert not sets.apply("scaled", [left], namespace=space).changed
    relabelled = {**left, "metadata": {**left["metadata"], "labels": {"new": "label"}}}
    assert sets.apply("scaled", [relabelled], namespace=space).changed
    assert sets.get("deployment", "web", space)["spec"]["replicas"] == 5
    sets.apply("scaled", [deployment("web", replicas=2)], namespace=space)
    assert sets.get("deployment", "web", space)["spec"]["replicas"] == 2


def test_two_sets_never_steal(sets: Sets, space: str) -> None:
    sets.apply("one", [config_map("shared", x="1")], namespace=space)
    error = sets.refused("two", [config_map("own"), config_map("shared", x="2")], namespace=space)
    assert error.message.startswith("nothing was changed: ConfigMap")
    assert "belongs to another apply set" in error.message
    assert sets.get("configmap", "own", space) is None
    assert sets.get("configmap", "shared", space)["data"] == {"x": "1"}


def test_what_pruning_spares(sets: Sets, space: str) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "none",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    keep = config_map("keep")
    keep["metadata"]["annotations"] = {"aiplatform.eks/keep": "true"}
    many = [config_map(f"c{i}") for i in range(4)]
    sets.apply("guards", [claim, keep, *many], namespace=space)
    error = sets.refused("guards", many[:1], namespace=space, prune_limit=2)
    assert "3 objects left the set" in error.message
    done = sets.apply("guards", many[:1], namespace=space, prune_limit=3)
    assert done.facts["counts"] == {"kept": 2, "pruned": 3, "unchanged": 1}
    reasons = {entry["name"]: entry["reason"] for entry in done.facts["objects"] if entry["action"] == "kept"}
    assert reasons == {
        "data": "PersistentVolumeClaim is guarded; allow it with deletable_kinds",
        "keep": "it carries aiplatform.eks/keep",
    }
    assert not sets.apply("guards", many[:1], namespace=space).changed
    done = sets.apply("guards", many[:1], namespace=space, deletable_kinds=["PersistentVolumeClaim"])
    assert done.facts["counts"] == {"kept": 1, "pruned": 1, "unchanged": 1}


def test_mistakes_are_named_before_the_first_write(sets: Sets, space: str) -> None:
    broken = deployment("web")
    broken["spec"]["template"]["spec"]["containers"][0]["imagePulPolicy"] = "Always"
    broken["spec"]["replicas"] = "2"
    thing = {"apiVersion": "test.aiplatform/v1", "kind": "Gadget", "metadata": {"name": "g"}, "spec": {"sise": 1}}
    with requests_counted() as requests:
        error = sets.refused(
            "wrong", [config_map("a"), broken, custom_kind("gadgets", "Gadget"), thing], namespace=space
        )
    assert not WRITES & {method for method, _path in requests}
    assert sorted(error.details["problems"]) == [
        f"Deployment {space}/web: spec.replicas: needs a whole number, found text",
        f"Deployment {space}/web: spec.template.spec.containers[0].imagePulPolicy: unknown field; "
        "did you mean imagePullPolicy?",
        f"Gadget {space}/g: spec.sise: unknown field; did you mean size?",
    ]


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ([config_map("a"), config_map("a")], "stands twice"),
        ([{"apiVersion": "v1", "kind": "ConfigMapp", "metadata": {"name": "a"}}], "did you mean ConfigMap?"),
        (
            [{"apiVersion": "apps/v2", "kind": "Deployment", "metadata": {"name": "a"}}],
            "it serves Deployment in apps/v1",
        ),
        ([{**namespace_object("x"), "metadata": {"name": "x", "namespace": "y"}}], "is cluster-scoped"),
        ([config_map("a", "nowhere")], "namespace nowhere does not exist"),
        ([{**config_map("a"), "metadata": {"name": "a", "annotations": {"aiplatform.eks/wave": "x"}}}], "from 0 to 99"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: '1', a: '2'}\n", "key 'a' stands twice"),
    ],
)
def test_single_mistakes(sets: Sets, space: str, objects: t.Any, said: str) -> None:
    with requests_counted() as requests:
        assert said in sets.refused("mistake", objects, namespace=space).message
    assert not WRITES & {method for method, _path in requests}


def test_a_job_is_made_anew_when_asked(sets: Sets, space: str) -> None:
    def job(image: str) -> dict[str, t.Any]:
        pod = {"restartPolicy": "Never", "containers": [{"name": "a", "image": image}]}
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "j"},
            "spec": {"suspend": True, "template": {"spec": pod}},
        }

    sets.apply("jobs", [job("a:1")], namespace=space)
    error = sets.refused("jobs", [job("a:2")], namespace=space)
    assert "field is immutable" in error.message
    before = sets.get("job", "j", space)
    checked = sets.apply("jobs", [job("a:2")], namespace=space, recreate="on_immutable", check=True)
    done = sets.apply("jobs", [job("a:2")], namespace=space, recreate="on_immutable")
    assert actions(checked) == actions(done) == {"Job/j": "recreated"}
    assert checked.diff == done.diff
    after = sets.get("job", "j", space)
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert not sets.apply("jobs", [job("a:2")], namespace=space, recreate="on_immutable").changed


def test_a_rewritten_document_costs_no_second_write(sets: Sets, space: str) -> None:
    """Quantities, defaults inside atomic lists and a status are settled by a fixpoint in the record."""
    web = deployment("web", replicas=0)
    container = web["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"requests": {"cpu": "1000m", "memory": "1024Mi"}}
    container["env"] = [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
    sets.apply("rewritten", [web], namespace=space)
    with requests_counted() as requests:
        assert not sets.apply("rewritten", [web], namespace=space).changed
    assert not WRITES & {method for method, _path in requests}
    sets.kubectl("-n", space, "set", "resources", "deployment/web", "--requests=cpu=2")
    done = sets.apply("rewritten", [web], namespace=space)
    assert actions(done) == {"Deployment/web": "configured"}
    assert done.diff[0]["before"]["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "2"


def test_info_lists_members_with_their_readiness(sets: Sets, space: str) -> None:
    def look() -> t.Any:
        options = {"name": "seen", "namespace": space, "kubeconfig": str(sets.kubeconfig)}
        return apply_info.run(validated(apply_info.USE_CASE, options), Context()).facts

    assert look()["exists"] is False
    sets.apply("seen", [config_map("a"), deployment("web", nodeSelector={"none": "such"})], namespace=space)
    facts = look()
    assert facts["exists"]
    assert not facts["ready"]
    assert [(entry["kind"], entry["ready"]) for entry in facts["objects"]] == [
        ("ConfigMap", True),
        ("Deployment", False),
    ]


def test_a_record_of_another_tool_is_left_alone(sets: Sets, space: str) -> None:
    sets.kubectl("-n", space, "create", "configmap", "applyset-foreign")
    assert "is not the record of the apply set" in sets.refused("foreign", [config_map("a")], namespace=space).message
