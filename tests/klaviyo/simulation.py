"""A simulated server that counts in fixed windows, and a client that sends as fast as a limiter allows."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count
from math import ceil
from random import Random
from typing import TYPE_CHECKING

from reverse_etl.klaviyo.rate_limit import Quota

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from reverse_etl.klaviyo.endpoints import RateLimit
    from reverse_etl.klaviyo.rate_limit import EndpointLimiter, Permit


def dice(seed: int = 1) -> Random:
    """Return chance that can be repeated."""
    return Random(seed)  # noqa: S311 - nothing secret depends on it


@dataclass
class FixedWindows:
    """Klaviyo's side: counts in fixed windows.

    `phase` sets their edges; None starts each window with the first request after the last one.
    `least_left` replies with the window that has the least requests left, as Klaviyo does; otherwise with
    the minute, as it documents.
    """

    tier: RateLimit
    phase: float | None
    least_left: bool = False
    counts: dict[float, tuple[float, int]] = field(default_factory=dict)

    def arrive(self, now: float) -> tuple[bool, int, float, float]:
        """Count a request; return whether it is taken, and a window's rest, seconds to its end, length."""
        ends = {}
        for seconds, limit in ((1.0, self.tier.burst), (60.0, self.tier.steady)):
            start, used = self.counts.get(seconds, (float("-inf"), 0))
            if now >= start + seconds:
                start = now if self.phase is None else (now - self.phase) // seconds * seconds + self.phase
                used = 0
            self.counts[seconds] = (start, used + 1)
            ends[seconds] = start + seconds - now
            if used + 1 > limit:
                return False, 0, ends[seconds], seconds
        left = {1.0: self.tier.burst - self.counts[1.0][1], 60.0: self.tier.steady - self.counts[60.0][1]}
        told = min(left, key=lambda seconds: left[seconds]) if self.least_left else 60.0
        return True, left[told], ends[told], told


@dataclass
class Run:
    """A run with work without end. After `send`, `good` and `throttled` count the replies.

    A request arrives somewhere between its sending and its reply, which comes after half to all of
    `latency`. `rounding` makes the header's whole seconds; None sends no such headers.
    """

    limiter: EndpointLimiter
    server: FixedWindows
    in_flight: int
    latency: float
    seed: int = 0
    rounding: Callable[[float], int] | None = ceil
    good: int = 0
    throttled: int = 0

    def send(self, seconds: int, others: Sequence[float] = ()) -> Run:
        """Send for so many seconds; `others` are the moments at which other users' requests arrive."""
        self._random, self._order, self._out = dice(self.seed), count(), 0
        self._events: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        for at in others:
            self._plan(at, self.server.arrive)
        self._plan(0.0, self._look)
        while self._events and self._events[0][0] <= seconds:
            now, _, happen, about = heapq.heappop(self._events)
            happen(now, *about)
        return self

    def _plan(self, at: float, happen: Callable[..., object], *about: Any) -> None:
        heapq.heappush(self._events, (at, next(self._order), happen, about))

    def _look(self, now: float) -> None:
        while self._out < self.in_flight:
            wait = self.limiter.seconds_until_free(now)
            if wait > 0:
                self._plan(now + wait, self._look)
                return
            slot, back = self.limiter.acquire(now), now + self.latency * self._random.uniform(0.5, 1)
            self._out += 1
            self._plan(self._random.uniform(now, back), self._arrive, slot, back)

    def _arrive(self, now: float, slot: Permit, back: float) -> None:
        self._plan(back, self._reply, slot, *self.server.arrive(now))

    def _reply(  # noqa: PLR0913, PLR0917 - what the server says
        self, now: float, slot: Permit, taken: bool, left: int, wait: float, seconds: float
    ) -> None:
        if taken:
            self.good += 1
            quota = Quota(left, self.rounding(wait), seconds) if self.rounding else None
            self.limiter.release(now, slot, replied=True, quota=quota)
        else:
            self.throttled += 1
            self.limiter.throttle(now, slot, max(ceil(wait), 1))
        if self._out == self.in_flight:  # nobody was looking: all were waiting for replies
            self._plan(now, self._look)
        self._out -= 1
