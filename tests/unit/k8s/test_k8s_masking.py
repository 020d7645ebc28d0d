from __future__ import annotations

from ansible_collections.aiplatform.eks.plugins.module_utils._k8s.masking import (
    LAST_APPLIED,
    MaskRule,
    is_secret,
    masked,
    masked_pair,
    presentable,
)


def secret(**data: str) -> dict[str, object]:
    return {"kind": "Secret", "metadata": {"name": "s"}, "data": data}


def test_secret_values_show_only_whether_they_change() -> None:
    before, after = masked_pair(secret(a="1", b="2", c="3"), secret(a="1", b="x", d="4"))
    assert before == secret(a="***", b="*** (before)", c="*** (before)")
    assert after == secret(a="***", b="*** (after)", d="*** (after)")
    assert masked_pair(None, secret(a="1")) == (None, secret(a="*** (after)"))
    assert masked(secret(a="1")) == secret(a="***")


def test_rules_of_the_user_reach_into_lists() -> None:
    rules = [MaskRule("Thing", "spec.users.*.password"), MaskRule("*", "spec.token")]
    thing = {"kind": "Thing", "spec": {"users": [{"name": "a", "password": "p"}], "token": {"x": ["y"]}}}
    assert masked(thing, rules)["spec"] == {"users": [{"name": "a", "password": "***"}], "token": {"x": ["***"]}}
    assert thing["spec"]["users"][0]["password"] == "p"  # type: ignore[index]
    assert masked({"kind": "Other", "spec": {"users": "x"}}, rules) == {"kind": "Other", "spec": {"users": "x"}}
    assert is_secret("Thing", rules)
    assert not is_secret("Other", rules[:1])


def test_bookkeeping_and_the_copy_of_the_last_document_are_left_out() -> None:
    live = {
        "kind": "Secret",
        "metadata": {"name": "s", "uid": "1", "managedFields": [], "annotations": {LAST_APPLIED: "{secret}", "a": "b"}},
        "status": {},
    }
    assert presentable(live) == {"kind": "Secret", "metadata": {"name": "s", "annotations": {"a": "b"}}}
    assert presentable(None) is None
