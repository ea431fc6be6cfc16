"""Klaviyo's rate limits: fixed windows of a second, a minute and, for a few endpoints, a day.

Each endpoint has its own quota per account. Sources: the page "Rate limits, status codes, and errors", and
the API reference of each endpoint.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final

from reverse_etl.sandbox.replies import ErrorObject, HttpError

if TYPE_CHECKING:
    from collections.abc import Mapping

BURST: Final = 1
STEADY: Final = 60
DAY: Final = 24 * 3600
_GUIDE: Final = "https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling"


@dataclass(frozen=True)
class EndpointQuota:
    """The number of requests that an endpoint allows per window."""

    burst: int
    steady: int
    daily: int | None = None

    def windows(self) -> tuple[tuple[int, int], ...]:
        """Return (seconds, requests) for each window, the shortest first."""
        daily = () if self.daily is None else ((DAY, self.daily),)
        return ((BURST, self.burst), (STEADY, self.steady), *daily)


XS: Final = EndpointQuota(1, 15)
S: Final = EndpointQuota(3, 60)
M: Final = EndpointQuota(10, 150)
L: Final = EndpointQuota(75, 750)
XL: Final = EndpointQuota(350, 3500)

QUOTAS: Final[Mapping[str, EndpointQuota]] = {
    "get_accounts": XS,
    "get_account": XS,
    "get_lists": L,
    "create_list": EndpointQuota(M.burst, M.steady, daily=150),
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
    "bulk_subscribe_profiles": L,
    "bulk_unsubscribe_profiles": L,
    "bulk_suppress_profiles": L,
    "get_bulk_suppress_profiles_jobs": L,
    "get_bulk_suppress_profiles_job": L,
    "bulk_unsuppress_profiles": L,
    "get_bulk_unsuppress_profiles_jobs": L,
    "get_bulk_unsuppress_profiles_job": L,
    "create_event": XL,
    "bulk_create_events": M,
    "get_events": XL,
    "get_event": M,
    "get_metric_for_event": XL,
    "get_metric_id_for_event": XL,
    "get_profile_for_event": XL,
    "get_profile_id_for_event": XL,
    "get_metrics": M,
    "get_metric": M,
    "request_profile_deletion": S,
    "create_tag": S,
    "tag_lists": S,
    "remove_tag_from_lists": S,
    "create_coupon": S,
    "bulk_create_coupon_codes": L,
    "create_catalog_item": L,
    "bulk_create_catalog_items": L,
    "get_bulk_create_catalog_items_job": L,
    "update_catalog_item": L,
    "delete_catalog_item": L,
    "bulk_create_data_source_records": EndpointQuota(3, 15),
}


@dataclass
class FixedWindowLimiter:
    """Counts requests in windows that begin at whole multiples of their length.

    Thread-safe. A restart of the sandbox resets the counts.
    """

    _counts: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def count_request(self, operation: str, now: float) -> dict[str, str]:
        """Count one request and return the RateLimit headers.

        They have the form of recorded replies, not of the documentation: the limit of the window with the
        fewest requests left and then every window, and the rest and the reset of that first window, in whole
        seconds rounded down.

        Raises HttpError (429, with Retry-After and without those headers) if a window is full. A refused
        request is not counted.
        """
        windows = QUOTAS[operation].windows()
        with self._lock:
            full_windows = [
                seconds
                for seconds, max_requests in windows
                if self._count_in_window(operation, seconds, now) >= max_requests
            ]
            if full_windows:
                raise throttled_error(math.ceil(_seconds_until_next_window(max(full_windows), now)))
            for seconds, _ in windows:
                self._counts[operation, seconds] = (
                    _window_number(seconds, now),
                    self._count_in_window(operation, seconds, now) + 1,
                )
            left = {
                seconds: max_requests - self._count_in_window(operation, seconds, now)
                for seconds, max_requests in windows
            }
        scarcest = min(left, key=lambda seconds: left[seconds])
        all_windows = (f"{max_requests};w={seconds}" for seconds, max_requests in windows)
        return {
            "RateLimit-Limit": ", ".join([str(dict(windows)[scarcest]), *all_windows]),
            "RateLimit-Remaining": str(left[scarcest]),
            "RateLimit-Reset": str(math.ceil(_seconds_until_next_window(scarcest, now)) - 1),
        }

    def _count_in_window(self, operation: str, seconds: int, now: float) -> int:
        window, count = self._counts.get((operation, seconds), (-1, 0))
        return count if window == _window_number(seconds, now) else 0


def throttled_error(retry_after: int | None) -> HttpError:
    """Return the 429. `retry_after` is in seconds; None omits the header, which Klaviyo sometimes does."""
    detail = f"Request was throttled. Expected available in {retry_after or 0} seconds."
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return HttpError(429, ErrorObject(detail, "/data", links={"type": _GUIDE}), headers=headers)


def _window_number(seconds: int, now: float) -> int:
    return int(now // seconds)


def _seconds_until_next_window(seconds: int, now: float) -> float:
    return (_window_number(seconds, now) + 1) * seconds - now
