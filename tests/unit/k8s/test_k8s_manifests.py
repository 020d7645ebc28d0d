from __future__ import annotations

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.manifests import parse_manifests, plain

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
BOMB = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + inner] * 40)}]\n" for inner, name in zip("abcd", "bcde", strict=True)
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("0644", 420),
        ("0o644", 420),
        ("0x1F", 31),
        ("1_000", 1000),
        ("1e3", 1000),
        ("1e-2", 0.01),
        (".5", 0.5),
        ("08", 8),
        ("-5", -5),
        ("yes", True),
        ("off", False),
        ("y", "y"),
        ("~", None),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        (".", "."),
        ("100m", "100m"),
    ],
)
def test_plain_scalars(text: str, value: object) -> None:
    assert plain(text) == value
    assert type(plain(text)) is type(value)


def test_documents_lists_and_empty_ones() -> None:
    item = "{apiVersion: v1, kind: Secret, metadata: {name: b}}"
    text = f"---\n{OBJECT}---\n---\napiVersion: v1\nkind: List\nitems:\n- {item}\n"
    assert [document["metadata"]["name"] for document in parse_manifests(text, source="x")] == ["a", "b"]


def test_anchors_and_merge_keys() -> None:
    text = OBJECT + "x: &x {a: '1', b: '2'}\ndata: {<<: *x, b: '3'}\n"
    assert parse_manifests(text, source="x")[0]["data"] == {"a": "1", "b": "3"}


def test_keys_become_text_as_in_json() -> None:
    assert parse_manifests(OBJECT + "data: {1: a, true: b}", source="x")[0]["data"] == {"1": "a", "true": "b"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OBJECT + "data:\n  a: 1\n  a: 2\n", "f.yml, line 6, column 3: key 'a' stands twice, first on line 5"),
        (OBJECT + "data: !vault x\n", "the tag '!vault' is not allowed"),
        (OBJECT + "data: {a: .inf}\n", "'.inf' is no number"),
        (OBJECT + "data: [\n", "f.yml: not valid YAML"),
        ("kind: ConfigMap\nmetadata: {name: a}\n", "document 1: ConfigMap needs apiVersion as text, found nothing"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n", "has generateName"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: 5}\n", "needs metadata.name as text, found 5"),
        ("just words", "an object was expected, found str"),
        ("a: &a [*a]", "aliases expand without end"),
        (BOMB, "without end"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(PlatformError) as caught:
        parse_manifests(text, source="f.yml")
    assert said in str(caught.value)
