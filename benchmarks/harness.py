"""Rows of the benchmark table: one piece of work, our figure, the peer's figure from the same run, the budget."""

from __future__ import annotations

import statistics
import time
import typing as t
from collections.abc import Callable
from dataclasses import asdict, dataclass

Figure = t.Literal["ratio", "value"]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    :param group: k8s, helm, eks, aws, gpu, door, local or site.
    :param work: what was done, in words.
    :param ours: our figure in ``unit``.
    :param peer: who the peer is, or why there is none.
    :param peer_value: the peer's figure in the same unit, None without a peer.
    :param figure: what the budget limits: ``ratio`` (peer / ours, at least) or ``value`` (ours, at most).
    :param budget: the limit from DESIGN 8, None when there is none.
    """

    group: str
    work: str
    ours: float
    unit: str
    peer: str
    peer_value: float | None = None
    figure: Figure = "ratio"
    budget: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times our figure the peer's is; above 1 we are better."""
        return None if self.peer_value is None or not self.ours else self.peer_value / self.ours

    @property
    def met(self) -> bool | None:
        """Whether the budget is met; None without a budget."""
        if self.budget is None:
            return None
        if self.figure == "value":
            return self.ours <= self.budget
        return self.ratio is not None and self.ratio >= self.budget

    def as_json(self) -> dict[str, t.Any]:
        """The row for build/bench.json."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


def median_seconds(work: Callable[[], object], *, repeat: int = 3, warm_up: bool = True) -> float:
    """Median wall time of ``work`` in seconds, after one run that does not count."""
    if warm_up:
        work()
    return statistics.median(seconds(work) for _turn in range(repeat))


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def table(rows: list[Row]) -> str:
    """The rows as text for a terminal."""
    head = ("group", "work", "ours", "peer", "ratio", "budget", "met")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    peer = row.peer if row.peer_value is None else f"{row.peer_value:.3g} {row.unit} ({row.peer})"
    limit = "" if row.budget is None else (f">= {row.budget:g}x" if row.figure == "ratio" else f"<= {row.budget:g}")
    ratio = "" if row.ratio is None else f"{row.ratio:.1f}x"
    met = {True: "yes", False: "NO", None: ""}[row.met]
    return (row.group, row.work, f"{row.ours:.3g} {row.unit}", peer, ratio, limit, met)
