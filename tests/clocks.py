"""Clocks on which a test's hour takes no time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from reverse_etl.klaviyo.rate_limit import EndpointLimiter

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from reverse_etl.klaviyo.rate_limit import Permit, Quota


NOON = 1_795_348_800.0  # of 22 November 2026, in UTC


class QuickClock:
    """A clock on which only waiting takes time: a sleep ends at once, and the clock shows its end.

    How busy the machine is changes nothing. Sleeps of several threads overlap: a sleep begins when its thread
    last looked at the clock. Each look takes a `tick`, so that what happens later has a later time. While
    `is_idle` says no, a sleep ends without any time gone by. Thread-safe.
    """

    def __init__(self, start: float = NOON, tick: float = 0.0) -> None:
        self.slept: list[float] = []
        self.tick = tick
        self.is_idle: Callable[[], bool] = lambda: True
        self.seconds = 1_000.0
        self._start = start - self.seconds
        self._thread = threading.local()
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        """Return seconds since some fixed point."""
        with self._lock:
            self.seconds += self.tick
            self._thread.seconds = self.seconds
            return self.seconds

    def now(self) -> float:
        """Return the time of day."""
        return self._start + self.monotonic()

    def sleep(self, seconds: float) -> None:
        """Move on to `seconds` after this thread's last look."""
        if not self.is_idle():
            time.sleep(0.001)  # for those who are busy
            return
        with self._lock:
            self.slept.append(seconds)
            begun = getattr(self._thread, "seconds", self.seconds)
            self.seconds = max(self.seconds, begun + seconds)
            self._thread.seconds = self.seconds

    def leap(self, seconds: float) -> None:
        """Let so many seconds pass at once."""
        with self._lock:
            self.seconds += seconds


class OtherClock:
    """A clock that shows another time of day, so many seconds `ahead`, and waits as the first one."""

    def __init__(self, clock: QuickClock, ahead: float) -> None:
        self.now = lambda: clock.now() + ahead
        self.monotonic = clock.monotonic
        self.sleep: Callable[[float], None] = clock.sleep


def stop_while_in_flight(clock: QuickClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no sleep take time on a clock while a request is in flight.

    A thread that waits for a slot asks again and again until another one has its reply. On a busy machine the
    clock would show hours then, and a lease would expire. For one client at a time.
    """
    acquire, release, cancel = EndpointLimiter.acquire, EndpointLimiter.release, EndpointLimiter.cancel
    in_flight = 0

    def count_acquired(limiter: EndpointLimiter, now: float) -> Permit:
        nonlocal in_flight
        in_flight += 1
        return acquire(limiter, now)

    def count_released(
        limiter: EndpointLimiter, now: float, permit: Permit, *, replied: bool, quota: Quota | None = None
    ) -> None:
        nonlocal in_flight
        in_flight -= 1
        release(limiter, now, permit, replied=replied, quota=quota)

    def count_cancelled(limiter: EndpointLimiter, permit: Permit) -> None:
        nonlocal in_flight
        in_flight -= 1
        cancel(limiter, permit)

    monkeypatch.setattr(EndpointLimiter, "acquire", count_acquired)
    monkeypatch.setattr(EndpointLimiter, "release", count_released)
    monkeypatch.setattr(EndpointLimiter, "cancel", count_cancelled)
    clock.is_idle = lambda: not in_flight
