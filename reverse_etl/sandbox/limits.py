"""Klaviyo's rate limits: fixed windows of a second, a minute and, for a few endpoints, a day.

One quota per endpoint and account.

Figures and headers are those of the page "Rate limits, status codes, and errors" and of the API reference of
each endpoint.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final

from reverse_etl.sandbox.replies import ApiError, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

BURST: Final = 1
STEADY: Final = 60
DAY: Final = 24 * 3600


@dataclass(frozen=True)
class Quota:
    """How many requests an endpoint takes in each window."""

    burst: int
    steady: int
    daily: int | None = None

    def windows(self) -> tuple[tuple[int, int], ...]:
        """Return (seconds, requests) of each window, the shortest first."""
        daily = () if self.daily is None else ((DAY, self.daily),)
        return ((BURST, self.burst), (STEADY, self.steady), *daily)


XS: Final = Quota(1, 15)
S: Final = Quota(3, 60)
M: Final = Quota(10, 150)
L: Final = Quota(75, 750)

QUOTAS: Final[Mapping[str, Quota]] = {
    "get_accounts": XS,
    "get_account": XS,
    "get_lists": L,
    "create_list": Quota(M.burst, M.steady, daily=150),
    "get_list": L,
    "get_list with profile_count": XS,
    "update_list": M,
    "delete_list": M,
    "get_profiles_for_list": L,
    "get_profile_ids_for_list": L,
    "add_profiles_to_list": M,
    "remove_profiles_from_list": M,
    "get_profiles": L,
    "get_profile": L,
    "create_profile": L,
    "update_profile": L,
    "create_or_update_profile": L,
    "merge_profiles": M,
    "get_lists_for_profile": S,
    "get_list_ids_for_profile": S,
    "bulk_import_profiles": M,
    "get_bulk_import_profiles_jobs": M,
    "get_bulk_import_profiles_job": M,
    "get_errors_for_bulk_import_profiles_job": M,
    "get_profiles_for_bulk_import_profiles_job": M,
    "get_profile_ids_for_bulk_import_profiles_job": M,
    "get_list_for_bulk_import_profiles_job": M,
    "get_list_ids_for_bulk_import_profiles_job": M,
}


@dataclass
class Limits:
    """Counts requests in windows that begin at whole multiples of their length.

    Thread-safe; starts empty with each start.
    """

    _counts: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, operation: str, now: float) -> dict[str, str]:
        """Count one request and return the headers that tell of the steady window.

        Raises Refusal (429, with Retry-After and without those headers) when any window is full; a refused
        request is not counted.
        """
        windows = QUOTAS[operation].windows()
        with self._lock:
            full = [seconds for seconds, most in windows if self._count(operation, seconds, now) >= most]
            if full:
                raise throttled(math.ceil(_until_next(max(full), now)))
            for seconds, _ in windows:
                self._counts[operation, seconds] = (
                    _window(seconds, now),
                    self._count(operation, seconds, now) + 1,
                )
            used = self._count(operation, STEADY, now)
        steady = QUOTAS[operation].steady
        return {
            "RateLimit-Limit": str(steady),
            "RateLimit-Remaining": str(steady - used),
            "RateLimit-Reset": str(math.ceil(_until_next(STEADY, now))),
        }

    def _count(self, operation: str, seconds: int, now: float) -> int:
        window, count = self._counts.get((operation, seconds), (-1, 0))
        return count if window == _window(seconds, now) else 0


def throttled(retry_after: int | None) -> Refusal:
    """Return the 429.

    `retry_after` whole seconds, or None for one without the header, which has been seen too.
    """
    detail = f"Request was throttled. Expected available in {retry_after or 0} seconds."
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Refusal(429, ApiError(detail, "/data/"), headers=headers)


def _window(seconds: int, now: float) -> int:
    return int(now // seconds)


def _until_next(seconds: int, now: float) -> float:
    return (_window(seconds, now) + 1) * seconds - now
