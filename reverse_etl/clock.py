"""Time as an argument: what waits is given a clock, so that a test can make an hour pass in a second."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Protocol


class Clock(Protocol):
    """Seconds that only go forward, the time of day, and a way to wait."""

    def monotonic(self) -> float:
        """Return seconds since some fixed point; never goes back."""
        ...

    def now(self) -> float:
        """Return seconds since the epoch (UTC)."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock have passed; at once when they are not positive."""
        ...


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()

    def now(self) -> float:
        """Return the machine's time of day."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait on the machine's clock."""
        if seconds > 0:
            time.sleep(seconds)


@dataclass(frozen=True)
class ScaledClock:
    """A clock on which `speed` seconds pass in a real one; two of the same speed and start agree."""

    speed: float
    start: float = field(default_factory=time.time)

    def monotonic(self) -> float:
        """Return scaled seconds since the machine started."""
        return time.monotonic() * self.speed

    def now(self) -> float:
        """Return the time of day, which ran at the real speed until `start`."""
        return self.start + (time.time() - self.start) * self.speed

    def sleep(self, seconds: float) -> None:
        """Wait `seconds / speed` real seconds."""
        if seconds > 0:
            time.sleep(seconds / self.speed)


class CancellableSleep:
    """Waiting that can be called off from another thread, as when a run is interrupted."""

    _SLICE = 0.5  # seconds of the clock between two looks at whether to go on
    _MIN_SECONDS = 0.001  # less than a clock may be able to tell

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cancelled = threading.Event()

    def wait(self, seconds: float) -> bool:
        """Wait `seconds` of the clock and return True, or return False soon after `cancel` was called."""
        until = self._clock.monotonic() + seconds
        while not self._cancelled.is_set():
            left = until - self._clock.monotonic()
            if left <= 0:
                return True
            self._clock.sleep(min(max(left, self._MIN_SECONDS), self._SLICE))
        return False

    def cancel(self) -> None:
        """Call off every wait, now and later."""
        self._cancelled.set()
