"""When what a request did is read back, where its reply proves nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from reverse_etl.delivery.read_back import wait_until_shown
from tests.clocks import QuickClock

if TYPE_CHECKING:
    from reverse_etl.delivery.context import DeliveryContext


def waits(job_timeout_seconds: float, shown_at: int = 0) -> tuple[list[float], int]:
    """Return the seconds waited at each read, and how often the lease was looked after.

    Everything shows at the read of number `shown_at`; 0 is never.
    """
    renewed: list[None] = []
    clock = QuickClock(start=0.0)
    state = SimpleNamespace(renew_lease_if_due=lambda: renewed.append(None))
    context = SimpleNamespace(clock=clock, state=state, job_timeout_seconds=job_timeout_seconds)
    started = clock.monotonic()
    times: list[float] = []

    def read() -> bool:
        times.append(float(round(clock.monotonic() - started)))
        return len(times) == shown_at

    shown = wait_until_shown(cast("DeliveryContext", context), read)
    assert shown == (len(times) == shown_at)
    return times, len(renewed)


def test_it_is_read_back_after_15_seconds_and_1_3_and_10_minutes() -> None:
    times, renewed = waits(1_800.0)
    assert times == [15.0, 60.0, 180.0, 600.0]
    assert renewed >= 600 / 5


def test_it_is_not_read_again_once_everything_shows() -> None:
    assert waits(1_800.0, shown_at=2)[0] == [15.0, 60.0]


def test_nothing_is_waited_for_after_the_job_timeout() -> None:
    assert waits(100.0)[0] == [15.0, 60.0, 100.0]
