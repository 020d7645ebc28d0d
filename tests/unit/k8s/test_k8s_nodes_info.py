from __future__ import annotations

import typing as t

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.clock import SteppingClock
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import TimedOutError
from ansible_collections.aiplatform.eks.plugins.module_utils._core.outcome import Context
from ansible_collections.aiplatform.eks.plugins.module_utils._k8s import listing, nodes_info


def node(name: str, *, ready: bool) -> dict[str, t.Any]:
    return {
        "metadata": {"name": name},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}], "capacity": {"cpu": "8"}},
    }


class Answers:
    """A client whose looks see one page list after the other."""

    def __init__(self, *looks: list[dict[str, t.Any]]) -> None:
        self.looks = list(looks)

    def __call__(self, _options: t.Any) -> Answers:
        return self

    def request(self, *_arguments: t.Any, query: dict[str, t.Any], **_keywords: t.Any) -> t.Any:
        assert query["limit"] == listing.PAGE
        items = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        return type("Answer", (), {"body": {"items": items, "metadata": {}}})


def run(monkeypatch: pytest.MonkeyPatch, answers: Answers, context: Context, **options: t.Any) -> t.Any:
    monkeypatch.setattr(nodes_info, "connect", lambda _options, _context: answers({}))
    return nodes_info.run({"wait_timeout": 10, **options}, context)


def test_it_waits_until_enough_nodes_are_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SteppingClock()
    answers = Answers([], [node("b", ready=False)], [node("b", ready=True), node("a", ready=False)])
    outcome = run(monkeypatch, answers, Context(clock=clock), minimum_ready=1)
    assert [entry["name"] for entry in outcome.facts["nodes"]] == ["a", "b"]
    assert len(clock.slept) == 2


def test_too_few_nodes_are_said_with_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers([node("a", ready=False)])
    with pytest.raises(TimedOutError, match="0 of 2 nodes with pool=x are ready after 10 s; not ready: a;"):
        run(monkeypatch, answers, Context(clock=SteppingClock()), minimum_ready=2, label_selector="pool=x")


def test_check_mode_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SteppingClock()
    run(monkeypatch, Answers([]), Context(check_mode=True, clock=clock), minimum_ready=2)
    assert clock.slept == []
