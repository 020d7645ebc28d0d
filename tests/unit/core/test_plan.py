from __future__ import annotations

from ansible_collections.aiplatform.eks.plugins.module_utils._core.plan import Difference, Plan, Step, differences


def test_differences_are_leaves_with_their_path() -> None:
    before = {"scaling": {"min": 1, "max": 2}, "labels": {"a": "1"}, "zones": ["a"]}
    after = {"scaling": {"min": 1, "max": 4}, "labels": {}, "zones": ("a",)}
    assert differences(before, after) == (Difference("labels.a", "1", None), Difference("scaling.max", 2, 4))


def test_a_plan_of_equal_states_changes_nothing() -> None:
    plan = Plan((Step("none", "node pool system", {"a": 1}, {"a": 1}),))
    assert not plan.changed
    assert plan.diff() == []
    assert plan.summaries() == []


def test_a_step_says_which_paths_it_changes() -> None:
    step = Step("update", "node pool system", {"scaling": {"max": 2}}, {"scaling": {"max": 4}})
    assert step.summary() == "update node pool system (scaling.max)"
    assert Plan((step,)).diff()[0]["after"] == {"scaling": {"max": 4}}
