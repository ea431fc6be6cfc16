"""Several requests in flight: work goes out on threads while the next piece is read and rendered."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reverse_etl.delivery.context import DeliveryContext

LEASE_CHECK_SECONDS = 1.0  # between two looks at whether the lease must be kept

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_concurrently(
    context: DeliveryContext, work: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Result]:
    """Yield `work(item)` for each item, as they end, with at most `at.threads` begun and not yet yielded.

    Items are drawn one by one, so that memory holds no more than so many of them. What `work` raises is
    raised here; then nothing more is begun and what is in flight is waited for. An interruption, or a caller
    that leaves early, lets nothing more go out at all, so that the wait is short.

    The lease is kept meanwhile: a request may have to wait for half an hour.
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
    except BaseException:  # an interruption here, or whatever ended the caller, who will not see the rest
        context.klaviyo.stop()
        raise
    finally:
        for future in running:
            future.cancel()
        wait(running)


def _wait_for_any(
    context: DeliveryContext, running: set[Future[Result]]
) -> tuple[set[Future[Result]], set[Future[Result]]]:
    """Wait until at least one has ended; return those that have, and the others."""
    while True:
        done, left = wait(running, LEASE_CHECK_SECONDS, FIRST_COMPLETED)
        if done:
            return done, left
        context.state.renew_lease_if_due()
