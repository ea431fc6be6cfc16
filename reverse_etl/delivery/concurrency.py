"""Concurrent requests: threads send while the caller reads and encodes the next batch."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reverse_etl.delivery.context import DeliveryContext

LEASE_CHECK_SECONDS = 1.0  # between two checks whether the lease must be renewed

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_concurrently(
    context: DeliveryContext, work: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Result]:
    """Yield `work(item)` for each item in order of completion, with at most `context.threads` in progress.

    Items are read one by one, so memory holds at most that many. An exception of `work` is raised here, after
    the requests in progress have ended; no new ones start. If the caller is interrupted or stops early,
    waiting requests are cancelled too, so that the wait is short. Renews the lease meanwhile: a request may
    wait half an hour for its quota.
    """
    running: set[Future[Result]] = set()
    try:
        for item in items:
            running.add(context.executor.submit(work, item))
            if len(running) >= context.threads:
                done, running = _wait_for_any(context, running)
                yield from (future.result() for future in done)
        while running:
            done, running = _wait_for_any(context, running)
            yield from (future.result() for future in done)
    except Exception:
        raise
    except BaseException:  # an interruption here, or of the caller, who reads no further results
        context.klaviyo.stop()
        raise
    finally:
        for future in running:
            future.cancel()
        wait(running)


def _wait_for_any(
    context: DeliveryContext, running: set[Future[Result]]
) -> tuple[set[Future[Result]], set[Future[Result]]]:
    """Wait until at least one future is done; return the done ones and the others."""
    while True:
        done, unfinished = wait(running, LEASE_CHECK_SECONDS, FIRST_COMPLETED)
        if done:
            return done, unfinished
        context.state.renew_lease_if_due()
