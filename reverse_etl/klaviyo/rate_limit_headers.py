"""Read the RateLimit headers of a reply, in the form that Klaviyo documents and the form that it sends.

Documented: the limit, the remaining requests and the reset of the minute. Sent: `RateLimit-Limit: 10,
10;w=1, 150;w=60`, which is the limit of the window with the least requests left, then every window with its
seconds; `RateLimit-Remaining` and `RateLimit-Reset` (whole seconds, rounded down) describe that first window.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reverse_etl.klaviyo.headers import parse_number
from reverse_etl.klaviyo.rate_limit import STEADY_SECONDS, Quota

if TYPE_CHECKING:
    from collections.abc import Mapping

_WINDOW: Final = re.compile(r"(\d{1,12})\s*;\s*w\s*=\s*(\d{1,12})", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,12}", re.ASCII)


def parse_quota(headers: Mapping[str, str]) -> Quota | None:
    """Return what the headers (lower-case names) say of a window, or None if they cannot be read.

    If several windows have the limit that is named first, the shortest one that lasts longer than the reset
    is meant.
    """
    remaining, reset = (
        _parse_number(headers, "ratelimit-remaining"),
        _parse_number(headers, "ratelimit-reset"),
    )
    if remaining is None or reset is None:
        return None
    limit, windows = _parse_limit(headers.get("ratelimit-limit", ""))
    lengths = [seconds for seconds, window_limit in windows.items() if window_limit == limit]
    longer = [seconds for seconds in lengths if seconds > reset]
    return Quota(int(remaining), reset, min(longer or lengths, default=STEADY_SECONDS))


def parse_windows(headers: Mapping[str, str]) -> dict[float, int]:
    """Return the requests allowed in each window, by its seconds; empty if the headers name no window."""
    return _parse_limit(headers.get("ratelimit-limit", ""))[1]


def _parse_limit(text: str) -> tuple[int | None, dict[float, int]]:
    first, *parts = (part.strip() for part in text.split(","))
    windows = [match for part in parts if (match := _WINDOW.fullmatch(part))]
    limit = int(first) if _NUMBER.fullmatch(first) else None
    return limit, {float(match[2]): int(match[1]) for match in windows if int(match[2])}


def _parse_number(headers: Mapping[str, str], name: str) -> float | None:
    number = parse_number(headers.get(name, ""))
    return number if number is not None and number >= 0 else None
