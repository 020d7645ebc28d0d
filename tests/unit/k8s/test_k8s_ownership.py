from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.ownership import fixpoint, migration, same, settled
from hypothesis import given, settings
from hypothesis import strategies as st

Object = dict[str, t.Any]
MANAGER = "ours"


def live(fields: Object, **content: t.Any) -> Object:
    entry = {"manager": MANAGER, "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields}
    metadata = {"name": "a", "uid": "1", "resourceVersion": "5", "managedFields": [entry]}
    return {"apiVersion": "v1", "kind": "X", "metadata": metadata, **content}


def desired(**content: t.Any) -> Object:
    return {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}, **content}


PORTS = {
    'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:name": {}},
    'k:{"port":53,"protocol":"UDP"}': {".": {}, "f:port": {}, "f:protocol": {}},
}
LIVE_PORTS = [{"port": 80, "protocol": "TCP", "name": "h"}, {"port": 53, "protocol": "UDP"}]
WANTED_PORTS = [{"port": 80, "name": "h"}, {"port": 53, "protocol": "UDP"}]
TAGS = {'v:"s"': {}, 'v:"t"': {}}


@pytest.mark.parametrize(
    ("fields", "content", "wanted", "result"),
    [
        pytest.param({"f:data": {"f:a": {}}}, {"data": {"a": "1"}}, {"data": {"a": "1"}}, True, id="equal"),
        pytest.param({"f:data": {"f:a": {}}}, {"data": {"a": "1", "b": "2"}}, {"data": {"a": "1"}}, True, id="extra"),
        pytest.param({"f:data": {"f:a": {}}}, {"data": {"a": "2"}}, {"data": {"a": "1"}}, False, id="drift"),
        pytest.param({"f:data": {"f:a": {}, "f:b": {}}}, {"data": {"a": "1", "b": "2"}}, {"data": {"a": "1"}}, False,
                     id="a key to remove"),
        pytest.param({"f:data": {"f:a": {}}}, {"data": {"a": "1"}}, {"data": {"a": "1", "b": "2"}}, False, id="to add"),
        pytest.param({"f:data": {"f:a": {}}}, {}, {"data": {"a": "1"}}, False, id="gone"),
        pytest.param({"f:data": {}}, {"data": {}}, {"data": {}}, True, id="empty map"),
        pytest.param({"f:n": {}}, {"n": True}, {"n": 1}, False, id="true is not one"),
        pytest.param({"f:n": {}}, {"n": 1}, {"n": 1.0}, True, id="numbers"),
        pytest.param({"f:x": {}}, {"x": [{"a": 1, "d": 2}]}, {"x": [{"a": 1}]}, False, id="atomic with defaults"),
        pytest.param({"f:p": PORTS}, {"p": LIVE_PORTS}, {"p": WANTED_PORTS}, True, id="keyed list, a defaulted key"),
        pytest.param({"f:p": PORTS}, {"p": LIVE_PORTS[::-1]}, {"p": WANTED_PORTS}, False, id="keyed list, other order"),
        pytest.param({"f:p": PORTS}, {"p": LIVE_PORTS[:1]}, {"p": WANTED_PORTS}, False, id="keyed list, item gone"),
        pytest.param({"f:p": PORTS}, {"p": [*LIVE_PORTS, {"port": 1}]}, {"p": WANTED_PORTS}, True, id="keyed, extra"),
        pytest.param({"f:p": PORTS}, {"p": LIVE_PORTS}, {"p": WANTED_PORTS[:1]}, False, id="keyed list, to remove"),
        pytest.param({"f:t": TAGS}, {"t": ["s", "t"]}, {"t": ["s", "t"]}, True, id="set"),
        pytest.param({"f:t": TAGS}, {"t": ["s", "x", "t"]}, {"t": ["s", "t"]}, True, id="set, others add"),
        pytest.param({"f:t": TAGS}, {"t": ["t", "s"]}, {"t": ["s", "t"]}, False, id="set, other order"),
        pytest.param({"f:t": TAGS}, {"t": ["s", "t"]}, {"t": ["s"]}, False, id="set, item to remove"),
        pytest.param({"f:x": {"f:y": {}}}, {"x": 1}, {"x": {"y": 1}}, False, id="another shape"),
        pytest.param({"f:x": {"f:y": {}}}, {"x": {"y": 1}}, {"x": None}, False, id="null"),
    ],
)  # fmt: skip
def test_what_is_certain(fields: Object, content: Object, wanted: Object, result: bool) -> None:
    assert settled(desired(**wanted), live(fields, **content), manager=MANAGER) is result


