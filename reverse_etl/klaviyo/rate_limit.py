"""How fast requests may go out: every endpoint's limits, shared by all threads of a run.

Klaviyo counts in fixed windows of a second and of a minute, whose edges nobody outside knows, and a request
counts when it arrives: at some moment between its sending and its reply. So a slot is taken when a request
goes out, and is free again one window after its reply came. Two requests that used the same slot then arrived
at least a window apart, and no window, however it lies, holds more than its limit. (Klaviyo's guide 'Rate
limits, status codes and errors'.)
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.errors import KlaviyoError
from reverse_etl.klaviyo.endpoints import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reverse_etl.clock import Clock, Patience
    from reverse_etl.klaviyo.endpoints import Tier

BURST: Final = 1.0
STEADY: Final = 60.0
DAY: Final = 86_400.0
_DRIFT: Final = 0.02  # seconds by which two clocks may come apart over a minute
_GRACE: Final = 1.0  # RateLimit-Reset is in whole seconds
_SAME_WINDOW: Final = 5.0  # two resets nearer than this belong to the same window
_POLL: Final = 0.1  # when only another request's reply can say how long to wait
_LONGEST_WAIT: Final = 3_600.0


@dataclass(frozen=True)
class Quota:
    """What a reply said of the minute's window: requests left to the account, seconds until it ends."""

    remaining: int
    reset: float


@dataclass(frozen=True)
class Slot:
    """The right to send one request. A `probe` goes alone, to see whether a 429 is over."""

    endpoint: Endpoint
    sent_at: float
    probe: bool = False


class _Window:
    """Slots of one length of time: the lane counts those in flight, here are those replied to."""

    def __init__(self, seconds: float, limit: int) -> None:
        self.seconds = seconds + _DRIFT
        self.limit = limit
        self.replied: deque[float] = deque()

    def wait(self, now: float, in_flight: int) -> float:
        while self.replied and self.replied[0] + self.seconds <= now:
            self.replied.popleft()
        missing = len(self.replied) + in_flight + 1 - self.limit
        if missing <= 0:
            return 0.0
        if missing > len(self.replied):  # one in flight is free a window after its reply, at the earliest
            return self.seconds
        return self.replied[missing - 1] + self.seconds - now


class Lane:
    """The limits of one endpoint, as a machine without a clock: it is told `now`, which never goes back."""

    def __init__(self, endpoint: Endpoint, tier: Tier) -> None:
        limits = ((BURST, tier.burst), (STEADY, tier.steady), (DAY, tier.daily))
        self._endpoint = endpoint
        self._windows = [_Window(seconds, limit) for seconds, limit in limits if limit is not None]
        # When others use the account too: enough to use up the minute in half a minute.
        self._least_burst = min(tier.burst, max(1, tier.steady // 30))
        self._in_flight = 0
        self._blocked_until = 0.0
        self._suspect = False  # a 429 came, and nothing sent since has had a good reply
        self._probing = False
        self._left: int | None = None  # the least that was said to be left until `_reset_at`
        self._reset_at = 0.0

    def wait(self, now: float) -> float:
        """Return 0.0 when a request may go out, else after how many seconds it is worth asking again."""
        if now < self._blocked_until:
            return self._blocked_until - now
        if self._probing:
            return _POLL
        return max(self._quota_wait(now), *(window.wait(now, self._in_flight) for window in self._windows))

    def _quota_wait(self, now: float) -> float:
        end = self._reset_at + _GRACE
        # Those in flight may be counted in what is left already, or not yet: only their replies will tell.
        if self._left is None or now >= end or self._in_flight < self._left:
            return 0.0
        return end - now if self._left == 0 else min(_POLL, end - now)

    def take(self, now: float) -> Slot:
        """Take a slot. Only right after `wait` said 0.0."""
        self._in_flight += 1
        self._probing = self._suspect
        return Slot(self._endpoint, now, self._suspect)

    def done(self, now: float, slot: Slot, *, replied: bool, quota: Quota | None = None) -> None:
        """Give a slot back: a reply came, not a 429, that told `quota`; or none came."""
        self._in_flight -= 1
        for window in self._windows:
            window.replied.append(now)
        if slot.probe:
            self._probing = False
        if replied and slot.sent_at >= self._blocked_until:
            self._suspect = False
        if quota is not None:
            self._learn(now, quota)

    def throttled(self, now: float, slot: Slot, seconds: float) -> None:
        """Give a slot back after a 429: nothing goes out for `seconds`, and then one request alone.

        Others use the account's limits too, then: from now on they are left more of each second.
        """
        self.done(now, slot, replied=False)
        burst = self._windows[0]
        burst.limit = max(self._least_burst, burst.limit * 4 // 5)
        self._blocked_until = max(self._blocked_until, now + seconds)
        self._suspect = True

    def _learn(self, now: float, quota: Quota) -> None:
        reset_at = now + min(max(quota.reset, 0.0), STEADY)
        over = now >= self._reset_at + _GRACE
        if self._left is None or over or reset_at > self._reset_at + _SAME_WINDOW:
            self._left, self._reset_at = quota.remaining, reset_at
        elif reset_at > self._reset_at - _SAME_WINDOW:  # not a late reply of the window before
            self._left = min(self._left, quota.remaining)


class Pace:
    """The lanes of a run. Thread-safe; one for all threads that share a key."""

    def __init__(self, clock: Clock, patience: Patience, tiers: Callable[[Endpoint], Tier]) -> None:
        self._clock = clock
        self._patience = patience
        self._lanes = {endpoint: Lane(endpoint, tiers(endpoint)) for endpoint in Endpoint}
        self._lock = threading.Lock()

    def take(self, endpoint: Endpoint) -> Slot | None:
        """Return a slot, waiting for it if need be; None when the run was stopped meanwhile.

        Raises KlaviyoError where a slot is free only after more than an hour: a daily limit is used up.
        """
        lane = self._lanes[endpoint]
        while True:
            with self._lock:
                now = self._clock.monotonic()
                wait = lane.wait(now)
                if wait <= 0:
                    return lane.take(now)
            if wait > _LONGEST_WAIT:
                raise KlaviyoError.of(
                    f"Klaviyo takes {endpoint.tier.daily} of these requests a day; they are used up.",
                    where=f"{endpoint.method} {endpoint.template}",
                    advice="Run again tomorrow.",
                )
            if not self._patience.wait(wait):
                return None

    def done(self, slot: Slot, *, replied: bool, quota: Quota | None = None) -> None:
        """Give `slot` back: a reply came, not a 429, that told `quota`; or none came."""
        with self._lock:
            self._lanes[slot.endpoint].done(self._clock.monotonic(), slot, replied=replied, quota=quota)

    def throttled(self, slot: Slot, seconds: float) -> None:
        """Give `slot` back after a 429; its endpoint rests for `seconds`."""
        with self._lock:
            self._lanes[slot.endpoint].throttled(self._clock.monotonic(), slot, seconds)


def duration(requests: Mapping[Endpoint, int]) -> float:
    """Return the seconds until the last of so many requests may go out, at Klaviyo's limits.

    One endpoint comes after another. What requests take on their way, and other users of the account's
    limits, come on top.
    """
    return sum(_duration(endpoint.tier, count) for endpoint, count in requests.items())


def _duration(tier: Tier, count: int) -> float:
    if count <= 0:
        return 0.0
    days, rest = divmod(count - 1, tier.daily) if tier.daily else (0, count - 1)
    minutes, rest = divmod(rest, tier.steady)
    return days * DAY + minutes * STEADY + rest // tier.burst * BURST
