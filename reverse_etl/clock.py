"""Clocks are passed as arguments, so that a test can let an hour pass in a second."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Monotonic seconds, the time of day, and a way to wait."""

    def monotonic(self) -> float:
        """Return seconds since a fixed but unspecified point; the value never decreases."""
        ...

    def now(self) -> float:
        """Return seconds since the epoch (UTC)."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock; at once if `seconds` is not positive."""
        ...


class SystemClock:
    """The clock of this machine."""

    def monotonic(self) -> float:
        """Return `time.monotonic()`."""
        return time.monotonic()

    def now(self) -> float:
        """Return `time.time()`."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Sleep in real time."""
        if seconds > 0:
            time.sleep(seconds)


class CancellableSleep:
    """A wait that another thread can cancel, for example when a run is interrupted."""

    _SLICE = 0.5  # seconds of the clock between two checks for cancellation
    _MIN_SECONDS = 0.001  # a shorter sleep may be below the clock's resolution, and the loop would spin

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cancelled = threading.Event()

    def wait(self, seconds: float) -> bool:
        """Wait `seconds` of the clock and return True; return False soon after `cancel` is called."""
        until = self._clock.monotonic() + seconds
        while not self._cancelled.is_set():
            left = until - self._clock.monotonic()
            if left <= 0:
                return True
            self._clock.sleep(min(max(left, self._MIN_SECONDS), self._SLICE))
        return False

    def cancel(self) -> None:
        """End all waits, current and future."""
        self._cancelled.set()