def test_only_our_own_apply_in_the_same_version_counts() -> None:
    found = live({"f:data": {"f:a": {}}}, data={"a": "1"})
    wanted = desired(data={"a": "1"})
    assert settled(wanted, found, manager=MANAGER)
    assert not settled(wanted, found, manager="theirs")
    assert not settled({**wanted, "apiVersion": "v2"}, found, manager=MANAGER)
    for key, value in (("operation", "Update"), ("subresource", "status")):
        other = copy.deepcopy(found)
        other["metadata"]["managedFields"][0][key] = value
        assert not settled(wanted, other, manager=MANAGER)


def test_a_fixpoint_sees_every_change_that_matters() -> None:
    found = live({"f:spec": {"f:cpu": {}}}, spec={"cpu": "1"}, status={"x": 1})
    wanted = desired(spec={"cpu": "1000m"})
    point = fixpoint(wanted, found, manager=MANAGER)
    noise = {**found, "status": {"x": 2}, "metadata": {**found["metadata"], "resourceVersion": "6"}}
    assert fixpoint(wanted, noise, manager=MANAGER) == point
    assert fixpoint(desired(spec={"cpu": "2"}), found, manager=MANAGER) != point
    assert fixpoint(wanted, {**found, "spec": {"cpu": "2"}}, manager=MANAGER) != point
    assert fixpoint(wanted, live({"f:spec": {}}, spec={"cpu": "1"}), manager=MANAGER) != point


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)


def fields_of(value: t.Any) -> Object:
    """The fields that a server records for a map, lists being atomic."""
    return {f"f:{key}": fields_of(inner) if isinstance(inner, dict) else {} for key, inner in value.items()}


@given(
    st.dictionaries(st.sampled_from("xyz"), JSON, max_size=3), st.dictionaries(st.sampled_from("xyz"), JSON, max_size=3)
)
@settings(derandomize=True, max_examples=200)
def test_an_applied_document_is_settled_and_another_is_not(applied: Object, other: Object) -> None:
    found = live({"f:spec": fields_of(applied)}, spec=applied)
    assert settled(desired(spec=applied), found, manager=MANAGER)
    assert settled(desired(spec=other), found, manager=MANAGER) is same(applied, other)


def test_the_fields_of_old_managers_are_handed_over() -> None:
    found = live({"f:data": {"f:a": {}}}, data={"a": "1", "b": "2"})
    old = {"manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
           "fieldsV1": {"f:data": {"f:b": {}}}}  # fmt: skip
    status = {**old, "subresource": "status"}
    found["metadata"]["managedFields"] += [old, status]
    assert migration(found, manager=MANAGER, managers=["nobody"]) is None
    patch = migration(found, manager=MANAGER, managers=["kubectl-client-side-apply"])
    assert patch is not None
    assert [entry["manager"] for entry in patch[0]["value"]] == [MANAGER, "kubectl-client-side-apply"]
    assert patch[0]["value"][0]["fieldsV1"] == {"f:data": {"f:a": {}, "f:b": {}}}
    assert patch[1] == {"op": "replace", "path": "/metadata/resourceVersion", "value": "5"}
    found["metadata"]["managedFields"] = [old]
    patch = migration(found, manager=MANAGER, managers=["kubectl-client-side-apply"])
    assert patch is not None
    assert patch[0]["value"] == [{**old, "manager": MANAGER, "operation": "Apply"}]
