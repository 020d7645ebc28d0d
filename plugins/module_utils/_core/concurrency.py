# Copyright (c) 2026, the aiplatform.eks engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bounded concurrency with two ways to treat errors."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from .errors import PlatformError

A = t.TypeVar("A")
B = t.TypeVar("B")


class ConcurrentError(PlatformError):
    """Several pieces of work, of which some failed.

    :param failures: (item, error) of every piece that failed, in the order of the items.
    :param results: (item, result) of every piece that ended well.
    """

    def __init__(self, failures: list[tuple[t.Any, Exception]], results: list[tuple[t.Any, t.Any]]) -> None:
        super().__init__("; ".join(str(error) for _item, error in failures))
        self.failures = failures
        self.results = results


def map_concurrently(
    work: Callable[[A], B],
    items: Iterable[A],
    *,
    workers: int = 16,
    errors: t.Literal["first", "all"] = "first",
) -> list[B]:
    """Run C(work) on every item, at most C(workers) at once, and return the results in the items' order.

    :param errors: C(first) raises the first error at once (work that has not begun is never begun, work that
        has begun is awaited); C(all) ends all the work, then raises a ConcurrentError.
    :raises ConcurrentError: with C(errors=all), when a piece failed.
    """
    todo = list(items)
    if len(todo) <= 1 and errors == "first":
        return [work(item) for item in todo]
    with ThreadPoolExecutor(max_workers=max(1, min(workers, len(todo)))) as pool:
        futures = [pool.submit(work, item) for item in todo]
        if errors == "first":
            _raise_first(pool, futures)
        else:
            wait(futures)
    if errors == "all":
        _raise_all(todo, futures)
    return [future.result() for future in futures]


def _raise_first(pool: ThreadPoolExecutor, futures: list[Future[B]]) -> None:
    done, _pending = wait(futures, return_when=FIRST_EXCEPTION)
    failed = [future for future in futures if future in done and future.exception() is not None]
    if failed:
        pool.shutdown(wait=True, cancel_futures=True)
        failed[0].result()


def _raise_all(todo: list[A], futures: list[Future[B]]) -> None:
    failures: list[tuple[t.Any, Exception]] = []
    for item, future in zip(todo, futures, strict=True):
        error = future.exception()
        if isinstance(error, Exception):
            failures.append((item, error))
        elif error is not None:
            raise error
    if failures:
        failed = {id(item) for item, _error in failures}
        raise ConcurrentError(
            failures,
            [(item, future.result()) for item, future in zip(todo, futures, strict=True) if id(item) not in failed],
        )


__all__ = ("ConcurrentError", "map_concurrently")
