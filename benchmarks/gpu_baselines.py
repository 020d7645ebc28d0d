"""How others place MIG instances on equal GPUs: what the planner is measured against.

First fit and first fit decreasing with lowest or highest start, and a greedy in the style of nos (nebuly): for each GPU
the layout that gives most of the instances still missing. They are re-implementations of the idea, not the tools. None
of the tools chooses instance types: here each demand takes the type on which a full GPU of its instances is cheapest.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.boards import Board, board
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.demands import Demand, Offer, slots
from ansible_collections.aiplatform.eks.plugins.module_utils._gpu.geometry import maximal_layouts

Choice = Callable[[Sequence[int]], int]
Peer = Callable[[Board, Iterable[str]], int]


def first_fit(target: Board, arrivals: Iterable[str], *, choice: Choice = min) -> int:
    """GPUs used when each instance goes on the first GPU that has room."""
    taken: list[int] = []
    begin: dict[str, int] = defaultdict(int)  # the first GPU that may have room; GPUs only fill up
    for name in arrivals:
        profile = target.profiles[name]
        masks = {start: ((1 << (profile.size or 0)) - 1) << start for start in profile.starts or ()}
        for index in range(begin[name], len(taken)):
            if starts := [start for start, mask in masks.items() if not mask & taken[index]]:
                taken[index] |= masks[choice(starts)]
                begin[name] = index
                break
        else:
            begin[name] = len(taken)
            taken.append(masks[choice(tuple(masks))])
    return len(taken)


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


PEERS: Mapping[str, Peer] = {
    "first fit, lowest start": first_fit,
    "first fit, highest start": lambda target, arrivals: first_fit(target, arrivals, choice=max),
    "first fit decreasing, lowest start": first_fit_decreasing,
    "first fit decreasing, highest start": lambda target, arrivals: first_fit_decreasing(target, arrivals, choice=max),
    "greedy in the style of nos": nos_style,
}


def bought(demands: Sequence[Demand], arrivals: Iterable[str], offers: Sequence[Offer], peer: Peer) -> Counter[str]:
    """Instance type -> nodes, when each demand takes the type where it is cheapest and a peer fills the GPUs.

    :param arrivals: names of demands, one for each instance, in the order in which they come.
    """
    homes = {demand.name: min(_homes(demand, offers)) for demand in demands}
    by_type: dict[str, list[str]] = defaultdict(list)
    for name in arrivals:
        _cost, type_name, profile = homes[name]
        by_type[type_name].append(profile)
    types = {offer.one.name: offer.one for offer in offers}
    return Counter(
        {
            name: math.ceil(peer(board(types[name].board or ""), profiles) / types[name].accelerator_count)
            for name, profiles in by_type.items()
        }
    )


def _homes(demand: Demand, offers: Sequence[Offer]) -> Iterable[tuple[float, str, str]]:
    """(price of an instance when it has GPUs of its own, type, profile) wherever it fits."""
    for offer in offers:
        target = board(offer.one.board or "")
        for slot in slots(offer.one.name).values():
            if slot.name in target.profiles and demand.accepts(slot, target.id):
                each = offer.price / offer.one.accelerator_count / target.profiles[slot.name].max_instances
                yield each, offer.one.name, slot.name
