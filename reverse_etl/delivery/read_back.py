"""When to read back what a request did, where its reply proves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverse_etl.delivery.context import DeliveryContext

READ_BACK_SECONDS: Final = (15.0, 60.0, 180.0, 600.0)  # after the last request
_SLEEP_SECONDS: Final = 5.0  # between two checks whether the lease must be renewed


def wait_until_shown(
    context: DeliveryContext, is_shown: Callable[[], bool], schedule: Sequence[float] = READ_BACK_SECONDS
) -> bool:
    """Read at the times of the schedule until everything shows, and return whether it does.

    `is_shown` reads. It is not called after the job timeout. Renews the lease meanwhile.
    """
    started = context.clock.monotonic()
    for due in dict.fromkeys(min(seconds, context.job_timeout_seconds) for seconds in schedule):
        while (left := started + due - context.clock.monotonic()) > 0:
            context.state.renew_lease_if_due()
            context.clock.sleep(min(left, _SLEEP_SECONDS))
        if is_shown():
            return True
    return False
