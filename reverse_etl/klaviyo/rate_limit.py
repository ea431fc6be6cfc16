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

    from reverse_etl.clock import CancellableSleep, Clock
    from reverse_etl.klaviyo.endpoints import RateLimit

BURST_SECONDS: Final = 1.0
STEADY_SECONDS: Final = 60.0
DAY_SECONDS: Final = 86_400.0
_CLOCK_DRIFT_SECONDS: Final = 0.02  # seconds by which two clocks may come apart over a minute
_RESET_MARGIN_SECONDS: Final = 1.0  # RateLimit-Reset is in whole seconds
_SAME_WINDOW_SECONDS: Final = 5.0  # two resets nearer than this belong to the same window
_POLL_SECONDS: Final = 0.1  # when only another request's reply can say how long to wait
_MAX_WAIT_SECONDS: Final = 3_600.0


@dataclass(frozen=True)
class Quota:
    """What a reply said of the minute's window: requests left to the account, seconds until it ends."""

    remaining: int
    reset: float


@dataclass(frozen=True)
class Permit:
    """The right to send one request. A `probe` goes alone, to see whether a 429 is over."""

    endpoint: Endpoint
    sent_at: float
    probe: bool = False


class _Window:
    """Slots of one length of time: the lane counts those in flight, here are those replied to."""

    def __init__(self, seconds: float, limit: int) -> None:
        self.seconds = seconds + _CLOCK_DRIFT_SECONDS
        self.limit = limit
        self.reply_times: deque[float] = deque()

    def seconds_until_free(self, now: float, in_flight: int) -> float:
        while self.reply_times and self.reply_times[0] + self.seconds <= now:
            self.reply_times.popleft()
        missing = len(self.reply_times) + in_flight + 1 - self.limit
        if missing <= 0:
            return 0.0
        if missing > len(self.reply_times):  # one in flight is free a window after its reply, at the earliest
            return self.seconds
        return self.reply_times[missing - 1] + self.seconds - now


