"""Every layout that the field's blueprints ship is classified, with its reason where no GPU can have it."""

from __future__ import annotations

import pytest
from ansible_collections.aiplatform.eks.plugins.module_utils._core.errors import PlatformError
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.boards import board, boards
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.instances import instance_type
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.nearest import judge
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.policy import sharing_policy
from field_layouts import OPERATOR, SHIPPED, Shipped

NOT_SHIPPED = ("b300", "rtx-pro-4500-blackwell")  # younger than the operator's table


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda one: f"{one.source.partition('@')[0]}: {one.name}")
def test_each_is_classified_with_its_reason(shipped: Shipped) -> None:
    one = instance_type(shipped.instance_type)
    verdict = judge(board(one.board or ""), shipped.layout, on=one.name)
    assert verdict.fault == shipped.fault
    assert shipped.reason in verdict.reason
    pool = {"name": "x", "instance_types": [one.name], "gpu_sharing": {"mode": "mig", "layout": shipped.layout}}
    if verdict.fits:
        found = sharing_policy(pool).layout
        assert found is not None
        assert dict(found.groups[0][1] or ()) == shipped.layout
    else:
        with pytest.raises(PlatformError, match="node pool x: ") as refused:
            sharing_policy(pool)
        assert shipped.reason in str(refused.value)


@pytest.mark.parametrize("name", sorted(boards()))
def test_the_operators_own_layouts_fit_on_every_board_that_has_the_profile(name: str) -> None:
    target = board(name)
    own = {profile: count for profile, count in OPERATOR.items() if profile in target.profiles}
    assert bool(own) == (name not in NOT_SHIPPED)
    verdicts = {profile: judge(target, {profile: count}).fault for profile, count in own.items()}
    if not target.placements_known:
        assert set(verdicts.values()) <= {"unpublished"}
    else:
        wrong = {profile: fault for profile, fault in verdicts.items() if fault}
        assert wrong == ({"1g.10gb": "too_many"} if name == "a100-40gb" else {})
