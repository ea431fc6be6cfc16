"""Several requests in flight: work goes out on threads while the next piece is read and rendered."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reverse_etl.delivery.context import At

LOOK_SECONDS = 1.0  # between two looks at whether the lease must be kept

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_flight(at: At, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield `work(item)` for each item, as they end, with at most `at.threads` begun and not yet yielded.

    Items are drawn one by one, so that memory holds no more than so many of them. What `work` raises is
    raised here; then nothing more is begun and what is in flight is waited for. An interruption, or a caller
    that leaves early, lets nothing more go out at all, so that the wait is short.

    The lease is kept meanwhile: a request may have to wait for half an hour.
    """
    running: set[Future[Result]] = set()
    try:
        for item in items:
            running.add(at.executor.submit(work, item))
            if len(running) >= at.threads:
                done, running = _ended(at, running)
                yield from (future.result() for future in done)
        while running:
            done, running = _ended(at, running)
            yield from (future.result() for future in done)
    except Exception:
        raise
    except BaseException:  # an interruption here, or whatever ended the caller, who will not see the rest
        at.klaviyo.stop()
        raise
    finally:
        for future in running:
            future.cancel()
        wait(running)


def _ended(at: At, running: set[Future[Result]]) -> tuple[set[Future[Result]], set[Future[Result]]]:
    """Wait until at least one has ended; return those that have, and the others."""
    while True:
        done, left = wait(running, LOOK_SECONDS, FIRST_COMPLETED)
        if done:
            return done, left
        at.state.heartbeat()