class EndpointLimiter:
    """The limits of one endpoint, as a machine without a clock: it is told `now`, which never goes back."""

    def __init__(self, endpoint: Endpoint, rate_limit: RateLimit) -> None:
        limits = (
            (BURST_SECONDS, rate_limit.burst),
            (STEADY_SECONDS, rate_limit.steady),
            (DAY_SECONDS, rate_limit.daily),
        )
        self._endpoint = endpoint
        self._windows = [_Window(seconds, limit) for seconds, limit in limits if limit is not None]
        # When others use the account too: enough to use up the minute in half a minute.
        self._min_burst = min(rate_limit.burst, max(1, rate_limit.steady // 30))
        self._in_flight = 0
        self._blocked_until = 0.0
        self._recovering = False  # a 429 came, and nothing sent since has had a good reply
        self._probing = False
        self._quota_remaining: int | None = (
            None  # the least that was said to be left until `_quota_resets_at`
        )
        self._quota_resets_at = 0.0

    def seconds_until_free(self, now: float) -> float:
        """Return 0.0 when a request may go out, else after how many seconds it is worth asking again."""
        if now < self._blocked_until:
            return self._blocked_until - now
        if self._probing:
            return _POLL_SECONDS
        return max(
            self._seconds_until_quota(now),
            *(window.seconds_until_free(now, self._in_flight) for window in self._windows),
        )

    def _seconds_until_quota(self, now: float) -> float:
        end = self._quota_resets_at + _RESET_MARGIN_SECONDS
        # Those in flight may be counted in what is left already, or not yet: only their replies will tell.
        if self._quota_remaining is None or now >= end or self._in_flight < self._quota_remaining:
            return 0.0
        return end - now if self._quota_remaining == 0 else min(_POLL_SECONDS, end - now)

    def acquire(self, now: float) -> Permit:
        """Take a slot. Only right after `seconds_until_free` said 0.0."""
        self._in_flight += 1
        self._probing = self._recovering
        return Permit(self._endpoint, now, self._recovering)

    def release(self, now: float, permit: Permit, *, replied: bool, quota: Quota | None = None) -> None:
        """Give a slot back: a reply came, not a 429, that told `quota`; or none came."""
        self._in_flight -= 1
        for window in self._windows:
            window.reply_times.append(now)
        if permit.probe:
            self._probing = False
        if replied and permit.sent_at >= self._blocked_until:
            self._recovering = False
        if quota is not None:
            self._update_quota(now, quota)

    def throttle(self, now: float, permit: Permit, seconds: float) -> None:
        """Give a slot back after a 429: nothing goes out for `seconds`, and then one request alone.

        Others use the account's limits too, then: from now on they are left more of each second.
        """
        self.release(now, permit, replied=False)
        burst = self._windows[0]
        burst.limit = max(self._min_burst, burst.limit * 4 // 5)
        self._blocked_until = max(self._blocked_until, now + seconds)
        self._recovering = True

    def _update_quota(self, now: float, quota: Quota) -> None:
        reset_at = now + min(max(quota.reset, 0.0), STEADY_SECONDS)
        over = now >= self._quota_resets_at + _RESET_MARGIN_SECONDS
        if self._quota_remaining is None or over or reset_at > self._quota_resets_at + _SAME_WINDOW_SECONDS:
            self._quota_remaining, self._quota_resets_at = quota.remaining, reset_at
        elif reset_at > self._quota_resets_at - _SAME_WINDOW_SECONDS:  # not a late reply of the window before
            self._quota_remaining = min(self._quota_remaining, quota.remaining)


class RateLimiter:
    """The lanes of a run. Thread-safe; one for all threads that share a key."""

    def __init__(
        self, clock: Clock, sleep: CancellableSleep, rate_limit_for: Callable[[Endpoint], RateLimit]
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._limiters = {
            endpoint: EndpointLimiter(endpoint, rate_limit_for(endpoint)) for endpoint in Endpoint
        }
        self._lock = threading.Lock()

    def acquire(self, endpoint: Endpoint) -> Permit | None:
        """Return a slot, waiting for it if need be; None when the run was stopped meanwhile.

        Raises KlaviyoError where a slot is free only after more than an hour: a daily limit is used up.
        """
        limiter = self._limiters[endpoint]
        while True:
            with self._lock:
                now = self._clock.monotonic()
                wait = limiter.seconds_until_free(now)
                if wait <= 0:
                    return limiter.acquire(now)
            if wait > _MAX_WAIT_SECONDS:
                raise KlaviyoError.of(
                    f"Klaviyo takes {endpoint.rate_limit.daily} of these requests a day; they are used up.",
                    where=f"{endpoint.method} {endpoint.template}",
                    hint="Run again tomorrow.",
                )
            if not self._sleep.wait(wait):
                return None

    def release(self, permit: Permit, *, replied: bool, quota: Quota | None = None) -> None:
        """Give `permit` back: a reply came, not a 429, that told `quota`; or none came."""
        with self._lock:
            self._limiters[permit.endpoint].release(
                self._clock.monotonic(), permit, replied=replied, quota=quota
            )

    def throttle(self, permit: Permit, seconds: float) -> None:
        """Give `permit` back after a 429; its endpoint rests for `seconds`."""
        with self._lock:
            self._limiters[permit.endpoint].throttle(self._clock.monotonic(), permit, seconds)


def estimate_duration(requests: Mapping[Endpoint, int]) -> float:
    """Return the seconds until the last of so many requests may go out, at Klaviyo's limits.

    One endpoint comes after another. What requests take on their way, and other users of the account's
    limits, come on top.
    """
    return sum(_estimate_duration(endpoint.rate_limit, count) for endpoint, count in requests.items())


def _estimate_duration(rate_limit: RateLimit, count: int) -> float:
    if count <= 0:
        return 0.0
    days, rest = divmod(count - 1, rate_limit.daily) if rate_limit.daily else (0, count - 1)
    minutes, rest = divmod(rest, rate_limit.steady)
    return days * DAY_SECONDS + minutes * STEADY_SECONDS + rest // rate_limit.burst * BURST_SECONDS
