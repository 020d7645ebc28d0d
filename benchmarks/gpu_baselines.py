"""How others place MIG instances on equal GPUs: what the planner is measured against.

First fit and first fit decreasing with lowest or highest start, and a greedy in the style of nos (nebuly): for each GPU
the layout that gives most of the instances still missing. They are re-implementations of the idea, not the tools.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.boards import Board
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.geometry import maximal_layouts

Choice = Callable[[Sequence[int]], int]


def first_fit(target: Board, arrivals: Iterable[str], *, choice: Choice = min) -> int:
    """GPUs used when each instance goes on the first GPU that has room."""
    gpus: list[set[int]] = []
    for name in arrivals:
        profile = target.profiles[name]
        size = profile.size or 0
        for taken in gpus:
            starts = [start for start in profile.starts or () if not taken & set(range(start, start + size))]
            if starts:
                start = choice(starts)
                taken.update(range(start, start + size))
                break
        else:
            start = choice(profile.starts or ())
            gpus.append(set(range(start, start + size)))
    return len(gpus)


def first_fit_decreasing(target: Board, arrivals: Iterable[str], *, choice: Choice = min) -> int:
    """The same, largest instances first."""

    def size(name: str) -> tuple[int, int, str]:
        profile = target.profiles[name]
        return -(profile.size or 0), -profile.compute_slices, name

    return first_fit(target, sorted(arrivals, key=size), choice=choice)


def nos_style(target: Board, arrivals: Iterable[str]) -> int:
    """GPUs used when each takes the layout that provides most missing instances."""
    missing = Counter(arrivals)
    layouts = maximal_layouts(target)
    gpus = 0
    while missing:
        best = max(layouts, key=lambda layout: (_provides(layout, missing), sorted(layout.items())))
        missing -= Counter(best)
        gpus += 1
    return gpus


def _provides(layout: Mapping[str, int], missing: Counter[str]) -> int:
    return (Counter(layout) & missing).total()


PEERS: Mapping[str, Callable[[Board, Iterable[str]], int]] = {
    "first fit, lowest start": first_fit,
    "first fit, highest start": lambda target, arrivals: first_fit(target, arrivals, choice=max),
    "first fit decreasing, lowest start": first_fit_decreasing,
    "first fit decreasing, highest start": lambda target, arrivals: first_fit_decreasing(target, arrivals, choice=max),
    "greedy in the style of nos": nos_style,
}
