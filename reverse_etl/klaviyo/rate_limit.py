"""Rate limits of all endpoints, shared by the threads of a run.

Klaviyo counts requests in fixed windows of a second and of a minute, whose boundaries are not known. A
request counts when it arrives, at some time between its sending and its reply. A slot is therefore taken when
a request is sent, and is free again one window after its reply. Two requests that use the same slot arrive at
least one window apart, so that no window, wherever it begins, has more requests than its limit. Source:
Klaviyo's guide 'Rate limits, status codes and errors'.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.errors import KlaviyoError
from reverse_etl.klaviyo.endpoints import CustomEndpoint, Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reverse_etl.clock import CancellableSleep, Clock
    from reverse_etl.klaviyo.endpoints import AnyEndpoint, RateLimit

BURST_SECONDS: Final = 1.0
STEADY_SECONDS: Final = 60.0
DAY_SECONDS: Final = 86_400.0
_CLOCK_DRIFT_SECONDS: Final = 0.02  # between this clock and Klaviyo's, within a minute
_RESET_MARGIN_SECONDS: Final = 1.0  # RateLimit-Reset is in whole seconds
_SAME_WINDOW_SECONDS: Final = 5.0  # two resets closer than this belong to the same window
_POLL_SECONDS: Final = 0.1  # if the wait depends on the reply to another request
_MAX_WAIT_SECONDS: Final = 3_600.0


@dataclass(frozen=True)
class Quota:
    """A window according to a reply: requests left for the account, seconds until it ends, its length."""

    remaining: int
    reset: float
    seconds: float = STEADY_SECONDS


@dataclass(frozen=True)
class Permit:
    """The permission to send one request. A canary is sent alone, to find out whether a 429 is over."""

    endpoint: AnyEndpoint
    sent_at: float
    is_canary: bool = False


class _Window:
    """The slots of one window length that have got their reply; EndpointLimiter counts those in flight."""

    def __init__(self, length: float, limit: int, reply_times: Iterable[float] = ()) -> None:
        self.length = length
        self.seconds = length + _CLOCK_DRIFT_SECONDS
        self.limit = limit
        self.reply_times = deque(reply_times)

    def seconds_until_free(self, now: float, in_flight: int) -> float:
        while self.reply_times and self.reply_times[0] + self.seconds <= now:
            self.reply_times.popleft()
        missing = len(self.reply_times) + in_flight + 1 - self.limit
        if missing <= 0:
            return 0.0
        if missing > len(self.reply_times):  # a request in flight frees its slot one window after its reply
            return self.seconds
        return self.reply_times[missing - 1] + self.seconds - now


class _ReportedWindow:
    """A window length as replies describe it, with the requests of all users of the account."""

    def __init__(self) -> None:
        self._remaining: int | None = None  # the lowest figure of all replies until `_resets_at`
        self._resets_at = 0.0

    def seconds_until_free(self, now: float, in_flight: int) -> float:
        end = self._resets_at + _RESET_MARGIN_SECONDS
        # Requests in flight may or may not be counted in the remaining quota; only their replies show it.
        if self._remaining is None or now >= end or in_flight < self._remaining:
            return 0.0
        return end - now if self._remaining == 0 else min(_POLL_SECONDS, end - now)

    def update(self, now: float, quota: Quota) -> None:
        resets_at = now + min(max(quota.reset, 0.0), quota.seconds)
        over = now >= self._resets_at + _RESET_MARGIN_SECONDS
        if self._remaining is None or over or resets_at > self._resets_at + _SAME_WINDOW_SECONDS:
            self._remaining, self._resets_at = quota.remaining, resets_at
        elif resets_at > self._resets_at - _SAME_WINDOW_SECONDS:  # not a late reply of an earlier window
            self._remaining = min(self._remaining, quota.remaining)


class EndpointLimiter:
    """The rate limits of one endpoint. It has no clock: callers pass `now`, which must never decrease."""

    def __init__(self, endpoint: AnyEndpoint, rate_limit: RateLimit) -> None:
        limits = (
            (BURST_SECONDS, rate_limit.burst),
            (STEADY_SECONDS, rate_limit.steady),
            (DAY_SECONDS, rate_limit.daily),
        )
        self._endpoint = endpoint
        self._windows = [_Window(seconds, limit) for seconds, limit in limits if limit is not None]
        # The lower bound if others use the account too: still enough to use a minute's quota in 30 seconds.
        self._min_burst = min(rate_limit.burst, max(1, rate_limit.steady // 30))
        self._in_flight = 0
        self._blocked_until = 0.0
        self._recovering = False  # no request sent after the last 429 has succeeded yet
        self._has_canary = False
        self._reported_windows: dict[float, _ReportedWindow] = {}  # by their lengths in seconds

    def seconds_until_free(self, now: float) -> float:
        """Return 0.0 if a request may be sent now, otherwise the seconds after which to ask again."""
        if now < self._blocked_until:
            return self._blocked_until - now
        if self._has_canary:
            return _POLL_SECONDS
        return max(
            self._seconds_until_quota(now),
            *(window.seconds_until_free(now, self._in_flight) for window in self._windows),
        )

    def _seconds_until_quota(self, now: float) -> float:
        waits = (
            window.seconds_until_free(now, self._in_flight) for window in self._reported_windows.values()
        )
        return max(waits, default=0.0)

    def acquire(self, now: float) -> Permit:
        """Take a slot. Allowed only directly after `seconds_until_free` returned 0.0."""
        self._in_flight += 1
        self._has_canary = self._recovering
        return Permit(self._endpoint, now, self._recovering)

    def release(self, now: float, permit: Permit, *, replied: bool, quota: Quota | None = None) -> None:
        """Return a slot after a reply other than 429, which may state a `quota`, or after no reply."""
        self._in_flight -= 1
        for window in self._windows:
            window.reply_times.append(now)
        if permit.is_canary:
            self._has_canary = False
        if replied and permit.sent_at >= self._blocked_until:
            self._recovering = False
        if quota is not None:
            self._reported_windows.setdefault(quota.seconds, _ReportedWindow()).update(now, quota)

    def cancel(self, permit: Permit) -> None:
        """Return a slot for which nothing was sent."""
        self._in_flight -= 1
        if permit.is_canary:
            self._has_canary = False

    def adopt_limits(self, limits: Mapping[float, int]) -> None:
        """Keep the limits that a reply states, by the seconds of their windows, in the place of the assumed.

        Requests so far count in every window.
        """
        reply_times = max((window.reply_times for window in self._windows), key=len)
        for seconds, limit in sorted(limits.items()):
            same_length = [window for window in self._windows if window.length == seconds]
            for window in same_length:
                window.limit = limit
            if not same_length:
                self._windows.append(_Window(seconds, limit, reply_times))
        self._windows.sort(key=lambda window: window.seconds)
        self._min_burst = min(self._min_burst, self._windows[0].limit)

    def throttle(self, now: float, permit: Permit, seconds: float) -> None:
        """Return a slot after a 429: send nothing for `seconds`, and then a single request.

        A 429 shows that others use the account too, so that the burst limit is lowered.
        """
        self.release(now, permit, replied=False)
        burst = self._windows[0]
        burst.limit = max(self._min_burst, burst.limit * 4 // 5)
        self._blocked_until = max(self._blocked_until, now + seconds)
        self._recovering = True


class RateLimiter:
    """The limiters of all endpoints. Thread-safe; all threads that share a key use one object."""

    def __init__(
        self, clock: Clock, sleep: CancellableSleep, rate_limit_for: Callable[[Endpoint], RateLimit]
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._limiters: dict[AnyEndpoint, EndpointLimiter] = {
            endpoint: EndpointLimiter(endpoint, rate_limit_for(endpoint)) for endpoint in Endpoint
        }
        self._lock = threading.Lock()

    def acquire(self, endpoint: AnyEndpoint) -> Permit | None:
        """Wait for a permit and return it, or None if the run was stopped.

        Raises KlaviyoError if the wait would exceed an hour, because a daily limit is used up.
        """
        with self._lock:
            limiter = self._limiters.setdefault(endpoint, EndpointLimiter(endpoint, endpoint.rate_limit))
        while True:
            with self._lock:
                now = self._clock.monotonic()
                wait = limiter.seconds_until_free(now)
                if wait <= 0:
                    return limiter.acquire(now)
            if wait > _MAX_WAIT_SECONDS:
                raise KlaviyoError.of(
                    f"Klaviyo's daily limit of {_format_daily(endpoint)}these requests is used up.",
                    where=f"{endpoint.method} {endpoint.template}",
                    hint="Run again tomorrow.",
                )
            if not self._sleep.wait(wait):
                return None

    def release(
        self,
        permit: Permit,
        *,
        replied: bool,
        quota: Quota | None = None,
        limits: Mapping[float, int] | None = None,
    ) -> None:
        """Return `permit` after a reply other than 429, or after no reply.

        A reply may state a `quota` and the `limits`, by the seconds of their windows; those are kept for
        endpoints whose limits are not known from Klaviyo's reference.
        """
        with self._lock:
            limiter = self._limiters[permit.endpoint]
            limiter.release(self._clock.monotonic(), permit, replied=replied, quota=quota)
            if limits and isinstance(permit.endpoint, CustomEndpoint):
                limiter.adopt_limits(limits)

    def cancel(self, permit: Permit) -> None:
        """Return `permit` for which nothing was sent."""
        with self._lock:
            self._limiters[permit.endpoint].cancel(permit)

    def throttle(self, permit: Permit, seconds: float) -> None:
        """Return `permit` after a 429; its endpoint sends nothing for `seconds`."""
        with self._lock:
            self._limiters[permit.endpoint].throttle(self._clock.monotonic(), permit, seconds)


def _format_daily(endpoint: AnyEndpoint) -> str:
    daily = endpoint.rate_limit.daily
    return "" if daily is None else f"{daily} of "


def estimate_duration(requests: Mapping[AnyEndpoint, int]) -> float:
    """Return the seconds until the last of these requests may be sent, at Klaviyo's rate limits.

    Endpoints are used one after another. Network time and other users of the account are not included.
    """
    return sum(_estimate_duration(endpoint.rate_limit, count) for endpoint, count in requests.items())


def _estimate_duration(rate_limit: RateLimit, count: int) -> float:
    if count <= 0:
        return 0.0
    days, rest = divmod(count - 1, rate_limit.daily) if rate_limit.daily else (0, count - 1)
    minutes, rest = divmod(rest, rate_limit.steady)
    return days * DAY_SECONDS + minutes * STEADY_SECONDS + rest // rate_limit.burst * BURST_SECONDS
