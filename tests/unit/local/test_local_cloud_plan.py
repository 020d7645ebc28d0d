"""What starting and stopping decide, from every state that can be found."""

from __future__ import annotations

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._local.local_cloud_plan import (
    VERSIONS,
    Finding,
    Wish,
    components,
    decide_start,
    decide_stop,
)
from ansible_collections.aiplatform.eks.plugins.module_utils._local.processes import Process
from ansible_collections.aiplatform.eks.plugins.module_utils._local.run_folder import CloudState

ALL = components(aws=True, simulator=True)
WISH = Wish(ALL, "us-east-1", {"pod": "1", "node": "2"})
PROCESSES = {name: Process(number, "1") for number, name in enumerate(ALL, start=10)}
STATE = CloudState(
    versions=VERSIONS, binaries="/bin", region="us-east-1", ports={}, processes=PROCESSES, stages=WISH.stages
)
STRAY = Process(99, "1")


def without(*names: str) -> dict[str, Process]:
    return {name: process for name, process in PROCESSES.items() if name not in names}


def test_the_components_and_their_order():
    assert components(aws=False, simulator=False) == ALL[:5]
    assert ALL[5:] == ("aws", "simulator")


def test_nothing_there_creates_all():
    decision = decide_start(WISH, Finding())
    assert decision.mode == "fresh"
    assert decision.start == ALL
    assert decision.plan.summaries() == [f"create {name}" for name in ALL]
    assert all(entry["before"] == {} for entry in decision.plan.diff())


def test_missing_programs_are_a_step():
    steps = decide_start(WISH, Finding(have_binaries=False)).plan.summaries()
    assert steps[0].startswith("create Kubernetes programs")


def test_all_well_changes_nothing():
    decision = decide_start(WISH, Finding(state=STATE, alive=PROCESSES))
    assert (decision.mode, decision.plan.changed, decision.start, decision.end) == ("nothing", False, (), ())


@pytest.mark.parametrize(
    "state",
    [
        CloudState(versions={"kubernetes": "1.35.0"}, region="us-east-1", processes=PROCESSES, stages=WISH.stages),
        CloudState(versions=VERSIONS, region="eu-west-1", processes=PROCESSES, stages=WISH.stages),
        CloudState(versions=VERSIONS, region="us-east-1", processes=PROCESSES),
    ],
    ids=["other versions", "other region", "start not ended"],
)
def test_what_cannot_be_kept_is_replaced_as_a_whole(state):
    decision = decide_start(WISH, Finding(state=state, alive=PROCESSES))
    assert decision.mode == "fresh"
    assert decision.end == tuple(reversed(PROCESSES.values()))
    steps = decision.plan.summaries()
    assert steps[0].startswith("delete simulator: ")
    assert steps[len(ALL) :] == [f"create {name}" for name in ALL]


def test_what_died_or_hangs_is_made_anew_and_the_rest_kept():
    sick = {"kwok": "its process has ended", "aws": "it runs but does not answer at x"}
    decision = decide_start(WISH, Finding(state=STATE, alive=without("kwok"), sick=sick))
    assert decision.mode == "repair"
    assert decision.start == ("kwok", "aws")
    assert decision.end == (PROCESSES["aws"],), "what hangs is ended first"
    assert decision.plan.summaries() == [
        "recreate kwok (state): its process has ended",
        "recreate aws (state): it runs but does not answer at x",
    ]


def test_a_part_more_and_a_part_less():
    bare = Wish(components(aws=False, simulator=False), "us-east-1", WISH.stages)
    less = decide_start(bare, Finding(state=STATE, alive=PROCESSES))
    assert less.end == (PROCESSES["simulator"], PROCESSES["aws"])
    assert less.plan.summaries() == ["delete simulator: not wanted", "delete aws: not wanted"]
    known = CloudState(versions=VERSIONS, region="us-east-1", processes=without("aws", "simulator"), stages=WISH.stages)
    more = decide_start(
        WISH, Finding(state=known, alive=without("aws", "simulator"), sick=dict.fromkeys(("aws", "simulator"), "no"))
    )
    assert more.plan.summaries() == ["create aws", "create simulator"]


def test_stages_are_converged_without_a_restart():
    wish = Wish(ALL, "us-east-1", {"pod": "1", "node": "3", "new": "4"})
    state = CloudState(
        versions=VERSIONS, region="us-east-1", processes=PROCESSES, stages={"pod": "1", "node": "2", "old": "0"}
    )
    decision = decide_start(wish, Finding(state=state, alive=PROCESSES))
    assert (decision.mode, decision.start, decision.end) == ("repair", (), ())
    assert decision.plan.summaries() == [
        "create kwok stage new",
        "update kwok stage node (digest)",
        "delete kwok stage old",
    ]


def test_forgotten_processes_are_ended_in_every_mode():
    for finding in (
        Finding(forgotten=(STRAY,)),
        Finding(state=STATE, alive=PROCESSES, forgotten=(STRAY,)),
    ):
        decision = decide_start(WISH, finding)
        assert STRAY in decision.end
        assert any(step.startswith("delete process 99") for step in decision.plan.summaries())
    assert decide_stop(Finding(forgotten=(STRAY,))).end == (STRAY,)


def test_stopping_ends_in_reverse_and_deletes_the_data():
    decision = decide_stop(Finding(state=STATE, alive=PROCESSES, leftovers=True))
    assert decision.end == tuple(reversed(PROCESSES.values()))
    assert decision.plan.summaries()[-1] == "delete the local cloud's data"
    assert decide_stop(Finding(leftovers=True)).plan.changed
    assert not decide_stop(Finding()).plan.changed
