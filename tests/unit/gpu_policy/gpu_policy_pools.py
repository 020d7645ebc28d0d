"""Pools of an inventory for tests of the sharing policy."""

from __future__ import annotations

import typing as t


def pool(instance: str, sharing: dict[str, t.Any] | None = None, **more: t.Any) -> dict[str, t.Any]:
    found = {"name": "x", "instance_types": [instance], **more}
    return found if sharing is None else {**found, "gpu_sharing": sharing}


MIXED_LAYOUT = [{"gpus": 4, "profiles": {"1g.10gb": 7}}, {"gpus": 2, "profiles": {"3g.40gb": 2}}, {"gpus": 2}]
