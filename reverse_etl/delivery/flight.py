"""Several requests in flight: work goes out on threads while the next piece is read and rendered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_flight(executor: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item], most: int) -> Iterator[Result]:
    """Yield `work(item)` for each item, as they end, with at most `most` begun and not yet yielded.

    Items are drawn one by one, so that memory holds no more than `most` of them. What `work` raises is raised here; then, or when
    the caller leaves early, nothing more is begun and what is in flight is waited for.
    """
    running: set[Future[Result]] = set()
    try:
        for item in items:
            running.add(executor.submit(work, item))
            if len(running) >= most:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    finally:
        for future in running:
            future.cancel()
        wait(running)
